"""A workbook of sales from its upload to published totals, and what asking takes over one and over ten million lines.

Imports: beside reading the file and copying its cells as they are, and beside two usual ways to do it. Each measurement
is a process of its own (`sales_process`), so that its peak memory is that of the import alone.

Questions: requests through the whole stack, over two years of the same days and keys with one and with ten million
lines, and beside the GROUP BY over the lines that they spare.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from rustpy_xlsxwriter import Format, write_worksheet

from accounts.services import create_token, create_user
from sales.services.product_months import sum_product_months
from sales.services.totals import rebuild_totals
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.plans import explained
from tests.benchmarks.report import Row, interleave
from tests.kit.users import session_client

ROWS, RESOURCE_ROWS = 100_000, 5_000
SMALL, BIG = 1_000_000, 10_000_000
LAST = date(2026, 10, 31)
DAYS = 730
BRANDS, PMS, CATEGORIES, VENDORS, PRODUCTS = 300, 12, 40, 200, 5_600
MIB = 1024 * 1024
HEADER = ("日期", "品號", "品名", "品牌", "館別", "PM", "廠商代號", "廠商名稱", "數量", "業績", "成本", "毛利")


def run(context: Context) -> list[Row]:
    """Medians: seconds and MiB of imports, milliseconds of requests."""
    return [*_imports(context), *_questions(context)]


# --- Imports --------------------------------------------------------------------------------------------------------


def _imports(context: Context) -> list[Row]:
    size, few, repeats = (300, 30, 1) if context.quick else (ROWS, RESOURCE_ROWS, 5)
    # The peers take so much longer that one or two of their runs say enough.
    turns = {"floor": repeats, "product": repeats, "pandas": min(repeats, 2), "resource": min(repeats, 2)}
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in turns}
    with context.database("bench_sales"), tempfile.TemporaryDirectory(prefix="momo-bench-sales-") as folder:
        books = {rows: Path(folder) / f"{rows}.xlsx" for rows in (size, few)}
        for rows, path in books.items():
            context.say(f"a workbook of {rows:,} rows …")
            write_workbook(path, rows)
        for turn in range(repeats):
            for way, kept in measured.items():
                if turn >= turns[way]:
                    continue
                rows = few if way == "resource" else size
                kept.append(_import(context, way, books[rows]))
                if kept[-1]["rows"] != rows:
                    raise RuntimeError(f"{way} brought {kept[-1]['rows']} rows of {rows}")
    seconds = {way: statistics.median(one["seconds"] for one in kept) for way, kept in measured.items()}
    peaks = {way: max(one["peak_rss_bytes"] for one in kept) / MIB for way, kept in measured.items()}
    name = f"sales import, {size:,} rows"
    scaled = seconds["resource"] * size / few
    return [
        Row(name, "calamine + COPY", seconds["floor"], seconds["product"], "s", 2),
        Row(name, "read_excel + to_sql", seconds["pandas"], seconds["product"], "s", 6, "speedup"),
        Row(name, f"import-export, {few:,} rows scaled", scaled, seconds["product"], "s", 30, "speedup"),
        Row("sales import, peak memory", "calamine + COPY", peaks["floor"], peaks["product"], "MiB", 400, "value"),
    ]


def _import(context: Context, way: str, path: Path) -> dict[str, float]:
    """One import into tables as empty as the first time: all days are new."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE sales_salesline, sales_dayclaim, sales_dayowner, sales_daytotal, sales_monthtotal")
        cursor.execute("TRUNCATE jobs_job CASCADE")
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute("CHECKPOINT")
    command = [sys.executable, "-m", "tests.benchmarks.sales_process", way, str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=context.environment(), stdout=subprocess.PIPE, text=True, check=True, timeout=1800
    )
    return json.loads(done.stdout)


def write_workbook(path: Path, rows: int) -> None:
    """A month of sales, day by day, as a report looks; the same for each size."""
    with path.open("wb") as handle:
        write_worksheet(
            _report(rows), handle, sheet_name="每日銷售", column_formats={"日期": Format().set_num_format("yyyy/mm/dd")}
        )


