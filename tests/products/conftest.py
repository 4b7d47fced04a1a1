"""What the tests of this room may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.products.standin import Shop, running_shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Run a stand-in of the shop, of this test's own."""
    with running_shop() as running:
        yield running
