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
    Entry(
        SALES,
        5,
        board.TITLE,
        "monitoring",
        "",
        page="sales_board",
        needs=board.VIEW,
        help=(
            "一天、一個月或一段期間的業績、毛利與銷量，和前一天、上週同一天、上個月或去年比較。"
            "先選上方的分頁與日期，點數字會到那些銷售明細。▲ 是增加，▼ 是減少；沒有匯入日報的日子不當成 0，"
            "寫「沒有資料」。"
        ),
    ),
    Page("sales/board/", "sales_board", board.VIEW, board.day_page),
    Page("sales/board/month/", "sales_board_month", board.VIEW, board.month_page),
    Page("sales/board/trend/", "sales_board_trend", board.VIEW, board.trend_page),
    Page("sales/board/movers/", "sales_board_movers", board.VIEW, board.movers_page),
    Page("sales/board/contribution/", "sales_board_contribution", board.VIEW, board.contribution_page),
    Entry(
        SALES,
        10,
        "銷售日",
        "calendar_month",
        "sales.dayowner",
        empty=EMPTY,
        step=FIRST_UPLOAD,
        help=(
            "每一個有銷售日報的日子，和目前採用哪一份檔案。先看最新一天到了沒有，"
            "點日期可以看那一天每次匯入的版本。標「採用中」的版本才算進業績，被取代或已復原的不算。"
        ),
    ),
    Entry(
        SALES,
        20,
        "銷售明細",
        "receipt_long",
        "sales.salesline",
        empty=EMPTY,
        step=FIRST_UPLOAD,
        help=(
            "採用中的日報裡的每一列銷售。先按「篩選」選日期、PM、品牌或品號，上方的合計就是篩選出來的全部。"
            "最右邊的編號是帶來那一列的匯入，點進去可以看原來的檔案與結果。"
        ),
    ),
    Entry(
        SALES,
        28,
        "銷售異常",
        "notification_important",
        "sales.alarm",
        badge=open_alarms,
        empty="每次匯入之後，和平常差很多的業績、毛利與進價會列在這裡。",
        step=FIRST_UPLOAD,
        help=(
            "每次匯入後檢查：和前八週同星期幾差很多的業績、毛利太低、進價突然變動、熱賣品沒有賣出，"
            "以及缺少的日報。先點「查看明細」找原因，主管勾選後標記為已處理。「已解除」是資料更正後自動解除的。"
        ),
    ),
    Entry(
        SALES,
        22,
        "目標",
        "flag",
        "sales.target",
        page="sales_target_attainment",
        help=(
            "一個月的業績與毛利目標做到多少，分合計與各 PM、品牌或分類；先顯示最近有資料的月份。"
            "主管先按「編輯目標」填每個月的數字，或從檔案匯入。"
            "「至今應達」是目標分到最近一個有資料的日子，「超前／落後」的 ▼ 表示落後。"
        ),
    ),
    Entry(
        SALES,
        24,
        "檔期",
        "campaign",
        "sales.campaign",
        empty="雙11、618、母親節等檔期會每年自動建立，也可以自行新增；每個檔期有自己的比較頁。",
        help=(
            "雙11、618、週年慶等促銷期間，會畫在圖表上，也各有一頁和去年同檔期、之前 28 天比較。"
            "主管按「建立預設檔期」一次建立三年，或自行新增；點「看比較」看業績。「預熱」是開始前宣傳的天數。"
        ),
    ),
    Entry(
        SALES,
        26,
        "日註記",
        "sticky_note_2",
        "sales.daynote",
        empty="記下某一天發生了什麼，例如直播或網站當機；會顯示在圖表上。",
        help=(
            "記下某一天發生了什麼，例如直播或網站當機，之後看圖表就知道數字為什麼不同。主管按「＋」新增，"
            "或在銷售看板的單日頁直接加上。圖表上的直虛線是有註記或假日的日子，指著它就看得到內容。"
        ),
    ),
    Panel(5, "sales.view_dayowner", "admin/sales/home.html", glance_panel, after=has_days),
    RowPanel("products.product", "admin/sales/product.html", product_panel, "sales.view_salesline"),
    Presets(lambda: campaign_presets(timezone.localdate())),
)
