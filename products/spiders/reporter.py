"""The child's side of the protocol: lines onto the pipe, and nothing else onto it."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import BinaryIO

from products.spiders.job import EndLine, ItemLine, Line, ProgressLine

PROGRESS_EVERY = 0.5
"""Seconds between two progress lines, at least."""
EXIT_UNHEARD = 3
"""Exit code of a child whose stdout nobody reads any more."""


class Reporter:
    """Writes protocol lines, one write for each batch, and keeps the counts that progress shows."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        # ASCII keeps the lines safe from every reader's idea of a line end, and is the encoder's fastest path.
        self._encode = json.JSONEncoder(separators=(",", ":")).encode
        self._started = time.monotonic()
        self._last_progress = 0.0
        self.items = 0
        self.pages = 0
        self.pages_expected = 0

    def send(self, line: Line) -> None:
        """Write one line."""
        self._write(self._encode(line))

    def send_items(self, items: list[ItemLine]) -> None:
        """Write what one page brought, as one line."""
        if items:
            self.items += len(items)
            self._write(self._encode({"type": "items", "items": items}))

    def progress(self, requests: int, *, now: bool = False) -> None:
        """Write the counts, unless the last time was less than half a second ago (or `now` is set)."""
        clock = time.monotonic()
        if now or clock - self._last_progress >= PROGRESS_EVERY:
            self._last_progress = clock
            line: ProgressLine = {
                "type": "progress",
                "requests": requests,
                "items": self.items,
                "pages": self.pages,
                "pages_expected": max(self.pages, self.pages_expected),
            }
            self.send(line)

    def end(self, requests: int, retries: int) -> None:
        """Write the last line."""
        line: EndLine = {
            "type": "end",
            "requests": requests,
            "retries": retries,
            "seconds": round(time.monotonic() - self._started, 3),
            "peak_rss_bytes": peak_rss_bytes(),
        }
        self.send(line)

    def _write(self, text: str) -> None:
        try:
            self._out.write(text.encode("ascii") + b"\n")
            self._out.flush()
        except OSError:
            # Nobody reads: the worker is gone or has closed the pipe. To crawl on would load the shop for nothing.
            os._exit(EXIT_UNHEARD)


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
