"""Where readers go astray: personal data, delimiters inside cells, declarations that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from momo.sheets.cells import convert
from momo.sheets.columns import is_personal, match
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import zeros_of
from momo.sheets.read import read_rows
from tests.sheets import files
from tests.sheets.cases import DAY, EXPECTED, FIELDS, HEADER, NAMES, TABLE
from tests.sheets.test_read import LIMITS, read

PERSONAL = (
    "收件人姓名",
    "收件人地址",
    "訂購人姓名",
    "個人識別碼",
    "貨運公司出貨地址",
    "貨運公司回收地址",
    "身分證字號",
)


def values(folder: Path, data: bytes) -> list[tuple[Any, ...]]:
    converted = convert(read(folder, data), FIELDS)
    assert not converted.errors
    return list(zip(*(converted.columns[name] for name in NAMES), strict=True))


@pytest.mark.parametrize("header", [*PERSONAL, "收件人\n姓名", "　收件人姓名（必填）", "收 件 人"])
def test_personal_columns(header: str) -> None:
    assert is_personal(header)


@pytest.mark.parametrize("header", ["品名", "訂單編號", "廠商名稱", "地址", 20251122, None])
def test_other_columns(header: Any) -> None:
    assert not is_personal(header)


def test_no_alias_makes_personal_data_readable(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    rows = [(*HEADER[:2], "收件人姓名", *HEADER[3:]), ("2025/11/22", "A1", "王小明", "三", 10)]
    path.write_bytes(files.csv(rows))
    aliases = {"product_name": ["收件人姓名"]}
    report = read_rows(path, name="銷售.csv", limits=LIMITS, fields=FIELDS, aliases=aliases)
    converted = convert(report, FIELDS)
    assert "收件人姓名" in report.matched.unknown
    assert "product_name" not in converted.columns
    assert [value for *_, value, _ in converted.errors] == ["三"]
    assert "王小明" not in repr(converted)


def test_a_long_note_is_no_header() -> None:
    found = match([[*HEADER, "說" * 5000]], FIELDS)
    assert found is not None
    assert [len(each) for each in found.unknown] == [100]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_cell_may_list_things_with_another_delimiter(delimiter: str, tmp_path: Path) -> None:
    other = "|" if delimiter != "|" else ";"
    colours = other.join("紅橙黃綠藍靛紫黑白灰")
    rows = [[*row] for row in TABLE]
    rows[1][2] = colours
    found = values(tmp_path, files.csv(rows, delimiter=delimiter))
    assert found[0] == (*EXPECTED[0][:2], colours, *EXPECTED[0][3:])
    assert found[1] == EXPECTED[1]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_declared_delimiter(line: str, tmp_path: Path) -> None:
    data = f"{line}\r\n".encode() + files.csv(TABLE, delimiter=";")
    assert values(tmp_path, data) == list(EXPECTED)


def test_line_ends_without_end(tmp_path: Path) -> None:
    """Refused before a row is made for each of them."""
    data = files.csv([HEADER]) + b"\n" * 500_000 + b"2025/11/22,A1,x,1,10"
    with pytest.raises(SheetError, match="最多能匯入 100 列"):
        read(tmp_path, data)


@pytest.mark.parametrize("encoding", ["undefined", "no-such-charset", "big5"])
def test_a_page_that_declares_what_it_is_not(encoding: str, tmp_path: Path) -> None:
    data = files.html(TABLE, head=f'<meta charset="{encoding}">')
    assert values(tmp_path, data) == list(EXPECTED)


def test_a_long_number_is_told_short(tmp_path: Path) -> None:
    converted = convert(read(tmp_path, files.csv([HEADER, ("2025/11/22", "A1", "x", "9" * 400 + ".5", 10)])), FIELDS)
    (message,) = [message for *_, message in converted.errors]
    assert len(message) < 100
    assert converted.columns["date"] == [DAY]


def test_last_rows_of_nothing_but_formulas_without_results(tmp_path: Path) -> None:
    """They are no cells to calamine, and would be lost without a word."""
    formulas = tuple(f"={column}2" for column in "ABCDE")
    converted = convert(read(tmp_path, files.xlsx([HEADER, *TABLE[1:2], formulas, formulas])), FIELDS)
    assert converted.numbers == [2, 3, 4]
    assert [converted.numbers[index] for index, *_ in converted.errors] == [3] * 5 + [4] * 5


def test_a_row_too_many_is_counted_right(tmp_path: Path) -> None:
    rows = [("2025/11/22", f"A{number}", "x", 1, 10) for number in range(101)]
    with pytest.raises(SheetError, match="有 101 列，最多能匯入 100 列"):
        read(tmp_path, files.csv([HEADER, *rows]))


def test_markup_inside_cells_of_a_page(tmp_path: Path) -> None:
    rows = [HEADER, ("2025/11/22<br>", "<b>13326964</b>", "保濕<!-- x --> 面膜<script>1</script>", " 2 ", "1,280")]
    assert values(tmp_path, files.html(rows)) == [(*EXPECTED[0][:2], "保濕 面膜", *EXPECTED[0][3:])]


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        ("00000000", 8),
        ("00000000;@", 8),
        ("[$-404]00000000", 8),
        ("[$-zh-TW,1]00000000", 8),
        ("00000000_ ", 8),
        ("_ 00000000_);(00000000)", 8),
        ("00000000_;;@", 8),
        ("00000000;[Red]-00000000", 8),
        ("[Color 10]00000;[blue]-00000", 5),
        ("* 00000", 5),
        ('00000" "', 5),
        ("00000\\ ", 5),
        ("0", 0),
        ("0;000", 0),
        (";;00", 0),
        ("General", 0),
        ("#,##0", 0),
        ("0.00", 0),
        ("[>999]00000;0", 0),
        ("[DBNum1]00000", 0),
        ("[$NT$-404]00000", 0),
        ('"TP"00000000', 0),
        ("0000-0000", 0),
        ("\\_0000", 0),
        ('"_x"000', 0),
        ('"a;b"000', 0),
    ],
)
def test_digits_that_a_format_shows(code: str, digits: int) -> None:
    assert zeros_of(code) == digits


def test_a_row_of_text_dates_with_a_total_in_the_code(tmp_path: Path) -> None:
    rows = [
        HEADER,
        ("2025/11/22 13:05", "A1", "x", 1, 10),
        ("2025/11/22", "小計", "", 1, 9),
        ("昨天", "A2", "y", 1, 1),
    ]
    converted = convert(read(tmp_path, files.csv(rows)), FIELDS)
    assert converted.numbers == [2, 4]
    assert [value for *_, value, _ in converted.errors] == ["昨天"]


def _ods(cell: str) -> bytes:
    """A document of the plain rows' first, with `cell` for its quantity."""

    def text(value: Any) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    row = "".join(map(text, TABLE[1][:3])) + cell + text(TABLE[1][4])
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{names}:office:1.0" xmlns:text="{names}:text:1.0"'
        f' xmlns:table="{names}:table:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:'
        'calcext:1.0"><office:body><office:spreadsheet><table:table table:name="銷售"><table:table-row>'
        f"{''.join(map(text, HEADER))}</table:table-row><table:table-row>{row}</table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return files.nothing_but(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{names}:manifest:1.0"/>'.encode(),
            "content.xml": content.encode(),
        }
    )


def test_an_error_that_is_written_as_a_number(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="0" calcext:value-type="error"><text:p>#DIV/0!'
    converted = convert(read(tmp_path, _ods(f"{cell}</text:p></table:table-cell>")), FIELDS)
    assert [(name, value) for _, name, value, _ in converted.errors] == [("quantity", "#DIV/0!")]


def test_repeated_numbers_with_zeros_are_bounded(tmp_path: Path) -> None:
    """A cell of a few bytes that stands for a billion is refused before it becomes them."""
    many = 'table:number-columns-repeated="1000000000"'
    cell = (
        f'<table:table-cell {many} office:value-type="float" office:value="7"><text:p>007</text:p></table:table-cell>'
    )
    with pytest.raises(SheetError, match="最多能匯入 20 欄"):
        read(tmp_path, _ods(cell))
