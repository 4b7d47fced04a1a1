"""Addresses of our own: only pages of login and this API, so a fault elsewhere does not show here."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _addresses(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.rest.urls"
