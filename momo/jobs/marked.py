"""Workbooks of a job's errors: the uploaded workbook with marked cells, or a list of the errors.

Equal errors are one line of the first sheet; the sheet behind it has each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from momo.core.errors import NotFound
from momo.jobs.errors import ErrorGroup, grouped
from momo.jobs.models import Job, JobError
from momo.sheets.bounded import DETAILS_SHEET, ERRORS_SHEET, marked_workbook, suffix_of
from momo.sheets.errors import SheetError
from momo.sheets.write import XLSX, Column, as_records, xlsx_book

XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"
_CELL = (Column("欄位", width=18), Column("內容", width=24), Column("問題", width=60))
GROUPS = (Column("列", width=24), *_CELL, Column("個數", "integer", 8))
SINGLES = (Column("列", "integer", 8), *_CELL)
SINGLES_OF_SHEETS = (Column("工作表", width=18), *SINGLES)


def errors_workbook(job: Job, *, own_file: bool) -> tuple[str, BinaryIO, str]:
    """Return file name, open file and content type. Raises NotFound for a job without errors.

    With `own_file` it is the uploaded file with marked cells and all its content, personal data too: only for users who
    may see that file. Otherwise, and when the file is no longer kept, it is the list of the stored errors.
    """
    if not job.error_count:
        raise NotFound("這個匯入沒有錯誤的列")
    errors = list(job.errors.all())
    groups = grouped(errors)
    if len(groups) == len(errors):  # no two are equal
        groups = []
    stem = PurePath(job.file_name).stem
    note = ""
    if job.error_count > len(errors):
        note = (
            f"這個檔案共有 {job.error_count:,} 個錯誤，這裡只有前 {len(errors):,} 個；"
            "請修正後重新上傳，再看其餘的錯誤。"
        )
    # Marks are of one sheet; the errors of several are listed.
    several = len(job.wanted_sheets) > 1
    marked = _marked(job, errors, groups, note) if own_file and not several else None
    if marked is None:
        return f"{stem}_錯誤清單.xlsx", _listed(errors, groups, note, several=several), XLSX
    suffix = suffix_of(marked)
    return f"{stem}_錯誤{suffix}", marked, XLSM if suffix == ".xlsm" else XLSX


def _listed(errors: Sequence[JobError], groups: Sequence[ErrorGroup], note: str, *, several: bool) -> BinaryIO:
    """Return the list as a workbook; the note is the first line of its first sheet."""
    tables: list[tuple[str, Sequence[Column], list[tuple[Any, ...]]]] = []
    if groups:
        lines: list[tuple[Any, ...]] = [
            (group.place, group.column, group.examples, group.message, group.count) for group in groups
        ]
        tables.append((ERRORS_SHEET, GROUPS, lines))
    columns = SINGLES_OF_SHEETS if several else SINGLES
    names = [field for field in ("sheet", "row", "column", "value", "message") if several or field != "sheet"]
    singles = [tuple(getattr(error, name) for name in names) for error in errors]
    tables.append((DETAILS_SHEET if groups else ERRORS_SHEET, columns, singles))
    if note:
        _, first, rows = tables[0]
        rows.insert(0, tuple(note if column.heading == "問題" else None for column in first))
    return xlsx_book({name: (columns, as_records(columns, rows)) for name, columns, rows in tables})


def _marked(job: Job, errors: Sequence[JobError], groups: Sequence[ErrorGroup], note: str) -> BinaryIO | None:
    """Return the uploaded workbook with marks; None when the file is gone, or unreadable."""
    if not job.file:
        return None
    try:
        path = Path(job.file.path)
        return marked_workbook(
            path,
            name=job.file_name,
            sheet=job.sheet,
            errors=[(error.row, error.column, error.value, error.message) for error in errors],
            groups=[
                (group.first_row, group.rows, group.column, group.examples, group.message, group.count)
                for group in groups
            ],
            note=note,
        )
    except (SheetError, FileNotFoundError):
        return None