def _report(rows: int) -> Iterator[dict[str, Any]]:
    rnd = random.Random(1)
    first = LAST.replace(day=1)
    for number in range(rows):
        product = rnd.randrange(PRODUCTS)
        quantity = rnd.choice((1, 1, 1, 2, 3, 5))
        amount = (product % 97 + 1) * 59 * quantity
        cost = amount * 7 // 10
        values = (
            first + timedelta(days=number * LAST.day // rows),
            str(10_000_000 + product),
            f"【水潤】玻尿酸保濕精華液 {product} 30ml x 2 入組",
            f"品牌{product % BRANDS}",
            f"館別{product % CATEGORIES}",
            f"經理{product % PMS}",
            f"{product % VENDORS:06}",
            f"廠商{product % VENDORS}股份有限公司",
            quantity,
            amount,
            cost,
            amount - cost,
        )
        yield dict(zip(HEADER, values, strict=True))


# --- Questions ------------------------------------------------------------------------------------------------------

# Every day has its share of lines; which brand, PM and category follows from the product, as in a real report.
_LINES = """
INSERT INTO sales_salesline (job_id, date, row, product_code, product_name, brand, category, pm, vendor_code,
                             vendor_name, quantity, amount, cost, gross_profit)
SELECT %(job)s, %(day)s, n, 10000000 + p, '玻尿酸保濕精華液 ' || p, '品牌' || p %% %(brands)s,
       '館別' || p %% %(categories)s, '經理' || p %% %(pms)s, lpad((p %% %(vendors)s)::text, 6, '0'),
       '廠商' || p %% %(vendors)s, q, a, a * 0.7, a * 0.3
FROM (
    SELECT n, p, q, ((p %% 97 + 1) * 59 * q)::numeric AS a
    FROM (
        SELECT n, 1 + h %% 3 AS q, h / 7 %% %(products)s AS p
        FROM (
            SELECT n, abs(hashint8extended(n, %(seed)s) %% 1000000007) AS h FROM generate_series(1, %(lines)s) AS n
        ) x
    ) y
) z
"""

_CLAIMS = """
INSERT INTO sales_dayclaim (job_id, lines_job_id, source, date, digest, lines, quantity, amount, cost, gross_profit)
SELECT job_id, job_id, 'daily_sales', date, '', count(*), sum(quantity), sum(amount), sum(cost), sum(gross_profit)
FROM sales_salesline WHERE date BETWEEN %(first)s AND %(last)s GROUP BY job_id, date
"""

_GROUPED = """
SELECT {columns}, sum(amount), sum(quantity), sum(cost), sum(gross_profit), count(*)
FROM sales_salesline WHERE date BETWEEN %(first)s AND %(last)s
GROUP BY {groups}
"""


_MONTH = f"start_date={LAST.replace(day=1)}&end_date={LAST}"
_HALF = f"start_date={LAST.replace(day=1)}&end_date={LAST.replace(day=15)}"
_BOARD = "/admin/sales/board/"
BOARDS = {
    "day": f"{_BOARD}?date={LAST}",
    "month": f"{_BOARD}month/?month={LAST:%Y-%m}",
    "trend of two years by brand": f"{_BOARD}trend/?start_date={LAST - timedelta(730)}&end_date={LAST}&dimension=brand",
    "movers of a month, brands": f"{_BOARD}movers/?{_MONTH}",
    "movers of a month, products": f"{_BOARD}movers/?{_MONTH}&dimension=product_code",
    "movers of half a month, products": f"{_BOARD}movers/?{_HALF}&dimension=product_code",
    "contributions to a month": f"{_BOARD}contribution/?{_MONTH}",
    "contributions below a brand": f"{_BOARD}contribution/?{_MONTH}&path={quote('品牌7')}",
    "contributions of all combinations": f"{_BOARD}contribution/?{_MONTH}&cross=1",
}


class Site:
    """Two years of sales, with somebody who may ask."""

    def __init__(self, context: Context, name: str, lines: int) -> None:
        self.context, self.name, self.lines = context, name, lines
        context.use(name)
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        self.token = create_token(user=user, name="bench").text
        self.session = session_client(user).cookies[settings.SESSION_COOKIE_NAME].value
        self.caller = Caller()
        fill(lines)

    def get(self, address: str) -> float:
        """Milliseconds."""
        self.context.use(self.name)
        return self.caller.get(address, self.token)[1]

    def page(self, address: str) -> float:
        """Milliseconds of a page of the admin."""
        self.context.use(self.name)
        return self.caller.get(address, session=self.session)[1]

    def grouped(self, sql: str, first: date, last: date, *, scan: bool = False) -> float:
        """Milliseconds of a GROUP BY over the lines; with `scan`, as if no index knew where a day's lines are."""
        self.context.use(self.name)
        with transaction.atomic(), connection.cursor() as cursor:
            if scan:
                cursor.execute("SET LOCAL enable_indexscan = off")
                cursor.execute("SET LOCAL enable_bitmapscan = off")
            began = time.perf_counter()
            cursor.execute(sql, {"first": first, "last": last})
            cursor.fetchall()
            return 1000 * (time.perf_counter() - began)


def fill(lines: int) -> None:
    """Fill the database in use with `lines` lines over DAYS days, all in force, with totals and statistics."""
    from momo.jobs.models import Job

    days = [LAST - timedelta(days=back) for back in reversed(range(DAYS))]
    job = Job.objects.create(token="00000000-0000-0000-0000-000000000001", job_type="daily_sales", source="upload")
    shares = {"brands": BRANDS, "categories": CATEGORIES, "pms": PMS, "vendors": VENDORS, "products": PRODUCTS}
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("DROP INDEX salesline_day")
        for seed, day in enumerate(days):
            cursor.execute(_LINES, {**shares, "job": job.pk, "day": day, "seed": seed, "lines": lines // DAYS})
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("CREATE INDEX salesline_day ON sales_salesline (date, job_id, row)")
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("VACUUM (ANALYZE) sales_salesline")
        cursor.execute(_CLAIMS, {"first": days[0], "last": LAST})
        cursor.execute(
            "INSERT INTO sales_dayowner (source, date, claim_id) SELECT source, date, id FROM sales_dayclaim"
        )
        for month in sorted({day.replace(day=1) for day in days}):
            with transaction.atomic():
                wrong = rebuild_totals(cursor=cursor, dates=[day for day in days if day.replace(day=1) == month])
            if wrong:
                raise RuntimeError(f"totals do not add up: {wrong[:3]}")
        while sum_product_months():  # as within some minutes of the imports
            pass
        cursor.execute("RESET synchronous_commit")
        # As autovacuum leaves them.
        tables = ("daytotal", "monthtotal", "dayclaim", "dayowner", "productmonth", "summedmonth", "daycombination")
        for table in (f"sales_{name}" for name in tables):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute("CHECKPOINT")


def _questions(context: Context) -> list[Row]:
    small, big = (DAYS * 2, DAYS * 4) if context.quick else (SMALL, BIG)
    repeats, grouped = (3, 1) if context.quick else (60, 3)
    rows: list[Row] = []
    with context.database("bench_sales_small"), context.database("bench_sales_big"):
        sites = []
        for name, lines in (("bench_sales_small", small), ("bench_sales_big", big)):
            context.say(f"{lines:,} lines of sales …")
            sites.append(Site(context, name, lines))
        for name, address, sql, first, last in _cases():
            took: list[list[float]] = [[], []]
            for site in sites:
                warm(lambda site=site, address=address: site.get(address), 3)
            for _ in range(repeats):
                for site, kept in zip(sites, took, strict=True):
                    kept.append(site.get(address))
            in_small, in_big = map(statistics.median, took)
            rows.append(Row(f"big: {name}", f"{small:,} lines", in_small, in_big, "ms", 1.3))
            for way in ("", "no index") if first == last else ("",):
                group = statistics.median(sites[1].grouped(sql, first, last, scan=bool(way)) for _ in range(grouped))
                # Found by the index of days one day is so few lines that adding them up takes no longer than
                # answering: that row is for comparison only.
                peer = (
                    "GROUP BY of the day's lines, by index"
                    if first == last and not way
                    else f"GROUP BY of {big:,} lines"
                )
                limit = None if first == last and not way else 50
                rows.append(
                    Row(f"big: {name}", f"{peer}{', ' if way else ''}{way}", group, in_big, "ms", limit, "speedup")
                )
            if context.plans:
                context.use(sites[1].name)
                with explained(context.console, name):
                    sites[1].get(address)
        rows += _boards(context, sites, 3 if context.quick else 15)
    return rows


def _boards(context: Context, sites: list[Site], repeats: int) -> list[Row]:
    """Pages of the sales board over both sites."""
    # Pages name static files; nothing here collects them.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    rows = []
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        for title, address in BOARDS.items():
            for site in sites:
                warm(lambda site=site, address=address: site.page(address), 2)
            asked = (lambda site=site, address=address: site.page(address) for site in sites)
            small, big = interleave(repeats, *asked)
            if context.plans:
                with explained(context.console, title):
                    sites[1].page(address)
            few = f"{sites[0].lines:,} lines"
            rows.append(Row(f"board: {title}", few, small, big, "ms", 1.3))
            rows.append(Row(f"board: {title}", "a page", None, big, "ms", 300, "value"))
    return rows


def _cases() -> list[tuple[str, str, str, date, date]]:
    """Name, address, and the GROUP BY that would answer it, over which days."""
    begin, month = LAST - timedelta(days=DAYS - 1), LAST.replace(day=1)
    two_years = f"start_date={begin}&end_date={LAST}"
    cases = [
        (
            f"trend of two years by {dimension}",
            f"/api/sales/trend?{two_years}&dimension={dimension}",
            _GROUPED.format(columns=f"date, {dimension}", groups=f"date, {dimension}"),
            begin,
            LAST,
        )
        for dimension in ("brand", "pm", "category")
    ]
    whole = _GROUPED.format(columns="date", groups="date")
    sets = "GROUPING SETS ((date), (date, pm), (date, brand), (date, category))"
    each = _GROUPED.format(columns="date, pm, brand, category", groups=sets)
    return [
        *cases,
        ("trend of two years", f"/api/sales/trend?{two_years}", whole, begin, LAST),
        ("monthly summary", f"/api/monthly_summary?year={LAST.year}&month={LAST.month}", each, month, LAST),
        ("daily summary", f"/api/daily_sales?date={LAST}", each, LAST, LAST),
    ]
