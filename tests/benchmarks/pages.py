"""Every page of the admin's menu over a big shop: time on the server, and size as it is sent.

560,000 products with 10 million price spans, and 10 million lines of sales over two years. An admin asks through the
whole stack, with a browser's Accept-Encoding.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.test import override_settings
from django.urls import reverse

from accounts.services import create_user
from momo.admin.kit import nav
from products.models import Product
from tests.benchmarks import catalogue, sales
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import Context
from tests.benchmarks.plans import explained
from tests.benchmarks.report import Row
from tests.kit.users import session_client

PRODUCTS, SPANS, LINES = 560_000, 18, 10_000_000
SERVER_MS, SENT_KB = 300, 150


def run(context: Context) -> list[Row]:
    """Medians in milliseconds, and kilobytes."""
    products, lines, repeats = (300, sales.DAYS * 2, 2) if context.quick else (PRODUCTS, LINES, 7)
    with context.database("bench_pages"):
        user = create_user(username="bench", password="a long enough passphrase", email="b@example.com", role="admin")
        session = session_client(user).cookies[settings.SESSION_COOKIE_NAME].value
        context.say(f"{products:,} products with their past …")
        catalogue.fill(products, spans=SPANS)
        context.say(f"{lines:,} lines of sales …")
        sales.fill(lines)
        # Pages name static files; nothing here collects them.
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
            return list(_rows(context, session, repeats))


def _rows(context: Context, session: str, repeats: int) -> Iterator[Row]:
    caller = Caller()
    for title, address in _addresses().items():
        warm(lambda address=address: caller.get(address, session=session), 2)
        answers = [caller.get(address, session=session) for _ in range(repeats)]
        if context.plans:
            with explained(context.console, title):
                caller.get(address, session=session)
        took = statistics.median(milliseconds for _, milliseconds in answers)
        yield Row(f"page: {title}", "on the server", None, took, "ms", SERVER_MS, "value")
        yield Row(f"page: {title}", "as it is sent", None, len(answers[0][0]) / 1000, "KB", SENT_KB, "value")


def _addresses() -> dict[str, str]:
    """Title and address: the start page, all entries of the menu, searches, filters, and the page of a product."""
    products, lines = reverse("admin:products_product_changelist"), reverse("admin:sales_salesline_changelist")
    product = Product.objects.order_by("pk").first()
    assert product is not None
    month = sales.LAST.replace(day=1)
    return {
        "總覽": reverse("admin:index"),
        **{entry.title: reverse(f"admin:{entry.view}") for entry in nav.entries()},
        "商品，搜尋": f"{products}?q={quote('精華')}",
        "商品，漲價": f"{products}?moved=up-24h",
        "商品，一件": reverse("admin:products_product_change", args=[product.pk]),
        "銷售明細，一個品牌": f"{lines}?brand={quote('品牌7')}",
        "銷售明細，兩年": f"{lines}?date_from={sales.LAST - timedelta(days=700)}&date_to={sales.LAST}",
        "銷售看板，月": f"{reverse('admin:sales_board_month')}?month={month:%Y-%m}",
        "目標，本月": f"{reverse('admin:sales_target_attainment')}?month={month:%Y-%m}",
    }
