"""The walk of a phone through the admin, and what a keyboard and a mouse do there."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.urls import reverse
from playwright.sync_api import Dialog, Page, expect

from sales.models import Target
from tests.admin import makers
from tests.admin import makers_notifications as messages
from tests.browser import world
from tests.browser.conftest import DESK, PHONE, Opener, findings

CARD = 120  # pixels, the height that a row of a list or of figures has at most
LISTS = (
    *("products", "held", "crawls", "lines", "alarms", "jobs"),
    *("subscriptions", "stockouts", "vendors", "addresses"),
)
PAGES = (
    *("home", "todo", "product", "template", "send", "sending", "vendor mail"),
    *("board", "score", "stockout", "vendor", "merge", "workbench"),
    *("copy", "fact sheet", "usage"),
    *("day", "calendar", "contribution", "targets", "grid", "campaign", "prices"),
)
SIZES = """() => {
    for (const table of document.querySelectorAll('.mo-figured details')) table.open = true;
    const rows = [...document.querySelectorAll('#result_list tr.data-row, .mo-table--rows tbody tr:has(td.mo-num)')];
    const heights = rows.flatMap(row => [...row.querySelectorAll('a')]).map(link => link.offsetHeight);
    return {
        over: document.documentElement.scrollWidth - innerWidth,
        rows: rows.map(row => row.getBoundingClientRect().height),
        cut: rows.filter(row => row.scrollHeight > row.clientHeight + 2).length,
        thin: heights.filter(height => height && height < 24).length,
    };
}"""


def test_pages_do_not_scroll_sideways_and_rows_are_cards(opened: Opener, live_server: Any) -> None:
    world.fill(live_server.url)
    page, urls, wide, high, found = opened(PHONE), world.pages(), {}, {}, {}
    cut: dict[str, tuple[int, int]] = {}
    for kind in (*LISTS, *PAGES):
        page.goto(urls[kind])
        sizes = page.evaluate(SIZES)
        if sizes["over"] > 0:
            wide[kind] = sizes["over"]
        if kind in LISTS or sizes["rows"]:
            high[kind] = max(sizes["rows"])
            if sizes["cut"] or sizes["thin"]:
                cut[kind] = sizes["cut"], sizes["thin"]
        if kind in ("home", "subscriptions") and (seen := findings(page)):
            found[kind] = seen

    assert wide == {}
    assert cut == {}  # rows that hide something, links thinner than a finger
    assert found == {}
    assert {kind: height for kind, height in high.items() if not 0 < height <= CARD} == {}


def test_tables_of_a_crawl_can_be_read_on_a_phone(opened: Opener) -> None:
    run = makers.full_run()
    page = opened(PHONE)
    page.goto(f"/admin/products/crawlrun/{run.pk}/change/")

    cells = page.eval_on_selector_all(
        ".mo-table--rows td", "cells => cells.map(cell => [cell.innerText.length, cell.offsetWidth, cell.offsetHeight])"
    )

    assert cells
    assert page.evaluate(SIZES)["over"] <= 0
    # Nothing stands one character on a line: a text takes no more lines than a full width needs, and one for its code.
    assert [cell for cell in cells if cell[2] > 24 * (2 + cell[0] * 14 // 300)] == []


def test_numbers_of_a_list_stand_right_below_their_heading(opened: Opener) -> None:
    makers.products(2)
    page = opened(DESK)
    edges = """name => ['th.column-' + name + ' .text', 'td.field-' + name].map(one => {
        const range = document.createRange();
        range.selectNodeContents(document.querySelector('#result_list ' + one));
        return Math.round(range.getBoundingClientRect().right);
    })"""

    page.goto("/admin/products/product/")
    price = page.evaluate(edges, "current")
    name = page.evaluate("getComputedStyle(document.querySelector('.field-label')).textAlign")

    assert abs(price[0] - price[1]) <= 1
    assert name == "left"


def test_the_menu_is_searched_with_the_keyboard_alone(opened: Opener) -> None:
    page = opened(DESK)
    page.goto("/admin/")

    page.keyboard.press("Control+k")
    page.locator("#search-input-command:focus").wait_for()
    page.keyboard.type("訊息")
    page.locator("#command-results-list li:only-child a").wait_for()
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url.endswith("/admin/notifications/outboxmessage/")


def leave(page: Page) -> None:
    """As a link does: `goto` is cut off by the question whether to leave."""
    with page.expect_navigation():
        page.evaluate("location.href = '/admin/'")


def test_leaving_a_template_with_changes_asks_and_saving_does_not(opened: Opener) -> None:
    template = messages.template()
    page = opened(DESK)
    seen: list[str] = []

    def agree(dialog: Dialog) -> None:
        seen.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    address = f"/admin/notifications/template/{template.pk}/change/"
    page.goto(address)
    leave(page)
    assert seen == []
    page.goto(address)
    page.locator("[name=title]").press_sequentially("新")
    leave(page)
    assert seen == ["beforeunload"]
    page.goto(address)
    page.locator("[name=title]").press_sequentially("新")
    with page.expect_navigation():
        page.locator("[name=_save]").click()

    assert seen == ["beforeunload"]
    template.refresh_from_db()
    assert "新" in template.title


def test_many_variables_are_closed_cards_that_say_what_they_are(opened: Opener) -> None:
    variables = [
        {"name": f"value_{number}", "type": "text", "description": f"第 {number} 個值", "example": "x"}
        for number in range(17)
    ]
    template = messages.template(variables=variables, subject="主旨", body="{{ value_0 }}")
    page = opened(PHONE)
    page.goto(f"/admin/notifications/template/{template.pk}/change/")
    cards = page.locator("details.mo-variable")

    assert cards.count() == 17
    assert page.locator("details.mo-variable[open]").count() == 0
    assert "value_3" in cards.nth(3).inner_text()
    assert "第 3 個值" in cards.nth(3).inner_text()
    assert page.locator(".mo-variables").bounding_box()["height"] < 1_000

    cards.nth(3).locator("summary").first.click()
    cards.nth(3).locator("input").first.fill("renamed")
    assert "renamed" in cards.nth(3).locator("summary").first.inner_text()
    written = json.loads(page.locator("textarea[data-variables]").input_value())
    assert written[3]["name"] == "renamed"


def test_targets_of_eight_digits_are_low_cards(opened: Opener) -> None:
    """Figures that follow from others are left out, and the card of the table says so."""
    makers.brought(makers.sold("2026-01-29", amount=98_765_432, cost=61_234_567, quantity=88_888))
    figures = {"month": date(2026, 1, 1), "amount": 91_234_567, "gross_profit": 31_234_567}
    for dimension, key in (("all", ""), ("pm", "王小明")):
        Target.objects.create(dimension=dimension, key=key, **figures)
    page = opened(PHONE)
    page.goto(f"{reverse('admin:sales_target_attainment')}?month=2026-01&dimension=pm")

    assert max(page.evaluate(SIZES)["rows"]) <= CARD
    expect(page.get_by_text("手機上不顯示：至今應達、毛利目標、毛利月底預估")).to_be_visible()
    expect(page.locator("#figure-keys tbody").get_by_text("$37,530,865").first).to_be_visible()
