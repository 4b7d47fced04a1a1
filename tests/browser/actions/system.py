"""Watches, imports, sales, reports and the system; times and tasks of the scheduler are in `schedules`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import LoginAttempt, User
from momo.jobs.models import ColumnAlias, Job
from momo.reports.models import Report
from momo.system.models import Cleanup, Setting
from notifications.models import OutboxMessage
from products.models import PriceEvent, Product, Watch
from sales.models import Alarm, Campaign, DayNote, DayOwner, DayTotal
from tests.admin import makers, makers_reports
from tests.admin import makers_notifications as messages
from tests.browser.actions.schedules import SCHEDULES
from tests.browser.clicks import Click, Clicks, gone

DAY = "2026-01-29"
# A restart needs a cluster: tests/browser/test_forms_sales.py, test_a_deployment_is_restarted.
SYSTEM_ELSEWHERE = {("system.rollout", "restart")}


# --- Prices ---------------------------------------------------------------------------------------------------------


def _event() -> None:
    messages.subscription()
    makers.events(1)


def _watch(**values: Any) -> Watch:
    (made,) = makers.watches(1)
    Watch.objects.filter(pk=made.pk).update(**values)
    return made


def _new_watch(page: Page) -> None:
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").last.fill("保濕精華液")
    page.locator(".select2-results__option", has_text="保濕精華液 1").click()
    page.locator("[name=kind]").select_option("lowest")
    page.locator("[name=value]").fill("90")


PRICES: Clicks = {
    ("products.priceevent", "notify_now"): Click(
        make=_event,
        says="1 個新事件已寫成 1 則訊息",
        done=lambda _: OutboxMessage.objects.count() == 1 and PriceEvent.objects.get().told_at,
    ),
    ("products.watch", "add"): Click(
        make=lambda: makers.product() and None,
        fill=_new_watch,
        says="已新增關注「保濕精華液 1：",
        done=lambda _: Watch.objects.filter(user__username="ada", product=Product.objects.get(), value=90).exists(),
    ),
    ("products.watch", "change"): Click(
        make=_watch,
        fill=lambda page: page.locator("[name=value]").fill("888"),
        says="已儲存關注「保濕精華液 0：",
        done=lambda row: Watch.objects.get(pk=row.pk).value == 888,
    ),
    ("products.watch", "delete"): Click(make=_watch, says="已刪除關注「保濕精華液 0：", done=gone),
    ("products.watch", "switch_off"): Click(
        make=_watch, says="已停用 1 筆", done=lambda row: not Watch.objects.get(pk=row.pk).active
    ),
    ("products.watch", "switch_on"): Click(
        make=lambda: _watch(active=False), says="已啟用 1 筆", done=lambda row: Watch.objects.get(pk=row.pk).active
    ),
}


# --- Imports --------------------------------------------------------------------------------------------------------


def _alias() -> ColumnAlias:
    makers.aliases(1)
    return ColumnAlias.objects.get()


def _new_alias(page: Page) -> None:
    page.locator("[name=target]").select_option("daily_sales:amount")
    page.locator("[name=alias]").fill("成交總價")


def _waiting() -> Job:
    return makers.waiting(makers.workbook(makers.sold(DAY)))


def _wrong() -> Job:
    """An import that failed for one of its two rows."""
    return makers.brought(makers.sold(DAY), makers.sold(DAY, quantity="三"))


def _held() -> Job:
    """An import that would take away nine of ten lines of a day."""
    makers.brought(*(makers.sold(DAY, code=f"{number}") for number in range(10)))
    return makers.brought(makers.sold(DAY))


def _lines() -> int:
    return DayTotal.objects.get(date=DAY, dimension="all").lines


def _upload(page: Page) -> None:
    file = {"name": "日報.xlsx", "mimeType": "application/octet-stream", "buffer": makers.workbook(makers.sold(DAY))}
    page.locator("[name=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator("[data-preview]")).to_contain_text("還沒有寫入任何資料")
    page.get_by_role("button", name="開始匯入").click()


def _again(job: Job) -> Job:
    return makers.ended(Job.objects.get(retry_of=job))


JOBS: Clicks = {
    ("jobs.columnalias", "add"): Click(
        make=lambda: None,
        fill=_new_alias,
        says="已新增欄位別名「成交總價」",
        done=lambda _: ColumnAlias.objects.filter(field="amount", alias="成交總價").exists(),
    ),
    ("jobs.columnalias", "change"): Click(
        make=_alias,
        fill=lambda page: page.locator("[name=target]").select_option("daily_sales:cost"),
        says="已儲存欄位別名「金額0」",
        done=lambda row: ColumnAlias.objects.get(pk=row.pk).field == "cost",
    ),
    ("jobs.columnalias", "delete"): Click(make=_alias, says="已刪除欄位別名「金額0」", done=gone),
    ("jobs.job", "upload"): Click(
        make=lambda: None,
        fill=_upload,
        says="SHA-256",
        done=lambda _: makers.ended(Job.objects.get(file_name="日報.xlsx")).created == 1,
    ),
    ("jobs.job", "cancel"): Click(
        make=_waiting, says="已要求取消", done=lambda row: Job.objects.get(pk=row.pk).status == "cancelled"
    ),
    ("jobs.job", "confirm"): Click(
        make=_held, says="已確認，重新排入", done=lambda row: _again(row).status == "succeeded" and _lines() == 1
    ),
    ("jobs.job", "dismiss"): Click(
        make=_held,
        says="這份檔案不會匯入",
        done=lambda row: Job.objects.get(pk=row.pk).seen_at and _lines() == 10,
    ),
    ("jobs.job", "retry"): Click(
        make=_wrong,
        fill=lambda page: page.locator("#dialog [name=on_error]").select_option("skip"),
        says="已重新排入",
        done=lambda row: (_again(row).created, _lines()) == (1, 1),
    ),
    ("jobs.job", "undo"): Click(
        make=lambda: makers.brought(makers.sold(DAY)),
        says="已復原",
        done=lambda row: Job.objects.get(pk=row.pk).status == "undone" and not DayOwner.objects.exists(),
    ),
}


# --- Sales ----------------------------------------------------------------------------------------------------------


def _campaign() -> Campaign:
    return makers.campaigns(1)[0]


def _new_campaign(page: Page) -> None:
    page.locator("[name=kind]").select_option("other")
    page.locator("[name=name]").fill("會員日")
    page.locator("[name=first]").fill("2026-03-01")
    page.locator("[name=last]").fill("2026-03-03")


def _note() -> DayNote:
    makers.notes(1)
    return DayNote.objects.get()


def _new_note(page: Page) -> None:
    page.locator("[name=date]").fill(DAY)
    page.locator("[name=text]").fill("網站當機")


SALES: Clicks = {
    ("sales.alarm", "acknowledge_chosen"): Click(
        make=lambda: makers.sales_alarms(1)[0],
        says="已將 1 項標記為已處理",
        done=lambda row: Alarm.objects.get(pk=row.pk).acknowledged_by == User.objects.get(username="ada"),
    ),
    ("sales.campaign", "add"): Click(
        make=lambda: None,
        fill=_new_campaign,
        says="已新增檔期「會員日",
        done=lambda _: Campaign.objects.filter(name="會員日", first="2026-03-01", last="2026-03-03").exists(),
    ),
    ("sales.campaign", "change"): Click(
        make=_campaign,
        fill=lambda page: page.locator("[name=note]").fill("滿千送百"),
        says="已儲存檔期「檔期0",
        done=lambda row: Campaign.objects.get(pk=row.pk).note == "滿千送百",
    ),
    ("sales.campaign", "delete"): Click(make=_campaign, says="已刪除檔期「檔期0", done=gone),
    ("sales.campaign", "show_report"): Click(make=_campaign, says="看檔期的明細", done=lambda row: not gone(row)),
    ("sales.campaign", "write_defaults"): Click(
        make=lambda: None,
        says="已建立 27 個檔期",
        done=lambda _: Campaign.objects.filter(first__year=timezone.localdate().year, kind="anniversary").exists(),
    ),
    ("sales.daynote", "add"): Click(
        make=lambda: None,
        fill=_new_note,
        says="已新增日註記「2026-01-29 網站當機」",
        done=lambda _: DayNote.objects.filter(date=DAY, text="網站當機", author__username="ada").exists(),
    ),
    ("sales.daynote", "change"): Click(
        make=_note,
        fill=lambda page: page.locator("[name=text]").fill("網站當機"),
        says="已儲存日註記「2026-01-28 網站當機」",
        done=lambda row: DayNote.objects.get(pk=row.pk).text == "網站當機",
    ),
    ("sales.daynote", "delete"): Click(make=_note, says="已刪除日註記「2026-01-28 直播加碼」", done=gone),
}


# --- Reports and the system -----------------------------------------------------------------------------------------


def _new_report(page: Page) -> None:
    page.locator("[name=name]").fill("晨會")
    page.locator("[name=sections_0]").select_option("sales_by_brand")
    page.locator("[name=addresses]").fill("team@example.com")


def _report_with_sales() -> Report:
    makers.brought(makers.sold(DAY, amount=Decimal(990)))
    return makers_reports.report()


def _mine() -> Report:
    User.objects.filter(username="ada").update(email="ada@example.com")
    return _report_with_sales()


def _old_login() -> None:
    long_ago = timezone.now() - timedelta(days=4_000)
    LoginAttempt.objects.create(username="甲", address="::1", success=False, time=long_ago)


def _setting() -> Setting:
    return Setting.objects.get(name="IMPORT_LOSS_PERCENT")


def _clean(page: Page) -> None:
    page.get_by_role("button", name="刪除 1 筆").click()


OTHERS: Clicks = {
    ("reports.report", "add"): Click(
        make=lambda: None,
        fill=_new_report,
        says="已新增定期報表「晨會」",
        done=lambda _: Report.objects.get(name="晨會").sections == ["sales_by_brand"],
    ),
    ("reports.report", "change"): Click(
        make=makers_reports.report,
        fill=lambda page: page.locator("[name=name]").fill("晨會"),
        says="已儲存定期報表「晨會」",
        done=lambda row: Report.objects.get(pk=row.pk).name == "晨會",
    ),
    ("reports.report", "delete"): Click(make=makers_reports.report, says="已刪除定期報表「每日業績」", done=gone),
    ("reports.report", "preview"): Click(
        make=_report_with_sales, says="數字來自同一份資料", done=lambda _: not OutboxMessage.objects.exists()
    ),
    ("reports.report", "send_me"): Click(
        make=_mine,
        says="已排入寄送到 ada@example.com",
        done=lambda _: OutboxMessage.objects.get(recipient="ada@example.com").subject.startswith("［預覽］"),
    ),
    ("system.cleanup", "preview"): Click(
        make=_old_login,
        fill=_clean,
        says="已開始，由背景程式進行",
        done=lambda _: Cleanup.objects.get().trigger == Cleanup.Trigger.ADMIN,
    ),
    ("system.setting", "change"): Click(
        make=_setting,
        fill=lambda page: page.locator("[name=value]").fill("45"),
        says="已儲存設定「IMPORT_LOSS_PERCENT",
        done=lambda row: Setting.objects.get(pk=row.pk).value == 45,
    ),
}

SYSTEM: Clicks = {**PRICES, **JOBS, **SALES, **OTHERS, **SCHEDULES}
