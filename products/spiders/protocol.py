"""The wire protocol between a worker and the spider's child process: the one definition that both ends use.

In: one JSON object on stdin (`Job`), then end of file. Out: JSON lines on stdout, ASCII only. A line holds one row or
more of one kind: `["ItemLine", [values], [values]]`, the values in the order of that class's fields. `EndLine` is the
last line: a child whose output has none has died, whatever its exit code.

Imports neither Django nor Scrapy: worker and child both load this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from products.spiders.pages import PRODUCT_ID

CategoryOutcome = Literal["complete", "empty", "partial", "blocked", "failed"]
AbsentOutcome = Literal["missing", "blocked", "error"]
Source = Literal["list", "page"]


class ItemLine(NamedTuple):
    """One product as a list or its own page (`source`) shows it.

    Prices are whole New Taiwan dollars, None where not certain; `observed_at` is ISO 8601 in UTC.
    """

    category: str
    product_id: str
    name: str
    brand: str
    price: int | None
    list_price: int | None
    url: str
    image_url: str
    in_stock: bool
    upcoming: bool
    source: Source
    observed_at: str


class AbsentLine(NamedTuple):
    """A known product that its category no longer lists, and that its own page did not bring back.

    "missing": the page shows it as gone (or that this client is blocked, the shop shows the same page); "blocked": the
    shop would not answer; "error": the page could not be fetched or read.
    """

    category: str
    product_id: str
    outcome: AbsentOutcome


class ErrorLine(NamedTuple):
    """One thing that could not be fetched or read; `message` is shown to users (Traditional Chinese)."""

    category: str
    url: str
    kind: str
    message: str
    product_id: str | None = None
    value: str | None = None


class CategoryLine(NamedTuple):
    """How one category ended, once for each category of the job.

    `pages` read, `max_page` and `total` (goods) as the shop states them (0: it does not), `seen` unique goods.
    `pages_answer`: whether pages of goods that are surely on sale opened, so that a page which says "missing" proves
    something; None where nobody asked.
    """

    category: str
    outcome: CategoryOutcome
    pages: int
    max_page: int
    total: int
    seen: int
    message: str
    pages_answer: bool | None = None


class ProgressLine(NamedTuple):
    """Counts so far, at most twice a second; `pages_expected` grows as categories report their length."""

    requests: int
    items: int
    pages: int
    pages_expected: int


class EndLine(NamedTuple):
    """The last line: requests sent (retries among them), retries, seconds, and the child's peak memory in bytes."""

    requests: int
    retries: int
    seconds: float
    peak_rss_bytes: int


Line = ItemLine | AbsentLine | ErrorLine | CategoryLine | ProgressLine | EndLine
_LINES = {each.__name__: each for each in (ItemLine, AbsentLine, ErrorLine, CategoryLine, ProgressLine, EndLine)}
# ASCII keeps the lines safe from every reader's idea of a line end, and is the encoder's fastest path.
_encode = json.JSONEncoder(separators=(",", ":")).encode


class JobError(ValueError):
    """A job that cannot be run; the text names the field."""


class ProtocolError(ValueError):
    """A line on the child's stdout that is not of this protocol."""


def write_lines(*lines: Line) -> bytes:
    """Return lines of one kind (at least one) as one line of the wire."""
    return _encode([type(lines[0]).__name__, *lines]).encode("ascii") + b"\n"


