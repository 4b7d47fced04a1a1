"""The zoo's layouts: cells that shift, merged cells, units and groups above a header, lines around the data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.sheets import files
from tests.sheets.cases import DAY, EXPECTED, HEADER, NAMES, NEXT, PLAIN, TABLE, Bad, good, refused

# --- More cells than headers ------------------------------------------------------------------------------------------

_SHIFTED = ("有 6 格", "標題只有 5 欄", "多出「280」", "1,280")


def _lines(*lines: str, delimiter: str = ",") -> Callable[[], bytes]:
    return lambda: "\r\n".join([delimiter.join(HEADER), *lines, ""]).encode()


good(
    "csv_unquoted_thousands",
    _lines("2025/11/22,A1,x,1,1,280", "2025/11/22,A2,y,2,99"),
    "銷售.csv",
    rows=[(DAY, "A1", "x", 1, 100), (DAY, "A2", "y", 2, 9_900)],
    bad=[Bad(2, "", _SHIFTED)],
)
good(
    "tsv_surplus_cell",
    _lines("2025/11/22\tA1\tx\t1\t1280\t280", delimiter="\t"),
    "銷售.txt",
    rows=[(DAY, "A1", "x", 1, 128_000)],
    bad=[Bad(2, "", _SHIFTED)],
)
good(
    "html_surplus_cell",
    lambda: files.html([HEADER, ("2025/11/22", "A1", "x", 1, 1, 280)]),
    "銷售.xls",
    rows=[(DAY, "A1", "x", 1, 100)],
    bad=[Bad(2, "", _SHIFTED)],
)
good("csv_empty_cells_at_the_end", lambda: files.csv([HEADER, *[(*row, "", " ") for row in PLAIN]]), "銷售.csv")
good(
    "csv_one_row_with_empty_cells_at_the_end",
    _lines("2025/11/22,13326964,保濕面膜,2,1280", "2025/11/23,TP00012040000352,洗髮精 500ml,-1,-399.5,,"),
    "銷售.csv",
)
# Only the last column is empty in usual rows, so that the surplus cell is an empty one.
good(
    "csv_unquoted_thousands_before_an_empty_column",
    lambda: (
        "訂單日期,品號,數量,業績,備註\r\n2025/11/22,A1,1,99,\r\n2025/11/22,A2,1,1,280,\r\n2025/11/22,A3,1,5,\r\n".encode()
    ),
    "銷售.csv",
    fields=("date", "product_code", "quantity", "amount"),
    rows=[(DAY, "A1", 1, 9_900), (DAY, "A2", 1, 100), (DAY, "A3", 1, 500)],
    bad=[Bad(3, "", ("有 6 格", "標題只有 5 欄"))],
)
good(
    "xlsx_notes_beside_the_table",
    lambda: files.xlsx([HEADER, (*PLAIN[0], None, "再確認"), PLAIN[1]]),
    rows=EXPECTED,
)

# --- Merged cells -----------------------------------------------------------------------------------------------------

_BRANDED = ("品牌", "訂單日期", "品號", "品名", "數量", "業績")
_MERGED_ROWS = [
    ("甲", date(2025, 11, 22), "A1", "x", 1, 10),
    (None, None, "A2", "y", 2, 20),
    (None, None, "A3", "z", 3, 30),
    ("乙", date(2025, 11, 23), "A4", "x", 1, 10),
    ("小計", None, None, None, 7, 70),
    ("丙", date(2025, 11, 23), "A5", "x", 1, 10),
]


def _merge(*areas: str) -> Callable[[Workbook, Worksheet], None]:
    return lambda book, page: [page.merge_cells(area) for area in areas] and None


_MERGED = {
    "rows": [
        ("甲", DAY, "A1", "x", 1, 1_000),
        ("甲", DAY, "A2", "y", 2, 2_000),
        ("甲", DAY, "A3", "z", 3, 3_000),
        ("乙", NEXT, "A4", "x", 1, 1_000),
        ("丙", NEXT, "A5", "x", 1, 1_000),
    ],
    "fields": ("brand", *NAMES),
    "notes": (
        "不是資料、沒有匯入的列：第 6 列「小計」（1 列）",
        "合併的儲存格已填入各列：訂單日期、品牌（4 格）",
    ),
}


def _merged_xlsx() -> bytes:
    return files.xlsx([_BRANDED, *_MERGED_ROWS], change=_merge("A2:A4", "B2:B4", "C6:D6"))


good("merged_cells", _merged_xlsx, **_MERGED)
good(
    "merged_cells_written_otherwise",
    lambda: files.sheet_xml(_merged_xlsx(), (b'<mergeCell ref="A2:A4"/>', b"<mergeCell\n ref = 'A2:A4' ></mergeCell>")),
    **_MERGED,
)
good(
    "merged_figures",
    lambda: files.xlsx(
        [
            ("訂單日期", "品號", "數量", "業績", "售價"),
            ("2025/11/22", "A1", 1, 90, 30),
            ("2025/11/22", "A2", 2, None, None),
        ],
        change=_merge("D2:D3", "E2:E3"),
    ),
    fields=("product_code", "quantity", "amount", "unit_price"),
    rows=[("A1", 1, None, 3_000), ("A2", 2, None, 3_000)],
    bad=[Bad(2, "業績", ("合併成一格", "取消合併")), Bad(3, "業績", ("合併成一格",))],
    notes=["合併的儲存格已填入各列：售價（1 格）"],
)
good(
    "merged_header_and_title_fill_nothing",
    lambda: files.xlsx(
        [("報表", None, None, None, None), HEADER, (None, None, None, None, None), *PLAIN],
        change=_merge("A1:E1", "A2:A3", "B2:B3", "C2:C3", "D2:D3", "E2:E3"),
    ),
    numbers=(4, 5),
    notes=[],
)

# --- Units of money ---------------------------------------------------------------------------------------------------

_THOUSANDS = [HEADER, ("2025/11/22", "A1", "x", 2, 1.2345), ("2025/11/22", "A2", "y", 1, "1,280")]
_IN_DOLLARS = [(DAY, "A1", "x", 2, 123_450), (DAY, "A2", "y", 1, 128_000_000)]
for _number, (_line, _scale) in enumerate(
    [
        ("單位：新台幣千元", 1_000),
        ("單位:仟元", 1_000),
        ("（單位：千元）", 1_000),
        ("2025 年 11 月銷售報表（新台幣千元）", 1_000),
        ("製表：王小明  單位：件、千元", 1_000),
        ("幣別：新台幣　單位：千元", 1_000),
        ("金額以千元為單位", 1_000),
        ("NT$K", 1_000),
        ("In thousands of NT$", 1_000),
        ("Unit: NT$ thousand", 1_000),
        ("單位：萬元", 10_000),
        ("單位：百萬元", 1_000_000),
        ("單位：元", 1),
        ("單位：電商部 製表：千元禮盒組", 1),
        ("滿千元折百活動", 1),
        ("單位：件", 1),
    ]
):
    good(
        f"unit_above_{_number}",
        lambda line=_line: files.xlsx([(None, None, line), *_THOUSANDS]),
        rows=[
            (*row[:4], _scale * cents // 1_000) for row, cents in zip(_IN_DOLLARS, (123_450, 128_000_000), strict=True)
        ]
        if _scale != 1
        else [(DAY, "A1", "x", 2, 123), (DAY, "A2", "y", 1, 128_000)],
        notes=[f"金額已乘以 {_scale:,}（第 1 列「{' '.join(_line.split())}」）：業績"] if _scale > 1 else [],
    )
for _number, (_line, *_words) in enumerate(
    [
        ("單位：美元", "第 1 列", "單位：美元"),
        ("幣別：USD", "第 1 列"),
        ("單位：千件", "第 1 列", "千件"),
        ("單位：千元、萬元", "第 1 列"),
    ]
):
    refused(f"unit_refused_{_number}", lambda line=_line: files.csv([(line,), *_THOUSANDS]), *_words, file="銷售.csv")
refused("unit_below", lambda: files.csv([*_THOUSANDS[:2], ("單位：千元",)]), "第 3 列", "單位：千元", file="銷售.csv")
refused("unit_of_a_sheet", lambda: files.xlsx([*_THOUSANDS, ("單位：元",)], sheet="銷售(千元)"), "第 4 列", "單位：元")
good(
    "unit_in_the_name_of_a_sheet",
    lambda: files.xlsx([*_THOUSANDS, ("單位：千元",)], sheet="銷售(千元)"),
    rows=_IN_DOLLARS,
)
good(
    "unit_beside_the_header",
    lambda: files.csv([(*HEADER, "單位：千元"), *_THOUSANDS[1:2]]),
    "銷售.csv",
    rows=_IN_DOLLARS[:1],
)
_PRICED = ("訂單日期", "品號", "數量", "業績", "售價")
refused(
    "unit_above_prices_of_one_piece",
    lambda: files.xlsx([("單位：千元",), _PRICED, ("2025/11/22", "A1", 2, 1.28, 640)]),
    "第 1 列",
    "「售價」",
)
good(
    "unit_above_and_in_headers",
    lambda: files.xlsx([("單位：千元",), (*_PRICED[:4], "售價(元)"), ("2025/11/22", "A1", 2, 1.28, 640)]),
    fields=("quantity", "amount", "unit_price"),
    rows=[(2, 128_000, 64_000)],
)
good(
    "unit_in_headers",
    lambda: files.xlsx(
        [
            ("訂單日期", "品號", "數量", "業績(含稅,千元)", "成本（單位：萬元）", "售價"),
            ("2025/11/22", "A1", 2, 1.28, 0.05, 640),
        ]
    ),
    fields=("quantity", "amount", "cost", "unit_price"),
    rows=[(2, 128_000, 50_000, 64_000)],
    notes=["金額已乘以 1,000：業績(含稅,千元)", "金額已乘以 10,000：成本（單位：萬元）"],
)
refused(
    "unit_in_some_headers",
    lambda: files.xlsx([("訂單日期", "品號", "數量", "業績(千元)", "成本"), ("2025/11/22", "A1", 2, 1.28, 0.5)]),
    "業績(千元)",
    "成本(元)",
)

# --- Groups of other figures ------------------------------------------------------------------------------------------

_GROUPED = [
    (None, None, None, "本期", None, "去年同期", None),
    (*HEADER, "數量", "業績"),
    *[(*row, 99, 9_999) for row in PLAIN],
]
good("group_of_last_year", lambda: files.xlsx(_GROUPED), unknown=("去年同期／數量", "去年同期／業績"), numbers=(3, 4))
good(
    "group_of_last_year_merged",
    lambda: files.xlsx(
        [(None, None, None, None, None, "累計", None), (*HEADER, "銷量", "銷售金額"), *_GROUPED[2:]],
        change=_merge("F1:G1"),
    ),
    unknown=("累計／銷量", "累計／銷售金額"),
)
refused(
    "only_last_year",
    lambda: files.csv([("", "", "", "去年同期", ""), *TABLE]),
    "缺少必要欄位：數量",
    "去年同期／數量",
    file="銷售.csv",
)
good("title_with_words_of_other_figures", lambda: files.xlsx([("11 月累計銷售",), *TABLE]), numbers=(3, 4))
good(
    "headers_of_other_periods",
    lambda: files.xlsx(
        [
            ("數量(近30天)", "業績(近7日)", "業績(WoW)", "業績(YoY)", "數量(去年)", *HEADER[:4], "業績(含稅)"),
            *[(9, 9, 9, 9, 9, *row) for row in PLAIN],
        ]
    ),
    unknown=("數量(近30天)", "業績(近7日)", "業績(WoW)", "業績(YoY)", "數量(去年)"),
)

# --- Lines around the data --------------------------------------------------------------------------------------------

_BELOW: list[tuple[Any, ...]] = [
    ("累計", None, None, 9, 9_000),
    (None, None, "本月累計", 9, 9_000),
    ("製表人：王小明", None, None, "審核：", "李大同"),
    (None, None, "以下空白", None, None),
    ("第 2 頁",),
    (None, None, None, None, "頁次：2/5"),
    ("- 2 -",),
    ("共 2 筆", None, None, 1, 880.5),
    ("備註：本表僅供參考，數量 2 件以上另計",),
    ("--------",),
    ("※ 資料來源：momo",),
]
good(
    "lines_below",
    lambda: files.xlsx([HEADER, *PLAIN, (), *_BELOW]),
    numbers=(2, 3),
    notes=[
        "不是資料、沒有匯入的列：第 5 列「累計」、第 6 列「本月累計」、第 7 列「製表人：王小明」、第 8 列「以下空白」"
        "、第 9 列「第 2 頁」等（11 列）"
    ],
)
good(
    "lines_between_csv",
    lambda: files.csv([HEADER, PLAIN[0], *_BELOW[2:5], HEADER, PLAIN[1]]),
    "銷售.csv",
    numbers=(2, 7),
)
good(
    "rows_that_only_sound_like_lines",
    lambda: files.xlsx(
        [
            HEADER,
            (None, "A1", "紅豆薏仁總和", 2, 99),
            ("2025/11/22", "A2", "主管推薦禮盒", 1, 9),
            (None, None, "製表用紙", 1, 9),
            (None, 12345, "穀物加總", 1, 9),
        ]
    ),
    rows=[
        (None, "A1", "紅豆薏仁總和", 2, 9_900),
        (DAY, "A2", "主管推薦禮盒", 1, 900),
        (None, None, "製表用紙", 1, 900),
        (None, "12345", "穀物加總", 1, 900),
    ],
    notes=[],
)
good(
    "signs_of_accounts",
    lambda: files.csv([HEADER, ("2025/11/22", "A1", "x", "1件", "$-"), ("2025/11/22", "A2", "x", "▲1", "100-")]),
    "銷售.csv",
    rows=[(DAY, "A1", "x", 1, 0), (DAY, "A2", "x", -1, -10_000)],
    notes=["▲、△ 讀成負數：數量（1 格）", "「-」讀成 0：業績（1 格）"],
)

# --- Sheets -----------------------------------------------------------------------------------------------------------

refused("one_row", lambda: files.xlsx([("銷售日報",)]), "找不到標題列")
refused("header_only_of_one_row", lambda: files.xlsx([HEADER]), "只有標題列")
_MICROSOFT, _OFFICE = "http://schemas.microsoft.com/office/2006", files._OFFICE


def _with_sheet(folder: str, kind: str, root: str) -> bytes:
    """The plain workbook with one more sheet before, of another kind."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<sheet xmlns:r="{_OFFICE}" name="其他" sheetId="9" r:id="rId99"/>'
    relation = f'<Relationship Id="rId99" Type="{kind}" Target="{folder}/sheet1.xml"/></Relationships>'
    data = files.replaced(
        files.replaced(files.xlsx(TABLE), "xl/workbook.xml", (b"<sheets>", f"<sheets>{sheet}".encode())),
        "xl/_rels/workbook.xml.rels",
        (b"</Relationships>", relation.encode()),
    )
    return files.rezipped(
        data, lambda name, part: part, {f"xl/{folder}/sheet1.xml": f'<{root} xmlns="{main}"/>'.encode()}
    )


