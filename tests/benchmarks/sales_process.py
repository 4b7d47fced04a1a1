"""`python -m tests.benchmarks.sales_process WAY WORKBOOK`: one import; its figures as JSON on stdout.

WAY is product (from the upload to published totals), floor (calamine and COPY of the same cells), pandas (`read_excel`
and `to_sql`) or resource (django-import-export's default). Each starts from a file and ends with a commit.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django

# The workbook's columns in order, by the fields of SalesLine.
FIELDS = (
    "date",
    "product_code",
    "product_name",
    "brand",
    "category",
    "pm",
    "vendor_code",
    "vendor_name",
    "quantity",
    "amount",
    "cost",
    "gross_profit",
)


def main(way: str, path: Path) -> None:
    """Import once. What a program loads before it has anything to do is no part of the time."""
    django.setup()
    from momo.sheets.process.pool import pool
    from products.spiders.reporter import peak_rss_bytes

    work, rows = WAYS[way](path)
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    # As if both processes had had their most memory at the same time.
    peak = peak_rss_bytes() + pool.peak
    print(json.dumps({"seconds": seconds, "peak_rss_bytes": peak, "rows": rows()}))


Way = tuple[Callable[[], object], Callable[[], int]]


def product(path: Path) -> Way:
    """As an upload goes, its queue aside."""
    from momo.jobs.services import create_job, run_job
    from momo.sheets.bounded import warm
    from sales.models import DayTotal, SalesLine

    warm()  # only the first import of a worker waits for it
    time.sleep(2)

    def work() -> None:
        with path.open("rb") as content:
            job = create_job(
                job_type="daily_sales",
                source="upload",
                file_name=path.name,
                content=content,
                user=None,
                dispatch=False,
            )
        done = run_job(job.pk)
        if done is None or done.status != "succeeded":
            raise RuntimeError(f"the import failed: {done and done.message}")

    def rows() -> int:
        lines = SalesLine.objects.count()
        summed = sum(DayTotal.objects.filter(dimension="all").values_list("lines", flat=True))
        if lines != summed:
            raise RuntimeError(f"{lines} lines, but {summed} in the totals")
        return lines

    return work, rows


def floor(path: Path) -> Way:
    """Read, and COPY what was read into a table without indexes or constraints, nothing checked or converted."""
    from django.db import connection, transaction
    from python_calamine import CalamineWorkbook

    def work() -> None:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE bare (date date, product_code text, product_name text, brand text, category text, "
                "pm text, vendor_code text, vendor_name text, quantity double precision, amount double precision, "
                "cost double precision, gross_profit double precision)"
            )
            with cursor.copy("COPY bare FROM STDIN") as copy:
                for row in rows[1:]:
                    copy.write_row(row)

    return work, lambda: _count("bare")


def pandas(path: Path) -> Way:
    """As its documentation reads and writes; openpyxl is its reader of .xlsx."""
    from pandas import read_excel
    from sqlalchemy import create_engine

    address = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1)
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://", 1))

    def work() -> None:
        frame = read_excel(path, engine="openpyxl")
        frame.to_sql("bare", engine, if_exists="replace", index=False)

    return work, lambda: _count("bare")


def resource(path: Path) -> Way:
    """The resource that django-import-export makes of the model, fed as its admin feeds it, in one transaction."""
    import tablib
    from import_export.resources import modelresource_factory

    from momo.jobs.models import Job
    from sales.models import SalesLine

    made = modelresource_factory(SalesLine)()
    job = Job.objects.create(token="00000000-0000-0000-0000-000000000001", job_type="daily_sales", source="upload")

    def work() -> None:
        dataset = tablib.Dataset().load(path.read_bytes(), format="xlsx")
        dataset.headers = list(FIELDS)
        dataset.append_col([""] * len(dataset), header="id")
        dataset.append_col([job.pk] * len(dataset), header="job")
        dataset.append_col(list(range(2, len(dataset) + 2)), header="row")
        done = made.import_data(dataset, use_transactions=True, raise_errors=True)
        if done.has_errors() or done.has_validation_errors():
            raise RuntimeError("the resource refused rows")

    return work, SalesLine.objects.count


def _count(table: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


WAYS = {"product": product, "floor": floor, "pandas": pandas, "resource": resource}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
