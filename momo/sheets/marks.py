"""Marks every bad cell of a file that could not be imported, in the user's own workbook.

openpyxl preserves formats, formulas and macros. For files that it cannot write, the rows go into a new .xlsx; for large
files only the bad rows do, so that memory use does not grow with the file.
"""

from __future__ import annotations

import logging
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from momo.sheets.columns import HEADER_ROWS, NUMBER_HEADING, shown
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import MEBIBYTE, Limits
from momo.sheets.formats.sniff import Format, sniff
from momo.sheets.formulas import EXCEL_TEXT_LIMIT, neutralised
from momo.sheets.read import sheets_of

logger = logging.getLogger(__name__)

ERRORS_SHEET = "匯入錯誤"
DETAILS_SHEET = "匯入錯誤明細"  # behind it, where it has groups of equal errors
# A larger file is returned with its bad rows only: openpyxl needs some 400 bytes for each cell.
WHOLE_ROWS = 20_000
WHOLE_CELLS = 600_000
WHOLE_BYTES = 32 * MEBIBYTE  # of all unpacked parts, also of hidden sheets
AUTHOR = "MOMO Pro"
MACROS = "xl/vbaProject.bin"

Error = tuple[int, str, str, str]  # row (from 1), header as written or empty, the cell's text, the message
Group = tuple[int, str, str, str, str, int]  # first row, all rows as text, header, values, message, number of errors
_Rows = Sequence[Sequence[Any]]
_Listed = Sequence[tuple[int, str, Sequence[Any]]]  # row and header of a cell, and the cells of its line
_List = tuple[str, tuple[str, ...], _Listed]  # title, headings, lines

_RED = PatternFill("solid", start_color="FFFF9999", end_color="FFFF9999")
_HEADER = PatternFill("solid", start_color="FFC2185B", end_color="FFC2185B")
_WHITE = Font(bold=True, color="FFFFFFFF")
_NOTE = Font(bold=True, color="FFC00000")
_LINK = Font(color="FF0563C1", underline="single")
_HEADINGS = ("列", "欄位", "內容", "問題", "個數")  # the last one of groups
_WIDTHS = (10, 18, 30, 80, 8)
_ONLY_BAD_ROWS = f"這份檔案只含有錯的列，供對照用，不能匯入；請依「{NUMBER_HEADING}」在原檔修正後重新上傳。"
# The file was within the importer's limits; lower limits in the settings since then must not prevent marking.
_READ_BEFORE = Limits(bytes=2**31, unpacked_bytes=2**31, rows=1_048_576, columns=16_384)
_FORBIDDEN_IN_TITLES = re.compile(r"[\\/*?:\[\]]")


def marked_workbook(
    source: Path,
    *,
    name: str,
    sheet: str,
    errors: Sequence[Error],
    groups: Sequence[Group] = (),
    note: str = "",
    whole_rows: int | None = None,
) -> BinaryIO:
    """The workbook at `source` with each bad cell red and commented, and a first sheet that lists and links them.

    `name` is the user's name of the file, `sheet` the sheet that was read, `note` stands above the list of errors. With
    `groups` of equal errors the first sheet lists these, and the second one each error. The result is a temporary file,
    positioned at its start and deleted when closed; `suffix_of` gives the suffix it needs. Of a file with more than
    `whole_rows` (WHOLE_ROWS) rows only the bad ones are returned. Raises SheetError if it cannot be read any more.
    """
    ordered = sorted(errors, key=lambda error: error[0])
    kind = sniff(source, name=name)
    with sheets_of(source, name=name, limits=_READ_BEFORE) as (sheets, _):
        found = next((each for each in sheets if each.name == sheet), None)
        if found is None:
            raise SheetError(f"「{name}」沒有「{sheet}」工作表；檔案可能已經換過，請重新匯入。")
        rows = found.rows()
    marking = _Marking(rows, ordered, groups, note)
    if len(rows) > (WHOLE_ROWS if whole_rows is None else whole_rows) or len(rows) * marking.width > WHOLE_CELLS:
        return _saved(marking.bad_rows(sheet))
    own = marking.own(source, sheet) if kind is Format.XLSX else None
    return own or _saved(marking.copied(sheet))


