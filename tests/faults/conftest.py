"""The house of a test process, and a world in it for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.harness import CRAWL, House, World


@pytest.fixture(scope="session")
def house(django_db_modify_db_settings: None) -> Iterator[House]:
    made = House()
    yield made
    made.close()


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[World]:
    for name, value in CRAWL.items():
        setattr(settings, name, value)
    settings.MOMO_SHOP_URL = ""
    with django_db_blocker.unblock(), World(house).opened() as opened:
        yield opened
