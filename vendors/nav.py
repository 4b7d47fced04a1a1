"""Entries of the sidebar for vendors and stockouts, how many rows wait, and their cards on the start page."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit.nav import Card, Cards, Entry, Section, count, register
from momo.jobs.nav import FIRST_UPLOAD
from vendors.selectors.board import waiting_for_us_count, waiting_for_vendors_count
from vendors.selectors.stockouts import has_stockouts
from vendors.selectors.vendors import needing_address_count

VENDORS = Section("廠商與缺貨", 25)
EMPTY = "匯入缺貨報表之後，"


def _cards(request: HttpRequest) -> list[Card]:
    rows, vendors = (reverse(f"admin:vendors_{name}_changelist") for name in ("stockout", "vendor"))
    return [
        Card("缺貨待寄送", count(request, waiting_for_us_count), f"{rows}?waits=us", "warn"),
        Card("待廠商回覆", count(request, waiting_for_vendors_count), f"{rows}?waits=vendor"),
        Card("廠商需要補信箱", count(request, needing_address_count), f"{vendors}?address=needed", "warn"),
    ]


register(
    Entry(
        VENDORS,
        10,
        "缺貨看板",
        "space_dashboard",
        "vendors.stockout",
        page="vendors_stockout_board",
    ),
    Entry(
        VENDORS,
        20,
        "缺貨",
        "production_quantity_limits",
        "vendors.stockout",
        badge=waiting_for_us_count,
        empty=f"{EMPTY}每一項缺貨、通知與回覆會列在這裡。",
        step=FIRST_UPLOAD,
    ),
    Entry(
        VENDORS,
        30,
        "缺貨批次",
        "inventory",
        "vendors.stockoutbatch",
        empty=f"{EMPTY}每一份報表的新缺貨、仍缺貨與已恢復會列在這裡。",
        step=FIRST_UPLOAD,
    ),
    Entry(
        VENDORS,
        40,
        "廠商",
        "store",
        "vendors.vendor",
        badge=needing_address_count,
        empty=f"{EMPTY}報表上的廠商會列在這裡，補上信箱就能通知；也可以自行新增或匯入。",
        step=FIRST_UPLOAD,
    ),
    Entry(
        VENDORS,
        45,
        "廠商信箱",
        "alternate_email",
        "vendors.vendoraddress",
        empty="廠商的收件者與副本列在這裡；可以一次匯入。",
    ),
    Entry(VENDORS, 48, "廠商評分", "leaderboard", "vendors.stockout", page="vendors_stockout_score"),
    Entry(
        VENDORS,
        50,
        "寄送紀錄",
        "send",
        "vendors.vendorsending",
        empty="每次通知廠商缺貨，寄了哪些、略過哪些和原因會列在這裡。",
    ),
    Entry(
        VENDORS,
        60,
        "廠商郵件",
        "mail",
        "vendors.vendormail",
        empty="寄給廠商的缺貨通知與提醒會列在這裡。",
    ),
    Cards(20, "vendors.view_stockout", _cards, after=has_stockouts),
)