def read_lines(stdout: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of a child's stdout as they come. Raises `ProtocolError`."""
    for raw in stdout:
        try:
            kind, *rows = json.loads(raw)
            lines: list[Line] = [_LINES[kind](*row) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError(f"not a line of the spider's protocol: {raw[:120]!r}") from error
        yield from lines


@dataclass(slots=True, frozen=True)
class CategoryJob:
    """One category to walk. `known` are the products now on sale whose home is this category, the next to ask first.

    A known id that is no goods code is never requested; it is reported as absent ("error") instead.
    """

    code: str
    level: str = "3"
    known: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Job:
    """What one child is to crawl, and how politely.

    Seconds: `delay` between requests, `timeout` of one request, `retry_after_cap` (the longest Retry-After that is
    waited out), `backoff` (the first wait after a failure, doubled each time). `max_lookups` bounds how
    many products that a category no longer lists are looked up one by one. `controls` are goods of other categories
    that were on sale lately: their pages show whether product pages open at all.
    """

    shop_url: str
    user_agent: str
    categories: tuple[CategoryJob, ...] = ()
    concurrency: int = 2
    delay: float = 0.5
    autothrottle: bool = True
    timeout: float = 30.0
    robots: bool = True
    page_size: int = 35
    max_pages: int = 200
    max_lookups: int = 50
    controls: tuple[str, ...] = ()
    retry_times: int = 3
    retry_after_cap: float = 120.0
    backoff: float = 1.0

    @property
    def site(self) -> str:
        """The address of the host that is asked."""
        return self.shop_url

    def to_json(self) -> bytes:
        """Return the job as the child reads it from stdin."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Job:
        """Read and check a job. Raises `JobError`; an unknown key is an error, so that no setting is ignored."""
        try:
            data = json.loads(raw)
        except ValueError as error:
            raise JobError("the job is not JSON") from error
        if not isinstance(data, dict):
            raise JobError("the job is not an object")
        listed = data.pop("categories", [])
        if not isinstance(listed, list):
            raise JobError("categories is not a list")
        controls = data.pop("controls", [])
        if not isinstance(controls, list) or not all(isinstance(each, str) for each in controls):
            raise JobError("controls is not a list of texts")
        try:
            job = cls(categories=tuple(map(_category, listed)), controls=tuple(controls), **data)
        except TypeError as error:  # a key that is missing or unknown; Python's text names it
            raise JobError(str(error)) from error
        job._check()
        return replace(job, shop_url=job.shop_url.rstrip("/"))

    def _check(self) -> None:
        if len({each.code for each in self.categories}) != len(self.categories):
            raise JobError("a category is named twice")
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type in _TYPES and type(value) not in _TYPES[each.type]:
                raise JobError(f"{each.name} is not a {each.type}")
            if each.name in _BOUNDS and not _BOUNDS[each.name][0] <= value <= _BOUNDS[each.name][1]:
                raise JobError(f"{each.name} is not a number from {_BOUNDS[each.name][0]} to {_BOUNDS[each.name][1]}")
        parts = urlsplit(self.shop_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise JobError("shop_url is not an http(s) address")
        if not self.user_agent.strip() or "\n" in self.user_agent or "\r" in self.user_agent:
            raise JobError("user_agent is empty or holds a line break")


# Annotations are texts here; a bool is no int of a job.
_TYPES: dict[object, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}
_BOUNDS = {
    "concurrency": (1, 64),
    "delay": (0, 3600),
    "timeout": (0.05, 3600),
    "page_size": (1, 1000),
    "max_pages": (1, 100_000),
    "max_lookups": (0, 100_000),
    "retry_times": (0, 20),
    "retry_after_cap": (0, 86_400),
    "backoff": (0, 3600),
}


def _category(raw: object) -> CategoryJob:
    if not isinstance(raw, dict) or raw.keys() - {"code", "level", "known"}:
        raise JobError("a category is not an object of code, level, known")
    code, level, known = str(raw.get("code", "")), str(raw.get("level", "3")), raw.get("known", [])
    if not PRODUCT_ID.fullmatch(code):
        raise JobError(f"category code {code[:30]!r} is not of ASCII letters and digits")
    if not level.isascii() or not level.isdigit():
        raise JobError(f"level of category {code} is not a number")
    if not isinstance(known, list) or not all(isinstance(each, str) for each in known):
        raise JobError(f"known of category {code} is not a list of texts")
    return CategoryJob(code, level, tuple(known))
