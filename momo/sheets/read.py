"""Reads workbooks: .xlsx .xlsm .xlsb .xls .ods .fods through calamine; .csv, and XML and HTML with the suffix .xls.

The content decides the format, not the name. The size is checked before anything is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from momo.sheets.areas import Area
from momo.sheets.columns import (
    HEADER_ROWS,
    Field,
    Kind,
    Matched,
    is_personal,
    is_title_of_other_figures,
    likely_headers,
    match,
)
from momo.sheets.errors import DuplicateColumn, SheetError, UnknownColumns
from momo.sheets.formats import ods, xls, xlsb, xlsx
from momo.sheets.formats.archive import Archive, opened
from momo.sheets.formats.base import (
    MEBIBYTE,
    Inspected,
    Limits,
    Sheet,
    broken,
    too_many_rows,
)
from momo.sheets.formats.calamine import guarded, visible_sheets
from momo.sheets.formats.sniff import Format, sniff
from momo.sheets.formats.text import csv_sheets, html_sheets
from momo.sheets.formats.xml2003 import xml_sheets
from momo.sheets.notes import Note
from momo.sheets.units import refuse_mixed_units, scale_in_force, stated

__all__ = ["Limits", "Report", "SheetError", "read_rows", "read_sheets", "sheets_of"]

SEEN_HEADERS = 30  # headers that an error lists


@dataclass
class Report:
    """The raw rows of a file's best sheet: values of calamine, and CellError where calamine returns an empty cell.

    `rows` are the rows below the header; `first_row` is the number (from 1) of the first in the spreadsheet. `others`
    are visible sheets whose header has all required fields too and that were not read. `notes` say what was changed.
    `merged` are merged areas of the sheet. `unit` is how many dollars 1 stands for in columns of money whose header
    states no unit. `lengths` are the cells of each row as written, for formats of text only: a row with more than the
    header has shifted.
    """

    sheet: str
    matched: Matched
    rows: list[list[Any]]
    first_row: int
    total: int
    date1904: bool = False
    others: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)  # `sheet` and `others`, in the order of the file
    hidden: int = 0  # rows of data that are not shown
    skipped: Collection[int] = frozenset()  # indexes of those that are not wanted for that
    notes: list[Note] = field(default_factory=list)
    merged: Sequence[Area] = ()
    unit: int = 1
    lengths: Sequence[int] | None = None


def read_rows(
    path: Path,
    *,
    name: str,
    limits: Limits,
    fields: Iterable[Field],
    aliases: Mapping[str, Sequence[str]] | None = None,
    sheet: str = "",
    skip_hidden: bool = False,
) -> Report:
    """Read the visible sheet whose header has the most of `fields`, or the one that is called `sheet`.

    See `read_sheets`.
    """
    wanted = [sheet] if sheet else []
    (report,) = read_sheets(
        path, name=name, limits=limits, fields=fields, aliases=aliases, sheets=wanted, skip_hidden=skip_hidden
    )
    return report


def read_sheets(
    path: Path,
    *,
    name: str,
    limits: Limits,
    fields: Iterable[Field],
    aliases: Mapping[str, Sequence[str]] | None = None,
    sheets: Sequence[str] = (),
    skip_hidden: bool = False,
) -> Iterator[Report]:
    """Read each of `sheets`, or without any the visible sheet whose header has the most of `fields`.

    `name` is the user's name of the file, for error messages; `aliases` are further headers by field name. With
    `skip_hidden` rows that are not shown are `skipped`. Raises SheetError.
    """
    fields = list(fields)
    with sheets_of(path, name=name, limits=limits) as (found, date1904):
        seen = _look(found, fields, aliases)
        names = [one.name for one, _ in seen.whole]
        for wanted in dict.fromkeys(sheets or [""]):
            chosen, matched = _choose(seen, name, fields, wanted)
            report = _report(chosen, matched, fields, limits, skip_hidden=skip_hidden)
            report.date1904, report.sheets = date1904, names
            report.others = [one for one in names if one != chosen.name]
            yield report


def _report(chosen: Sheet, matched: Matched, fields: Sequence[Field], limits: Limits, *, skip_hidden: bool) -> Report:
    rows = chosen.rows()
    first = matched.row + 1
    unit, notes = _unit(chosen.name, rows[:first], matched, fields)
    del rows[:first]
    while rows and not any(cell not in ("", None) for cell in rows[-1]):
        rows.pop()
    hidden = {row - first for row in chosen.hidden if first <= row < first + len(rows)}
    if not rows or (skip_hidden and len(hidden) >= len(rows)):
        raise SheetError(f"工作表「{chosen.name}」只有標題列，沒有資料；請確認匯出的報表內容。")
    if len(rows) > limits.rows:
        raise too_many_rows(chosen.name, len(rows), limits)
    return Report(
        sheet=chosen.name,
        matched=matched,
        rows=rows,
        first_row=first + 1,
        total=len(rows),
        hidden=len(hidden),
        skipped=frozenset(hidden if skip_hidden else ()),
        notes=notes,
        merged=chosen.merged,
        unit=unit,
        lengths=None if chosen.lengths is None else chosen.lengths[first : first + len(rows)],
    )


def _unit(
    sheet: str, top: Sequence[Sequence[Any]], matched: Matched, fields: Sequence[Field]
) -> tuple[int, list[Note]]:
    """Dollars that 1 stands for in columns of money without a unit in their header, and the notes on units.

    `top` are the rows down to the header. Raises SheetError for a unit that cannot be heeded.
    """
    lines: list[tuple[str, Any]] = [("的名稱", sheet)]
    for number, row in enumerate(top, start=1):
        cells = [cell for cell in row if not is_title_of_other_figures(cell)]
        if number == len(top):  # beside the headers, whose own units are in `matched`
            cells = [cell for cell in cells if str(cell).lstrip("([（【 ").startswith(("單位", "金額單位", "幣別"))]
        lines += [(f"第 {number} 列", cell) for cell in cells]
    money = [each for each in fields if each.kind is Kind.MONEY and each.name in matched.columns]
    bare = [each for each in money if each.name not in matched.scales]
    unsure = [matched.headers[each.name] for each in bare if each.per_piece]
    line = scale_in_force(stated(lines), sheet=sheet, unsure=unsure)
    notes = [
        Note(f"金額已乘以 {scale:,}", matched.headers[name]) for name, scale in matched.scales.items() if scale > 1
    ]
    if line is None or line.scale is None or not bare:
        refuse_mixed_units(
            sheet,
            {matched.headers[each.name]: matched.scales.get(each.name, 0) for each in money if not each.per_piece},
        )
        return 1, notes
    headers = "、".join(matched.headers[each.name] for each in bare)
    return line.scale, [*notes, Note(f"金額已乘以 {line.scale:,}（{line.where}「{line.line[:60]}」）", headers)]


@dataclass
class _Seen:
    """The sheets with a header, and what errors say of the others."""

    found: list[tuple[Sheet, Matched]] = field(default_factory=list)
    twice: DuplicateColumn | None = None
    empty: bool = True
    tops: list[list[list[Any]]] = field(default_factory=list)  # the first rows of each sheet

    @property
    def whole(self) -> list[tuple[Sheet, Matched]]:
        """Sheets with all required fields."""
        return [one for one in self.found if not one[1].missing]


def _look(sheets: Iterable[Sheet], fields: Sequence[Field], aliases: Mapping[str, Sequence[str]] | None) -> _Seen:
    seen = _Seen()
    for sheet in sheets:
        seen.empty = seen.empty and sheet.empty
        seen.tops.append(sheet.rows(HEADER_ROWS))
        try:
            matched = match(seen.tops[-1], fields, aliases, sheet.merged)
        except DuplicateColumn as error:
            seen.twice = seen.twice or error
            continue
        if matched is not None:
            seen.found.append((sheet, matched))
    return seen


def _choose(seen: _Seen, name: str, fields: Sequence[Field], wanted: str) -> tuple[Sheet, Matched]:
    """The sheet called `wanted`; else that with all required fields and the most others, the first of equals."""
    if not seen.whole and seen.twice is not None:
        raise seen.twice
    if not seen.found:
        raise _no_header(name, fields, len(seen.tops), empty=seen.empty, headers=likely_headers(seen.tops))
    offered = [one for one in seen.found if one[0].name == wanted] if wanted else seen.whole or seen.found
    if not offered:
        raise SheetError(f"「{name}」沒有工作表「{wanted}」，或它不是這種報表；請重新選擇工作表。")
    chosen, matched = max(offered, key=lambda one: len(one[1].columns))
    if matched.missing:
        raise _missing(chosen.name, matched, fields)
    return chosen, matched


def _no_header(name: str, fields: Sequence[Field], looked: int, *, empty: bool, headers: Sequence[str]) -> SheetError:
    if not looked:
        return SheetError(f"「{name}」沒有看得見的工作表；請在 Excel 取消隱藏要匯入的工作表後再匯入。")
    if empty and looked == 1:
        return SheetError(f"「{name}」的工作表是空的；請確認檔案內容後再匯入。")
    wanted = "、".join(each.label for each in fields if each.required) or "、".join(each.label for each in fields)
    seen = f"看到的文字：{_listed(headers)}。" if headers else ""
    return UnknownColumns(
        f"「{name}」前 {HEADER_ROWS} 列找不到標題列；需要有這些欄位：{wanted}。{seen}請確認是正確的報表，"
        f"且標題在前 {HEADER_ROWS} 列內；或在「欄位別名」加上報表使用的標題。",
        headers,
    )


def _listed(headers: Sequence[str]) -> str:
    return "、".join(headers[:SEEN_HEADERS]) + ("…" if len(headers) > SEEN_HEADERS else "")


def _missing(sheet: str, matched: Matched, fields: Sequence[Field]) -> SheetError:
    seen = [*matched.headers.values(), *matched.unknown]
    missing = [each for each in fields if each.required and each.name not in matched.columns]
    known = "；".join(f"{each.label}可用 {'、'.join(each.aliases)}" for each in missing)
    return UnknownColumns(
        f"工作表「{sheet}」第 {matched.row + 1} 列缺少必要欄位：{'、'.join(matched.missing)}。"
        f"看到的標題：{_listed(seen)}。請補上欄位（{known}），或在「欄位別名」加上報表使用的標題。",
        [header for header in matched.unknown if not is_personal(header)],
        list(matched.columns),
    )


# --- Sheets of any format --------------------------------------------------------------------------------------------


@contextmanager
def sheets_of(path: Path, *, name: str, limits: Limits) -> Iterator[tuple[Iterator[Sheet], bool]]:
    """The visible sheets of the file, in order, and whether its serial dates count from 1904.

    Raises SheetError if the file is not a spreadsheet, damaged, password-protected, or larger than `limits`.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise broken(name) from error
    if size > limits.bytes:
        raise SheetError(
            f"「{name}」有 {size / MEBIBYTE:,.1f} MB，上限 {limits.bytes // MEBIBYTE:,} MB；請分成幾個檔案再匯入。"
        )
    kind = sniff(path, name=name)
    with ExitStack() as stack:
        if kind is Format.CSV:
            yield iter(csv_sheets(path, name=name, limits=limits)), False
            return
        if kind is Format.HTML:
            yield iter(html_sheets(path, name=name, limits=limits)), False
            return
        if kind is Format.XML:
            sheets, date1904 = xml_sheets(path, name=name, limits=limits)
            yield iter(sheets), date1904
            return
        if kind is Format.XLS:
            with guarded(name):
                known = xls.inspect(path, name=name, limits=limits)
        else:
            if kind is Format.FODS:
                path = Path(stack.enter_context(ods.zipped(path)).name)
            archive = stack.enter_context(opened(path, name=name, limits=limits))
            with guarded(name):
                known = _INSPECT[kind](archive, limits)
        with guarded(name):
            file = stack.enter_context(path.open("rb") if known.copy is None else known.copy())
        yield visible_sheets(file, known, name=name, limits=limits), known.date1904


_INSPECT: Mapping[Format, Callable[[Archive, Limits], Inspected]] = {
    Format.XLSX: xlsx.inspect,
    Format.XLSB: xlsb.inspect,
    Format.ODS: ods.inspect,
    Format.FODS: ods.inspect,
}
