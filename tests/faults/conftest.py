"""The house of a test process, and a world in it for each test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.harness import CRAWL, House, World


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the ways to die (`how`) at one place, one is tried in every run, and the others in `make test-long`.

    Which one depends on the place, so that each way is tried at many.
    """
    places = defaultdict(list)
    for item in items:
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if item.nodeid.startswith("tests/faults/") and "how" in given:
            others = sorted((name, str(value)) for name, value in given.items() if name != "how")
            places[f"{item.location[0]} {item.function.__name__} {others}"].append(item)
    for place, ways in places.items():
        tried = crc32(place.encode()) % len(ways)
        for number, item in enumerate(ways):
            if number != tried:
                item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def house(django_db_setup: None) -> Iterator[House]:
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
