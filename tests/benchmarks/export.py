"""The workbook of all products beside openpyxl's write-only mode, which writes the same rows of the same query.

Each measurement is a process of its own, so that its peak memory is that of the export alone; reading is part of both.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from django.db import connection

from tests.benchmarks import catalogue
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.export_process import query
from tests.benchmarks.report import Row

PRODUCTS = 100_000
MIB = 1024 * 1024


def run(context: Context) -> list[Row]:
    """Seconds from the query to the finished file, and peak memory of the process (MiB)."""
    size, repeats = (500, 1) if context.quick else (PRODUCTS, 3)
    with context.database("bench_export"):
        context.say(f"{size:,} products with their past …")
        catalogue.fill(size)
        measured = {"openpyxl": [], "product": []}
        for _ in range(repeats):
            for way, kept in measured.items():
                kept.append(_export(context, way))
                if kept[-1]["rows"] != size:
                    raise RuntimeError(f"{way} wrote {kept[-1]['rows']} rows of {size}")
        reading = statistics.median(_read() for _ in range(repeats))
    floor, subject = (statistics.median(one["seconds"] for one in kept) for kept in measured.values())
    peaks = [max(one["peak_rss_bytes"] for one in kept) / MIB for kept in measured.values()]
    return [
        Row(f"export, {size:,} products to .xlsx", "openpyxl, write-only", floor, subject, "s", 5, "speedup"),
        Row("export, what a replica could take over", "the whole export", subject, reading, "s"),
        Row("export, peak memory of the process", "openpyxl, write-only", peaks[0], peaks[1], "MiB", 250, "value"),
    ]


def _export(context: Context, way: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.export_process", way]
    done = subprocess.run(
        command, cwd=ROOT, env=context.environment(), stdout=subprocess.PIPE, text=True, check=True, timeout=1800
    )
    return json.loads(done.stdout)


def _read() -> float:
    """Seconds that PostgreSQL takes to find the rows and to send them to a client that does nothing with them."""
    statement, params = query().query.sql_with_params()
    began = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT", params) as rows:
        for _ in rows:
            pass
    return time.perf_counter() - began
