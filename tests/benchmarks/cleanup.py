"""A clean-up of five million old rows beside live traffic: no request may wait for it, and its memory stays flat.

A process of its own cleans up while this one asks for products, a history of prices and the history of logins, and
records logins in the table that is cleaned up; the same traffic before it is the floor.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from django.db import connection

from accounts.models import LoginAttempt
from accounts.services import create_token, create_user
from products.models import PriceSpan, Product
from tests.benchmarks import catalogue
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.report import Row

ROWS = 5_000_000
SIZE = 5_600  # products
BEFORE = 20.0  # seconds of traffic without a clean-up

FILL_LOGINS = """
INSERT INTO accounts_loginattempt (time, username, address, user_agent, success, reason)
SELECT now() - interval '3000 days' + n * interval '1 second', 'user' || n %% 300, '203.0.113.7', 'Mozilla/5.0', false,
    'wrong_password'
FROM generate_series(1, %(rows)s) n
"""
FILL_RUNS = """
INSERT INTO products_crawlrun (status, verdict, message, trigger, categories, started_at, heartbeat_at, finished_at,
    seen, new, increased, decreased, delisted, relisted, sold_out, restocked, quarantined, error_count)
SELECT 'applied', 'ok', '', 'schedule', 1, t, t, t, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM (SELECT now() - interval '2000 days' + n * interval '2 hours' AS t FROM generate_series(1, %(runs)s) n) x
"""
FILL_EVENTS = """
INSERT INTO products_priceevent (product_id, run_id, kind, old_price, new_price, created_at, told_at, silence)
SELECT p.id, r.id, 'decrease', 1280, 980, r.started_at, r.started_at, ''
FROM products_crawlrun r CROSS JOIN products_product p ORDER BY r.id, p.id LIMIT %(rows)s
"""
FILL_ERRORS = """
INSERT INTO products_crawlerror (run_id, category_code, kind, code, url, value, message)
SELECT r.id, '1100100001', 'price', n::text, 'https://www.momoshop.com.tw/goods/' || n, '已售完', '讀不到售價'
FROM products_crawlrun r CROSS JOIN generate_series(1, 5600) n ORDER BY r.id, n LIMIT %(rows)s
"""
# Kilobytes after the first tenth of the rows and at the peak.
CLEAN = """
import json, resource, time
import django
django.setup()
from momo.system.models import Cleanup
from momo.system.services.cleanup import clean_up

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

first = []
def show(lines):
    if not first and sum(line.deleted.rows for line in lines) * 10 > sum(line.rows for line in lines):
        first.append(peak())
began = time.perf_counter()
run = clean_up(trigger=Cleanup.Trigger.COMMAND, on_progress=show)
deleted = sum(line["rows"] - line["left_rows"] for line in run.report)
print(json.dumps({"seconds": time.perf_counter() - began, "deleted": deleted, "first": first[0], "peak": peak()}))
"""


def run(context: Context) -> list[Row]:
    """Seconds of the clean-up; median and slowest request (milliseconds) beside it; growth of its memory."""
    rows = 20_000 if context.quick else ROWS
    with context.database("bench_cleanup"):
        catalogue.fill(300 if context.quick else SIZE)
        _fill(context, rows)
        spans = PriceSpan.objects.count()
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        ask = _traffic(Caller(), create_token(user=user, name="bench").text)
        warm(lambda: next(ask), 30)
        context.say("traffic without a clean-up …")
        until = time.monotonic() + (1 if context.quick else BEFORE)
        before = list(_while(ask, lambda: time.monotonic() < until))
        context.say("traffic beside it …")
        process = subprocess.Popen(
            [sys.executable, "-c", CLEAN], cwd=ROOT, env=context.environment(), stdout=subprocess.PIPE, text=True
        )
        beside = list(_while(ask, lambda: process.poll() is None))
        assert process.stdout is not None
        found = json.load(process.stdout)
        assert found["deleted"] >= rows, found
        assert PriceSpan.objects.count() == spans
    return [
        Row(f"clean-up of {rows:,} rows", "", None, found["seconds"], "s"),
        Row("request beside it", "without it", statistics.median(before), statistics.median(beside), "ms"),
        Row("slowest request beside it", "", None, max(beside), "ms", 1000, "value"),
        Row("memory after a tenth, peak", "", None, (found["peak"] - found["first"]) / 1024, "MiB", 20, "value"),
    ]


def _fill(context: Context, rows: int) -> None:
    context.say(f"{rows:,} old rows …")
    products = Product.objects.count()
    some = rows // 5
    with connection.cursor() as cursor:
        cursor.execute(FILL_LOGINS, {"rows": rows - 2 * some})
        cursor.execute(FILL_RUNS, {"runs": some // min(products, 5600) + 1})
        cursor.execute(FILL_EVENTS, {"rows": some})
        cursor.execute(FILL_ERRORS, {"rows": some})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _traffic(caller: Caller, token: str) -> Iterator[float]:
    """Milliseconds of one request after another, three that read and one that writes."""
    product = Product.objects.earliest("pk").product_id
    addresses = ("/api/products", f"/api/history/{product}", "/api/users/login_history")
    while True:
        for address in addresses:
            yield caller.get(address, token)[1]
        began = time.perf_counter()
        LoginAttempt.objects.create(username="bench", address="203.0.113.7", success=True)
        yield 1000 * (time.perf_counter() - began)


def _while(ask: Iterator[float], goes_on: Callable[[], bool]) -> Iterator[float]:
    while goes_on():
        yield next(ask)
        time.sleep(0.01)
