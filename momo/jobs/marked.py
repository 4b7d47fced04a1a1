"""A job's errors as a workbook for people: their own, with the bad cells marked, or the plain list of them."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import BinaryIO

from momo.jobs.models import Job
from momo.rest.errors import NotFound
from momo.sheets.errors import SheetError
from momo.sheets.marks import marked_workbook, suffix_of
from momo.sheets.write import XLSX, Column, as_records, xlsx_file

XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"
COLUMNS = [Column("列", "integer", 8), Column("欄位", width=18), Column("內容", width=24), Column("問題", width=60)]

Error = tuple[int, str, str, str]


def errors_workbook(job: Job, *, own_file: bool) -> tuple[str, BinaryIO, str]:
    """File name, open file and content type. Raises NotFound for a job without errors.

    With `own_file` it is the file that was brought, marked, with all that it holds, personal data too: for who may
    see that file. Otherwise, and when the file is no longer kept, it is the list of the errors that are kept.
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
    """The user's workbook; None when the file is gone, or readable no more."""
    if not job.file:
        return None
    try:
        return marked_workbook(Path(job.file.path), name=job.file_name, sheet=job.sheet, errors=errors)
    except (SheetError, FileNotFoundError):
        return None
