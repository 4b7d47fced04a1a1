"""Reads a file into checked and converted rows, and previews them."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings

from momo.core import formats
from momo.core.errors import ValidationFailed
from momo.core.thresholds import thresholds
from momo.jobs.errors import ErrorGroup, grouped
from momo.jobs.importers import Effect, Importer, ImportRefused, RowError, Table, importer_for, importers
from momo.jobs.models import Job
from momo.jobs.selectors import aliases_of
from momo.sheets import bounded
from momo.sheets.bounded import Reading
from momo.sheets.cells import Converted
from momo.sheets.columns import Kind, Matched, match
from momo.sheets.errors import SheetError, UnknownColumns
from momo.sheets.formats.base import Limits
from momo.sheets.notes import Note
from momo.sheets.values import shown

PREVIEW_ROWS = 20
PREVIEW_ERRORS = 100
PREVIEW_CELL = 200  # characters


@contextmanager
def no_collector() -> Iterator[None]:
    """Switch Python's cyclic garbage collector off: hundreds of thousands of rows are lists without cycles.

    Searching them for cycles takes a fifth of the time of reading.
    """
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


def limits() -> Limits:
    """Return the bounds of a file, from the settings."""
    return Limits(
        bytes=settings.IMPORT_MAX_BYTES,
        unpacked_bytes=settings.IMPORT_MAX_UNPACKED_BYTES,
        rows=settings.IMPORT_MAX_ROWS,
        columns=settings.IMPORT_MAX_COLUMNS,
    )


def read_file(
    path: Path,
    *,
    name: str,
    importer: Importer,
    sheets: Sequence[str] = (),
    skip_hidden: bool = False,
    sample: int = 0,
) -> list[Reading]:
    """Read and convert each of `sheets`, or without any the one that fits `importer` best, in a process of its own.

    `sample` rows come as they are beside the converted ones. Raises SheetError, also for a report of another kind.
    """
    try:
        readings = bounded.read_tables(
            path,
            name=name,
            limits=limits(),
            fields=importer.fields,
            aliases=aliases_of(importer.job_type),
            sheets=sheets,
            skip_hidden=skip_hidden,
            max_errors=settings.IMPORT_MAX_ERRORS,
            sample=sample,
        )
    except UnknownColumns as error:
        # Which of the headers of a found field the file has is not known.
        known = [alias for field in importer.fields if field.name in error.found for alias in field.aliases]
        _refuse_other_kind(name, importer, known, error.headers, fits=False)
        raise
    for reading in readings:
        matched = reading.report.matched
        known = [*matched.headers.values(), *(header for _, header in matched.spare)]
        _refuse_other_kind(name, importer, known, matched.unknown)
    return readings


def _refuse_other_kind(
    name: str, importer: Importer, known: Sequence[str], unknown: Sequence[str], *, fits: bool = True
) -> None:
    """Raise SheetError for a report of another kind: that has all its columns, and some that `importer` does not know.

    A report of sales `fits` stockouts too, having the columns that they need: then all that `importer` knows must be
    known to the other kind as well.
    """
    for other in importers().values():
        found = None if other is importer else _matched(other, [*known, *unknown])
        if found is None or found.missing:
            continue
        read = {*found.headers.values(), *(header for _, header in found.spare)}
        more = [header for header in found.headers.values() if header in unknown]
        if more and (not fits or read.issuperset(known)):
            raise SheetError(
                f"「{name}」看起來是「{other.label}」報表（有 {'、'.join(more)}），不是「{importer.label}」；"
                f"請把報表類型改成「{other.label}」，或換一個檔案。"
            )


def _matched(importer: Importer, headers: Sequence[str]) -> Matched | None:
    try:
        return match([headers], importer.fields)
    except SheetError:  # two columns of the same field
        return None


def table_of(readings: Sequence[Reading], *, skip_hidden: bool = False) -> Table:
    """Return the converted rows of all sheets; a cell that cannot be converted is None and an error.

    A field that only some sheets have is None in the rows of the others. Of several sheets the notes name theirs.
    `skip_hidden` is as for `read_file`.
    """
    notes = [_of_sheet(reading) if len(readings) > 1 else reading.converted.notes for reading in readings]
    whole, parts = readings[0].converted, [(0, readings[0].report.sheet)]
    for reading in readings[1:]:
        parts.append((len(whole.numbers), reading.report.sheet))
        _append(whole, reading.converted)
    reports = [reading.report for reading in readings]
    chosen = [report.sheet for report in reports]
    others = [sheet for sheet in reports[0].sheets if sheet not in chosen]
    hidden = sum(report.hidden for report in reports)
    table = Table(
        numbers=whole.numbers,
        columns=whole.columns,
        headers={field: header for report in reversed(reports) for field, header in report.matched.headers.items()},
        others=others,
        hidden=hidden,
        parts=parts if len(readings) > 1 else (),
        notes=list(chain.from_iterable(notes)),
        partial=bool(others) or (skip_hidden and hidden > 0),
        max_errors=settings.IMPORT_MAX_ERRORS,
    )
    table.add_errors(whole.wrong, whole.errors)
    return table


def _append(whole: Converted, one: Converted) -> None:
    """Put the rows of another sheet after those of `whole`."""
    start = len(whole.numbers)
    for field in {**whole.columns, **one.columns}:
        values = whole.columns.setdefault(field, [None] * start)
        values += one.columns.get(field) or [None] * len(one.numbers)
    for field, rows in one.wrong.items():
        before = whole.wrong.setdefault(field, bytearray())
        before += bytes(start - len(before)) + rows
    whole.errors += [(start + index, field, value, message) for index, field, value, message in one.errors]
    whole.numbers += one.numbers


def _of_sheet(reading: Reading) -> list[Note]:
    sheet = reading.report.sheet
    return [replace(note, where=f"「{sheet}」{note.where}") for note in reading.converted.notes]


def fitting_importer(path: Path, *, name: str) -> Importer:
    """Return the importer that finds most of its columns in a file. Raises SheetError when none fits.

    With one importer only it is that one; reading then reports what is missing.
    """
    kinds = list(importers().values())
    if len(kinds) == 1:
        return kinds[0]
    fits: list[tuple[int, Importer]] = []
    reasons: dict[str, list[str]] = {}  # kinds of reports by what is wrong with the file as one of them
    for importer in kinds:
        try:
            found = bounded.look(
                path,
                name=name,
                limits=limits(),
                fields=importer.fields,
                aliases=aliases_of(importer.job_type),
            )
        except SheetError as error:
            reasons.setdefault(str(error), []).append(importer.label)
        else:
            fits.append((len(found.matched.columns), importer))
    if not fits:
        if len(reasons) == 1:
            raise SheetError(next(iter(reasons)))
        raise SheetError(
            "看不出是哪一種報表。" + "".join(f"{'、'.join(kinds)}：{why}" for why, kinds in reasons.items())
        )
    return max(fits, key=lambda fit: fit[0])[1]


@dataclass(frozen=True)
class Preview:
    """What an import of a file would do.

    `matched` is (label, header) of the known columns in the file's order, `labels` the labels alone. `rows` are the
    first rows as (number, converted cells in that order), `raw` the same cells as they stand in the file. `spare` is
    (label, header that is read, header that is not) of columns that mean the same as another.
    """

    sheet: str
    header_row: int  # as the spreadsheet numbers it
    total: int
    matched: Sequence[tuple[str, str]]
    unknown: Sequence[str]
    labels: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    raw: Sequence[tuple[int, Sequence[str]]]
    errors: Sequence[RowError]  # the first ones
    error_count: int
    note: str
    others: Sequence[str] = ()  # visible sheets that look like the same report and are not read
    kinds: Sequence[Kind] = ()  # of the columns of `rows`
    bad: int = 0  # rows with an error
    spare: Sequence[tuple[str, str, str]] = ()
    sheets: Sequence[tuple[str, bool]] = ()  # those that look like the same report, and whether each is read
    hidden: int = 0  # rows of data that are not shown in the sheet
    groups: Sequence[ErrorGroup] = ()
    fields: Sequence[str] = ()  # names of those that have a column
    days: Sequence[Mapping[str, Any]] = ()  # what the import would make of them, see Importer.changes
    notes: Sequence[Note] = ()  # what reading filled, multiplied or left out
    effect: Effect | None = None

    @property
    def good(self) -> int:
        """Rows without an error."""
        return self.total - self.bad

    @property
    def losses(self) -> Sequence[str]:
        """Sentences for which the import asks for a confirmation."""
        days = sum(bool(day.get("loss")) for day in self.days)
        percent = thresholds.IMPORT_LOSS_PERCENT
        lost = [f"{days:,} 天的列數或業績會減少超過 {percent}%，請確認檔案是否完整。"] if days else []
        return [*lost, f"{self.effect.loss}；請確認檔案是否完整。"] if self.effect and self.effect.loss else lost

    def warning(self, on_error: str) -> str:
        """Return what the import would leave out: everything, or some rows; empty when nothing."""
        if not self.total:
            return "檔案裡沒有資料列，不會匯入"
        if not self.error_count:
            return ""
        if on_error == Job.OnError.REJECT:
            return f"有 {self.error_count:,} 個錯誤，整份不會匯入"
        if not self.good:
            return "每一列都有錯，沒有可以匯入的資料"
        left = f"會略過 {self.bad:,} 列，只匯入 {self.good:,} 列"
        return f"{left}；已有資料的日子會整天換成這 {self.good:,} 列" if self.days else left


def preview(path: Path, *, name: str, job_type: str, sheets: Sequence[str] = (), skip_hidden: bool = False) -> Preview:
    """Read and check a file without writing anything. Raises SheetError, ValidationFailed for an unknown type."""
    importer = importer_for(job_type)
    if importer is None:
        raise ValidationFailed(fields={"job_type": [f"沒有這種匯入；可用：{'、'.join(importers())}"]})
    try:
        with no_collector():
            readings = read_file(
                path,
                name=name,
                importer=importer,
                sheets=sheets,
                skip_hidden=skip_hidden,
                sample=PREVIEW_ROWS,
            )
            report = readings[0].report
            table = table_of(readings, skip_hidden=skip_hidden)
            importer.check(table)
    except ImportRefused as error:
        raise UnknownColumns(str(error), report.matched.unknown, list(report.matched.columns)) from error
    fields = {field.name: field for field in importer.fields}
    # Derived columns, which `check` adds, are in no file.
    names = sorted(report.matched.columns, key=lambda field: report.matched.columns[field])
    # Of the first sheet.
    first = range(min(PREVIEW_ROWS, table.parts[1][0] if len(table.parts) > 1 else len(table.numbers)))
    rows = [
        (
            table.numbers[index],
            [_text(table.columns[field][index], money=fields[field].kind == "money") for field in names],
        )
        for index in first
    ]
    raw = [
        (number, [_raw(readings[0].sample[number], report.matched.columns[field]) for field in names])
        for number in (table.numbers[index] for index in first)
    ]
    total, bad = len(table.numbers), len(table.bad)
    table.keep_good()
    return Preview(
        sheet=report.sheet,
        header_row=report.matched.row + 1,
        total=total,
        matched=[(fields[field].label, report.matched.headers[field]) for field in names],
        unknown=list(report.matched.unknown),
        labels=[fields[field].label for field in names],
        rows=rows,
        raw=raw,
        errors=table.first_errors()[:PREVIEW_ERRORS],
        error_count=table.error_count,
        groups=grouped(table.first_errors()),
        note=importer.preview_note(table) if table.numbers else "",
        others=table.others,
        sheets=[(sheet, sheet not in table.others) for sheet in report.sheets],
        hidden=table.hidden,
        kinds=[fields[field].kind for field in names],
        bad=bad,
        fields=list(report.matched.columns),
        days=importer.changes(table) if table.numbers else (),
        spare=[(fields[field].label, report.matched.headers[field], other) for field, other in report.matched.spare],
        notes=table.notes,
        effect=importer.effect(table) if table.numbers else None,
    )


def _text(value: Any, *, money: bool) -> str:
    if value is None:
        return ""
    if money:
        return formats.amount(Decimal(value) / 100)
    return str(value)


def _raw(row: Sequence[Any], column: int) -> str:
    return "" if column >= len(row) or row[column] is None else shown(row[column])[:PREVIEW_CELL]
