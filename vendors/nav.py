"""Entries of the sidebar for vendors and stockouts, how many rows wait, and their cards on the start page."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.nav import Card, Cards, Entry, Searchable, Section, count, register
from momo.jobs.nav import FIRST_UPLOAD
from vendors.models import Vendor
from vendors.selectors.board import open_stockouts, waiting_for_us, waiting_for_vendors
from vendors.selectors.stockouts import has_stockouts
from vendors.selectors.vendors import all_needing_address, search_vendors

VENDORS = Section("廠商與缺貨", 25)
EMPTY = "匯入缺貨報表之後，"
OF_ROWS = (open_stockouts, waiting_for_us, waiting_for_vendors)


def _cards(request: HttpRequest) -> list[Card]:
    rows, vendors = (reverse(f"admin:vendors_{name}_changelist") for name in ("stockout", "vendor"))
    open_now, us, vendor = mine.counts(request, OF_ROWS, pm="pm")
    return [
        Card("未結案缺貨", open_now, mine.address(request, f"{rows}?waits=open")),
        Card("缺貨待寄送", us, mine.address(request, f"{rows}?waits=us"), "warn"),
        Card("待廠商回覆", vendor, mine.address(request, f"{rows}?waits=vendor")),
        Card("廠商需要補信箱", count(request, all_needing_address), f"{vendors}?address=needed", "warn"),
    ]


register(
    Searchable(
        20,
        "vendors.vendor",
        "store",
        lambda row: (row.name, row.code),
        find=lambda text: search_vendors(Vendor.objects.order_by("code"), text=text),
    ),
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
        badge=waiting_for_us,
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
        badge=all_needing_address,
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
        "寄送",
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
    Cards(
        20,
        "vendors.view_stockout",
        _cards,
        after=has_stockouts,
        counts=(*OF_ROWS, all_needing_address),
    ),
)
