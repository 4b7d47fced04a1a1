"""What every test may ask for."""

from __future__ import annotations

import os

import pytest
from django.core.cache import cache


@pytest.fixture(scope="session", autouse=True)
def _own_cache(django_db_modify_db_settings: None) -> None:
    """Each xdist worker keeps its cache keys apart from the others'."""
    from django.conf import settings

    settings.CACHES["default"]["KEY_PREFIX"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    cache.clear()
