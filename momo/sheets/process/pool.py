"""Asks the server of reading processes, and turns their deaths into sentences for the user.

Own code is needed since workers of Celery may not start processes of `multiprocessing` (they are daemons themselves),
and since its fork server leaves processes behind whose asker was killed, and bounds nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from momo.sheets.errors import SheetError
from momo.sheets.formats.base import MEBIBYTE
from momo.sheets.process.server import STATUS
from momo.sheets.process.work import EXIT_MEMORY, End, Failed, Request

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = 2  # files that one process of the web or of Celery has read at a time, each within its bounds
TRIES = 2  # a file whose process is killed from outside is read again; one that kills its process twice is refused
GRACE = 5.0  # seconds beyond the deadline until a process that does not even end is given up
MAX_PART = 64 * MEBIBYTE
# What reading needs of the environment. Secrets and addresses of servers are not in reach of a hostile file.
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_KEPT_STARTS = ("LC_", "PYTHON")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Bounds:
    """What reading one file may take: MiB of memory, and seconds."""

    memory_mib: int
    seconds: float


class ReadingFailed(RuntimeError):
    """A fault of our own in the reading process; the text is its traceback."""


class _Died(RuntimeError):
    """The process ended without a result, by none of its bounds."""


class Pool:
    """The reading processes of this process, on one server that is started when first needed.

    A process that was forked from this one starts a server of its own.
    """

    def __init__(self) -> None:
        self.peak = 0  # bytes that a reading process had at most
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def warm(self) -> None:
        """Start the server, so that the first file need not wait half a second for it."""
        with self._lock:
            self._ensure_server()

    def read(
        self,
        task: str,
        arguments: Mapping[str, Any],
        *,
        name: str,
        bounds: Bounds,
        collect: Callable[[Iterator[Any]], Result],
    ) -> Result:
        """Do a task of `work` in a process of its own; return what `collect` makes of the parts of its result.

        `name` is the user's name of the file. Raises SheetError for the file's faults, and when reading takes more than
        `bounds` or its process dies twice; ReadingFailed for a fault of our own.
        """
        if not self._free.acquire(timeout=bounds.seconds):
            raise SheetError("系統正忙著讀取其他檔案；請過一會兒再試一次。")
        try:
            for _ in range(TRIES):
                try:
                    with contextlib.closing(self._parts(task, arguments, name, bounds)) as parts:
                        return collect(parts)
                except _Died as death:
                    logger.warning("the process that reads a file ended: %s", death)
            raise SheetError(
                f"讀取「{name}」的程式 {TRIES} 次都意外結束；請用 Excel 開啟後另存成 .xlsx 再匯入，"
                "若仍失敗請通知系統管理員。"
            )
        finally:
            self._free.release()

    def close(self) -> None:
        """End the server and what it runs."""
        with self._lock:
            self._stop_server()

    # Parts

    def _parts(self, task: str, arguments: Mapping[str, Any], name: str, bounds: Bounds) -> Generator[Any, None, None]:
        request = Request(task, arguments, memory=bounds.memory_mib * MEBIBYTE, seconds=bounds.seconds)
        deadline = time.monotonic() + bounds.seconds + GRACE
        connection, status = self._ask()
        received = 0
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(request)
            while True:
                if not connection.poll(max(0.0, deadline - time.monotonic())):
                    raise _too_slow(name, bounds)
                try:
                    data = connection.recv_bytes(MAX_PART)
                except (EOFError, OSError) as error:
                    raise _death(_exit_code(status), name, bounds) from error
                received += len(data)
                part = _Unpickler(io.BytesIO(data)).load()
                if isinstance(part, End):
                    self.peak = max(self.peak, part.peak)
                    return
                if isinstance(part, SheetError):
                    raise part
                if isinstance(part, Failed):
                    raise ReadingFailed(part.traceback)
                if received > bounds.memory_mib * MEBIBYTE // 2:  # this process keeps it
                    raise _too_large(name, bounds)
                yield part
        finally:
            # The server kills a process that has not ended when its socket is closed.
            connection.close()
            os.close(status)

    def _ask(self) -> tuple[Connection, int]:
        """A connection to a new process, and the pipe that gets its exit status."""
        with self._lock:
            self._ensure_server()
            try:
                return self._send()
            except (BrokenPipeError, ConnectionResetError):
                self._stop_server()  # it died since it was last looked at
                self._ensure_server()
                return self._send()

    def _send(self) -> tuple[Connection, int]:
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ended, ends = os.pipe()
            try:
                socket.send_fds(self._control, [b"r"], [theirs.fileno(), ends])
            except BaseException:
                os.close(ended)
                raise
            finally:
                os.close(ends)
            return Connection(ours.detach()), ended

    # The server

    def _forget(self) -> None:
        """Begin as a new process: the server, if there is one, belongs to the process that this one was forked from."""
        if self._control is not None:
            self._control.close()  # or that process's end would not show
        if self._process is not None:
            self._process.returncode = 0  # so that nobody waits for a child that is not ours
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._control = self._process = None

    def _ensure_server(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._stop_server()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "momo.sheets.process"],
                    cwd=ROOT,
                    env=_environment(),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                )
            except BaseException:
                ours.close()
                raise
        self._control = ours

    def _stop_server(self) -> None:
        process, control = self._process, self._control
        self._process = self._control = None
        if control is not None:
            control.close()
        if process is not None:
            try:
                process.wait(timeout=GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if name in _KEPT or name.startswith(_KEPT_STARTS)}
    # Names of the C library. A process ends with its file: it gives no memory back before, and takes more at a time.
    # Its threads share one arena, since another one grows by a page at a time.
    return kept | {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRIM_THRESHOLD_": str(1024 * MEBIBYTE),
        "MALLOC_TOP_PAD_": str(4 * MEBIBYTE),
    }


def _exit_code(status: int) -> int | None:
    """What the server says of the process's end; None if the server died too."""
    if not wait([status], GRACE):
        return None
    data = os.read(status, STATUS.size)
    return int(STATUS.unpack(data)[0]) if len(data) == STATUS.size else None


def _death(code: int | None, name: str, bounds: Bounds) -> Exception:
    if code == -signal.SIGALRM:
        return _too_slow(name, bounds)
    # Native code that cannot allocate aborts; Python reports it.
    if code in (EXIT_MEMORY, -signal.SIGABRT):
        return _too_large(name, bounds)
    return _Died("its server died" if code is None else f"exit status {code}")


def _too_slow(name: str, bounds: Bounds) -> SheetError:
    return SheetError(
        f"讀取「{name}」超過 {bounds.seconds:g} 秒還沒完成，已經停止；"
        "請只留需要的工作表和欄位，或把資料分成幾個檔案再匯入。"
    )


def _too_large(name: str, bounds: Bounds) -> SheetError:
    return SheetError(
        f"讀取「{name}」需要的記憶體超過 {bounds.memory_mib:,} MB 的上限；"
        "請只留需要的工作表和欄位，或把資料分成幾個檔案再匯入。"
    )


class _Unpickler(pickle.Unpickler):
    """Loads types of `momo.sheets`, dates and plain values only: a hostile file may have taken over its process."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("datetime", "decimal") or module == "momo.sheets" or module.startswith("momo.sheets."):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ in (module, "datetime", "decimal"):
                return found
        raise pickle.UnpicklingError(f"a part with {module}.{name}")


pool = Pool()