good(
    "macro_sheet_before",
    lambda: _with_sheet("macrosheets", f"{_MICROSOFT}/relationships/xlMacrosheet", "macrosheet"),
    sheet="銷售",
)
good("dialog_sheet_before", lambda: _with_sheet("dialogsheets", f"{_OFFICE}/dialogsheet", "dialogsheet"), sheet="銷售")
good("macro_sheet_before_xlsb", lambda: files.xlsb(TABLE, macros=True), "銷售.xlsb", sheet="銷售")


# --- Formulas that nobody calculated ----------------------------------------------------------------------------------

_PENDING = [HEADER, ("2025/11/22", "A1", "x", 1, "=D2*10"), ("2025/11/22", "A2", "y", 0, "=D3*10")]


def _zero_results(*, pending: bool) -> bytes:
    """Formulas with the result 0, as XlsxWriter and Excel::Writer::XLSX write each."""
    data = files.sheet_xml(files.xlsx(_PENDING), (b"</f><v></v>", b"</f><v>0</v>"))
    return data if pending else files.replaced(data, "xl/workbook.xml", (b' fullCalcOnLoad="1"', b""))


good(
    "formulas_to_be_calculated_on_opening",
    lambda: _zero_results(pending=True),
    rows=[(DAY, "A1", "x", 1, None), (DAY, "A2", "y", 0, None)],
    bad=[Bad(2, "業績", ("公式沒有計算結果",)), Bad(3, "業績", ("公式沒有計算結果",))],
)
good(
    "formulas_whose_result_is_zero",
    lambda: _zero_results(pending=False),
    rows=[(DAY, "A1", "x", 1, 0), (DAY, "A2", "y", 0, 0)],
)
