"""Reads a file into checked and converted rows, and previews them."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from momo.core import formats
from momo.core.errors import ValidationFailed
from momo.jobs.importers import Importer, ImportRefused, RowError, Table, importer_for, importers
from momo.jobs.selectors import aliases_of
from momo.sheets.cells import convert
from momo.sheets.columns import Kind
from momo.sheets.errors import SheetError
from momo.sheets.read import Limits, Report, read_rows
from momo.sheets.values import shown

PREVIEW_ROWS = 20
PREVIEW_ERRORS = 100


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


def read_report(path: Path, *, name: str, importer: Importer) -> Report:
    """Read the sheet that fits `importer` best, without conversion. Raises SheetError."""
    aliases = aliases_of(importer.job_type)
    return read_rows(path, name=name, limits=limits(), fields=importer.fields, aliases=aliases)


def table_of(report: Report, importer: Importer) -> Table:
    """Return the converted rows of a report; a cell that cannot be converted is None and an error."""
    converted = convert(report, importer.fields)
    numbers, headers = list(converted.numbers), report.matched.headers
    table = Table(numbers=numbers, columns=dict(converted.columns), headers=headers, others=report.others)
    for index, field, value, message in converted.errors:
        table.add_error(index, field, value, message)
    return table


def errors_of(table: Table) -> list[RowError]:
    """Return the errors by row; of several errors in one cell the first."""
    seen: dict[Any, RowError] = {}
    for error in table.errors:
        seen.setdefault((error.row, error.column or error.message), error)
    return sorted(seen.values(), key=lambda error: error.row)


def fitting_importer(path: Path, *, name: str) -> Importer:
    """Return the importer that finds most of its columns in a file. Raises SheetError when none fits.

    With one importer only it is that one; reading then reports what is missing.
    """
    kinds = list(importers().values())
    if len(kinds) == 1:
        return kinds[0]
    fits: list[tuple[int, Importer]] = []
    reasons = []
    for importer in kinds:
        try:
            found = read_report(path, name=name, importer=importer)
        except SheetError as error:
            reasons.append(f"{importer.label}：{error}")
        else:
            fits.append((len(found.matched.columns), importer))
    if not fits:
        raise SheetError("看不出是哪一種報表。" + "；".join(reasons))
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


def preview(path: Path, *, name: str, job_type: str) -> Preview:
    """Read and check a file without writing anything. Raises SheetError, ValidationFailed for an unknown type."""
    importer = importer_for(job_type)
    if importer is None:
        raise ValidationFailed(fields={"job_type": [f"沒有這種匯入；可用：{'、'.join(importers())}"]})
    try:
        with no_collector():
            report = read_report(path, name=name, importer=importer)
            table = table_of(report, importer)
            importer.check(table)
    except ImportRefused as error:
        raise SheetError(str(error)) from error
    errors = errors_of(table)
    fields = {field.name: field for field in importer.fields}
    # Derived columns, which `check` adds, are in no file.
    names = sorted(report.matched.columns, key=lambda field: report.matched.columns[field])
    first = range(min(PREVIEW_ROWS, len(table.numbers)))
    rows = [
        (
            table.numbers[index],
            [_text(table.columns[field][index], money=fields[field].kind == "money") for field in names],
        )
        for index in first
    ]
    raw = [
        (table.numbers[index], [_raw(report, table.numbers[index], report.matched.columns[field]) for field in names])
        for index in first
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
        errors=errors[:PREVIEW_ERRORS],
        error_count=len(errors),
        note=importer.preview_note(table) if table.numbers else "",
        others=table.others,
        kinds=[fields[field].kind for field in names],
        bad=bad,
        spare=[(fields[field].label, report.matched.headers[field], other) for field, other in report.matched.spare],
    )


def _text(value: Any, *, money: bool) -> str:
    if value is None:
        return ""
    if money:
        return formats.amount(Decimal(value) / 100)
    return str(value)


def _raw(report: Report, number: int, column: int) -> str:
    row = report.rows[number - report.first_row]
    return "" if column >= len(row) or row[column] is None else shown(row[column])
