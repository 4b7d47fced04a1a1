"""A marked workbook is the user's own, says what is wrong where it is, and can be put right and imported."""

from __future__ import annotations

import io
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from momo.sheets import marks
from momo.sheets.cells import convert
from momo.sheets.errors import SheetError
from momo.sheets.marks import ERRORS_SHEET, Error, marked_workbook, suffix_of
from momo.sheets.read import Limits, read_rows
from tests.sheets import files
from tests.sheets.cases import DAY, FIELDS, HEADER

LIMITS = Limits(bytes=50 << 20, unpacked_bytes=600 << 20, rows=300_000, columns=200)
RED = "FFFF9999"
WRONG = [
    HEADER,
    ("2025/11/22", "A1", "好的", 1, 10),
    ("2025/02/30", "A2", "=cmd|' /C calc'!A0", 1.5, 10),
    ("2025/11/22", "A3", "x", 1, "十元"),
]
PLAIN_WRONG = [(*row[:2], row[2].lstrip("="), *row[3:]) for row in WRONG]  # openpyxl would write a formula


def errors_in(data: bytes, folder: Path) -> tuple[str, list[Error]]:
    """The sheet that is read, and its errors as the engine hands them on."""
    path = folder / "upload.bin"
    path.write_bytes(data)
    report = read_rows(path, name="銷售.xlsx", limits=LIMITS, fields=FIELDS)
    converted = convert(report, FIELDS)
    return report.sheet, [
        (converted.numbers[index], report.matched.headers[name], value, message)
        for index, name, value, message in converted.errors
    ]


def marked(data: bytes, folder: Path, extra: Sequence[Error] = ()) -> tuple[BinaryIO, str, list[Error]]:
    sheet, errors = errors_in(data, folder)
    errors += extra
    return marked_workbook(folder / "upload.bin", name="銷售.xlsx", sheet=sheet, errors=errors), sheet, errors


def red(page: Worksheet) -> dict[str, str]:
    """Coordinate → comment of each red cell."""
    return {
        cell.coordinate: cell.comment.text if cell.comment else ""
        for row in page.iter_rows()
        for cell in row
        if cell.fill.start_color.rgb == RED
    }


def _own(book: Workbook, page: Worksheet) -> None:
    page["G1"], page["G2"] = "公式", "=D2*2"
    page["C4"].number_format = "@"
    page.column_dimensions["C"].width = 44
    book.create_sheet("說明")["A1"] = "留著"


def test_the_own_workbook_keeps_what_it_is(tmp_path: Path) -> None:
    result, sheet, errors = marked(files.xlsx(PLAIN_WRONG, change=_own), tmp_path)
    book = load_workbook(result)
    assert book.sheetnames == [ERRORS_SHEET, sheet, "說明"]
    page = book[sheet]
    assert page["G2"].value == "=D2*2"
    assert page.column_dimensions["C"].width == 44
    marks = red(page)
    assert set(marks) == {"A3", "D3", "E4"}
    assert "這一天" in marks["A3"]
    assert "不是整數" in marks["D3"]
    listed = [[cell.value for cell in row] for row in book[ERRORS_SHEET].iter_rows(min_row=2)]
    assert listed == [list(error) for error in errors]
    links = [row[0].hyperlink.location for row in book[ERRORS_SHEET].iter_rows(min_row=2)]
    assert links == ["'銷售'!A3", "'銷售'!D3", "'銷售'!E4"]
    assert suffix_of(result) == ".xlsx"


@pytest.mark.parametrize(
    ("write", "title"),
    [
        (files.csv, "CSV"),
        (files.html, "HTML"),
        (files.xlsb, "銷售"),
        pytest.param(lambda rows: files.by_office(files.xlsx(rows), "xls"), "銷售", marks=pytest.mark.office),
        pytest.param(lambda rows: files.by_office(files.xlsx(rows), "ods"), "銷售", marks=pytest.mark.office),
    ],
)
def test_other_formats_become_a_workbook(tmp_path: Path, write: Any, title: str) -> None:
    result, _, errors = marked(write(PLAIN_WRONG), tmp_path)
    book = load_workbook(result)
    assert book.sheetnames == [ERRORS_SHEET, title]
    assert set(red(book[title])) == {"A3", "D3", "E4"}
    assert [str(book[title].cell(row, 2).value) for row in (1, 2, 3, 4)] == ["品號", "A1", "A2", "A3"]
    assert len(errors) == 3


