"""Reads files in processes of their own: what to call for files from outside, whatever process one is in.

Memory and time of the calling process are bounded as well: it receives converted columns in parts, and shares equal
values.

Without `bounds` those of the settings SHEET_MEMORY_MIB and SHEET_SECONDS hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings

from momo.sheets import marks
from momo.sheets.cells import Converted
from momo.sheets.columns import Field
from momo.sheets.formats.base import Limits
from momo.sheets.marks import DETAILS_SHEET, ERRORS_SHEET, Error, Group, suffix_of
from momo.sheets.process.pool import Bounds, pool
from momo.sheets.read import Report

__all__ = [
    "DETAILS_SHEET",
    "ERRORS_SHEET",
    "Bounds",
    "Reading",
    "first_sheet",
    "look",
    "marked_workbook",
    "read_tables",
    "suffix_of",
    "warm",
]


@dataclass
class Reading:
    """A sheet of a file: the report without its rows, the converted columns, and the first rows as they are.

    `sample` is row number → cells.
    """

    report: Report
    converted: Converted
    sample: dict[int, list[Any]] = field(default_factory=dict)


def warm() -> None:
    """Start the server of reading processes, which the first file would wait for."""
    pool.warm()


def read_tables(
    path: Path,
    *,
    name: str,
    limits: Limits,
    fields: Iterable[Field],
    aliases: Mapping[str, Sequence[str]],
    max_errors: int,
    sheets: Sequence[str] = (),
    skip_hidden: bool = False,
    sample: int = 0,
    bounds: Bounds | None = None,
) -> list[Reading]:
    """`read_sheets` and `convert` in one process of their own; of each sheet at most `max_errors` errors are kept.

    Together the sheets may have `limits.rows` rows. `sample` rows of each come as they are beside the converted ones,
    long texts shortened. Raises SheetError.
    """
    arguments = {
        **_arguments(path, name, limits),
        "fields": list(fields),
        "aliases": dict(aliases),
        "sheets": list(sheets),
        "skip_hidden": skip_hidden,
        "max_errors": max_errors,
        "sample": sample,
    }
    return pool.read("read_tables", arguments, name=name, bounds=bounds or _from_settings(), collect=_readings)


def look(
    path: Path,
    *,
    name: str,
    limits: Limits,
    fields: Iterable[Field],
    aliases: Mapping[str, Sequence[str]],
    bounds: Bounds | None = None,
) -> Report:
    """`read_rows` in a process of its own; the report comes without its rows. Raises SheetError."""
    arguments = {**_arguments(path, name, limits), "fields": list(fields), "aliases": dict(aliases)}
    return pool.read("look", arguments, name=name, bounds=bounds or _from_settings(), collect=_report)


def first_sheet(
    path: Path, *, name: str, limits: Limits, comma_separated: bool = False, bounds: Bounds | None = None
) -> list[list[Any]]:
    """The rows of a workbook's first visible sheet, or of comma-separated text. Raises SheetError."""
    task = "comma_separated_rows" if comma_separated else "first_sheet"
    arguments = _arguments(path, name, limits)
    return pool.read(task, arguments, name=name, bounds=bounds or _from_settings(), collect=_rows)


def marked_workbook(
    path: Path,
    *,
    name: str,
    sheet: str,
    errors: Sequence[Error],
    groups: Sequence[Group] = (),
    note: str = "",
    bounds: Bounds | None = None,
) -> BinaryIO:
    """`marks.marked_workbook` in a process of its own, as a temporary file. Raises SheetError, FileNotFoundError."""
    path.stat()
    arguments = {
        "path": path.resolve(),
        "name": name,
        "sheet": sheet,
        "errors": list(errors),
        "groups": list(groups),
        "note": note,
        "whole_rows": marks.WHOLE_ROWS,
    }
    return pool.read("mark", arguments, name=name, bounds=bounds or _from_settings(), collect=_file)


def _from_settings() -> Bounds:
    return Bounds(memory_mib=settings.SHEET_MEMORY_MIB, seconds=settings.SHEET_SECONDS)


def _arguments(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    return {"path": path.resolve(), "name": name, "limits": limits}


def _report(parts: Iterator[Report]) -> Report:
    return next(parts)


def _file(parts: Iterator[bytes]) -> BinaryIO:
    target = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        target.writelines(parts)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _rows(parts: Iterator[list[list[Any]]]) -> list[list[Any]]:
    return [row for part in parts for row in part]


def _readings(parts: Iterator[tuple[str, Any]]) -> list[Reading]:
    readings: list[Reading] = []
    once: dict[str, Any] = {}
    numbers: list[int] = []
    columns: dict[str, list[Any]] = {}
    column: list[Any] = []
    known: dict[Any, Any] = {}
    for kind, part in parts:
        if kind == "report":
            once, numbers, columns = {kind: part}, [], {}
        elif kind == "numbers":
            numbers += part
        elif kind == "column":
            column = columns[part] = []
            known = {}
        elif kind == "values":
            # Equal values of a column have one type, and become one object again.
            column.extend(map(known.setdefault, part, part))
        elif kind == "sample":
            once[kind] = part
        else:  # "converted", the last one of a sheet
            readings.append(Reading(**once, converted=replace(part, numbers=numbers, columns=columns)))
    return readings
