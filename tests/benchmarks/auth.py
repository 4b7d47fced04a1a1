"""What it costs to know who asks: by token and by session, beside a request for a page of products."""

from __future__ import annotations

import statistics

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from accounts.services import create_token, create_user
from tests.benchmarks import catalogue
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import Context
from tests.benchmarks.report import Row
from tests.benchmarks.urls import RememberedView

SIZE = 5_600
PRODUCTS = "/api/products"


def run(context: Context) -> list[Row]:
    """Medians of requests (milliseconds); an authentication is a request with it less the same without."""
    with override_settings(ROOT_URLCONF="tests.benchmarks.urls"), context.database("bench_auth"):
        context.use("bench_auth")
        catalogue.fill(300 if context.quick else SIZE)
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        token = create_token(user=user, name="bench").text
        client = Client(SERVER_NAME="localhost")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        return _rows(Caller(), token, session, 10 if context.quick else 400)


def _rows(caller: Caller, token: str, session: str, repeats: int) -> list[Row]:
    RememberedView.answers[""] = b"{}"
    asked = {
        "products": lambda: caller.get(PRODUCTS, token)[1],
        "nobody": lambda: caller.get("/api/open")[1],
        "token": lambda: caller.get("/api/remembered", token)[1],
        "session": lambda: caller.get("/api/remembered", session=session)[1],
    }
    took: dict[str, list[float]] = {name: [] for name in asked}
    for ask in asked.values():
        warm(ask, 5)
    for _ in range(repeats):
        for name, ask in asked.items():
            took[name].append(ask())
    middle = {name: statistics.median(kept) for name, kept in took.items()}
    rows = []
    for name in ("token", "session"):
        with CaptureQueriesContext(connection) as queries:
            asked[name]()
        cost = max(0.0, middle[name] - middle["nobody"])
        rows.append(Row(f"authentication by {name}", "a page of products", middle["products"], cost, "ms", 0.15))
        rows.append(Row(f"authentication by {name}, queries", "", None, len(queries), "queries", 2, "value"))
    return rows