def suffix_of(workbook: BinaryIO) -> str:
    """ ".xlsm" for a workbook with macros, since Excel refuses another suffix, else ".xlsx"."""
    with zipfile.ZipFile(workbook) as zipped:
        macros = MACROS in zipped.namelist()
    workbook.seek(0)
    return ".xlsm" if macros else ".xlsx"


class _Marking:
    """The rows that were read, and the places of the errors."""

    def __init__(self, rows: _Rows, errors: Sequence[Error], groups: Sequence[Group], note: str) -> None:
        self.rows = rows
        self.errors = errors
        self.groups = groups
        self.note = note
        self.width = max(map(len, rows), default=0)
        self.header, self.places = self._places({error[1] for error in errors})

    def _places(self, headers: set[str]) -> tuple[int, Mapping[str, int]]:
        """The header's row (from 1; 0 if no row has one of `headers`), and the column of each header.

        It is the row with most of them, counted with the row above if the header spans two rows. Of equals the lowest
        one above the first error counts, since titles above a header may repeat parts of it.
        """
        first = min((row for row, *_ in self.errors if row > 1), default=HEADER_ROWS + 1)
        best, found = (0, 0), {}
        above: Sequence[Any] = ()
        for number, row in enumerate(self.rows[: min(HEADER_ROWS, first - 1)], start=1):
            places = _texts(row, headers)
            both = {text: at for text, at in _texts(above, headers).items() if at >= len(row) or not shown(row[at])}
            if places and (len(both | places), number) > best:
                best, found = (len(both | places), number), both | places
            above = row
        return best[1], found

    def own(self, source: Path, sheet: str) -> BinaryIO | None:
        """The user's workbook; None if it is too large, or openpyxl, which is stricter than others, cannot read it."""
        with zipfile.ZipFile(source) as zipped:
            if sum(info.file_size for info in zipped.infolist()) > WHOLE_BYTES:
                return None
            macros = MACROS in zipped.namelist()
        try:
            # An open file, since openpyxl checks the suffix of a path.
            with source.open("rb") as file:
                book = load_workbook(file, keep_vba=macros)
            page = book[sheet]
            earlier = [name for name in (ERRORS_SHEET, DETAILS_SHEET) if name in book.sheetnames and name != sheet]
            for name in earlier:
                del book[name]
            if earlier:
                _unmark(page)
            self._mark(book, page, {row: row for row in range(1, len(self.rows) + 1)})
            return _saved(book)
        except Exception:  # a workbook may break openpyxl in any way; the rows are known all the same
            logger.info("A workbook is copied to be marked: openpyxl cannot read it", exc_info=True)
            return None

    def copied(self, sheet: str) -> Workbook:
        """A new workbook with all rows that were read."""
        book, page = _new(sheet)
        for line, row in enumerate(self.rows, start=1):
            _append(page, line, row)
        self._mark(book, page, {row: row for row in range(1, len(self.rows) + 1)})
        return book

    def bad_rows(self, sheet: str) -> Workbook:
        """A new workbook with the rows down to the header and the bad rows; column A has their numbers."""
        book, page = _new(sheet)
        wanted = sorted({error[0] for error in self.errors if self.header < error[0] <= len(self.rows)})
        numbers = [*range(1, self.header + 1), *wanted]
        moved = {number: line for line, number in enumerate(numbers, start=1)}
        for line, number in enumerate(numbers, start=1):
            _append(page, line, [NUMBER_HEADING if number == self.header else number, *self.rows[number - 1]])
        self._mark(book, page, moved, shift=1, note=_ONLY_BAD_ROWS)
        return book

    def _mark(
        self, book: Workbook, page: Worksheet, lines: Mapping[int, int], *, shift: int = 0, note: str = ""
    ) -> None:
        """Mark the bad cells and list them; `lines` is row → row of `page`, `shift` the columns before the first."""
        messages: dict[str, tuple[Cell, list[str]]] = {}
        for row, header, _, message in self.errors:
            if row in lines:
                cell = _writable(page, lines[row], self.places.get(header, 0) + shift + 1)
                messages.setdefault(cell.coordinate, (cell, []))[1].append(message)
        for cell, texts in messages.values():
            cell.fill = _RED
            if cell.comment is not None:
                texts.append(f"（原有註解）{cell.comment.text}")
            cell.comment = Comment(_clean("\n".join(texts)), AUTHOR, width=320, height=60 + 30 * len(texts))
        self._list(book, page.title, lines, shift, list(filter(None, (note, self.note))))

    def _list(self, book: Workbook, sheet: str, lines: Mapping[int, int], shift: int, notes: Sequence[str]) -> None:
        singles = [(row, header, (row, header, value, message)) for row, header, value, message in self.errors]
        groups = [(group[0], group[2], group[1:]) for group in self.groups]
        lists: list[_List] = [(ERRORS_SHEET, _HEADINGS, groups)] if groups else []
        lists.append((DETAILS_SHEET if groups else ERRORS_SHEET, _HEADINGS[:-1], singles))
        for place, (title, headings, listed) in enumerate(lists):
            page = cast(Worksheet, book.create_sheet(title, place))
            for note in notes if place == 0 else ():
                page.append([note])
                page.cell(page.max_row, 1).font = _NOTE
            page.append(headings)
            self._fill(page, listed, sheet, lines, shift)
        for each in book.worksheets:
            each.sheet_view.tabSelected = False
        book.active = 0
        book.worksheets[0].sheet_view.tabSelected = True

    def _fill(self, page: Worksheet, listed: _Listed, sheet: str, lines: Mapping[int, int], shift: int) -> None:
        """Write a list of errors or groups below its headings, each linked to its first cell."""
        top, width = page.max_row, page.max_column
        for column, head in enumerate(page[top]):
            page.column_dimensions[get_column_letter(column + 1)].width = _WIDTHS[column]
            head.fill, head.font = _HEADER, _WHITE
        quoted = sheet.replace("'", "''")
        for number, (row, header, cells) in enumerate(listed, start=top + 1):
            page.append([neutralised(_clean(cell)) if isinstance(cell, str) else cell for cell in cells])
            page.cell(number, 4).alignment = Alignment(wrap_text=True, vertical="top")
            if row in lines:
                where = f"{get_column_letter(self.places.get(header, 0) + shift + 1)}{lines[row]}"
                link = page.cell(number, 1)
                link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{quoted}'!{where}", tooltip=where)
                link.font = _LINK
        page.freeze_panes = f"A{top + 1}"
        page.auto_filter.ref = f"A{top}:{get_column_letter(width)}{len(listed) + top}"


