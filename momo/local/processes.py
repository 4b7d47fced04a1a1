"""Processes, ports and permissions of the local servers."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

START_SECONDS = 60.0


class ServiceError(RuntimeError):
    """A server could not be set up or started; the text names it, the reason and the remedy."""


def package_dir(name: str) -> Path:
    """Folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            f"The package {name} is not installed. "
            "Run `make setup`, or set DATABASE_URL and REDIS_URL to servers of yours."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nothing listens on this port, and this account may."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
        return True


def others_can_reach(path: Path, *, execute: bool = False) -> bool:
    """Whether an account that owns nothing here may walk to `path` (and run it, for a file)."""
    path = path.resolve()
    if any(not parent.stat().st_mode & stat.S_IXOTH for parent in path.parents):
        return False
    wanted = stat.S_IROTH | stat.S_IXOTH if execute or path.is_dir() else stat.S_IROTH
    return path.stat().st_mode & wanted == wanted


def process_runs(pid: int, name: str) -> bool:
    """Whether `pid` lives, is no zombie, and its command line contains `name` (pids are reused)."""
    try:
        cmdline = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return not Path("/proc").is_dir()
    return name.encode() in cmdline


def recorded_pid(path: Path, name: str) -> int | None:
    """The pid in a file, if that process still runs as `name`."""
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if process_runs(pid, name) else None


def spawn_detached(
    command: Sequence[str], *, home: Path, name: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that outlives this process; its output and pid go to `<home>/<name>.log` and `.pid`."""
    with open(home / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd or home,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (home / f"{name}.pid").write_text(str(process.pid))
    return process


def end(pid: int, name: str, sign: signal.Signals) -> None:
    """Signal a server and wait until it is gone, with SIGKILL after START_SECONDS."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sign)
    deadline = time.monotonic() + START_SECONDS
    while process_runs(pid, name):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    # Reaps a child of this process; fails harmlessly for any other process.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
