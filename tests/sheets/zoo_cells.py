"""The zoo's cells: every notation of dates, numbers, codes and text, and what is none."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from tests.sheets import files
from tests.sheets.cases import DAY, HEADER, NEXT, TABLE, Bad, good, no, one_column

# --- Dates ------------------------------------------------------------------------------------------------------------

one_column(
    "dates_text",
    "訂單日期",
    "date",
    [
        (text, DAY)
        for text in (
            "2025/11/22",
            "2025-11-22",
            "2025.11.22",
            "20251122",
            "20251122.0",
            " 2025/11/22 ",
            "２０２５／１１／２２",
            "2025/11/22 13:05",
            "2025/11/22 13:05:59",
            "2025-11-22T13:05:59",
            "2025-11-22 13:05:59.123",
            "2025-11-22T13:05:59+08:00",
            "2025/11/22 下午 01:05:59",
            "2025/11/22 1:05 PM",
            "20251122 13:05",
            "2025年11月22日",
            "2025 年 11 月 22 日 13時05分",
            "2025/11/22(六)",
            "2025年11月22日 星期六",
            "45983",
            "45983.545",
            "45982.99999999999",
        )
    ]
    + [("2025/1/2", date(2025, 1, 2)), ("2025-1-02", date(2025, 1, 2)), ("2024/02/29", date(2024, 2, 29))],
    write=files.xlsx,
)
one_column(
    "dates_minguo",
    "訂單日期",
    "date",
    [
        (text, DAY)
        for text in (
            "114/11/22",
            "114-11-22",
            "114.11.22",
            "1141122",
            "1141122.0",
            "114/11/22 13:05",
            "民國114年11月22日",
            "民國 114 年 11 月 22 日",
            "中華民國114年11月22日",
            "114年11月22日",
            "民國114/11/22",
            "民國1141122",
            "１１４／１１／２２",
        )
    ]
    + [("民國99年1月2日", date(2010, 1, 2)), ("113/2/29", date(2024, 2, 29))],
    write=lambda table: files.csv(table, "cp950"),
    file="銷售.csv",
)
one_column(
    "dates_of_excel",
    "訂單日期",
    "date",
    [
        (date(2025, 11, 22), DAY),
        (datetime(2025, 11, 22, 23, 59, 59), DAY),
        (45983, DAY),
        (45983.999, DAY),
        (45982.99999999999, DAY),
        (45983.99999421, DAY),
        (20251122, DAY),
        (1141122, DAY),
        (32874, date(1990, 1, 1)),
        (73415, date(2100, 12, 31)),
    ],
    write=files.xlsx,
)
one_column(
    "dates_refused",
    "訂單日期",
    "date",
    [
        ("2025/02/29", no("沒有", "2025/02/29", "這一天")),
        ("2025/13/01", no("這一天")),
        ("113/02/30", no("這一天")),
        ("11/22/2025", no("看不懂日期", "2026/11/22")),
        ("22/11/2025", no("看不懂日期")),
        ("99/11/22", no("看不懂日期")),
        ("25/11/22", no("看不懂日期")),
        ("991122", no("看不懂日期")),
        ("2025/11-22", no("看不懂日期")),
        ("2025/11", no("看不懂日期")),
        ("2025/11/2213:05", no("看不懂日期")),
        ("2025-11-22T20:00:00Z", no("看不懂日期")),
        ("2025/11/22~23", no("看不懂日期")),
        ("昨天", no("看不懂日期")),
        ("1989/12/31", no("1990 到 2100")),
        ("2101/01/01", no("1990 到 2100")),
        ("民國26年11月22日", no("1990 到 2100")),
        ("#N/A", no("錯誤值 #N/A")),
    ],
    write=lambda table: files.csv(table),
    file="銷售.csv",
)
one_column(
    "dates_of_excel_refused",
    "訂單日期",
    "date",
    [
        (date(1989, 12, 31), no("1990 到 2100")),
        (datetime(2101, 1, 1), no("1990 到 2100")),
        (32873, no("看不懂日期")),
        (100000, no("看不懂日期")),
        (2025, no("看不懂日期")),
        (20251322, no("這一天")),
        (20251122130559, no("看不懂日期")),
        (-5, no("看不懂日期")),
        (45983122.5, no("看不懂日期")),
        (time(13, 5), no("只有時間")),
        (timedelta(hours=30), no("時間")),
        (True, no("TRUE", "不是日期")),
    ],
    write=files.xlsx,
)


def _mac(book: Workbook, page: Worksheet) -> None:
    book.epoch = CALENDAR_MAC_1904
    page["A2"], page["A3"] = date(2025, 11, 22), 45983 + 1 - 1462


good("dates_of_1904", lambda: files.xlsx(TABLE, change=_mac))

# --- Numbers ----------------------------------------------------------------------------------------------------------

_AMOUNTS: list[tuple[Any, Any]] = [
    ("1280", 128_000),
    ("1,280", 128_000),
    ("1,234,567.89", 123_456_789),
    ("１，２８０", 128_000),
    ("１２８０．５", 128_050),
    (" 1280 ", 128_000),
    ("123.0", 12_300),
    ("+5", 500),
    ("-5", -500),
    ("－5", -500),
    ("−5", -500),
    ("(1,280)", -128_000),
    ("（1280.5）", -128_050),
    ("NT$1,280", 128_000),
    ("NT$ 1,280", 128_000),
    ("ＮＴ＄1,280", 128_000),
    ("$1280", 128_000),
    ("-$1,280", -128_000),
    ("$-1,280", -128_000),
    ("($1,280)", -128_000),
    ("NTD 1280", 128_000),
    ("1,280元", 128_000),
    ("1280 元", 128_000),
    ("50%", 50),
    ("1,250%", 1_250),
    (".5", 50),
    ("5.", 500),
    ("0", 0),
    ("-0", 0),
    ("0.005", 1),
    ("-0.005", -1),
    ("1.005", 101),
    ("1.0049", 100),
    ("'1280", 128_000),
    ("1280\u200b", 128_000),
    ("999999999999.99", 99_999_999_999_999),
    ("-", 0),
    ("－", 0),
    (" $-   ", 0),
    ("NT$ -", 0),
    ("1280-", -128_000),
    ("1,280.50－", -128_050),
    ("▲100", -10_000),
    ("△1,280", -128_000),
    ("▲NT$5", -500),
    (" $ (1,280)", -128_000),  # what the accounting format shows
    ("NT$(5)", -500),
]
one_column("amounts_text", "業績", "amount", _AMOUNTS, write=files.xlsx)
one_column(
    "amounts_csv",
    "業績",
    "amount",
    [(f'"{text}"', cents) for text, cents in _AMOUNTS if text.isascii()],
    write=files.csv,
    file="銷售.csv",
)
one_column(
    "amounts_of_excel",
    "業績",
    "amount",
    [
        (1280, 128_000),
        (-399.5, -39_950),
        (0, 0),
        (1.005, 101),
        (2.675, 268),
        (-1.005, -101),
        (0.1 + 0.2, 30),
        (1234.5649999999998, 123_457),
        (0.004, 0),
        (0.5, 50),
        (123456789.12, 12_345_678_912),
        (None, None),
    ],
    write=files.xlsx,
)
one_column(
    "amounts_refused",
    "業績",
    "amount",
    [
        (text, no(*words))
        for text, *words in (
            ("1,28", "不是數字"),
            ("1,2345", "不是數字"),
            ("12,80,000", "不是數字"),
            ("1.234,56", "不是數字"),
            ("1.2.3", "不是數字"),
            ("1 280", "不是數字"),
            ("599~899", "不是數字"),
            ("599起", "不是數字"),
            ("$$795", "不是數字"),
            ("US$5", "不是數字"),
            ("一百", "不是數字"),
            ("無", "不是數字"),
            ("1.28E+03", "科學記號"),
            ("1e5", "科學記號"),
            ("(1280", "正負號"),
            ("1280)", "正負號"),
            ("-(1280)", "不是數字"),
            ("$ (1280", "正負號"),
            ("-1280-", "正負號"),
            ("▲-100", "正負號"),
            ("(▲100)", "正負號"),
            ("▼100", "不是數字"),
            ("100▲", "不是數字"),
            ("--", "不是數字"),
            ("100件", "不是數字"),
            ("--5", "正負號"),
            ("1000000000000", "金額太大"),
            ("nan", "不是數字"),
            ("١٢٣", "不是數字"),
            ("#DIV/0!", "錯誤值 #DIV/0!"),
        )
    ]
    + [
        (1e20, no("金額太大")),
        (True, no("TRUE", "金額")),
        (date(2025, 1, 2), no("日期", "金額")),
        (time(1, 2), no("時間")),
    ],
    write=files.xlsx,
)
one_column(
    "integers",
    "數量",
    "quantity",
    [
        ("123.0", 123),
        ("1,234.00", 1234),
        ("２", 2),
        ("(3)", -3),
        (4.0, 4),
        (-5, -5),
        ("200%", 2),
        ("-", 0),
        ("1件", 1),
        ("2 個", 2),
        ("1,234pcs", 1234),
        ("-3件", -3),
        ("▲2", -2),
        ("2-", -2),
        ("2147483647", 2_147_483_647),
        (None, None),
        ("1.5", no("1.5", "不是整數")),
        (2.5, no("2.5", "不是整數")),
        ("50%", no("不是整數")),
        ("2147483648", no("太大")),
        (1e10, no("太大")),
        ("兩個", no("不是數字")),
        ("1箱", no("不是數字")),
        ("1打", no("不是數字")),
        ("2入", no("不是數字")),
        ("個", no("不是數字")),
    ],
    write=files.xlsx,
)

# --- Codes and text ---------------------------------------------------------------------------------------------------

one_column(
    "codes",
    "品號",
    "product_code",
    [
        ("00123", "00123"),
        ("13326964.0", "13326964"),
        (13326964.0, "13326964"),
        (13326964, "13326964"),
        ("TP00012040000352", "TP00012040000352"),
        ("ＴＰ００１", "TP001"),
        (" 123 ", "123"),
        ("'00123", "00123"),
        ("12E5", "12E5"),
        ("A\u200bB", "AB"),
        (999_999_999_999_999, "999999999999999"),
        ("1.33E+07", no("科學記號", "文字")),
        (1234567890123456, no("15 位", "文字")),
        (13326964.5, no("不像代號")),
        (-1, no("不像代號")),
        (date(2025, 3, 1), no("日期", "代號")),
        (False, no("FALSE", "代號")),
        ("9" * 31, no("31 個字", "30")),
    ],
    write=files.xlsx,
)
one_column(
    "texts",
    "品名",
    "product_name",
    [
        ("  面膜 \n 大  ", "面膜 大"),
        ("㈱①ｶﾞﾗｽ", "㈱①ｶﾞﾗｽ"),
        ("\u3000面膜\u3000", "面膜"),
        (123.0, "123"),
        (1.25, "1.25"),
        ("面\ufeff膜", "面膜"),
        ("#1 熱銷", "#1 熱銷"),
        ("'-417", "-417"),
        ("'90s", "'90s"),
        ("Error 404", "Error 404"),
        ("x" * 500, "x" * 500),
        ("x" * 501, no("501 個字", "500")),
        ("#REF!", no("錯誤值 #REF!")),
        (date(2025, 3, 5), no("日期", "自動轉換")),
    ],
    write=files.xlsx,
)
one_column(
    "control_characters",
    "品名",
    "product_name",
    [("a\x00b\x07c", "abc"), ("tab\there", "tab here")],
    write=files.csv,
    file="銷售.csv",
)


def _zeros(book: Workbook, page: Worksheet) -> None:
    page["B2"], page["B3"], page["B4"] = 123, 13326964, "456"
    page["D2"] = 5
    for cell in ("B2", "B3", "B4"):
        page[cell].number_format = "00000"
    page["D2"].number_format = "000"


good(
    "codes_of_a_format_with_zeros",
    lambda: files.xlsx([HEADER, *[("2025/11/22", "", "x", 1, 10)] * 3], change=_zeros),
    rows=[(DAY, "00123", "x", 5, 1000), (DAY, "13326964", "x", 1, 1000), (DAY, "456", "x", 1, 1000)],
)

_ZEROS = ("00000;@", "[$-404]00000", "00000_ ", "00000;[Red]-00000", '"TP"00000')


def _zeros_and_more(book: Workbook, page: Worksheet) -> None:
    for row, code in enumerate(_ZEROS, start=2):
        page.cell(row, 2).value = 123
        page.cell(row, 2).number_format = code


good(
    "codes_of_a_format_with_zeros_and_more",
    lambda: files.xlsx([HEADER, *[("2025/11/22", "", "x", 1, 10)] * len(_ZEROS)], change=_zeros_and_more),
    rows=[(DAY, code, "x", 1, 1000) for code in ("00123", "00123", "00123", "00123", "123")],
)

# --- Formulas and errors ----------------------------------------------------------------------------------------------

_FORMULAS = (HEADER, ("2025/11/22", "A1", "x", "=1+1", "=640*2"), ("2025/11/23", "A2", "y", 3, "=D3*10"))
_ERRORS = (HEADER, ("2025/11/22", "A1", "x", "#N/A", "#REF!"), ("#VALUE!", "A2", "y", 3, "#DIV/0!"))
_BAD_ERRORS = [
    Bad(2, "數量", ("錯誤值 #N/A",)),
    Bad(2, "業績", ("錯誤值 #REF!",)),
    Bad(3, "訂單日期", ("錯誤值 #VALUE!",)),
    Bad(3, "業績", ("錯誤值 #DIV/0!",)),
]
_ERROR_ROWS = [(DAY, "A1", "x", None, None), (None, "A2", "y", 3, None)]
_NEVER = ("公式沒有計算結果", "用 Excel 開啟")

good(
    "formulas_calculated",
    lambda: files.sheet_xml(
        files.xlsx(_FORMULAS),
        (b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>"),
        (b"<f>640*2</f><v></v>", b'<f t="shared" ref="E2:E3" si="0">640*2</f><v>1280</v>'),
        (b"<f>D3*10</f><v></v>", b'<f t="shared" si="0"/><v>30</v>'),
    ),
    rows=[(DAY, "A1", "x", 2, 128_000), (NEXT, "A2", "y", 3, 3_000)],
)
good(
    "formulas_never_calculated",
    lambda: files.xlsx(_FORMULAS),
    rows=[(DAY, "A1", "x", None, None), (NEXT, "A2", "y", 3, None)],
    bad=[Bad(2, "數量", _NEVER), Bad(2, "業績", _NEVER), Bad(3, "業績", _NEVER)],
)
good(
    "formulas_empty_or_missing",
    lambda: files.sheet_xml(
        files.xlsx(_FORMULAS),
        (b'<c r="D2"><f>1+1</f><v></v>', b'<c r="D2" t="str"><f>IF(A1="","",1)</f><v></v>'),
        (b"<f>640*2</f><v></v>", b'<f t="shared" ref="E2:E3" si="0">640*2</f><v>1280</v>'),
        (b"<f>D3*10</f><v></v>", b'<f t="shared" si="0"/>'),
    ),
    rows=[(DAY, "A1", "x", None, 128_000), (NEXT, "A2", "y", 3, None)],
    bad=[Bad(3, "業績", _NEVER)],
)
good(
    "formulas_by_office",
    lambda: files.by_office(files.xlsx(_FORMULAS), "xls"),
    "銷售.xls",
    rows=[(DAY, "A1", "x", 2, 128_000), (NEXT, "A2", "y", 3, 3_000)],
    office=True,
)
good("errors", lambda: files.xlsx(_ERRORS), rows=_ERROR_ROWS, bad=_BAD_ERRORS)
good("errors_csv", lambda: files.csv(_ERRORS), "銷售.csv", rows=_ERROR_ROWS, bad=_BAD_ERRORS)
good(
    "errors_xls",
    lambda: files.by_office(files.xlsx(_ERRORS), "xls"),
    "銷售.xls",
    rows=_ERROR_ROWS,
    bad=_BAD_ERRORS,
    office=True,
)
good(
    "errors_ods",
    lambda: files.by_office(files.xlsx(_ERRORS), "ods"),
    "銷售.ods",
    rows=_ERROR_ROWS,
    bad=_BAD_ERRORS,
    office=True,
)
_FORMULA_ERRORS = (HEADER, ("2025/11/22", "A1", "x", "=NA()", "=1/0"))
good(
    "formula_errors_xls",
    lambda: files.by_office(files.xlsx(_FORMULA_ERRORS), "xls"),
    "銷售.xls",
    rows=[(DAY, "A1", "x", None, None)],
    bad=[Bad(2, "數量", ("錯誤值 #N/A",)), Bad(2, "業績", ("錯誤值 #DIV/0!",))],
    office=True,
)
good(
    "formula_errors_ods",
    lambda: files.by_office(files.xlsx(_FORMULA_ERRORS), "ods"),
    "銷售.ods",
    rows=[(DAY, "A1", "x", None, None)],
    bad=[Bad(2, "數量", ("錯誤值 #N/A",)), Bad(2, "業績", ("錯誤值 #DIV/0!",))],
    office=True,
)
