"""A spider in a process of its own, since Twisted's reactor starts once in a process; see `products.spiders.child`."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Self

from django.conf import settings


class Child:
    """`python -m module` with a job on its stdin; killed when the `with` block ends."""

    def __init__(self, module: str, job: bytes) -> None:
        self._command = [sys.executable, "-m", module]
        self._job = job
        self._log: deque[bytes] = deque(maxlen=20)

    def __enter__(self) -> Self:
        self._process = process = subprocess.Popen(
            self._command,
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(self._job)
        except BaseException:
            self.__exit__()
            raise
        self._logger = threading.Thread(target=self._log.extend, args=(process.stderr,), daemon=True)
        self._logger.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def lines(self, *, every: float) -> Iterator[bytes]:
        """Yield the child's lines until it closes its stdout, and b"" after each `every` seconds without one."""
        lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

        def read() -> None:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=every)
            except queue.Empty:
                line = b""
            if line is None:
                return
            yield line

    def ended_early(self) -> str:
        """What to say of a child that has closed its stdout without its last line: its exit code and end of its log."""
        self._process.wait(timeout=30)
        self._logger.join(timeout=5)
        tail = b"".join(self._log).decode(errors="replace").strip()[-1500:]
        return f"讀取程式提早結束（代碼 {self._process.returncode}）{tail}"
