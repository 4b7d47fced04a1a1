"""What every test may ask for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as project
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import setting_changed
from django.db import connection
from django.test import Client, TransactionTestCase, override_settings
from django.test.signals import root_urlconf_changed
from django.urls import set_urlconf
from hypothesis import HealthCheck, settings
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Role, User
from momo.celery import app as own_app
from momo.core import work
from momo.core.cache import CacheClient
from momo.core.thresholds import thresholds
from momo.local.processes import free_port
from momo.rest import throttles
from tests.kit.restoring import keep_rows, restore_rows
from tests.kit.users import person, token_client

# The first text that Hypothesis draws in a fresh clone builds its table of characters, which takes seconds on a busy
# machine: as long as to be refused as slow. A machine's pace is no promise of the code either way.
settings.register_profile("momo", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
settings.register_profile("deep", settings.get_profile("momo"), max_examples=200)
settings.load_profile("momo")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Take the place of pytest-django's: one worker of a run migrates, and each has a copy until the server goes.

    Behind PgBouncer, where a lock has no session to belong to, `migrated` is there before the run.
    """
    database = project.DATABASES["default"]
    name = database["TEST"]["NAME"] or f"test_{database['NAME']}"
    migrated = "SELECT FROM pg_database WHERE datname = 'migrated'"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(migrated)
        if not cursor.rowcount:
            cursor.execute("SELECT pg_advisory_lock(1)")
            cursor.execute(migrated)
        if not cursor.rowcount:
            cursor.execute("DROP DATABASE IF EXISTS migrating")  # of a worker that failed
            cursor.execute("CREATE DATABASE migrating")
            database["NAME"] = connection.settings_dict["NAME"] = "migrating"
            gc.disable()  # as `momo.local.run` does
            call_command("migrate", verbosity=0, interactive=False)
            gc.enable()
            keep_rows()
            connection.close()
            cursor.execute("ALTER DATABASE migrating RENAME TO migrated")
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE migrated").format(sql.Identifier(name)))
        database["NAME"] = connection.settings_dict["NAME"] = name


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    """The cache of this worker alone; tests/plugin.py gives each its own databases."""
    # The test before may have had no Redis.
    throttles._paused_until = work._silent_until = CacheClient.silent_until = 0.0
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _fast_passwords() -> Iterator[None]:
    """A hash as slow as in production takes 0.4 s; tests of passwords set their own hashers."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True, scope="session")
def _addresses_kept() -> Iterator[None]:
    """Django reads all addresses anew after ROOT_URLCONF was set, 20 ms for each test that does so.

    It caches them by the name of their module, so none that it has read is wrong for another one.
    """

    def changed(*, setting: str, **_: Any) -> None:
        if setting == "ROOT_URLCONF":
            set_urlconf(None)

    setting_changed.disconnect(root_urlconf_changed)
    setting_changed.connect(changed)
    yield
    setting_changed.disconnect(changed)
    setting_changed.connect(root_urlconf_changed)


@pytest.fixture(autouse=True, scope="session")
def _quick_restoring() -> Iterator[None]:
    """Take the place of Django's flush after tests with `transaction=True`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: restore_rows())
        yield


@pytest.fixture(autouse=True)
def _no_stored_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds are what the settings say, without the query that asks for stored ones every few seconds."""
    monkeypatch.setattr(thresholds, "source", dict)
    thresholds.forget()


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
