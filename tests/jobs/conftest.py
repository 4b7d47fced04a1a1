"""What the tests of this room may ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from momo.jobs import importers
from momo.jobs.models import Job
from momo.jobs.services import create_job
from tests.jobs.importer import StockImporter, workbook


@pytest.fixture(autouse=True)
def _settings(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def stock_importer(monkeypatch: pytest.MonkeyPatch) -> StockImporter:
    """Registered for this test."""
    importer = StockImporter()
    monkeypatch.setitem(importers._registered, importer.job_type, importer)
    return importer


@pytest.fixture
def job_of(stock_importer: StockImporter) -> Callable[..., Job]:
    """Creates jobs without enqueueing them."""

    def make(content: BinaryIO | None = None, **values: Any) -> Job:
        given: dict[str, Any] = {
            "job_type": stock_importer.job_type,
            "source": Job.Source.UPLOAD,
            "file_name": "庫存.xlsx",
            "user": None,
            "dispatch": False,
            **values,
        }
        return create_job(content=workbook() if content is None else content, **given)

    return make
