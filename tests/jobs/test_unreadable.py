"""A file with a number that is no date ends its job with a message, whatever the reader raises for it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from momo.jobs.models import Job
from momo.jobs.services import preview, run_job
from momo.sheets.errors import SheetError
from tests.jobs.importer import StockImporter, workbook

pytestmark = pytest.mark.django_db


def _with_number(value: float, code: str) -> BytesIO:
    book = openpyxl.load_workbook(workbook())
    cell = book.active.cell(2, 9)
    cell.value, cell.number_format = value, code
    target = BytesIO()
    book.save(target)
    target.seek(0)
    return target


@pytest.mark.parametrize(("value", "code"), [(20261122000123, "[h]:mm:ss"), (-1e18, "yyyy/mm/dd")])
def test_a_number_that_is_no_date(
    value: float, code: str, job_of: Callable[..., Job], stock_importer: StockImporter, tmp_path: Path
) -> None:
    job = job_of(_with_number(value, code))
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.FAILED
    assert "第 2 列有超出範圍的日期或時間" in job.message
    path = tmp_path / "some.xlsx"
    path.write_bytes(_with_number(value, code).getvalue())
    with pytest.raises(SheetError, match="第 2 列有超出範圍的日期或時間"):
        preview(path, name="庫存.xlsx", job_type=stock_importer.job_type)
