"""What the tests of the engine may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

from tests.core.pieces import Box, Piece, create_tables


@pytest.fixture(scope="session")
def _tables(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        create_tables()


@pytest.fixture
def _pieces(_tables: None, db: None, settings: Any) -> Iterator[None]:
    settings.PIECE_TIMEOUT = 60
    settings.PIECE_ATTEMPTS = 3
    yield
    # What tests with `transaction=True` leave, since no migration knows these tables.
    Piece.objects.all().delete()
    Box.objects.all().delete()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """What the broker was given."""
    given: list[tuple[str, list[Any], dict[str, Any]]] = []

    def send_task(name: str, args: list[Any], **options: Any) -> None:
        given.append((name, args, options))

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)  # type: ignore[attr-defined]
    return given


@pytest.fixture(params=[BrokerError, ConnectionRefusedError])
def broken_broker(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that takes nothing."""

    def send_task(*args: Any, **options: Any) -> None:
        raise request.param("refused")

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)  # type: ignore[attr-defined]
