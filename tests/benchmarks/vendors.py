"""A stockout report from its upload to rows, beside reading the file and copying its cells as they are.

Each measurement is a process of its own (`vendors_process`). The first report finds nothing; the second, most of whose
rows are out still, finds the first, and so does its floor: rows go between others into indexes that are filled.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from rustpy_xlsxwriter import write_worksheet

from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.report import Row

ROWS, VENDORS = 20_000, 300
NEXT = 0.9  # share of the rows that the next report has too
HEADER = ("部門", "科別/處別", "PM 姓名", "品號", "品名", "廠商代號", "廠商名稱", "月銷量", "目前庫存")


def run(context: Context) -> list[Row]:
    """Medians in seconds."""
    size, repeats = (300, 1) if context.quick else (ROWS, 7)
    ways = ("bare", "floor", "first", "next_floor", "next")
    measured: dict[str, list[float]] = {way: [] for way in ways}
    with context.database("bench_vendors"), tempfile.TemporaryDirectory(prefix="momo-bench-vendors-") as folder:
        books = [Path(folder) / "first.xlsx", Path(folder) / "next.xlsx"]
        for path, left_out in zip(books, (0, round(size * (1 - NEXT))), strict=True):
            with path.open("wb") as handle:
                write_worksheet(_report(size, left_out), handle, sheet_name="廠商缺貨")
        for _ in range(repeats):
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE vendors_stockout, vendors_vendor, vendors_stockoutbatch, jobs_job CASCADE")
                cursor.execute("CHECKPOINT")
            for way, path in zip(ways, (*books[:1] * 3, *books[1:] * 2), strict=True):
                measured[way].append(_import(context, way, path, size))
                with connection.cursor() as cursor:
                    cursor.execute("DROP TABLE IF EXISTS bare")
    seconds = {way: statistics.median(kept) for way, kept in measured.items()}
    indexed = "calamine + COPY with the same indexes"
    return [
        Row(f"stockout import, {size:,} rows", indexed, seconds["floor"], seconds["first"], "s", 2),
        Row(
            f"the next report, {NEXT:.0%} still out",
            f"{indexed} and rows",
            seconds["next_floor"],
            seconds["next"],
            "s",
            2,
        ),
        Row("stockout import, table without indexes", "calamine + COPY", seconds["bare"], seconds["first"], "s"),
    ]


def _import(context: Context, way: str, path: Path, size: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.vendors_process", way, str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=context.environment(), stdout=subprocess.PIPE, text=True, check=True, timeout=600
    )
    found = json.loads(done.stdout)
    if found["rows"] != size:
        raise RuntimeError(f"{way} brought {found['rows']} rows of {size}")
    return found["seconds"]


def _report(rows: int, left_out: int) -> Iterator[dict[str, Any]]:
    rnd = random.Random(1)
    for number in range(left_out, rows + left_out):
        vendor = number % VENDORS
        values = (
            f"部門{vendor % 6}",
            f"科別{vendor % 20}",
            f"經理{vendor % 12}",
            str(10_000_000 + number),
            f"【水潤】玻尿酸保濕精華液 {number} 30ml x 2 入組",
            f"{vendor:06}",
            f"廠商{vendor}股份有限公司",
            rnd.randrange(900),
            rnd.randrange(-3, 5),
        )
        yield dict(zip(HEADER, values, strict=True))
