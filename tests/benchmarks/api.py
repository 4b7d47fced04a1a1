"""GET /api/products with 50 items, beside a view that answers with the same bytes from memory.

Then the same with 100 times the products and ten million price spans, beside the small set's own time. Lists remember
their number of rows while nothing changes (`products.selectors.listing`); rows "counted anew" show a request that has
to count, as the first one does after each applied run.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from urllib.parse import quote

from django.test import override_settings

from accounts.services import create_token, create_user
from products.models import Product
from tests.benchmarks import catalogue
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import Context
from tests.benchmarks.plans import explained
from tests.benchmarks.report import Row
from tests.benchmarks.urls import RememberedView

SMALL, BIG = 5_600, 560_000
LIST = "/api/products"
FILTERS = ("all", "increase", "decrease", "delisted")
# Found in one product of five down to one of some hundreds; the codes of two single products come on top.
WORDS = ("保濕", "入", "家", "維他命", "沐光 美白", "VOLTA", "米", "收納達人")
Case = tuple[str, list[str]]


def run(context: Context) -> list[Row]:
    """Medians of requests (milliseconds)."""
    small, big = (300, 1_500) if context.quick else (SMALL, BIG)
    repeats = 10 if context.quick else 240
    with (
        override_settings(ROOT_URLCONF="tests.benchmarks.urls"),
        context.database("bench_small"),
        context.database("bench_big"),
    ):
        sites = []
        for name, size in (("bench_small", small), ("bench_big", big)):
            context.say(f"{size:,} products with their past …")
            context.use(name)
            catalogue.fill(size)
            sites.append(Site(context, name, size))
        rows: list[Row] = []
        for name, addresses in _cases():
            rows += measure(name, addresses, sites, repeats)
        if context.plans:
            for name, addresses in _cases():
                _print_plans(context, name, addresses, sites)
    return sorted(rows, key=lambda row: (row.name.startswith("big"), row.name.endswith("anew")))


def _cases() -> list[Case]:
    cases = [(f"filter {name}", [f"{LIST}?filter={name}"]) for name in FILTERS]
    codes = Product.objects.order_by("id").values_list("product_id", flat=True)[:2]
    return [*cases, ("search", [f"{LIST}?q={quote(word)}" for word in (*WORDS, *codes)])]


class Site:
    """One catalogue, with somebody who may ask for it."""

    def __init__(self, context: Context, name: str, size: int) -> None:
        self.context, self.name, self.size = context, name, size
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        self.token = create_token(user=user, name="bench").text
        self.caller = Caller()

    def get(self, address: str) -> tuple[bytes, float]:
        """Body and milliseconds."""
        self.context.use(self.name)
        return self.caller.get(address, self.token)

    def counted_anew(self, address: str) -> float:
        """Milliseconds of a request that has to count its rows."""
        self.context.use(self.name)
        catalogue.touch()
        return self.get(address)[1]


def measure(name: str, addresses: Sequence[str], sites: Sequence[Site], repeats: int) -> list[Row]:
    """Rows of one kind of request, over the small and the big catalogue."""
    small = sites[0]
    for address in addresses:
        RememberedView.answers[address.partition("?")[2]] = small.get(address)[0]
        for site in sites:
            warm(lambda site=site, address=address: site.get(address), 3)
    floor: list[float] = []
    took: list[list[float]] = [[], []]
    for number in range(repeats):
        address = addresses[number % len(addresses)]
        floor.append(small.get(f"/api/remembered?{address.partition('?')[2]}")[1])
        for site, kept in zip(sites, took, strict=True):
            kept.append(site.get(address)[1])
    # Every word has its own number of rows, so each is asked for as often.
    anew: list[list[float]] = [[], []]
    for _ in range(max(1, 10 // len(addresses))):
        for address in addresses:
            for site, kept in zip(sites, anew, strict=True):
                kept.append(site.counted_anew(address))
    middle = statistics.median
    (in_small, in_big), (anew_small, anew_big) = map(middle, took), map(middle, anew)
    size = f"{small.size:,} products"
    return [
        Row(f"GET products, {name}", "same bytes from memory", middle(floor), in_small, "ms", 2),
        Row(f"GET products, {name}, counted anew", size, in_small, anew_small, "ms"),
        Row(f"big: GET products, {name}", size, in_small, in_big, "ms", 5 if name == "search" else 1.3),
        Row(f"big: GET products, {name}, counted anew", f"{size}, anew", anew_small, anew_big, "ms"),
    ]


def _print_plans(context: Context, name: str, addresses: Sequence[str], sites: Sequence[Site]) -> None:
    site = sites[-1]
    for address in addresses:
        context.use(site.name)
        catalogue.touch()
        with explained(context.console, f"{name}: {address}"):
            site.get(address)