def test_what_was_put_right_can_be_imported(tmp_path: Path) -> None:
    result, sheet, _ = marked(files.xlsx(PLAIN_WRONG), tmp_path)
    book = load_workbook(result)
    page = book[sheet]
    page["A3"], page["D3"], page["E4"] = "2025/11/22", 2, 10
    path = tmp_path / "again.bin"
    book.save(path)
    report = read_rows(path, name="銷售.xlsx", limits=LIMITS, fields=FIELDS)
    converted = convert(report, FIELDS)
    assert (report.sheet, converted.errors, converted.columns["date"]) == (sheet, [], [DAY] * 3)
    # Still wrong: the list is a new one, not a second.
    page["A3"] = "?"
    book.save(path)
    again, _, _ = marked(path.read_bytes(), tmp_path)
    assert load_workbook(again).sheetnames == [ERRORS_SHEET, sheet]


def test_formulas_in_values_and_texts_stay_text(tmp_path: Path) -> None:
    data = files.csv(WRONG)
    evil = [(2, header, text, "x") for header, text in zip(HEADER, ("=1+1", "+1", "-1", "@x", "\t=1"), strict=True)]
    result, _, _ = marked(data, tmp_path, extra=evil)
    book = load_workbook(result)
    for row in book[ERRORS_SHEET].iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type != "f"
            assert not isinstance(cell.value, str) or not cell.value.startswith(("=", "+", "-", "@", "\t"))
    assert book["CSV"]["C3"].data_type == "s"
    assert book["CSV"]["C3"].value == "=cmd|' /C calc'!A0"


def test_macros_are_kept(tmp_path: Path) -> None:
    result, _, _ = marked(files.macro_xlsx(PLAIN_WRONG), tmp_path)
    assert suffix_of(result) == ".xlsm"
    book = load_workbook(result, keep_vba=True)
    assert "xl/vbaProject.bin" in book.vba_archive.namelist()
    book.vba_archive.close()


def test_merged_cells_and_errors_without_a_column(tmp_path: Path) -> None:
    rows = [HEADER, ("2025/11/22", "A1", "x", 1, "甲"), ("2025/11/22", "A2", "y", 1, "乙")]
    data = files.xlsx(rows, change=lambda book, page: page.merge_cells("E2:E3"))
    sheet, _ = errors_in(data, tmp_path)
    errors = [(3, "業績", "乙", "不對"), (3, "", "", "整列不對"), (99, "品號", "", "沒有這一列")]
    result = marked_workbook(tmp_path / "upload.bin", name="x", sheet=sheet, errors=errors)
    book = load_workbook(result)
    assert red(book[sheet]) == {"E2": "不對", "A3": "整列不對"}
    assert book[ERRORS_SHEET].max_row == 4


def test_two_errors_of_one_cell_and_a_title_above(tmp_path: Path) -> None:
    data = files.xlsx(WRONG[:2], above=4)
    sheet, _ = errors_in(data, tmp_path)
    result = marked_workbook(
        tmp_path / "upload.bin", name="x", sheet=sheet, errors=[(6, "數量", "1", "甲"), (6, "數量", "1", "乙")]
    )
    assert red(load_workbook(result)[sheet]) == {"D6": "甲\n乙"}


