"""Workbooks of a job's errors: the uploaded workbook with marked cells, or a list of the errors."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import BinaryIO

from momo.core.errors import NotFound
from momo.jobs.models import Job
from momo.sheets.bounded import marked_workbook, suffix_of
from momo.sheets.errors import SheetError
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
    note = ""
    if job.error_count > len(errors):
        note = (
            f"這個檔案共有 {job.error_count:,} 個錯誤，這裡只有前 {len(errors):,} 個；"
            "請修正後重新上傳，再看其餘的錯誤。"
        )
    # Marks are of one sheet; the errors of several are listed.
    several = len(job.wanted_sheets) > 1
    marked = _marked(job, errors, note) if own_file and not several else None
    if marked is None and several:
        listed = list(job.errors.values_list("sheet", "row", "column", "value", "message"))
        columns = [Column("工作表", width=18), *COLUMNS]
        records = as_records(columns, [*([("", None, "", "", note)] if note else []), *listed])
        return f"{stem}_錯誤清單.xlsx", xlsx_file(sheet="匯入錯誤", columns=columns, records=records), XLSX
    if marked is None:
        rows = as_records(COLUMNS, [*([(None, "", "", note)] if note else []), *errors])
        return f"{stem}_錯誤清單.xlsx", xlsx_file(sheet="匯入錯誤", columns=COLUMNS, records=rows), XLSX
    suffix = suffix_of(marked)
    return f"{stem}_錯誤{suffix}", marked, XLSM if suffix == ".xlsm" else XLSX


def _marked(job: Job, errors: list[Error], note: str) -> BinaryIO | None:
    """Return the uploaded workbook with marks; None when the file is gone, or unreadable."""
    if not job.file:
        return None
    try:
        path = Path(job.file.path)
        return marked_workbook(path, name=job.file_name, sheet=job.sheet, errors=errors, note=note)
    except (SheetError, FileNotFoundError):
        return None
