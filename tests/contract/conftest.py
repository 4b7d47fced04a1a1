"""A world for each module, and nothing of what a test does to it stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from momo.rest.context import leave
from tests.contract.world import SETTINGS, World, build


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside never happened."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once a module, since hundreds of requests only read it."""
    with django_db_blocker.unblock(), override_settings(**SETTINGS), undone():
        yield build()
    # Not every way of asking closes its last answer, and the audit would go on naming somebody who is no more.
    leave()


@pytest.fixture
def db(made: World) -> Iterator[None]:
    """Takes the place of pytest-django's, which closes the connection and with it the module's transaction."""
    with undone():
        yield


@pytest.fixture
def world(made: World, db: None) -> World:
    """The world, as it was made."""
    return made
