"""What the stand-in knows: who may write, what it accepted, how fast it may be written to."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections import defaultdict, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TOKEN = "4242:a-token-that-no-log-may-show"
# Source: core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
OVERALL, OVERALL_SECONDS = 30, 1.0
GROUP, GROUP_SECONDS = 20, 60.0
PERSON_SECONDS = 1.0
# Clocks and networks are not exact: what comes this much too early is let through.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Accepted:
    """One message: when (seconds of the monotonic clock), where, its HTML or plain text, its number, its file."""

    time: float
    chat: str
    text: str
    message_id: int
    file: str = ""
    size: int = 0
    kind: str = "text"
    buttons: list[list[list[str]]] = field(default_factory=list)  # text and data of each, in rows
    topic: int = 0
    edits: int = 0  # the number of the message whose place it took, which stays its number


class State:
    """Accepted messages, also as lines of a file that outlives whatever dies."""

    def __init__(self, record: Path | None, *, paced: bool) -> None:
        self.accepted: list[Accepted] = []
        self.paced = paced
        self._lock = threading.Lock()
        self._numbers = 0
        self._all: deque[float] = deque()
        self._chats: dict[str, deque[float]] = defaultdict(deque)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(record, flags, 0o644) if record is not None else None

    def accept(self, chat: str, text: str, file: str = "", size: int = 0, **more: Any) -> Accepted:
        with self._lock:
            self._numbers += 1
            number = more.get("edits") or self._numbers
            one = Accepted(time.monotonic(), chat, text, number, file, size, **more)
            self.accepted.append(one)
            if self._file is not None:
                line = json.dumps(asdict(one)).encode() + b"\n"
                assert os.write(self._file, line) == len(line)
        return one

    def too_fast(self, chat: str) -> int:
        """Seconds that the bot has to wait, 0 when it keeps the pace."""
        if not self.paced:
            return 0
        now = time.monotonic()
        group = not chat.isdigit()
        most, seconds = (GROUP, GROUP_SECONDS) if group else (1, PERSON_SECONDS)
        with self._lock:
            wait = max(_wait(self._all, OVERALL, OVERALL_SECONDS, now), _wait(self._chats[chat], most, seconds, now))
            if not wait:
                self._all.append(now)
                self._chats[chat].append(now)
        return math.ceil(wait)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _wait(times: deque[float], most: int, seconds: float, now: float) -> float:
    while times and times[0] <= now - seconds + TOLERANCE:
        times.popleft()
    return 0.0 if len(times) < most else times[0] + seconds - now


def read_record(path: Path) -> list[Accepted]:
    """All acceptances, in order."""
    return [Accepted(**json.loads(line)) for line in path.read_text().splitlines()]
