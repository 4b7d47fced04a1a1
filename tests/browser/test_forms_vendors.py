"""What people do with vendors, stockouts and AI beside the actions that tests/browser/actions/vendors.py clicks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from ai.models import FactSheet, Generation, Phrase, Style, TrendCategory
from tests.admin import makers
from tests.ai import makers as copy
from tests.ai.trending import trend
from tests.browser.conftest import Opener
from tests.browser.test_menu import _listen
from tests.fakes.gemini import KEY, Gemini
from tests.kit.workbooks import xlsx
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import Vendor, VendorSending

TWICE = "button => { button.click(); setTimeout(() => button.click(), 30); }"
SOURCE = {"web": {"uri": "https://example.com/1", "title": "防曬趨勢"}}


@pytest.fixture
def page(opened: Opener, live_server: Any) -> Iterator[Page]:
    """A page of an admin, in whose console no error stands at the end."""
    page, faults = opened(), list[str]()
    _listen(page, live_server.url, faults)
    yield page
    assert faults == []


@pytest.fixture
def gemini(settings: Any) -> Iterator[Gemini]:
    with Gemini() as made:
        settings.GEMINI_URL, settings.GEMINI_API_KEY = made.url, KEY
        yield made


def test_a_question_is_asked_once_and_answered(page: Page, gemini: Gemini) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    gemini.says("今年主打清爽的防曬。", grounding={"groundingChunks": [SOURCE]})
    page.goto(reverse("admin:ai_search_changelist"))
    page.locator(f"a[href='{reverse('admin:ai_search_ask')}']").filter(visible=True).first.click()
    page.get_by_label("問題").fill("2026 年防曬新品")
    page.locator("main").get_by_role("button", name="搜尋", exact=True).evaluate(TWICE)

    expect(page.locator("main")).to_contain_text("今年主打清爽的防曬。")
    expect(page.get_by_role("link", name="防曬趨勢")).to_have_attribute("href", "https://example.com/1")
    assert Generation.objects.get(kind="search").request == {"query": "2026 年防曬新品"}
    assert len(asked) == 1


def test_a_note_is_in_the_preview_and_goes_with_the_mails(page: Page) -> None:
    batch = make_batch()
    make_stockout(make_vendor("V00001", "buyer@example.com", name="水潤生技"), batch)
    make_stockout(make_vendor("V00002"), batch)
    page.goto(f"{reverse('admin:vendors_vendorsending_send')}?batch={batch.pk}")
    expect(page.locator("main")).to_contain_text("1 筆不會寄")
    note = page.get_by_label("另外要說的話")
    note.fill("檔期中，請優先補貨")

    page.get_by_role("button", name="預覽「水潤生技」的郵件").click()
    mail = page.frame_locator("iframe[title='電子郵件 HTML']")
    expect(mail.locator("body")).to_contain_text("檔期中，請優先補貨")
    assert not VendorSending.objects.exists()
    expect(note).to_have_value("檔期中，請優先補貨")
    page.get_by_role("button", name="寄出 1 封").click()

    expect(page.locator("main")).to_contain_text("1 封郵件、1 筆缺貨已排入寄送")
    assert VendorSending.objects.get().note == "檔期中，請優先補貨"


IMPORTS = {
    "vendors_vendor": (("廠商代號", "名稱"), ("V00123", "水潤生技"), lambda: Vendor.objects.get().name == "水潤生技"),
    "ai_phrase": (
        ("類別", "可以使用", "詞句"),
        ("化粧品", "否", "五分鐘回春"),
        lambda: Phrase.objects.get(text="五分鐘回春").domain == "cosmetic",
    ),
    "ai_factsheet": (
        ("品號", "產地"),
        ("10000001", "台灣"),
        lambda: FactSheet.objects.get().facts == {"origin": "台灣"},
    ),
}


@pytest.mark.parametrize("model", IMPORTS)
def test_a_file_is_previewed_and_then_imported(model: str, page: Page) -> None:
    makers.product()
    headings, row, done = IMPORTS[model]
    page.goto(reverse(f"admin:{model}_changelist"))
    page.get_by_role("link", name="匯入").filter(visible=True).last.click()
    file = {"name": "資料.xlsx", "mimeType": "application/zip", "buffer": xlsx((headings, row))}
    page.locator("[name=import_file]").set_input_files(file)
    page.get_by_role("button", name="送出").click()
    expect(page.locator("main")).to_contain_text("新增 1、更新 0、不變 0")
    expect(page.locator(".mo-row")).to_contain_text(row[-1])
    page.get_by_role("button", name="確認匯入").click()

    expect(page.locator("body")).to_contain_text("匯入完成：新增 1")
    assert done()


def _write(page: Page, place: int, email: str, kind: str = "to") -> None:
    """A new address of a vendor."""
    page.locator(".add-row a, a.add-row").filter(visible=True).last.click()
    page.locator(f"[name=addresses-{place}-email]").fill(email)
    page.locator(f"[name=addresses-{place}-kind]").select_option(kind)


def test_addresses_are_written_and_deleted_beside_a_vendor(page: Page) -> None:
    vendor = make_vendor("V00001", "old@example.com")
    row = make_stockout(vendor, status="no_email")
    page.goto(reverse("admin:vendors_vendor_change", args=[vendor.pk]))
    page.locator("label:has([name=addresses-0-DELETE])").press("Enter")  # by the keyboard
    expect(page.locator("main")).to_contain_text("這一筆會被刪除。")
    _write(page, 1, "buyer@example.com")
    _write(page, 2, "boss@", "cc")
    page.get_by_role("button", name="儲存", exact=True).click()
    expect(page.locator("main")).to_contain_text("請輸入有效的電子郵件地址")
    expect(page.locator("[name=addresses-1-email]")).to_have_value("buyer@example.com")
    page.locator("[name=addresses-2-email]").fill("boss@example.com")
    page.get_by_role("button", name="儲存", exact=True).click()

    expect(page.locator("body")).to_contain_text("已儲存廠商「")
    assert set(vendor.addresses.values_list("email", "kind")) == {
        ("buyer@example.com", "to"),
        ("boss@example.com", "cc"),
    }
    row.refresh_from_db()
    assert row.status == "pending"


def test_a_figure_of_the_board_leads_to_its_rows(page: Page) -> None:
    batch = make_batch(line_count=3)
    rows = [make_stockout(make_vendor(name=name), batch, pm=name) for name in ("王小明", "王小明", "李小華")]
    page.goto(reverse("admin:vendors_stockout_board"))
    page.locator("select[name=pm]").select_option("王小明")
    page.get_by_role("button", name="顯示").click()
    page.locator("a.mo-figure", has_text="未結案合計").click()

    expect(page.locator("#result_list tbody tr.data-row")).to_have_count(2)
    shown = page.locator("#result_list")
    expect(shown).to_contain_text(rows[0].product_code)
    expect(shown).not_to_contain_text(rows[2].product_code)


def test_a_category_of_trends_is_switched_off_in_the_list(page: Page) -> None:
    row = trend()
    page.goto(reverse("admin:ai_trendcategory_changelist"))
    page.get_by_role("checkbox", name=f"啟用：{row}").uncheck(force=True)
    page.get_by_role("button", name="儲存", exact=True).filter(visible=True).last.click()

    expect(page.locator("body")).to_contain_text("已儲存 1 筆")
    assert list(TrendCategory.objects.filter(enabled=False)) == [row]


def test_several_styles_are_deleted_after_a_question(page: Page) -> None:
    before = Style.objects.count()
    copy.styles(2)
    page.goto(f"{reverse('admin:ai_style_changelist')}?q=風格")
    for row in Style.objects.filter(name__startswith="風格"):
        page.locator(f"input.action-select[value='{row.pk}']").check()
    page.locator("select[name=action]").select_option("delete_selected")
    page.locator("#changelist-actions button[name=index]").click()
    expect(page.locator("main")).to_contain_text("風格1")
    page.locator("#content form [type=submit]").first.click()

    expect(page.locator("body")).to_contain_text("已刪除 2 筆文案風格")
    assert Style.objects.count() == before
