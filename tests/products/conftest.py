"""What the tests of this room may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from products.models import Category, QuarantinedPrice
from tests.products.factories import Runs, category, item
from tests.products.notifying import now_runs
from tests.products.standin import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Run a stand-in of the shop, of this test's own."""
    with Shop() as running:
        yield running


@pytest.fixture
def runs(db: None) -> Runs:
    """Runs of the last hours, whose events are news."""
    return now_runs()


@pytest.fixture
def home(db: None) -> Category:
    """Where the products of these runs are."""
    return category(name="臉部保養")


@pytest.fixture
def held_prices(runs: Runs, home: Category) -> list[QuarantinedPrice]:
    """Three held prices, and no event."""
    codes = ("1000001", "1000002", "1000003")
    runs.run({home: [item(code, 1000) for code in codes]})
    runs.run({home: [item(code, 100) for code in codes]})
    return list(QuarantinedPrice.objects.order_by("pk"))
