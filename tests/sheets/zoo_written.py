"""The zoo's workbooks by other programs: real files in `written`, which its `make.sh` made, and what those write.

Each has a title, brands in merged cells, a date, a code under the format 00000000, an error in a formula, and a total.
"""

from __future__ import annotations

from pathlib import Path

from tests.sheets.cases import DAY, EXPECTED, HEADER, NAMES, NEXT, TABLE, Bad, good, refused

FOLDER = Path(__file__).with_name("written")
_ERROR = Bad(5, "業績", ("錯誤值 #N/A",))
_NEVER = Bad(5, "業績", ("公式沒有計算結果",))
_NOTES = ("不是資料、沒有匯入的列：第 6 列「合計」（1 列）", "合併的儲存格已填入各列：品牌（1 格）")


def _rows(code: str = "00000123") -> list[tuple[object, ...]]:
    return [
        ("甲", DAY, code, "保濕面膜", 2, 128_000),
        ("甲", *EXPECTED[1]),
        ("乙", NEXT, "A5", "眉筆", 3, None),
    ]


def _written(file: str, *bad: Bad, code: str = "00000123") -> None:
    good(
        f"written_{file}",
        (FOLDER / file).read_bytes,
        f"銷售.{file.rpartition('.')[2]}",
        fields=("brand", *NAMES),
        rows=_rows(code),
        bad=bad,
        numbers=(3, 4, 5),
        notes=_NOTES,
    )


for _file in (
    "exceljs.xlsx",
    "sheetjs.xlsx",
    "sheetjs.xlsb",
    "sheetjs.xls",
    "sheetjs.xml",
    "perl.xlsx",
    "perl.xls",
    "poi.xls",
):
    _written(_file, _ERROR)
for _file in ("libreoffice.xls", "libreoffice.ods", "libreoffice.fods", "libreoffice.html"):
    _written(_file, _ERROR)
_written("jxl.xls", _NEVER)  # JExcelApi calculates nothing, and writes 4 for every formula
# SheetJS writes neither the error nor the zeros into OpenDocument.
_written("sheetjs.ods", code="123")
_written("sheetjs.fods", code="123")
refused("written_sheetjs.slk", (FOLDER / "sheetjs.slk").read_bytes, "SYLK", file="銷售.slk")
refused("written_sheetjs.dif", (FOLDER / "sheetjs.dif").read_bytes, "DIF", file="銷售.dif")

# --- XML of Excel 2003 ------------------------------------------------------------------------------------------------

_HEAD = (
    '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel"'
    ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40">'
    '<Styles><Style ss:ID="z"><NumberFormat ss:Format="00000000"/></Style></Styles>'
)


def _cell(kind: str, text: str, more: str = "") -> str:
    return f'<Cell{more}><Data ss:Type="{kind}">{text}</Data></Cell>'


_HEADER = "<Row>" + "".join(_cell("String", text) for text in HEADER) + "</Row>"


def _xml(*rows: str, before: str = "", after: str = "") -> bytes:
    sheet = f'<Worksheet ss:Name="銷售"><Table>{_HEADER}{"".join(rows)}</Table>{after}</Worksheet>'
    return f"{_HEAD}{before}{sheet}</Workbook>".encode()


_HIDDEN = (
    f'<Worksheet ss:Name="參照"><Table>{_HEADER}<Row>{_cell("String", "x")}</Row></Table>'
    "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet>"
)
good(
    "excel_2003_xml",
    lambda: _xml(
        '<Row ss:Span="1"/>',
        '<Row ss:Index="5" ss:Height="20">'
        + _cell("DateTime", "2025-11-22T00:00:00.000")
        + _cell("Number", "123", ' ss:StyleID="z"')
        + '<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">保濕<B>面膜</B></ss:Data></Cell>'
        + _cell("Number", "2", ' ss:Index="4"')
        + '<Cell ss:Formula="=RC[-1]*640"/></Row>',
        "<Row>"
        + _cell("DateTime", "2025-11-23T13:05:59.000")
        + _cell("String", "A6")
        + '<Cell Index="4"><Data Type="Error">#N/A</Data></Cell>'
        + _cell("Number", "1.28e3")
        + "</Row>",
        before=_HIDDEN,
    ),
    "銷售.xls",
    rows=[(DAY, "00000123", "保濕面膜", 2, None), (NEXT, "A6", None, None, 128_000)],
    numbers=(5, 6),
    bad=[Bad(5, "業績", ("公式沒有計算結果",)), Bad(6, "數量", ("#N/A",))],
    sheet="銷售",
)
_PLAIN = [
    "<Row>"
    + "".join(_cell("Number" if isinstance(cell, (int, float)) else "String", str(cell)) for cell in row)
    + "</Row>"
    for row in TABLE[1:]
]
good("excel_2003_xml_utf16", lambda: _xml(*_PLAIN).decode().encode("utf-16"), "銷售.xml")
refused("excel_2003_xml_empty", lambda: (_HEAD + "</Workbook>").encode(), "沒有看得見的工作表", file="銷售.xls")
refused("excel_2003_xml_broken", lambda: _xml()[:-30], "損壞或不完整", file="銷售.xls")
refused(
    "excel_2003_xml_far_row",
    lambda: _xml(f'<Row ss:Index="1048576">{_cell("String", "x")}</Row>'),
    "1,048,576 列",
    file="銷售.xls",
)
refused(
    "excel_2003_xml_far_cell",
    lambda: _xml("<Row>" + _cell("String", "x", ' ss:Index="16384"') + "</Row>"),
    "16,384 欄",
    file="銷售.xls",
)
refused(
    "excel_2003_xml_with_entities",
    lambda: _xml().replace(b"<?mso-application", b'<!DOCTYPE Workbook [<!ENTITY a "b">]><?mso-application'),
    "損壞或不完整",
    file="銷售.xls",
)
