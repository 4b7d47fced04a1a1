"""What a worker and the child process with the spider of trends say to each other; imports neither Django nor Scrapy.

In: one JSON object on stdin (`TrendJob`). Out: a JSON array a line, which names its kind and then the fields of that
class. `EndLine` is the last: a child whose output has none has died.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from products.spiders.protocol import JobError

# What may name a list of each site: it becomes part of an address.
KEYS: Mapping[str, re.Pattern[str]] = {
    "mybest": re.compile(r"[0-9]{1,10}"),
    "cosme": re.compile(r"[0-9]{1,10}|newhot-(?:[0-9]|1[0-2])"),
}


class ListLine(NamedTuple):
    """A list that was read whole; `items` are those of `ai.spiders.pages.TrendItem.as_dict`."""

    key: str
    title: str
    items: list[dict[str, Any]]


class FailedLine(NamedTuple):
    """A list that could not be read, and why (Traditional Chinese)."""

    key: str
    message: str


class EndLine(NamedTuple):
    """The last line; how many requests were sent."""

    requests: int


Line = ListLine | FailedLine | EndLine
_LINES: Mapping[str, type[Line]] = {each.__name__: each for each in (ListLine, FailedLine, EndLine)}


def write_line(line: Line) -> bytes:
    """A line of the wire, ASCII only."""
    return json.dumps([type(line).__name__, *line]).encode() + b"\n"


def read_line(raw: bytes) -> Line:
    """A line of the child's stdout. Raises ValueError."""
    try:
        kind, *values = json.loads(raw)
        return _LINES[kind](*values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a line of this protocol: {raw[:120]!r}") from error


@dataclass(slots=True, frozen=True)
class TrendJob:
    """Which lists of a site are to be read, with `limit` entries each, and how politely (seconds)."""

    source: str
    site: str
    keys: tuple[str, ...]
    limit: int
    user_agent: str
    delay: float
    timeout: float
    autothrottle: bool = True
    robots: bool = True
    concurrency: int = 1
    retry_times: int = 3
    retry_after_cap: float = 120.0
    backoff: float = 1.0

    def to_json(self) -> bytes:
        """The job as the child reads it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> TrendJob:
        """Read a job. Raises JobError."""
        try:
            data = json.loads(raw)
            job = cls(**{**data, "keys": tuple(data["keys"])})
            pattern = KEYS[job.source]
            wrong = [key for key in job.keys if not pattern.fullmatch(key)]
        except (ValueError, TypeError, KeyError) as error:
            raise JobError(str(error)) from error
        if wrong or not job.site.startswith(("http://", "https://")):
            raise JobError(f"not a list of {job.source}: {wrong[:3]!r} at {job.site!r}")
        return job
