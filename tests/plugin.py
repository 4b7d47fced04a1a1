"""Starts a PostgreSQL and a Valkey of its own for the whole test run, beside those that run on the machine.

Loaded with ``-p`` so that it comes before pytest-django reads the settings. Only the process that was started by hand
does it; xdist's workers inherit the addresses and take a database each.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import tempfile
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest

# As it is imported it looks through all frames and all modules, which are few here: among tests it takes three seconds.
import scrapy.core.downloader.handlers.http11  # noqa: F401
from xdist.scheduler import LoadFileScheduling

from momo.local.services import LocalServices

WAITING = ("tests/faults/", "tests/local/", "tests/products/")
LONG = ("tests/sheets/", "tests/browser/", "tests/contract/", "tests/admin/")  # the first needs no database

_services: LocalServices | None = None
_folder: Path | None = None


def _start() -> None:
    global _services, _folder
    # Tests start hundreds of processes, each of which would compile the project anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ["MOMO_ENV"] = "test"
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    os.environ["REDIS_FIRST_DATABASE"] = str(2 + 2 * int(worker) if worker else 0)
    if os.environ.get("PYTEST_XDIST_WORKER") or os.environ.get("MOMO_TEST_SERVICES"):
        return
    # Below /tmp a service account can reach it when the suite runs as root.
    _folder = Path(tempfile.mkdtemp(prefix="momo-test-"))
    _folder.chmod(0o755)
    _services = LocalServices(_folder, durable=False)
    addresses, _ = _services.acquire()
    os.environ["DATABASE_URL"] = addresses.database_url
    os.environ["REDIS_URL"] = addresses.redis_url
    os.environ["MOMO_LOCAL_DIR"] = str(_folder)
    os.environ["MOMO_TEST_SERVICES"] = "1"
    os.environ["SECRET_KEY"] = "tests-only-" + "0" * 50


# Nothing that is imported and collected becomes garbage before the first test.
gc.disable()
_start()


def _stop() -> None:
    if _services is not None and _folder is not None:
        _services.delete()


# At exit rather than in a hook: an interrupted or crashed run leaves no servers behind either.
atexit.register(_stop)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for processes and files that need the processor take turns, the long ones first.

    So no worker is left alone with a long one at the end.
    """
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    waiting = [name for name in files if name.startswith(WAITING)]
    others = [name for start in (*LONG, "") for name in files if name.startswith(start)]
    names = dict.fromkeys(chain.from_iterable(zip_longest(waiting, others)))
    items[:] = [item for name in names if name for item in files[name]]


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """The tests of a file run in one worker: what they share (worlds, browsers, servers) is made once."""
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare the garbage collector modules and items, which live until the end: a pass over them takes half a second."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 50)  # instead of 700, 10, 10: a twentieth of the tests' processor time


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: tests of processes that are killed wait half of their time."""
    return (os.cpu_count() or 1) + 2
