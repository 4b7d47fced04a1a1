"""Vendors, their stockouts and mails, and what AI writes, costs, asks and reads."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from celery import current_app
from django.conf import settings
from playwright.sync_api import Page, expect
from redis import Redis

from ai.models import Budget, FactSheet, Generation, ModelPrice, Phrase, Style, TrendCategory, TrendList
from momo.jobs.models import Job
from momo.jobs.services import run_job
from momo.sheets.write import XLSX
from tests.admin import makers
from tests.ai import makers as copy
from tests.ai.trending import listed, trend
from tests.browser.clicks import Click, Clicks, gone
from tests.kit.users import person
from tests.kit.workbooks import xlsx
from tests.notifications.outbox_world import FAILED
from tests.vendors.mailing import delivered, prepared
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from tests.vendors.reports import job, out, publish
from vendors.models import Stockout, StockoutBatch, Vendor, VendorMail, VendorSending
from vendors.services.closing import resolve

SENT_ONE = "1 封郵件、1 筆缺貨已排入寄送"
PRODUCT = "10000001"

# tests/browser/test_forms_vendors.py: test_a_question_is_asked_once_and_answered, which has a stand-in for Gemini.
VENDORS_ELSEWHERE = {("ai.search", "ask")}


def fill(page: Page, **values: str) -> None:
    """Fill in fields of a form by their names."""
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)


def choose(page: Page, name: str, text: str, *, found: str = "") -> None:
    """Search for a row in the field `name`, and choose it by the name under which it is found."""
    page.locator(f"[name={name}] + .select2").click()
    page.locator(".select2-search__field").last.fill(text)
    page.locator(".select2-results__option", has_text=found or text).click()


def file(name: str, *rows: tuple[Any, ...]) -> Any:
    """A workbook to be chosen in a field for files."""
    return {"name": name, "mimeType": XLSX, "buffer": xlsx(rows)}


# --- Stockouts -------------------------------------------------------------------------------------------------------


def _mailable() -> Stockout:
    return make_stockout(make_vendor("", "buyer@example.com"))


def _failed() -> VendorMail:
    """A mail to a vendor that the server refused."""
    (mail,) = prepared(_mailable())
    delivered(FAILED)
    return mail


def _failed_row() -> Stockout:
    return _failed().lines.get()


def _failed_sending() -> VendorSending:
    return _failed().sending


def _resolved() -> Stockout:
    row = _mailable()
    resolve(ids=[row.pk], user=None)
    return row


def _reported() -> StockoutBatch:
    return publish([out("20000001"), out("20000002")], made=job(status="succeeded"))[0]


def _mailable_batch() -> StockoutBatch:
    batch = make_batch()
    make_stockout(make_vendor("", "buyer@example.com"), batch)
    return batch


def _send(page: Page) -> None:
    page.get_by_role("button", name="寄出 1 封").click()


def _status(row: Stockout) -> str:
    return str(Stockout.objects.get(pk=row.pk).status)


def _upload(page: Page) -> None:
    report = file("缺貨 1129.xlsx", ("品號", "廠商代號"), ("20000001", "V1"), ("20000002", "V1"))
    page.locator("[name=file]").set_input_files(report)
    expect(page.locator("[data-preview]")).to_contain_text("20000002")
    page.get_by_role("button", name="開始匯入").click()
    page.wait_for_url("**/jobs/job/*/change/")


def _imported(_: Any) -> bool:
    """Whether the worker finds what was uploaded, and takes its two rows."""
    done = run_job(Job.objects.get(job_type="vendor_stockout").pk)
    return done is not None and done.status == "succeeded" and Stockout.objects.count() == 2


# --- Vendors ---------------------------------------------------------------------------------------------------------


def _twice() -> Vendor:
    """A vendor with a row and an address, which exists twice."""
    make_vendor("V00777", name="水潤生技")
    source = make_vendor("V00778", "buyer@example.com")
    make_stockout(source)
    return source


def _merge(page: Page) -> None:
    choose(page, "target", "V00777")
    page.get_by_role("button", name="看看會移動什麼").click()
    expect(page.locator(".mo-page")).to_contain_text("這個動作不能復原")
    page.get_by_role("button", name="併入 V00777").click()


def _merged(row: Vendor) -> bool:
    source, target = Vendor.objects.get(pk=row.pk), Vendor.objects.get(code="V00777")
    moved = target.addresses.filter(mailbox="buyer@example.com").exists() and target.stockouts.count() == 1
    return moved and source.merged_into == target and not source.is_active


# --- AI --------------------------------------------------------------------------------------------------------------


def _budget() -> Budget:
    return Budget.objects.create(user=person("spender"), amount=5)


def _new_budget(page: Page) -> None:
    choose(page, "user", "spender")
    fill(page, currency="USD", amount="12.5")


def _new_budget_user() -> None:
    person("spender")


def _price() -> ModelPrice:
    return ModelPrice.objects.create(
        provider="gemini", model="gemini-x", input_per_million=1, output_per_million=2, valid_from=date(2026, 1, 1)
    )


def _new_price(page: Page) -> None:
    page.locator("[name=provider]").select_option("gemini")
    fill(page, model="gemini-y", input_per_million="0.3", output_per_million="2.5", valid_from="2026-02-01")


def _sheet() -> FactSheet:
    return copy.sheet(makers.product(), origin="日本")


def _new_sheet(page: Page) -> None:
    """The product first, then its facts."""
    choose(page, "product", PRODUCT, found="保濕精華液 1")
    page.locator("[name=_save]").filter(visible=True).first.click()
    expect(page.locator("[name=origin]")).to_be_visible()
    fill(page, origin="台灣")


def _text(**values: Any) -> Generation:
    return copy.generation(person("writer"), **values)


def _favorite(row: Generation) -> bool:
    return Generation.objects.get(pk=row.pk).favorite


def _phrase(**values: Any) -> Phrase:
    return Phrase.objects.create(text="一夜變白", reason="不得宣稱", **values)


def _style() -> Style:
    return Style.objects.create(name="輕鬆", prompt="寫得輕鬆")


def _trend() -> TrendCategory:
    row = trend(category="保濕化妝水")
    listed(row, "甲", "乙")
    return row


def _new_trend(page: Page) -> None:
    page.locator("[name=source]").select_option("cosme")
    fill(page, key="105", category="卸妝油")


def _new_list(page: Page) -> None:
    rows = ("排名", "名稱"), (1, "丙"), (2, "丁"), (3, "戊")
    page.locator("[name=file]").set_input_files(file("清單.xlsx", *rows))
    page.locator("#content form").get_by_role("button", name="匯入").click()


def _quiet_trend() -> TrendCategory:
    """A category, while no task waits for a worker."""
    with Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        broker.delete(current_app.conf.task_default_queue)
    return _trend()


def _refreshes(**wanted: Any) -> bool:
    """Whether exactly this refresh waits for a worker."""
    with Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        found = broker.lrange(current_app.conf.task_default_queue, 0, -1)
    heads = [json.loads(raw)["headers"] for raw in found]
    return [(head["task"], head["kwargsrepr"]) for head in heads] == [("ai.refresh_trends", repr(wanted))]


_OF_VENDORS: Clicks = {
    ("vendors.stockout", "reopen_one"): Click(
        make=_resolved, says="已重新開啟", done=lambda row: _status(row) == "pending"
    ),
    ("vendors.stockout", "reopen_selected"): Click(
        make=_resolved, says="已重新開啟 1 項缺貨", done=lambda row: _status(row) == "pending"
    ),
    ("vendors.stockout", "resend_selected"): Click(
        make=_failed_row, fill=_send, says=SENT_ONE, done=lambda row: _status(row) == "queued"
    ),
    ("vendors.stockout", "resolve_one"): Click(
        make=_mailable, says="已將 1 項缺貨結案", done=lambda row: _status(row) == "resolved"
    ),
    ("vendors.stockout", "resolve_selected"): Click(
        make=_mailable, says="已將 1 項缺貨結案", done=lambda row: _status(row) == "resolved"
    ),
    ("vendors.stockout", "send_one"): Click(
        make=_mailable, fill=_send, says=SENT_ONE, done=lambda row: _status(row) == "queued"
    ),
    ("vendors.stockout", "send_selected"): Click(
        make=_mailable, fill=_send, says=SENT_ONE, done=lambda row: _status(row) == "queued"
    ),
    ("vendors.stockoutbatch", "send_batch"): Click(
        make=_mailable_batch,
        fill=_send,
        says=SENT_ONE,
        done=lambda row: VendorSending.objects.get().batch == row and _status(row.lines.get()) == "queued",
    ),
    ("vendors.stockoutbatch", "undo"): Click(
        make=_reported,
        says="已復原：刪除 2 列缺貨",
        done=lambda row: StockoutBatch.objects.get(pk=row.pk).undone_at and not Stockout.objects.exists(),
    ),
    ("vendors.stockoutbatch", "upload"): Click(make=lambda: None, fill=_upload, says="排隊", done=_imported),
    ("vendors.vendor", "add"): Click(
        make=lambda: None,
        fill=lambda page: fill(page, code="V00123", name="水潤生技"),
        says="已新增廠商「水潤生技（V00123）」",
        done=lambda _: Vendor.objects.filter(code="V00123", name="水潤生技", is_active=True).exists(),
    ),
    ("vendors.vendor", "change"): Click(
        make=make_vendor,
        fill=lambda page: fill(page, contact="林小姐"),
        says="已儲存廠商",
        done=lambda row: Vendor.objects.get(pk=row.pk).contact == "林小姐",
    ),
    ("vendors.vendor", "delete"): Click(make=make_vendor, says="已刪除廠商「", done=gone),
    ("vendors.vendor", "merge"): Click(make=_twice, fill=_merge, says="：1 筆缺貨、1 個信箱", done=_merged),
    ("vendors.vendormail", "resend"): Click(
        make=_failed, says=SENT_ONE, done=lambda row: _status(row.lines.get()) == "queued"
    ),
    ("vendors.vendorsending", "resend"): Click(
        make=_failed_sending, says=SENT_ONE, done=lambda row: _status(row.mails.get().lines.get()) == "queued"
    ),
}

_OF_AI: Clicks = {
    ("ai.budget", "add"): Click(
        make=_new_budget_user,
        fill=_new_budget,
        says="已新增預算「",
        done=lambda _: Budget.objects.filter(user__username="spender", amount=Decimal("12.5")).exists(),
    ),
    ("ai.budget", "change"): Click(
        make=_budget,
        fill=lambda page: fill(page, amount="8"),
        says="已儲存預算「",
        done=lambda row: Budget.objects.get(pk=row.pk).amount == 8,
    ),
    ("ai.budget", "delete"): Click(make=_budget, says="已刪除預算「", done=gone),
    ("ai.factsheet", "add"): Click(
        make=lambda: makers.product() and None,
        fill=_new_sheet,
        says="已儲存商品事實「",
        done=lambda _: FactSheet.objects.get(product__product_id=PRODUCT).facts == {"origin": "台灣"},
    ),
    ("ai.factsheet", "change"): Click(
        make=_sheet,
        fill=lambda page: fill(page, content="30ml\n50ml"),
        says="已儲存商品事實「",
        done=lambda row: FactSheet.objects.get(pk=row.pk).facts == {"origin": "日本", "content": ["30ml", "50ml"]},
    ),
    ("ai.factsheet", "delete"): Click(make=_sheet, says="已刪除商品事實「", done=gone),
    ("ai.generation", "add_favorites"): Click(make=_text, says="已將 1 筆加入最愛", done=_favorite),
    ("ai.generation", "remove_favorites"): Click(
        make=lambda: _text(favorite=True), says="已將 1 筆移出最愛", done=lambda row: not _favorite(row)
    ),
    ("ai.generation", "favorite"): Click(make=_text, says="已加入最愛", done=_favorite),
    ("ai.generation", "remove"): Click(
        make=_text, says="已刪除", done=lambda row: Generation.objects.get(pk=row.pk).deleted_at
    ),
    ("ai.modelprice", "add"): Click(
        make=lambda: None,
        fill=_new_price,
        says="已新增模型價格「Gemini gemini-y」",
        done=lambda _: ModelPrice.objects.get(model="gemini-y").valid_from == date(2026, 2, 1),
    ),
    ("ai.modelprice", "change"): Click(
        make=_price,
        fill=lambda page: fill(page, per_search="0.035"),
        says="已儲存模型價格「",
        done=lambda row: ModelPrice.objects.get(pk=row.pk).per_search == Decimal("0.035"),
    ),
    ("ai.modelprice", "delete"): Click(make=_price, says="已刪除模型價格「", done=gone),
    ("ai.phrase", "add"): Click(
        make=lambda: None,
        fill=lambda page: fill(page, text="五分鐘回春", category="誇大不實", reason="無法證明"),
        says="已新增法規詞句「五分鐘回春」",
        done=lambda _: Phrase.objects.get(text="五分鐘回春").category == "誇大不實",
    ),
    ("ai.phrase", "change"): Click(
        make=_phrase,
        fill=lambda page: fill(page, suggestion="改寫為明亮"),
        says="已儲存法規詞句「一夜變白」",
        done=lambda row: Phrase.objects.get(pk=row.pk).suggestion == "改寫為明亮",
    ),
    ("ai.phrase", "delete"): Click(make=_phrase, says="已刪除法規詞句「一夜變白」", done=gone),
    ("ai.phrase", "disable"): Click(
        make=_phrase,
        query="q=一夜變白",
        says="已停用 1 個詞句",
        done=lambda row: not Phrase.objects.get(pk=row.pk).enabled,
    ),
    ("ai.phrase", "enable"): Click(
        make=lambda: _phrase(enabled=False),
        query="q=一夜變白",
        says="已啟用 1 個詞句",
        done=lambda row: Phrase.objects.get(pk=row.pk).enabled,
    ),
    ("ai.style", "add"): Click(
        make=lambda: None,
        fill=lambda page: fill(page, name="溫柔", prompt="寫得溫柔"),
        says="已新增文案風格「溫柔」",
        done=lambda _: Style.objects.get(name="溫柔").prompt == "寫得溫柔",
    ),
    ("ai.style", "change"): Click(
        make=_style,
        fill=lambda page: fill(page, prompt="寫得輕鬆，像朋友說話"),
        says="已儲存文案風格「輕鬆」",
        done=lambda row: Style.objects.get(pk=row.pk).prompt == "寫得輕鬆，像朋友說話",
    ),
    ("ai.style", "delete"): Click(make=_style, says="已刪除文案風格「輕鬆」", done=gone),
    ("ai.trendcategory", "add"): Click(
        make=lambda: None,
        fill=_new_trend,
        says="已新增趨勢分類「@cosme 卸妝油」",
        done=lambda _: TrendCategory.objects.get(category="卸妝油").key == "105",
    ),
    ("ai.trendcategory", "change"): Click(
        make=_trend,
        fill=lambda page: fill(page, category="高保濕化妝水"),
        says="已儲存趨勢分類「mybest 高保濕化妝水」",
        done=lambda row: TrendCategory.objects.get(pk=row.pk).category == "高保濕化妝水",
    ),
    ("ai.trendcategory", "delete"): Click(make=_trend, says="已刪除趨勢分類「", done=gone),
    ("ai.trendcategory", "import_list"): Click(
        make=_trend,
        fill=_new_list,
        says="已匯入 3 項",
        done=lambda row: [one["name"] for one in TrendList.objects.get(trend=row).items] == ["丙", "丁", "戊"],
    ),
    ("ai.trendcategory", "refresh_all"): Click(make=_quiet_trend, says="趨勢清單開始更新", done=lambda _: _refreshes()),
    ("ai.trendcategory", "refresh_one"): Click(
        make=_quiet_trend, says="趨勢清單開始更新", done=lambda row: _refreshes(trend_id=row.pk)
    ),
}

VENDORS: Clicks = {**_OF_VENDORS, **_OF_AI}
