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


def wait_until(happened: Callable[[], Any], what: str, *, every: float = 0.01, patience: float = PATIENCE) -> None:
    """Return once `happened()` is true; fail with `what` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"waited {patience:g} seconds in vain: {what}"
        time.sleep(every)


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
