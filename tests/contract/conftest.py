"""A world for each module, and nothing of what a test does to it stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from momo.core.context import leave
from tests.admin.makers import workbook
from tests.contract.world import DRIVEN, SETTINGS, World, build
from tests.fakes.drive import SHEET, Drive
from tests.fakes.gemini import KEY, Gemini
from tests.fakes.kubernetes import Kubernetes
from tests.fakes.ollama import Ollama


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside never happened."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


@contextmanager
def drive_settings(folder: Path) -> Iterator[dict[str, Any]]:
    """Settings that lead to a Google Drive with two files, to both models and to a cluster; keys lie in `folder`."""
    with Drive() as drive, Ollama() as ollama, Gemini() as gemini, Kubernetes() as cluster:
        drive.add("每日銷售_20260201.xlsx", workbook(DRIVEN), id="sales-1")
        drive.add("每日銷售", workbook(DRIVEN), id="sales-2", mime_type=SHEET)
        models = {"OLLAMA_URL": ollama.url, "GEMINI_URL": gemini.url, "GEMINI_API_KEY": KEY}
        cluster.add("momo-app")
        yield {**drive.settings(folder), **models, "K8S_CONFIG_FILE": str(cluster.config(folder))}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once a module, since hundreds of requests only read it."""
    with (
        drive_settings(tmp_path_factory.mktemp("drive")) as drive,
        django_db_blocker.unblock(),
        override_settings(**SETTINGS, **drive),
        undone(),
    ):
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
