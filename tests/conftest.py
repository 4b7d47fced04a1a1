"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery
from django.core.cache import cache
from django.test import Client, override_settings
from hypothesis import HealthCheck, settings

from accounts.models import Role, User
from momo.celery import app as own_app
from momo.local.processes import free_port
from tests.kit.users import person, token_client

# The first text that Hypothesis draws in a fresh clone builds its table of characters, which takes seconds on a busy
# machine: as long as to be refused as slow. A machine's pace is no promise of the code either way.
settings.register_profile("momo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("momo")


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    """The cache of this worker alone; tests/plugin.py gives each its own databases."""
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _fast_passwords() -> Iterator[None]:
    """A hash as slow as in production takes 0.4 s; tests of passwords set their own hashers."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


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
    """A program without credentials."""
    return Client(raise_request_exception=False)


@pytest.fixture
def no_broker() -> Iterator[None]:
    """Celery with a broker that is not there."""
    app = Celery("away")
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = f"redis://127.0.0.1:{free_port()}/0"
    yield
    own_app.set_current()
    app.close()
