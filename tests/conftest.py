"""What every test may ask for."""

from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    """The cache of this worker alone; tests/plugin.py gives each its own databases."""
    cache.clear()
