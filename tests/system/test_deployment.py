"""`check --deploy` names what must not reach production with its cure; servers are asked with --database only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.test import override_settings

from momo.core.environment import Environment, Setting
from momo.local.processes import free_port
from momo.system.deployment import can_write, check_deployment
from tests.kit.forks import fork

GIVEN = {
    "MOMO_ENV": "production",
    "SECRET_KEY": "x" * 60,
    "DATABASE_URL": "postgresql://momo@db/momo",
    "REDIS_URL": "redis://db",
    "PUBLIC_URL": "https://mo.wooo.work",
}


@pytest.fixture
def production(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """A production without a fault."""
    settings.MOMO_ENV, settings.DEBUG, settings.SECRET_KEY = "production", False, GIVEN["SECRET_KEY"]
    settings.ALLOWED_HOSTS, settings.PUBLIC_URL = ["mo.wooo.work"], GIVEN["PUBLIC_URL"]
    settings.TRUSTED_PROXIES, settings.SECURE_SSL_REDIRECT = 1, True
    settings.EMAIL_URL, settings.TELEGRAM_BOT_TOKEN = "smtp://mail", "1:a"
    settings.MEDIA_ROOT = tmp_path
    settings.ENVIRONMENT = Environment({})
    settings.ENVIRONMENT.settings = {name: Setting(name, "text", value, "", value) for name, value in GIVEN.items()}
    return settings


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"MOMO_ENV": "local"}, ["system.E010"]),
        ({"SECRET_KEY": "short"}, ["system.E011"]),
        ({"DEBUG": True}, ["system.E012"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["system.W010"]),
        ({"ALLOWED_HOSTS": ["other.tw"]}, ["system.E014"]),
        ({"PUBLIC_URL": "http://mo.wooo.work"}, ["system.W012"]),
        ({"TRUSTED_PROXIES": 0}, ["system.E015"]),
        ({"TRUSTED_PROXIES": 0, "SECURE_SSL_REDIRECT": False}, ["system.W013"]),
        ({"EMAIL_URL": "", "TELEGRAM_BOT_TOKEN": ""}, ["system.W014", "system.I010"]),
        ({"MEDIA_ROOT": str(project.BASE_DIR / "manage.py" / "media")}, ["system.E016"]),
    ],
)
def test_each_mistake_is_named_with_its_cure(production: Any, change: dict[str, Any], found: list[str]) -> None:
    for name, value in change.items():
        setattr(production, name, value)
    said = check_deployment()
    assert [one.id for one in said] == found
    assert all(one.hint for one in said)


def test_what_is_not_given_is_named(production: Any) -> None:
    production.ENVIRONMENT.settings.clear()
    assert [one.id for one in check_deployment()] == ["system.E011", "system.E013", "system.E013", "system.W011"]


def test_nothing_is_left_where_it_is_tried_whether_files_can_be_written(tmp_path: Path) -> None:
    assert can_write(tmp_path)
    assert can_write(tmp_path / "new" / "folder")
    (tmp_path / "file").touch()
    assert not can_write(tmp_path / "file" / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.django_db
def test_servers_that_do_not_answer_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr(connection, "cursor", lambda: (_ for _ in ()).throw(OperationalError("connection refused")))
    with override_settings(CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0", EMAIL_URL=f"smtp://127.0.0.1:{port}"):
        found = {str(one.id): one for one in run_checks(databases=["default"])}
        assert {"system.E003", "system.W002", "system.W003"} <= set(found)
        assert all(one.hint for one in found.values() if str(one.id).startswith("system."))
        assert not {"system.W002", "system.W003"} & {one.id for one in run_checks()}


def test_a_plain_check_starts_no_server(tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"MOMO_LOCAL_DIR": str(tmp_path), "MOMO_ENV": "local"}
    log = tmp_path.with_suffix(".log")
    fork(["manage.py", "check", "--deploy"], environment=environment, log=log).wait(60)
    assert "system.E010" in log.read_text()
    assert list(tmp_path.iterdir()) == []
