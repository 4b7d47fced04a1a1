"""`python -m tests.benchmarks.vendors_process WAY WORKBOOK`: one import; its figures as JSON on stdout.

WAY is bare or floor (calamine and COPY of the same cells, into a table without or with the indexes of stockouts),
next_floor (the same into a table that has the rows of the first report), or first or next: from the upload to the rows
of a batch.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import django

STORED = (
    "batch_id, status, created_at, answer, substitute, resolved_reason, resolved_from, row, department, section, "
    "pm, product_code, product_name, vendor_id, vendor_name, monthly_sales, stock"
)


def main(way: str, path: Path) -> None:
    """Import once. What a program loads before it has anything to do is no part of the time."""
    django.setup()
    ways = {"bare": bare, "floor": floor, "next_floor": next_floor}
    work, rows = ways.get(way, product)(path)
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "rows": rows()}))


def product(path: Path):
    """As an upload goes, its queue aside."""
    from momo.jobs.services import create_job, run_job
    from momo.sheets.bounded import warm
    from vendors.models import StockoutBatch

    warm()  # only the first import of a worker waits for it
    time.sleep(2)

    def work() -> None:
        with path.open("rb") as content:
            job = create_job(
                job_type="vendor_stockout",
                source="upload",
                file_name=path.name,
                content=content,
                user=None,
                dispatch=False,
            )
        done = run_job(job.pk)
        if done is None or done.status != "succeeded":
            raise RuntimeError(f"the import failed: {done and done.message}")

    return work, lambda: StockoutBatch.objects.latest("pk").lines.count()


def next_floor(path: Path):
    """As `floor`, into a table that has rows."""
    from django.db import connection

    work, rows = floor(path)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO bare ({STORED}) SELECT {STORED} FROM vendors_stockout")
        stored = cursor.rowcount
    return work, lambda: rows() - stored


def floor(path: Path):
    """Read, and COPY what was read into a table with the indexes of stockouts, nothing checked or compared."""
    from django.db import connection, transaction
    from python_calamine import CalamineWorkbook

    table = "CREATE TABLE bare (LIKE vendors_stockout INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)"
    with connection.cursor() as cursor:
        cursor.execute(table)

    def work() -> None:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        same = (1, "pending", "2026-11-29 09:00+08", "", "", "", "")
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.copy(f"COPY bare ({STORED}) FROM STDIN") as copy,
        ):
            for number, row in enumerate(rows[1:], start=2):
                copy.write_row((*same, number, *row[:5], int(row[5]), row[6], int(row[7]), int(row[8])))

    return work, _rows_of_bare


def _rows_of_bare() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bare")
        return cursor.fetchone()[0]


def bare(path: Path):
    """Read, and COPY what was read into a table without indexes or constraints, nothing checked or converted."""
    from django.db import connection, transaction
    from python_calamine import CalamineWorkbook

    def work() -> None:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE bare (department text, section text, pm text, product_code text, product_name text, "
                "vendor_code text, vendor_name text, monthly_sales double precision, stock double precision)"
            )
            with cursor.copy("COPY bare FROM STDIN") as copy:
                for row in rows[1:]:
                    copy.write_row(row)

    return work, _rows_of_bare


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
