"""Entries of the sidebar for sales, and the latest day and month on the start page."""

from __future__ import annotations

from django.utils import timezone

from momo.admin.kit.nav import Entry, Page, Panel, Presets, RowPanel, Searchable, register
from momo.jobs.nav import FIRST_UPLOAD, SALES
from sales.admin import board
from sales.admin.home import glance_panel
from sales.admin.product_panel import product_panel
from sales.selectors.alarms import open_alarms
from sales.selectors.campaigns import campaign_presets, campaigns
from sales.selectors.lines import has_days

EMPTY = "匯入每日銷售報表之後，資料會出現在這裡。"

register(
    Searchable(
        25,
        "sales.campaign",
        "campaign",
        lambda one: (one.name, f"{one.first:%Y-%m-%d} – {one.last:%m-%d}"),
        find=lambda text: campaigns().filter(name__icontains=text).order_by("-first"),
    ),
    Entry(SALES, 5, board.TITLE, "monitoring", "", page="sales_board", needs=board.VIEW),
    Page("sales/board/", "sales_board", board.VIEW, board.day_page),
    Page("sales/board/month/", "sales_board_month", board.VIEW, board.month_page),
    Page("sales/board/trend/", "sales_board_trend", board.VIEW, board.trend_page),
    Page("sales/board/movers/", "sales_board_movers", board.VIEW, board.movers_page),
    Page("sales/board/contribution/", "sales_board_contribution", board.VIEW, board.contribution_page),
    Entry(SALES, 10, "銷售日", "calendar_month", "sales.dayowner", empty=EMPTY, step=FIRST_UPLOAD),
    Entry(SALES, 20, "銷售明細", "receipt_long", "sales.salesline", empty=EMPTY, step=FIRST_UPLOAD),
    Entry(
        SALES,
        28,
        "銷售異常",
        "notification_important",
        "sales.alarm",
        badge=open_alarms,
        empty="每次匯入之後，和平常差很多的業績、毛利與進價會列在這裡。",
    ),
    Entry(SALES, 22, "目標", "flag", "sales.target", page="sales_target_attainment"),
    Entry(
        SALES,
        24,
        "檔期",
        "campaign",
        "sales.campaign",
        empty="雙11、618、母親節等檔期會每年自動建立，也可以自行新增；每個檔期有自己的比較頁。",
    ),
    Entry(
        SALES,
        26,
        "日註記",
        "sticky_note_2",
        "sales.daynote",
        empty="記下某一天發生了什麼，例如直播或網站當機；會顯示在圖表上。",
    ),
    Panel(5, "sales.view_dayowner", "admin/sales/home.html", glance_panel, after=has_days),
    RowPanel("products.product", "admin/sales/product.html", product_panel, "sales.view_salesline"),
    Presets(lambda: campaign_presets(timezone.localdate())),
)
