"""Workbooks of a job's errors: the uploaded workbook with marked cells, or a list of the errors."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import BinaryIO

from momo.core.errors import NotFound
from momo.jobs.models import Job
from momo.sheets.errors import SheetError
from momo.sheets.marks import marked_workbook, suffix_of
from momo.sheets.write import XLSX, Column, as_records, xlsx_file

XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"
COLUMNS = [Column("列", "integer", 8), Column("欄位", width=18), Column("內容", width=24), Column("問題", width=60)]

Error = tuple[int, str, str, str]


def errors_workbook(job: Job, *, own_file: bool) -> tuple[str, BinaryIO, str]:
    """Return file name, open file and content type. Raises NotFound for a job without errors.

    With `own_file` it is the uploaded file with marked cells and all its content, personal data too: only for users who
    may see that file. Otherwise, and when the file is no longer kept, it is the list of the stored errors.
    """
    if not job.error_count:
        raise NotFound("這個匯入沒有錯誤的列")
    errors = list(job.errors.values_list("row", "column", "value", "message"))
    stem = PurePath(job.file_name).stem
    marked = _marked(job, errors) if own_file else None
    if marked is None:
        rows = as_records(COLUMNS, errors)
        return f"{stem}_錯誤清單.xlsx", xlsx_file(sheet="匯入錯誤", columns=COLUMNS, records=rows), XLSX
    suffix = suffix_of(marked)
    return f"{stem}_錯誤{suffix}", marked, XLSM if suffix == ".xlsm" else XLSX


def _marked(job: Job, errors: list[Error]) -> BinaryIO | None:
    """Return the uploaded workbook with marks; None when the file is gone, or unreadable."""
    if not job.file:
        return None
    try:
        return marked_workbook(Path(job.file.path), name=job.file_name, sheet=job.sheet, errors=errors)
    except (SheetError, FileNotFoundError):
        return None
