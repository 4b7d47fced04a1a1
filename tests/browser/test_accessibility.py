"""axe-core finds nothing serious on a page of each kind, and each page has the landmarks that lead through it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from momo.admin.kit import nav
from momo.sheets.write import XLSX
from products.models import Category
from tests.admin import makers
from tests.browser import world
from tests.browser.conftest import Opener, findings
from tests.kit.turns import in_turns, turn

PAGES = (
    ("home", "crawl", "missing", "import", "user", "token", "saved filter", "csv address", "template", "upload"),
    ("send", "sending", "vendor mail", "stockout", "vendor", "merge", "copy", "fact sheet"),
    ("calendar", "trend of sales", "movers", "contribution", "grid", "campaign"),
)
FORMS = {"ai_style_workbench"}  # pages of the menu that list nothing
ROWS = ":is(#result_list tr.data-row, .mo-table--rows tbody tr)"


@in_turns(12)
def test_nothing_serious_is_found_on_a_page_of_each_kind_and_of_the_menu(
    parts: int, opened: Opener, live_server: Any
) -> None:
    world.fill(live_server.url)
    urls = world.pages()
    menu = {reverse(f"admin:{entry.view}"): entry.view for entry in nav.entries()}
    page, found, empty = opened(), {}, []
    for address in turn([*(urls[kind] for kinds in PAGES for kind in kinds), *menu], parts):
        page.goto(address)
        if seen := findings(page):
            found[address] = seen
        if address in menu and menu[address] not in FORMS and not page.locator(ROWS).count():
            empty.append(address)

    assert found == {}
    assert empty == []  # `world.fill` has rows for each list


def test_nothing_serious_is_found_in_what_opens_over_a_page(opened: Opener, live_server: Any) -> None:
    world.fill(live_server.url)
    page, urls, found = opened(), world.pages(), {}

    page.goto(urls["products"])
    page.locator("#changelist [role=button]", has_text="篩選").press("Enter")
    page.locator("#filter-form").wait_for()
    found["filter"] = findings(page, "#changelist-filter")
    page.goto(urls["jobs"])
    page.locator("summary", has_text="說明").press("Enter")
    page.get_by_text("先看預覽再開始").wait_for()
    found["help"] = findings(page, "header")
    page.keyboard.press("Escape")
    page.locator("summary", has_text="已存篩選").press("Enter")
    page.locator(".mo-views a").first.wait_for()
    found["saved filters"] = findings(page, ".mo-bar")
    page.goto(urls["crawls"])
    page.get_by_role("link", name="立即更新價格").click()
    page.locator("#dialog button[type=submit]").wait_for()
    found["dialog"] = findings(page, "#modal-content")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command:focus").wait_for()
    page.keyboard.type("匯")
    page.locator("#command-results-list a").first.wait_for()
    found["menu"] = findings(page, "[role=dialog][aria-label=搜尋]")
    page.goto(urls["user"])
    page.locator("#nav-sidebar-inner [role=button]").last.press("Enter")
    found["user menu"] = findings(page, "#nav-sidebar-inner")
    page.goto(urls["upload"])
    report = {"name": "每日銷售.xlsx", "mimeType": XLSX, "buffer": makers.workbook(*world.SOLD)}  # it is in already
    page.locator("input[name=file]").set_input_files(report)
    page.locator("[data-preview] .mo-table").first.wait_for()
    found["preview"] = findings(page)
    page = opened(anonymous=True)
    page.goto("/login")
    found["login"] = findings(page)

    assert {place: seen for place, seen in found.items() if seen} == {}


def test_the_first_stop_of_the_keyboard_skips_the_menu(opened: Opener) -> None:
    page = opened()
    page.goto("/admin/")

    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")

    assert first == "跳到主要內容"
    assert page.evaluate("document.activeElement.id") == "content"


def test_scripts_of_packages_speak_our_language(opened: Opener, live_server: Any) -> None:
    world.fill(live_server.url)
    page, urls, english = opened(), world.pages(), {}
    for kind in ("products", "token"):
        page.goto(urls[kind])
        page.wait_for_function("document.querySelectorAll('.simplebar-content-wrapper[aria-label]').length > 0")
        names = page.eval_on_selector_all(
            "[aria-label], [title]", "found => found.flatMap(one => [one.ariaLabel, one.title])"
        )
        english[kind] = sorted({name for name in names if name and name.isascii() and name.strip("0123456789-: ")})
    page.goto(f"{urls['products']}?category__id__exact={Category.objects.earliest('pk').pk}")
    clear = page.locator(".select2-selection__clear").first.get_attribute("title")
    page.goto(urls["token"])
    page.locator(".select2-selection").first.click()
    page.keyboard.type("nobody")
    page.locator(".select2-results__option", has_text="沒有符合的項目").wait_for()

    assert english == {"products": [], "token": []}
    assert clear == "清除"