@pytest.mark.parametrize("wrong", [("日期",), ("日期", "數量"), ("數量",)])
def test_words_of_the_header_in_a_title(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    rows = [("每日銷售", "日期", "2026/11/22"), (), ("日期", "品號", "數量", "業績"), ("壞", "A1", "三", 12)]
    data = files.xlsx(rows)
    sheet, errors = errors_in(data, tmp_path)
    chosen = [error for error in errors if error[1] in wrong]
    result = marked_workbook(tmp_path / "upload.bin", name="x", sheet=sheet, errors=chosen)
    assert set(red(load_workbook(result)[sheet])) == {{"日期": "A4", "數量": "C4"}[header] for header in wrong}


@pytest.mark.parametrize("wrong", [("訂單日期",), ("數量",), ("訂單日期", "數量")])
def test_a_header_over_two_rows(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    rows = [
        ("數量", "統計", "訂單日期", "2025"),
        ("訂單日期", "品號", "品名", "銷售", None),
        (None, None, None, "數量", "業績"),
        ("2025/11/22", None, "x", 1, 10),
        ("壞", "A1", "訂單日期", "三", 12),
    ]
    sheet, errors = errors_in(files.xlsx(rows), tmp_path)
    chosen = [error for error in errors if error[1] in wrong]
    result = marked_workbook(tmp_path / "upload.bin", name="x", sheet=sheet, errors=chosen)
    assert set(red(load_workbook(result)[sheet])) == {{"訂單日期": "A5", "數量": "D5"}[header] for header in wrong}


def test_a_sheet_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(files.xlsx(WRONG))
    with pytest.raises(SheetError, match="沒有「別的」工作表"):
        marked_workbook(path, name="x", sheet="別的", errors=[])


@pytest.mark.parametrize("write", [files.rust_xlsx, files.csv])
def test_of_a_large_file_only_the_bad_rows_come_back(tmp_path: Path, write: Any) -> None:
    rows = [HEADER, *[("2025/11/22", f"A{row}", "x", 1 if row % 10_000 else 1.5, 10) for row in range(2, 60_002)]]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result, sheet, errors = marked(write(rows), tmp_path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < 150
    book = load_workbook(io.BytesIO(result.read()))
    page = book[sheet]
    assert [error[0] for error in errors] == [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
    assert [cell.value for cell in page["A"]] == ["原列號", *[error[0] for error in errors]]
    assert [cell.value for cell in page["C"]] == ["品號", *[f"A{error[0]}" for error in errors]]
    assert set(red(page)) == {f"E{line}" for line in range(2, 8)}
    listed = book[ERRORS_SHEET]
    assert "只含有錯的列" in listed["A1"].value
    assert "在原檔修正後重新上傳" in listed["A1"].value
    assert [cell.value for cell in listed[2]] == ["列", "欄位", "內容", "問題"]
    assert listed["A3"].hyperlink.location == f"'{sheet}'!E2"
    assert (listed.freeze_panes, listed.auto_filter.ref) == ("A3", "A2:D8")


@pytest.mark.parametrize("form", ["as it is", "without the list", "as text"])
def test_bad_rows_alone_are_no_file_to_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """They would take the place of the days' whole rows."""
    monkeypatch.setattr(marks, "WHOLE_ROWS", 3)
    result, sheet, _ = marked(files.xlsx(PLAIN_WRONG, above=2), tmp_path)
    book = load_workbook(result)
    if form == "without the list":
        del book[ERRORS_SHEET]
    path = tmp_path / "again.bin"
    if form == "as text":
        path.write_bytes(files.csv([[cell or "" for cell in row] for row in book[sheet].iter_rows(values_only=True)]))
    else:
        book.save(path)
    with pytest.raises(SheetError, match="只含有錯的列；請在原檔修正後重新上傳。"):
        read_rows(path, name="銷售_錯誤.xlsx", limits=LIMITS, fields=FIELDS)


def test_a_workbook_with_a_large_sheet_beside_is_not_loaded(tmp_path: Path) -> None:
    def change(book: Workbook, page: Worksheet) -> None:
        book.create_sheet("大")

    data = files.xlsx(WRONG[:1] + WRONG[3:], change=change)
    filler = b" ".join(b"%d" % number for number in range(6_000_000))

    def grow(name: str, part: bytes) -> bytes:
        return part.replace(b"<sheetData", b"<!--" + filler + b"--><sheetData") if "sheet2" in name else part

    path = tmp_path / "upload.bin"
    path.write_bytes(files.rezipped(data, grow))
    result = marked_workbook(path, name="x", sheet="銷售", errors=[(2, "業績", "十元", "不是數字")])
    assert load_workbook(result).sheetnames == [ERRORS_SHEET, "銷售"]


def _commented(book: Workbook, page: Worksheet) -> None:
    page["D3"].comment = Comment("請再確認", "小明")
    page["F1"].comment = Comment("別動", "小明")


def test_comments_of_people_stay(tmp_path: Path) -> None:
    result, sheet, _ = marked(files.xlsx(PLAIN_WRONG, change=_commented), tmp_path)
    page = load_workbook(result)[sheet]
    assert "不是整數" in red(page)["D3"]
    assert "請再確認" in red(page)["D3"]
    assert page["F1"].comment is not None
    assert page["F1"].comment.text == "別動"


def test_what_was_put_right_is_no_longer_red(tmp_path: Path) -> None:
    """The marked file, corrected in one place and imported again."""
    first, sheet, _ = marked(files.xlsx(PLAIN_WRONG), tmp_path)

    def correct(book: Workbook) -> None:
        book[sheet]["D3"] = 2

    again, _, errors = marked(files.edited(first.read(), correct), tmp_path)
    page = load_workbook(again)[sheet]
    assert len(errors) == 2
    assert set(red(page)) == {"A3", "E4"}
    assert page["D3"].comment is None


def test_bad_cells_of_one_merged_area_share_a_comment(tmp_path: Path) -> None:
    rows = [HEADER, ("2025/11/22", "A1", "x", 1, "甲"), ("2025/11/22", "A2", "y", 1, "乙")]
    data = files.xlsx(rows, change=lambda book, page: page.merge_cells("E2:E3"))
    sheet, _ = errors_in(data, tmp_path)
    errors = [(2, "業績", "甲", "第一個"), (3, "業績", "乙", "第二個")]
    result = marked_workbook(tmp_path / "upload.bin", name="x", sheet=sheet, errors=errors)
    assert red(load_workbook(result)[sheet]) == {"E2": "第一個\n第二個"}


def test_a_workbook_that_openpyxl_reads_and_cannot_mark_comes_back_as_a_copy(tmp_path: Path) -> None:
    """One without a view, which some writers make."""
    views = (
        b'<sheetViews><sheetView workbookViewId="0"><selection activeCell="A1" sqref="A1"/></sheetView></sheetViews>'
    )
    data = files.sheet_xml(files.xlsx(PLAIN_WRONG), (views, b"<sheetViews/>"))
    result, sheet, _ = marked(data, tmp_path)
    assert set(red(load_workbook(result)[sheet])) == {"A3", "D3", "E4"}


def test_text_like_formulas_in_every_cell(tmp_path: Path) -> None:
    """Each is found where it stands: looking for the last row each time would take minutes here."""
    rows = [HEADER, ("2025/11/22", "A1", "x", "一", 10), *[["=1+1"] * 12 for _ in range(8_000)]]
    path = tmp_path / "upload.bin"
    path.write_bytes(files.csv(rows))
    result = marked_workbook(path, name="x", sheet="CSV", errors=[(2, "數量", "一", "不是整數")])
    page = load_workbook(result)["CSV"]
    assert {cell.data_type for row in page.iter_rows(min_row=3) for cell in row} == {"s"}


def test_without_errors_the_list_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(files.csv([HEADER, ("2025/11/22", "A1", "x", 1, 10)]))
    listed = load_workbook(marked_workbook(path, name="x", sheet="CSV", errors=[]))[ERRORS_SHEET]
    assert [[cell.value for cell in row] for row in listed.iter_rows()] == [["列", "欄位", "內容", "問題"]]
