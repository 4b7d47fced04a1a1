"""The zoo's files: formats, encodings, damage, passwords, bombs, and what only has the name of a workbook."""

from __future__ import annotations

import io
import struct
import zipfile
from functools import cache

from tests.sheets import files
from tests.sheets.cases import EXPECTED, HEADER, PLAIN, TABLE, Bad, good, refused


@cache
def _plain(suffix: str) -> bytes:
    """The plain rows as LibreOffice writes them, which takes seconds."""
    return files.by_office(files.xlsx(TABLE), suffix)


# --- Formats and encodings --------------------------------------------------------------------------------------------

good("openpyxl", lambda: files.xlsx(TABLE), sheet="銷售", numbers=(2, 3), unknown=())
good("rust_xlsxwriter", lambda: files.rust_xlsx(TABLE))
good("macros", lambda: files.macro_xlsx(TABLE), "銷售.xlsm")
good("xlsb", lambda: files.xlsb(TABLE), "銷售.xlsb")
good("xls", lambda: _plain("xls"), "銷售.xls", office=True)
good("ods", lambda: _plain("ods"), "銷售.ods", office=True)
good("csv", lambda: files.csv(TABLE), "銷售.csv", numbers=(2, 3))
good("csv_with_mark", lambda: files.csv(TABLE, "utf-8-sig"), "銷售.csv")
good("csv_utf16", lambda: files.csv(TABLE, "utf-16"), "銷售.csv")
good("csv_utf16_big_endian", lambda: b"\xfe\xff" + files.csv(TABLE, "utf-16-be"), "銷售.csv")
good("csv_utf16_without_mark", lambda: files.csv(TABLE, "utf-16-le"), "銷售.csv")
good("csv_big5", lambda: files.csv(TABLE, "cp950"), "銷售.csv")
good("csv_tabs", lambda: files.csv(TABLE, "utf-16", delimiter="\t"), "銷售.txt")
good("csv_semicolons", lambda: files.csv(TABLE, delimiter=";"), "銷售.csv")
good("csv_old_mac", lambda: files.csv(TABLE, end="\r"), "銷售.csv")
good("csv_names_delimiter", lambda: b"sep=|\r\n" + files.csv(TABLE, delimiter="|"), "銷售.csv", numbers=(2, 3))
good(
    "csv_quotes",
    lambda: (
        "訂單日期,品號,品名,數量,業績\r\n"
        '2025/11/22,"=""00123""","面膜, ""大""\r\n(第二行)",2,"1,280"\r\n\r\n2025/11/23,456\r\n'
    ).encode(),
    "銷售.csv",
    rows=[(EXPECTED[0][0], "00123", '面膜, "大" (第二行)', 2, 128_000), (EXPECTED[1][0], "456", None, None, None)],
    numbers=(2, 4),
)
good("html", lambda: files.html(TABLE), "銷售.xls")
good(
    "html_big5",
    lambda: files.html(TABLE, "cp950", head='<meta http-equiv=Content-Type content="text/html; charset=big5">'),
    "銷售.xls",
)
good("html_wrong_charset", lambda: files.html(TABLE, "cp950", head="<meta charset=utf-8>"), "銷售.xls")
good("html_utf16", lambda: files.html(TABLE, "utf-16"), "銷售.xls")
good(
    "html_layout",
    lambda: (
        "<table><tr><td>選單</td><td>"
        "<table><tr><td colspan=5><b>11 月銷售</b></td></tr>"
        "<tr><th rowspan=1>訂單<br>日期<th>品號<th>品名<th>數量<th>業績"
        "<tr><td>2025/11/22<td>13326964<td>保濕面膜<script>alert(1)</script><td>2<td>NT$1,280"
        "<tr><td>2025/11/23<td>TP00012040000352<td>洗髮精&nbsp;500ml<td>-1<td>(399.50)</table></td></tr></table>"
    ).encode(),
    "銷售.xls",
    numbers=(3, 4),
)
good(
    "html_rowspan",
    lambda: (
        "<table><tr><th>品牌<th>訂單日期<th>品號<th>品名<th>數量<th>業績"
        "<tr><td rowspan=2>甲<td>2025/11/22<td>13326964<td>保濕面膜<td>2<td>1280"
        "<tr><td>2025/11/23<td>TP00012040000352<td>洗髮精 500ml<td>-1<td>-399.5</table>"
    ).encode(),
    "銷售.xls",
)

# --- Content against name ---------------------------------------------------------------------------------------------

good("xlsx_named_xls", lambda: files.xlsx(TABLE), "銷售.xls")
good("xlsx_named_csv", lambda: files.xlsx(TABLE), "銷售.csv")
good("csv_named_xlsx", lambda: files.csv(TABLE, "cp950"), "銷售.xlsx")
good("xls_named_xlsx", lambda: _plain("xls"), office=True)
good("ods_named_xls", lambda: _plain("ods"), "銷售.xls", office=True)
good("no_name", lambda: files.xlsx(TABLE), "")

