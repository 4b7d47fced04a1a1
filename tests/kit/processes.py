"""Waiting for processes, and killing them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 100.0  # seconds until a wait has failed; a quiet machine takes a tenth of it


def wait_until(
    happened: Callable[[], Any], what: str, *, every: float | None = None, patience: float = PATIENCE
) -> None:
    """Return once `happened()` is true; fail with `what` after `patience` seconds.

    Without `every` it looks after 0.01 seconds and then ever more seldom, up to each 0.05: looking is a query or a pass
    over all processes, which would take the time of what it waits for.
    """
    deadline, pause = time.monotonic() + patience, every or 0.01
    while not happened():
        assert time.monotonic() < deadline, f"waited {patience:g} seconds in vain: {what}"
        time.sleep(pause)
        pause = every or min(1.2 * pause, 0.05)


class Process(Protocol):
    """A process with a session of its own."""

    pid: int

    def wait(self) -> Any:
        """Return once it has ended."""


def kill_session(process: Process) -> None:
    """SIGKILL to a process and to its children, as when a container goes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
