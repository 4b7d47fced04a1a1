"""Fast passwords, and people of each role."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from tests.accounts.people import person, token_client


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    # Only the doors and this app, so a fault elsewhere does not show here.
    settings.ROOT_URLCONF = "tests.rest.urls"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def user(db: None) -> User:
    return person("amy")


@pytest.fixture
def manager(db: None) -> User:
    return person("max", Role.MANAGER)


@pytest.fixture
def admin(db: None) -> User:
    return person("ada", Role.ADMIN)


@pytest.fixture
def api(user: User) -> Client:
    """A program with a user's token."""
    return token_client(user)


@pytest.fixture
def nobody() -> Client:
    return Client(raise_request_exception=False)