refused("pdf", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "PDF", ".xlsx")
refused("jpeg", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100), "JPEG")
refused("png", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG")
refused("rar", lambda: b"Rar!\x1a\x07\x01\x00" + bytes(100), "RAR")
refused("word", lambda: files.nothing_but({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "Word")
refused("zip_of_reports", lambda: files.nothing_but({"銷售.xlsx": files.xlsx(TABLE)}), "ZIP", "解壓縮")
refused("numbers", lambda: files.nothing_but({"Index/Document.iwa": b"x"}), "Apple Numbers")
refused(
    "open_document_text",
    lambda: files.nothing_but({"mimetype": b"application/vnd.oasis.opendocument.text"}),
    "OpenDocument",
)
refused("json", lambda: b'{"error": "login required"}', "JSON", file="銷售.csv")
refused("excel_4", lambda: b"\x09\x04\x06\x00\x00\x00\x10\x00" + bytes(50), "Excel 95", file="銷售.xls")
refused("sylk", lambda: b'ID;PWXL;N;E\r\nP;PGeneral\r\nC;Y1;X1;K"x"\r\nE\r\n', "SYLK", "另存成 .xlsx", file="銷售.slk")
refused("dif", lambda: b'TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n', "DIF", "另存成 .xlsx", file="銷售.dif")
good(
    "csv_that_begins_like_sylk",
    lambda: (
        "ID;訂單日期;品號;品名;數量;業績\r\n".encode()
        + b"".join(f"{n};{';'.join(map(str, row))}\r\n".encode() for n, row in enumerate(PLAIN))
    ),
    "銷售.csv",
)
refused("web_archive", lambda: b"MIME-Version: 1.0\r\nContent-Type: multipart/related", ".mht", file="銷售.xls")
refused(
    "login_page",
    lambda: "<!DOCTYPE html><html><body>請先登入</body></html>".encode(),
    "網頁",
    "沒有表格",
    file="銷售.xls",
)
refused("noise", lambda: bytes(range(1, 256)) * 40 + b"\x00", "二進位", file="銷售.csv")

# --- Damage -----------------------------------------------------------------------------------------------------------

refused("no_bytes", lambda: b"", "是空的")
refused("only_zeros", lambda: bytes(5000), "是空的")
refused("half", lambda: (data := files.xlsx(TABLE))[: len(data) // 2], "損壞或不完整")
refused("end_missing", lambda: files.xlsx(TABLE)[:-10], "損壞或不完整")
refused("start_missing", lambda: files.xlsx(TABLE)[100:], "損壞或不完整")
refused(
    "xls_half",
    lambda: (data := _plain("xls"))[: len(data) // 2],
    "損壞或不完整",
    file="銷售.xls",
    office=True,
)
refused("ole_of_zeros", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "損壞或不完整", file="銷售.xls")
refused("sheet_breaks_off", lambda: files.sheet_xml(files.xlsx(TABLE), (b"</sheetData>", b"<row")), "損壞或不完整")
refused(
    "sheet_missing",
    lambda: files.rezipped(files.xlsx(TABLE), lambda name, part: None if "sheet1" in name else part),
    "損壞或不完整",
)
refused(
    "workbook_is_no_xml",
    lambda: files.rezipped(files.xlsx(TABLE), lambda name, part: b"<work" if name == "xl/workbook.xml" else part),
    "損壞或不完整",
)
refused("csv_open_quote", lambda: '訂單日期,品號,數量\n2025/11/22,"A,1\n'.encode(), "引號", file="銷售.csv")
refused(
    "csv_unknown_encoding",
    lambda: "訂單日期,品號,數量\n".encode() + b"\xff\xff\xff\x81\n",
    "編碼",
    "第 2 行",
    "FF",
    "CSV UTF-8",
    file="銷售.csv",
)
refused("csv_false_mark", lambda: b"\xef\xbb\xbf" + files.csv(TABLE, "cp950"), "UTF-8", "第 1 行", file="銷售.csv")
refused(
    "csv_big5_broken",
    lambda: files.csv(TABLE, "cp950") + b"2025/11/24,A\xff,x,1,10\r\n",
    "Big5",
    "第 4 行",
    file="銷售.csv",
)
refused(
    "csv_utf16_broken",
    lambda: files.csv(TABLE, "utf-16") + "甲,".encode("utf-16-le") + b"\x00\xd8a\x00",
    "UTF-16",
    "第 4 行",
    file="銷售.csv",
)


# ‧ is in both tables, 喆 and 堃 only in Big5-HKSCS; kana and ① are where ETEN has them.
_NAMES = ("凱蒂‧貓", "王喆", "日本の味", "喆‧ノート①", "鞭堃")


def _byte(character: str) -> bytes:
    return character.encode("big5hkscs" if character in "のート①喆堃" or "ァ" <= character <= "ヶ" else "cp950")


def _big5(name: str) -> bytes:
    return b"".join(map(_byte, name))


good(
    "csv_big5_with_characters_of_others",
    lambda: (
        files.csv([HEADER], "cp950")
        + b"".join(b"2025/11/22,A%d,%b,1,10\r\n" % (number, _big5(name)) for number, name in enumerate(_NAMES))
    ),
    "銷售.csv",
    rows=[(EXPECTED[0][0], f"A{number}", name, 1, 1_000) for number, name in enumerate(_NAMES)],
)
good(
    "html_big5_with_characters_of_others",
    lambda: files.html([HEADER, ("2025/11/22", "A1", "NAME", 1, 10)], "cp950", head="<meta charset=big5>").replace(
        b"NAME", _big5(_NAMES[3])
    ),
    "銷售.xls",
    rows=[(EXPECTED[0][0], "A1", _NAMES[3], 1, 1_000)],
)


def _damaged_member() -> bytes:
    """A sheet whose packed bytes were changed on the way: the sum does not agree."""
    data = bytearray(files.xlsx(TABLE))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as zipped:
        info = zipped.getinfo("xl/worksheets/sheet1.xml")
    start = info.header_offset + 30 + len(info.filename) + 20
    data[start : start + 8] = bytes(8)
    return bytes(data)


refused("sheet_damaged", _damaged_member, "損壞或不完整")

# --- Passwords --------------------------------------------------------------------------------------------------------

refused("password_xlsx", lambda: files.protected_xlsx(TABLE), "密碼", "移除密碼")
refused("password_named_xls", lambda: files.protected_xlsx(TABLE), "密碼", file="銷售.xls")
refused(
    "password_xls",
    lambda: files.protected_xls(_plain("xls")),
    "密碼",
    file="銷售.xls",
    office=True,
)
refused(
    "password_ods",
    lambda: files.nothing_but(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>",
            "content.xml": b"\x01\x02",
        }
    ),
    "密碼",
    file="銷售.ods",
)


def _locked_zip() -> bytes:
    """Every part flagged as encrypted."""
    data = bytearray(files.xlsx(TABLE))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(signature, start + 4)
    return bytes(data)


refused("password_zip", _locked_zip, "密碼")

# --- Bombs ------------------------------------------------------------------------------------------------------------


def _zeros() -> bytes:
    """64 MB of nothing in some 64 KB."""
    return files.rezipped(files.xlsx(TABLE), lambda name, part: part, {"xl/worksheets/sheet9.xml": bytes(64 << 20)})


def _understated() -> bytes:
    """The same inside the sheet that is read, under a directory that says it is small."""
    data = bytearray(
        files.rezipped(
            files.xlsx(TABLE), lambda name, part: part + bytes(64 << 20) if name == "xl/worksheets/sheet1.xml" else part
        )
    )
    name = b"xl/worksheets/sheet1.xml"
    directory = data.index(b"PK\x01\x02")
    while data[directory + 46 : directory + 46 + len(name)] != name:
        directory = data.index(b"PK\x01\x02", directory + 4)
    struct.pack_into("<I", data, directory + 24, 1000)
    return bytes(data)


refused("zip_bomb", _zeros, "壓縮炸彈")
refused("zip_bomb_understated", _understated, "壓縮炸彈")
refused(
    "one_far_cell",
    lambda: files.xlsx((*TABLE, *[()] * 10), change=lambda book, page: page.cell(1_048_576, 16_384, 1)),
    "1,048,576 列",
    "300,000",
)
refused(
    "one_wide_cell", lambda: files.xlsx(TABLE, change=lambda book, page: page.cell(2, 16_384, 1)), "16,384 欄", "200"
)
refused(
    "far_cell_among_others",
    lambda: files.with_sheet_data(
        files.xlsx(TABLE), [b'<row r="4"><c r="A900000"><v>1</v></c><c r="A5"><v>1</v></c></row>']
    ),
    "900,000 列",
)
refused("far_cell_xlsb", lambda: files.xlsb(TABLE, far=(1_048_575, 16_383)), "1,048,576 列", file="銷售.xlsb")
refused(
    "every_row_of_a_sheet",
    lambda: files.with_sheet_data(
        files.xlsx(TABLE),
        (b'<row r="%d"><c r="B%d"><v>%d</v></c></row>' % (row, row, row) for row in range(4, 1_048_577)),
    ),
    "1,048,576 列",
    "300,000",
)
good(
    "every_row_formatted",
    lambda: files.with_sheet_data(
        files.xlsx(TABLE),
        [
            b'<row r="%d" s="1"><c r="A%d" s="0"/><c r="ZZ%d" s="0"></c></row>' % (row, row, row)
            for row in (4, 999_999, 1_048_576)
        ],
    ),
    numbers=(2, 3),
)
refused(
    "many_rows_csv",
    lambda: ("訂單日期,品號,數量\n" + "2025/11/22,A1,1\n" * 300_020).encode(),
    "300,021 列",
    "300,000",
    file="銷售.csv",
)
refused(
    "many_columns_csv",
    lambda: (",".join(["訂單日期", "品號", "數量", *map(str, range(300))]) + "\n1\n").encode(),
    "303 欄",
    file="銷售.csv",
)
good(
    "errors_xlsb",
    lambda: files.xlsb((HEADER, ("2025/11/22", "A2", "", (0x2A,), (0x07,)))),
    "銷售.xlsb",
    rows=[(EXPECTED[0][0], "A2", None, None, None)],
    bad=[Bad(2, "數量", ("#N/A",)), Bad(2, "業績", ("#DIV/0!",))],
)
