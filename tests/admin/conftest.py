"""One logged-in client for each role."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from accounts.services import create_user
from notifications import events
from notifications.events import EventKind

PASSWORD = "Momo-pass-2026"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reader(db: None) -> User:
    return create_user(username="amy", password=PASSWORD, role=Role.USER, display_name="小美")


@pytest.fixture
def manager(db: None) -> User:
    return create_user(username="max", password=PASSWORD, role=Role.MANAGER, display_name="阿明")


@pytest.fixture
def boss(db: None) -> User:
    return create_user(username="ada", password=PASSWORD, role=Role.ADMIN, display_name="管理員甲")


@pytest.fixture
def as_reader(reader: User) -> Client:
    return client_of(reader)


@pytest.fixture
def as_manager(manager: User) -> Client:
    return client_of(manager)


@pytest.fixture
def as_boss(boss: User) -> Client:
    return client_of(boss)


@pytest.fixture
def happened(monkeypatch: Any) -> list[dict[str, Any]]:
    """What `recent` of an event gives whose template is `host_notice`."""
    found: list[dict[str, Any]] = []
    kind = EventKind("host_event", "主機事件", template="host_notice", recent=lambda limit: found[:limit])
    monkeypatch.setattr(events, "_registered", {**events.event_kinds(), "host_event": kind})
    return found
