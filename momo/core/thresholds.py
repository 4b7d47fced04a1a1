"""Thresholds: settings that admins may change while the system runs, in force in all processes within SECONDS.

`thresholds.CRAWL_REMIND_DAYS` is what is stored, else what the settings say. Values are kept in memory: reading costs
one query every SECONDS in a process, and lists keep their number of queries. `momo.system`, which stores them,
registers `source`. Own code: django-constance stores a default when it is first read, after which the environment is
never asked again, and asks its cache for every single read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import Error

from momo.core.environment import Setting

logger = logging.getLogger(__name__)

SECONDS = 5.0


def staff_settings() -> dict[str, Setting]:
    """The settings that admins may change, by name."""
    read: dict[str, Setting] = settings.ENVIRONMENT.settings
    return {name: setting for name, setting in read.items() if setting.staff}


class Thresholds:
    """Whole numbers, an attribute for each of `staff_settings()`."""

    def __init__(self) -> None:
        self.source: Callable[[], Mapping[str, int]] = dict  # stored values by name
        self._stored: Mapping[str, int] = {}
        self._until = 0.0

    def __getattr__(self, name: str) -> int:
        setting = settings.ENVIRONMENT.settings.get(name)
        if setting is None or not setting.staff:
            raise AttributeError(f"{name} is no setting that admins may change")
        if time.monotonic() >= self._until:
            self._read()
        value: int = getattr(settings, name)
        return self._stored.get(name, value)

    def forget(self) -> None:
        """Read what is stored again with the next value, as after a change in this process."""
        self._until = 0.0

    def _read(self) -> None:
        # First, so that other threads go on with the values of before, and a database that is away is not asked again.
        self._until = time.monotonic() + SECONDS
        try:
            self._stored = self.source()
        except Error as error:
            logger.warning("stored thresholds cannot be read, those of before stay in force: %s", error)


thresholds = Thresholds()
