"""The house of a test process, and a world in it for each test."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.db import connection
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.harness import CRAWL, House, World
from tests.faults.imports import LARGE, ROWS, media, prepared
from tests.kit.turns import day

SHARED = Path(os.environ["MOMO_LOCAL_DIR"], "house")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the ways to die (`how`) at one place, one is tried every other day, and the others in `make test-long`.

    Which one depends on the place, so that each way is tried at many; half of the places are tried each day.
    """
    places = defaultdict(list)
    for item in items:
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if item.nodeid.startswith("tests/faults/") and "how" in given:
            others = sorted((name, str(value)) for name, value in given.items() if name != "how")
            places[f"{item.location[0]} {item.function.__name__} {others}"].append(item)
    for place, ways in places.items():
        found = crc32(place.encode())
        tried, resting = found % len(ways), (found // 97 + day().toordinal()) % 2
        for number, item in enumerate(ways):
            if number != tried or resting:
                item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def house(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[House]:
    """One worker of a run makes the databases, and the houses of the others begin with a copy of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(2)")
            made = House(SHARED) if SHARED.exists() else furnished()
    else:
        made = House()
    yield made
    made.close()


def furnished() -> House:
    """A house with all databases, of which a copy lies in SHARED."""
    made = House()
    with override_settings(MEDIA_ROOT=media(made)):
        for rows in (ROWS, LARGE):
            prepared(made, rows)
    made.share(SHARED)
    return made


@pytest.fixture
def world(house: House, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[World]:
    for name, value in CRAWL.items():
        setattr(settings, name, value)
    settings.MOMO_SHOP_URL = ""
    with django_db_blocker.unblock(), World(house).opened() as opened:
        yield opened
