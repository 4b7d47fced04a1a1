"""The child's side of the protocol: lines onto the pipe, and nothing else onto it."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import BinaryIO

from products.spiders.protocol import EndLine, ItemLine, Line, ProgressLine, write_lines

PROGRESS_EVERY = 0.5
"""Seconds between two progress lines, at least."""
EXIT_UNHEARD = 3
"""Exit code of a child whose stdout is closed or whose parent is gone."""


class Reporter:
    """Writes protocol lines, one write for each call, and keeps the counts that progress shows."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._started = time.monotonic()
        self._last_progress = 0.0
        self.items = 0
        self.pages = 0
        self.pages_expected = 0

    def send(self, *lines: Line) -> None:
        """Write lines of one kind; none at all writes nothing."""
        if not lines:
            return
        if isinstance(lines[0], ItemLine):
            self.items += len(lines)
        try:
            self._out.write(write_lines(*lines))
            self._out.flush()
        except OSError:
            # The worker is gone or has closed the pipe: crawling on would load the shop for nothing.
            os._exit(EXIT_UNHEARD)

    def progress(self, requests: int, *, now: bool = False) -> None:
        """Write the counts, unless the last time was less than PROGRESS_EVERY seconds ago (or `now` is set)."""
        clock = time.monotonic()
        if now or clock - self._last_progress >= PROGRESS_EVERY:
            self._last_progress = clock
            self.send(ProgressLine(requests, self.items, self.pages, max(self.pages, self.pages_expected)))

    def end(self, requests: int, retries: int) -> None:
        """Write the last line."""
        self.send(EndLine(requests, retries, round(time.monotonic() - self._started, 3), peak_rss_bytes()))


def peak_rss_bytes() -> int:
    """Return this process's peak resident memory in bytes."""
    # ru_maxrss would include the parent's size at the moment of fork, which for a Celery worker is the larger.
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
