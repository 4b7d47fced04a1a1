"""The zoo's sheets: where the header stands, which sheet counts, which rows are data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.worksheet.worksheet import Worksheet

from tests.sheets import files
from tests.sheets.cases import DAY, EXPECTED, HEADER, NEXT, PLAIN, TABLE, Bad, good, refused

# --- Header -----------------------------------------------------------------------------------------------------------


def _titled(book: Workbook, page: Worksheet) -> None:
    page["A1"] = "2025 年 11 月銷售報表"
    page.merge_cells("A1:E1")
    page["A2"] = "製表日期：2025/11/30"
    page.merge_cells("A2:C2")


good("title_above", lambda: files.xlsx(TABLE, above=3, change=_titled), numbers=(5, 6))
good("header_in_row_10", lambda: files.xlsx(TABLE, above=9), numbers=(11, 12))
refused("header_in_row_11", lambda: files.xlsx(TABLE, above=10), "前 10 列", "日期、品號、數量")
good("header_in_row_10_csv", lambda: b"\r\n" * 9 + files.csv(TABLE), "銷售.csv", numbers=(11, 12))
refused("header_in_row_11_csv", lambda: b"\r\n" * 10 + files.csv(TABLE), "前 10 列", file="銷售.csv")
good(
    "header_written_otherwise",
    lambda: files.xlsx([("訂單\n日期", " 品 號 ", "商品名稱（中文）", "數量 (件)", "業績【元】"), *PLAIN]),
)
good(
    "header_full_width",
    lambda: files.xlsx([("日期", "ｉ＿ｃｏｄｅ", "品名", "數量", "ＰＭ姓名"), ("2025/11/22", "A1", "x", 1, "小美")]),
    fields=("date", "product_code", "product_name", "quantity", "pm"),
    rows=[(DAY, "A1", "x", 1, "小美")],
)


good(
    "merged_group_above_header",
    lambda: files.xlsx([("", "", "", "銷售", None), *TABLE], change=lambda b, p: p.merge_cells("D1:E1")),
    numbers=(3, 4),
)


def _two_rows(book: Workbook, page: Worksheet) -> None:
    for column in "ABC":
        page.merge_cells(f"{column}2:{column}3")
    page.merge_cells("D2:E2")


good(
    "merged_header_of_two_rows",
    lambda: files.xlsx(
        [("訂單日期", "品號", "品名", "銷售", None), (None, None, None, "數量", "業績"), *PLAIN],
        above=1,
        change=_two_rows,
    ),
    numbers=(4, 5),
)
good(
    "merged_header_across",
    lambda: files.xlsx(
        [("訂單日期", "品號", "品名", None, "數量", "業績"), *[(*row[:3], None, *row[3:]) for row in PLAIN]],
        change=lambda book, page: page.merge_cells("C1:D1"),
    ),
)
refused(
    "duplicate_header", lambda: files.xlsx([(*HEADER, "數量"), *[(*row, 9) for row in PLAIN]]), "2 個「數量」欄", "D、F"
)
good(
    "two_headers_of_one_field",
    lambda: files.xlsx([("轉單日", *HEADER), *[("2025/12/01", *row) for row in PLAIN]]),
    unknown=(),
)
good(
    "exact_header_before_bracketed",
    lambda: files.xlsx([("數量(贈品)", *HEADER), *[(99, *row) for row in PLAIN]]),
)
good(
    "headers_of_other_figures",
    lambda: files.xlsx(
        [
            ("業績(去年同期)", "業績(占比)", *HEADER[:4], "銷售金額", "成本(單價)"),
            *[(3000, 0.12, *row, 300) for row in PLAIN],
        ]
    ),
    unknown=("業績(去年同期)", "業績(占比)", "成本(單價)"),
)
good(
    "duplicate_unknown_header",
    lambda: files.xlsx([(*HEADER, "備註", "備註"), *[(*row, "a", "b") for row in PLAIN]]),
    unknown=("備註", "備註"),
)
refused(
    "required_missing",
    lambda: files.xlsx([("訂單日期", "品名", "業績", "出貨倉"), ("2025/11/22", "x", 1, "北")]),
    "缺少必要欄位",
    "品號、數量",
    "出貨倉",
)
refused("no_header", lambda: files.xlsx(PLAIN), "找不到標題列", "日期、品號、數量")
refused("other_report", lambda: files.xlsx([("員工", "到職日"), ("王小明", "2020/01/01")]), "找不到標題列")
refused("header_only", lambda: files.xlsx([HEADER]), "沒有資料")
refused("empty_sheet", lambda: files.xlsx([]), "是空的")
refused("many_columns", lambda: files.xlsx([(*HEADER, *map(str, range(200))), *PLAIN]), "205 欄", "200")

# fmt: off
SUPPLIER = (
    "訂單日期", "項次+燈號", "配送狀態", "配送訊息", "宅單備註", "訂單編號", "收件人姓名", "收件人地址",
    "貨運公司出貨地址", "貨運公司回收地址", "訂單類別", "客戶配送需求", "轉單日", "預計出貨日", "商品原廠編號",
    "品號", "品名", "單名編號", "單品詳細", "數量", "進價(含稅)", "售價(含稅)", "贈品", "訂購人姓名", "發票號碼",
    "發票日期", "個人識別碼", "群組變價商品",
)
# fmt: on


def _supplier() -> bytes:
    row = dict.fromkeys(SUPPLIER, "")
    row.update(
        {
            "訂單日期": "2025/11/22 13:05:59",
            "轉單日": "2025/11/23",
            "訂單編號": "TB2511220000001",
            "收件人姓名": "王小明",
            "個人識別碼": "A123456789",
            "品號": "13326964.0",
            "品名": "保濕面膜",
            "數量": "2.0",
            "進價(含稅)": "500",
            "售價(含稅)": "640",
        }
    )
    return files.xlsx([SUPPLIER, [row[header] for header in SUPPLIER]])


good(
    "supplier_export",
    _supplier,
    fields=("date", "product_code", "product_name", "quantity", "unit_cost", "unit_price"),
    rows=[(DAY, "13326964", "保濕面膜", 2, 50_000, 64_000)],
)

# --- Sheets -----------------------------------------------------------------------------------------------------------

_DECOY = (HEADER, ("2020/01/01", "DECOY", "x", 1, 1))


def _sheet_before(title: str, state: str, rows: tuple = _DECOY) -> Callable[[Workbook, Worksheet], None]:
    def change(book: Workbook, page: Worksheet) -> None:
        other = book.create_sheet(title, 0)
        for row in rows:
            other.append(row)
        other.sheet_state = state

    return change


good("hidden_sheet_first", lambda: files.xlsx(TABLE, change=_sheet_before("參照", "hidden")), sheet="銷售")
good("very_hidden_sheet_first", lambda: files.xlsx(TABLE, change=_sheet_before("參照", "veryHidden")), sheet="銷售")
good(
    "hidden_sheet_xls",
    lambda: files.by_office(files.xlsx(TABLE, change=_sheet_before("參照", "hidden")), "xls"),
    "銷售.xls",
    sheet="銷售",
    office=True,
)
good(
    "hidden_sheet_ods",
    lambda: files.by_office(files.xlsx(TABLE, change=_sheet_before("參照", "hidden")), "ods"),
    "銷售.ods",
    sheet="銷售",
    office=True,
)
refused(
    "all_hidden",
    lambda: files.replaced(files.xlsx(TABLE), "xl/workbook.xml", (b'state="visible"', b'state="hidden"')),
    "沒有看得見的工作表",
)
good(
    "better_sheet_second",
    lambda: files.xlsx(
        TABLE,
        change=_sheet_before("說明", "visible", (("日期", "品號"), ("每天", "momo"))),
    ),
    sheet="銷售",
)
good("empty_sheet_first", lambda: files.xlsx(TABLE, change=_sheet_before("工作表1", "visible", ())), sheet="銷售")
good(
    "sheet_with_twice_a_header_beside",
    lambda: files.xlsx(TABLE, change=_sheet_before("雜項", "visible", (("日期", "數量", "數量"), ("x", 1, 2)))),
    sheet="銷售",
)


def _chart(book: Workbook, page: Worksheet) -> None:
    chart = BarChart()
    chart.add_data(Reference(page, min_col=4, min_row=1, max_row=3), titles_from_data=True)
    book.create_chartsheet("圖表", 0).add_chart(chart)


good("chart_sheet_first", lambda: files.xlsx(TABLE, change=_chart), sheet="銷售")
refused(
    "only_chart_visible",
    lambda: files.replaced(
        files.xlsx(TABLE, change=_chart),
        "xl/workbook.xml",
        (b'name="\xe9\x8a\xb7\xe5\x94\xae" sheetId="2" state="visible"', b'name="x" sheetId="2" state="hidden"'),
    ),
    "沒有看得見的工作表",
)
good(
    "hidden_columns_and_filter",
    lambda: files.xlsx(
        TABLE,
        change=lambda book, page: (
            page.column_dimensions.__getitem__("D").__setattr__("hidden", True),
            page.row_dimensions.__getitem__(3).__setattr__("hidden", True),
            page.auto_filter.__setattr__("ref", "A1:E3"),
        ),
    ),
)

# --- Rows -------------------------------------------------------------------------------------------------------------

good(
    "total_rows",
    lambda: files.xlsx(
        [
            HEADER,
            PLAIN[0],
            ("小計", None, None, 2, 1280),
            PLAIN[1],
            ("小計：", None, None, -1, -399.5),
            (None, "合計", None, 1, 880.5),
            (None, None, "總　計", 1, 880.5),
            ("Grand Total", None, None, 1, 880.5),
            (None, None, "11月合計(2筆)", 1, 880.5),
        ]
    ),
    numbers=(2, 4),
)
good(
    "total_in_unknown_column",
    lambda: files.xlsx(
        [("項次", *HEADER), *[(number, *row) for number, row in enumerate(PLAIN)], ("總計", None, None, None, 1, 880.5)]
    ),
    unknown=("項次",),
)
good(
    "total_rows_that_count",
    lambda: files.xlsx(
        [
            ("項次", *HEADER),
            (1, *PLAIN[0]),
            ("合計", None, 1, None, 2, 1280),
            ("小計", None, "-", None, 2, 1280),
            (None, "11/22 合計", "1", None, 2, 1280),
            ("Total", "-", "共 1 筆", None, 2, 1280),
            (2, *PLAIN[1]),
            (None, None, "-", "本頁合計", 2, 1280),
            (None, date(2025, 11, 23), "A1 小計", None, -1, -399.5),
            (None, "總計", "共 2 筆", "", 1, 880.5),
            ("合計", 2, 2, None, 1, 880.5),
        ]
    ),
    numbers=(2, 7),
)
good(
    "total_rows_that_count_csv",
    lambda: files.csv([HEADER, *PLAIN, ("合計", "2", "", 1, 880.5), ("總計:", "共 2 筆", "-", 1, 880.5)]),
    "銷售.csv",
    numbers=(2, 3),
)
good(
    "a_brand_called_total",
    lambda: files.xlsx(
        [
            ("品牌", *HEADER),
            ("TOTAL", "2025/11/22", None, "機油", 5, 999),
            ("TOTAL", None, "A1", "機油", 5, 999),
            ("TOTAL", "2025/13/22", "A2", "機油", 5, 999),
            ("TOTAL", *PLAIN[1]),
            ("TOTAL", None, None, None, 20, 880.5),
        ]
    ),
    rows=[
        (DAY, None, "機油", 5, 99_900),
        (None, "A1", "機油", 5, 99_900),
        (None, "A2", "機油", 5, 99_900),
        EXPECTED[1],
    ],
    bad=[Bad(4, "訂單日期", ("這一天",))],
)
good(
    "no_total_but_a_name",
    lambda: files.xlsx(
        [HEADER, ("2025/11/22", "A1", "高露潔 Total 牙膏", 1, 99), ("2025/11/22", "A2", "總計機", 1, 9)]
    ),
    rows=[(DAY, "A1", "高露潔 Total 牙膏", 1, 9_900), (DAY, "A2", "總計機", 1, 900)],
)
good(
    "empty_rows",
    lambda: files.xlsx([HEADER, (), PLAIN[0], ("  ", "\u3000", "", None, " "), (), PLAIN[1], (), ()]),
    numbers=(3, 6),
)
good(
    "note_below",
    lambda: files.xlsx([("備註", *HEADER), *[("", *row) for row in PLAIN], (), ("本表僅供參考",)]),
    numbers=(2, 3),
)
good("header_on_each_page", lambda: files.xlsx([HEADER, PLAIN[0], HEADER, PLAIN[1]]), numbers=(2, 4))

# --- Several at once --------------------------------------------------------------------------------------------------

good(
    "big5_minguo_totals_fullwidth",
    lambda: files.csv(
        [
            ("○○公司 銷售日報",),
            (),
            ("銷售日期", "商品編號", "商品名稱", "銷量", "銷售金額"),
            ("114/11/22", "00123", "面膜", "２", '"１，２８０"'),
            ("民國114年11月23日", "456", "洗髮精", "(1)", "NT$399.50"),
            ("合計", "", "", "1", '"1,679.50"'),
        ],
        "cp950",
    ),
    "銷售.xls",
    rows=[(DAY, "00123", "面膜", 2, 128_000), (NEXT, "456", "洗髮精", -1, 39_950)],
    numbers=(4, 5),
)
good(
    "hidden_merged_row_9_serials_totals",
    lambda: files.xlsx(
        [
            ("轉單日", "商品代碼", "品名", "銷售", None),
            (None, None, None, "數量(件)", "銷售額"),
            (45983, 13326964.0, "保濕面膜", "2.0", "1,280元"),
            (date(2025, 11, 23), "TP00012040000352", "洗髮精 500ml", "-1", "(399.5)"),
            (None, None, None, None, None),
            (None, "總計", None, 1, 880.5),
        ],
        above=8,
        change=_sheet_before("資料庫", "hidden"),
    ),
    sheet="銷售",
    numbers=(11, 12),
)
good(
    "html_big5_minguo_parentheses",
    lambda: files.html(
        [
            ("日期", "品號", "品名", "數量", "業績"),
            ("1141122", "13326964.0", "保濕面膜", "2.00", "NT$&nbsp;1,280"),
            ("114.11.23", "TP00012040000352", "洗髮精&nbsp;500ml", "(1)", "（399.5）"),
            ("日期", "品號", "品名", "數量", "業績"),
            ("小計", "", "", "1", "880.5"),
        ],
        "cp950",
        above="<h1>銷售日報</h1>",
    ),
    "銷售.xls",
    numbers=(2, 3),
)
good(
    "ods_titled_minguo_totals",
    lambda: files.by_office(
        files.xlsx(
            [HEADER, ("114/11/22", *PLAIN[0][1:]), (date(2025, 11, 23), *PLAIN[1][1:]), ("合計", None, None, 1, 880.5)],
            above=3,
            change=_titled,
        ),
        "ods",
    ),
    "銷售.ods",
    numbers=(5, 6),
    office=True,
)
good("macros_named_xls_with_hidden", lambda: files.macro_xlsx(TABLE), "銷售.xls", rows=EXPECTED)
