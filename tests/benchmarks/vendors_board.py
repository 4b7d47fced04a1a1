"""The board of stockouts with a million rows that are over, beside ten thousand: requests through the whole stack.

Both have the same open rows. The list by each of its filters, the scores and the API are asked too.
"""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.test import override_settings

from accounts.services import create_token, create_user
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import Context
from tests.benchmarks.plans import explained
from tests.benchmarks.report import Row, interleave
from tests.kit.users import session_client
from tests.vendors.makers import make_batch
from vendors.models import StockoutBatch

SMALL, BIG = 10_000, 1_000_000
OPEN, VENDORS, PMS = 3_000, 300, 12
REPORT = 5_000  # rows of a report that is over
LIST = "/admin/vendors/stockout/"
# What is asked by page, and by token where it is the API.
QUESTIONS = {
    "board": f"{LIST}board/",
    "board of one PM": f"{LIST}board/?pm=PM3",
    "scores, 90 days": f"{LIST}score/",
    "list, first page": LIST,
    "list, open of one PM": f"{LIST}?waits=open&pm=PM3",
    "list, resolved": f"{LIST}?status__exact=resolved",
    "list, of one vendor": f"{LIST}?vendor__id__exact=7",
    "list, search": f"{LIST}?q={quote('保濕精華液 7')}",
    "list, 14 days and older": f"{LIST}?age=14-",
    "list, duplicates": f"{LIST}?duplicate=yes",
    "list, a department": f"{LIST}?department={quote('部門2')}",
    "vendors, first page": "/admin/vendors/vendor/",
    "API, list": "/api/vendor/stockout?open=true",
}
# These count or search rows that are over; their time is shown.
FINDS_MANY = {"list, resolved", "list, of one vendor"}

_FILL = """
INSERT INTO vendors_stockout (batch_id, row, department, section, pm, product_code, product_name, vendor_id,
    vendor_name, monthly_sales, stock, price, status, created_at, answer, restock_date, substitute, notified_at,
    answered_at, resolved_at, resolved_reason, resolved_from)
SELECT b.id, mod(n, %(report)s) + 2, '部門' || mod(n, 6), '', 'PM' || mod(n, %(pms)s), (10000000 + n)::text,
       '【水潤】玻尿酸保濕精華液 ' || mod(n, 5600), v.id,
       v.name, mod(n, 900), 0, 100 + mod(n, 3000), %(status)s, b.published_at,
       '', NULL, '', b.published_at, NULL,
       CASE WHEN %(status)s = 'resolved' THEN b.published_at + interval '4 days' END,
       CASE WHEN %(status)s = 'resolved' THEN 'not_listed' ELSE '' END, ''
FROM generate_series(0, %(rows)s - 1) n
JOIN (SELECT id, published_at, row_number() OVER (ORDER BY id) - 1 AS place FROM vendors_stockoutbatch
      WHERE id >= %(first)s) b ON b.place = n / %(report)s
JOIN (SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS place FROM vendors_vendor) v
    ON v.place = mod(n, %(vendors)s)
"""


def run(context: Context) -> list[Row]:
    """Medians in milliseconds."""
    small, big, repeats = (100, 1_000, 2) if context.quick else (SMALL, BIG, 15)
    names = {"bench_board_small": small, "bench_board_big": big}
    caller, keys = Caller(), {}
    # Pages name static files; nothing here collects them.
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with (
        override_settings(STORAGES=storages),
        context.database("bench_board_small"),
        context.database("bench_board_big"),
    ):
        for name, rows in names.items():
            context.use(name)
            context.say(f"{rows:,} rows that are over, {OPEN:,} open ones …")
            keys[name] = _fill(rows)

        def ask(name: str, address: str) -> float:
            context.use(name)
            token, session = keys[name]
            api = address.startswith("/api")
            return caller.get(address, token=token if api else "", session="" if api else session)[1]

        made = []
        for title, address in QUESTIONS.items():
            for name in names:
                warm(lambda name=name, address=address: ask(name, address), 2)
            floor, subject = interleave(
                repeats, *(lambda name=name, address=address: ask(name, address) for name in names)
            )
            if context.plans:
                with explained(context.console, title):
                    ask("bench_board_big", address)
            limit = None if title in FINDS_MANY else 1.3
            made.append(Row(f"{title}, {big:,} rows over", f"{small:,}", floor, subject, "ms", limit))
    return made


def _fill(rows: int) -> tuple[str, str]:
    """Rows that are over in reports before the last year, open ones in today's. Returns a token and a session."""
    user = create_user(username="bench", password="Momo-bench-2026", role="admin")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO vendors_vendor (code, name, contact, phone, escalation_email, note, is_active, created_at) "
            "SELECT 'V' || n, '廠商' || n, '', '', '', '', true, now() FROM generate_series(1, %s) n",
            [VENDORS],
        )
        reports = -(-rows // REPORT)
        batches = [make_batch(line_count=REPORT) for _ in range(reports)]
        first = batches[0].pk
        cursor.execute(
            "UPDATE vendors_stockoutbatch SET published_at = now() - (400 + %s - id) * interval '1 day'",
            [batches[-1].pk],
        )
        given = {"report": REPORT, "pms": PMS, "vendors": VENDORS}
        cursor.execute(_FILL, {**given, "rows": rows, "status": "resolved", "first": first})
        today = make_batch(line_count=OPEN)
        cursor.execute(_FILL, {**given, "rows": OPEN, "status": "sent", "first": today.pk})
        StockoutBatch.objects.filter(pk=batches[-1].pk).update(line_count=rows - REPORT * (reports - 1))
        cursor.execute("VACUUM ANALYZE")
    return create_token(user=user, name="bench").text, session_client(user).cookies[settings.SESSION_COOKIE_NAME].value
