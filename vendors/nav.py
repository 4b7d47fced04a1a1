"""Entries of the sidebar for vendors and stockouts, how many rows wait, and their cards on the start page."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.nav import Card, Cards, Entry, Link, Searchable, Section, count, register
from vendors.models import Vendor
from vendors.selectors.board import open_stockouts, waiting_for_us, waiting_for_vendors
from vendors.selectors.stockouts import has_stockouts
from vendors.selectors.vendors import all_needing_address, search_vendors

VENDORS = Section("廠商與缺貨", 25)
EMPTY = "匯入缺貨報表之後，"
FIRST_REPORT = Link("匯入缺貨報表", "upload_file", "admin:vendors_stockoutbatch_upload", "jobs.add_job")
CHOOSE_STOCKOUTS = Link(
    "到缺貨選擇要通知的", "production_quantity_limits", "admin:vendors_stockout_changelist", "vendors.view_stockout"
)
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
        help=(
            "還沒結案的缺貨在等誰：等我方寄送、等廠商回覆，或已回覆等到貨，並分 PM、廠商與天數。先選自己的 PM，"
            "點數字就到那些缺貨。「損失估計」由月銷量、售價與天數推算，缺其中一項的算在「無法估計」。"
        ),
    ),
    Entry(
        VENDORS,
        20,
        "缺貨",
        "production_quantity_limits",
        "vendors.stockout",
        badge=waiting_for_us,
        empty=f"{EMPTY}每一項缺貨、通知與回覆會列在這裡。",
        step=FIRST_REPORT,
        help=(
            "每一項廠商缺貨走到哪一步：待通知、已通知、已回覆或已結案。勾選要處理的，再選寄送、重寄或結案；"
            "點商品可以看郵件與回覆。「沒有信箱」的先替廠商補上信箱，「重複」的跟著先前那一項處理。"
        ),
    ),
    Entry(
        VENDORS,
        30,
        "缺貨批次",
        "inventory",
        "vendors.stockoutbatch",
        empty=f"{EMPTY}每一份報表的新缺貨、仍缺貨與已恢復會列在這裡。",
        step=FIRST_REPORT,
        help=(
            "每匯入一份缺貨報表就是一批，並和前一批比較。先按「匯入缺貨報表」，"
            "再點進那一批按「寄送這一批」通知廠商。「仍缺貨」是之前就有的，「已恢復」是報表不再列出、因此結案的。"
        ),
    ),
    Entry(
        VENDORS,
        40,
        "廠商",
        "store",
        "vendors.vendor",
        badge=all_needing_address,
        empty=f"{EMPTY}報表上的廠商會列在這裡，補上信箱就能通知；也可以自行新增或匯入。",
        step=FIRST_REPORT,
        help=(
            "缺貨報表上的廠商和聯絡資料。先處理「需要補信箱」的：點進去加上收件者，缺貨通知才寄得出去。"
            "同一家有兩個代號時，在它的頁面按「併入另一家廠商」。"
        ),
    ),
    Entry(
        VENDORS,
        45,
        "廠商信箱",
        "alternate_email",
        "vendors.vendoraddress",
        empty="廠商的收件者與副本列在這裡；可以一次匯入。",
        step=Link("到廠商加上信箱", "store", "admin:vendors_vendor_changelist", "vendors.view_vendor"),
        help=(
            "所有廠商的收件者與副本，適合一次檢查或匯入；單獨新增一個，到那家廠商的頁面加。"
            "標「退信」的信箱被郵件伺服器拒絕，在有人更正之前不會再寄。"
        ),
    ),
    Entry(
        VENDORS,
        48,
        "廠商評分",
        "leaderboard",
        "vendors.stockout",
        page="vendors_stockout_score",
        help=(
            "各廠商多久回覆、多久恢復供貨，以及缺貨造成的損失估計，損失多的在前面。先選近 30、"
            "90 或 365 天的報表，點數字到那些缺貨。小時數是中位數；「準時回覆」是在提醒之前就回覆的比例。"
        ),
    ),
    Entry(
        VENDORS,
        50,
        "寄送",
        "send",
        "vendors.vendorsending",
        empty="每次通知廠商缺貨，寄了哪些、略過哪些和原因會列在這裡。",
        step=CHOOSE_STOCKOUTS,
        help=(
            "每次通知廠商寄了幾封、略過哪些缺貨和原因。寄送從「缺貨」或「缺貨批次」開始，在這裡看結果；"
            "有失敗時點進去按「重寄失敗的」。「待確認」的郵件不知道對方有沒有收到，請到「訊息」決定。"
        ),
    ),
    Entry(
        VENDORS,
        60,
        "廠商郵件",
        "mail",
        "vendors.vendormail",
        empty="寄給廠商的缺貨通知與提醒會列在這裡。",
        step=CHOOSE_STOCKOUTS,
        help=(
            "寄給廠商的每一封缺貨通知、提醒與給主管的通知。點進去看信的內容、附件與回覆期限；"
            "失敗的原因寫在同一列。「首次回覆」有時間，表示廠商已經在網頁上回覆。"
        ),
    ),
    Cards(
        20,
        "vendors.view_stockout",
        _cards,
        after=has_stockouts,
        counts=(*OF_ROWS, all_needing_address),
    ),
)