def _texts(row: Sequence[Any], headers: set[str]) -> dict[str, int]:
    """Each of `headers` that the row has → the first column with it."""
    found: dict[str, int] = {}
    for column, cell in enumerate(row):
        if isinstance(cell, str) and cell and (text := shown(cell)) in headers:
            found.setdefault(text, column)
    return found


def _saved(book: Workbook) -> BinaryIO:
    target = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        book.save(target)
    except BaseException:
        target.close()
        raise
    finally:
        if book.vba_archive is not None:
            book.vba_archive.close()
    target.seek(0)
    return target


def _unmark(page: Worksheet) -> None:
    """Remove marks of an earlier marking, so that corrected cells are not red."""
    for row in page.iter_rows():
        for cell in row:
            if (
                isinstance(cell, Cell)
                and cell.comment is not None
                and cell.fill.start_color.rgb == _RED.start_color.rgb
            ):
                cell.fill, cell.comment = PatternFill(), None


def _new(sheet: str) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    page = cast(Worksheet, book.active)
    page.title = _FORBIDDEN_IN_TITLES.sub("_", sheet)[:31] or "資料"
    return book, page


def _append(page: Worksheet, line: int, row: Iterable[Any]) -> None:
    """Append `row` as row `line`, the first after the page's end. (openpyxl would read all cells to find the end.)"""
    cells = [_clean(cell) if isinstance(cell, str) else cell for cell in row]
    page.append(cells)
    for column, cell in enumerate(cells, start=1):
        if isinstance(cell, str) and cell.startswith("="):
            kept = page.cell(line, column)
            kept.data_type = "s"  # text that looks like a formula stays text
            kept.quotePrefix = True


def _writable(page: Worksheet, row: int, column: int) -> Cell:
    """The cell, or the first cell of its merged area: only that can be marked."""
    cell = page.cell(row, column)
    if isinstance(cell, MergedCell):
        for area in page.merged_cells.ranges:
            if cell.coordinate in area:
                return cast(Cell, page.cell(area.min_row, area.min_col))
    return cast(Cell, cell)


def _clean(text: str) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("", str(text))[:EXCEL_TEXT_LIMIT]
