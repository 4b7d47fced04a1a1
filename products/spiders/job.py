"""The protocol between a worker and the spider's child process. Imports no Scrapy: the parent imports this alone.

In: one JSON object on stdin (`Job.to_json`), then end of file. Out: JSON lines on stdout, ASCII only:

- "items": {"items": [item, …]} — what one page brought, each an "item" line of its own kind;
- "item": one product, as a list ("source": "list") or its own page ("page") shows it;
- "absent": a known product that its category no longer lists and whose page did not bring back;
- "error": something that could not be read, for people;
- "category": how one category ended, once for each category of the job;
- "progress": counts so far, at most twice a second;
- "end": the last line. A child whose output has no "end" line has died, whatever its exit code.

`read_lines` turns a stdout into these lines, "items" already taken apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypedDict, cast
from urllib.parse import urlsplit

from products.spiders.pages import PRODUCT_ID

CategoryOutcome = Literal["complete", "empty", "partial", "blocked", "failed"]
AbsentOutcome = Literal["missing", "blocked", "error"]
Stock = Literal["in_stock", "out_of_stock"]
Source = Literal["list", "page"]


class ItemLine(TypedDict):
    """One product seen. Prices in whole New Taiwan dollars, None where not certain; `observed_at` ISO 8601, UTC."""

    type: Literal["item"]
    category: str
    product_id: str
    name: str
    brand: str
    price: int | None
    list_price: int | None
    url: str
    image_url: str
    stock: Stock
    upcoming: bool
    source: Source
    observed_at: str


class AbsentLine(TypedDict):
    """A known product that was not seen. "missing": its page says it is gone (or that we are blocked, the shop
    shows the same page); "blocked": the shop would not answer; "error": the page could not be had or read."""

    type: Literal["absent"]
    category: str
    product_id: str
    outcome: AbsentOutcome


class ErrorLine(TypedDict):
    """One thing that could not be had or read; `message` is for people (Traditional Chinese)."""

    type: Literal["error"]
    category: str
    url: str
    kind: str
    message: str
    product_id: str | None
    value: str | None


class CategoryLine(TypedDict):
    """How one category ended. `pages` read, `max_page` and `total` (goods) as the shop says (0: it does not say),
    `seen` unique goods."""

    type: Literal["category"]
    category: str
    outcome: CategoryOutcome
    pages: int
    max_page: int
    total: int
    seen: int
    message: str


class ProgressLine(TypedDict):
    """Counts so far; `pages_expected` grows as categories tell how long they are."""

    type: Literal["progress"]
    requests: int
    items: int
    pages: int
    pages_expected: int


class EndLine(TypedDict):
    """The last line: requests sent (retries among them), retries, seconds, and the child's peak memory in bytes."""

    type: Literal["end"]
    requests: int
    retries: int
    seconds: float
    peak_rss_bytes: int


Line = ItemLine | AbsentLine | ErrorLine | CategoryLine | ProgressLine | EndLine


class JobError(ValueError):
    """A job that cannot be run; the text names the field."""


class ProtocolError(ValueError):
    """A line on the child's stdout that is not of this protocol."""


@dataclass(slots=True, frozen=True)
class CategoryJob:
    """One category to walk. `known` are the products now on sale whose home is this category.

    A known id that is no goods code is never asked for; it is told as absent ("error") when it would have been.
    """

    code: str
    level: str = "3"
    known: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Job:
    """What one child is to crawl, and how politely.

    Seconds: `delay` between requests, `timeout` of one request, `retry_after_cap` (the longest Retry-After that is
    waited out), `backoff` (the first wait after a failure, doubled each time). `max_missing_percent` and
    `min_missing` bound how many unlisted products are asked for one by one.
    """

    shop_url: str
    user_agent: str
    categories: tuple[CategoryJob, ...] = field(default=())
    concurrency: int = 2
    delay: float = 0.5
    autothrottle: bool = True
    timeout: float = 30.0
    robots: bool = True
    page_size: int = 35
    max_pages: int = 200
    max_missing_percent: float = 20.0
    min_missing: int = 3
    retry_times: int = 3
    retry_after_cap: float = 120.0
    backoff: float = 1.0

    def to_json(self) -> bytes:
        """Return the job as the child reads it from stdin."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Job:
        """Read and check a job. Raises `JobError`; a key that is not known is an error, lest a setting go unheard."""
        try:
            data = json.loads(raw)
        except ValueError as error:
            raise JobError("the job is not JSON") from error
        if not isinstance(data, dict):
            raise JobError("the job is not an object")
        unknown = data.keys() - {each.name for each in fields(cls)}
        if unknown:
            raise JobError(f"unknown keys: {', '.join(sorted(unknown))}")
        for required in ("shop_url", "user_agent"):
            if not isinstance(data.get(required), str) or not data[required].strip():
                raise JobError(f"{required} is missing")
        parts = urlsplit(data["shop_url"])
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise JobError("shop_url is not an http(s) address")
        data["shop_url"] = data["shop_url"].rstrip("/")
        if "\n" in data["user_agent"] or "\r" in data["user_agent"]:
            raise JobError("user_agent holds a line break")
        for name, least, most in _BOUNDS:
            if name in data:
                _check_number(data, name, least, most)
        for name in ("autothrottle", "robots"):
            if not isinstance(data.get(name, True), bool):
                raise JobError(f"{name} is not true or false")
        listed = data.get("categories", [])
        if not isinstance(listed, list):
            raise JobError("categories is not a list")
        data["categories"] = tuple(_category(each) for each in listed)
        if len({each.code for each in data["categories"]}) != len(listed):
            raise JobError("a category is named twice")
        return cls(**data)


_WHOLE = {"concurrency", "page_size", "max_pages", "min_missing", "retry_times"}
_BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("concurrency", 1, 64),
    ("delay", 0, 3600),
    ("timeout", 0.05, 3600),
    ("page_size", 1, 1000),
    ("max_pages", 1, 10_000),
    ("max_missing_percent", 0, 100),
    ("min_missing", 0, 1_000_000),
    ("retry_times", 0, 20),
    ("retry_after_cap", 0, 86_400),
    ("backoff", 0, 3600),
)


def _check_number(data: dict[str, Any], name: str, least: float, most: float) -> None:
    value = data[name]
    kinds = (int,) if name in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        raise JobError(f"{name} is not a number from {least:g} to {most:g}")


def _category(raw: object) -> CategoryJob:
    if not isinstance(raw, dict) or raw.keys() - {"code", "level", "known"}:
        raise JobError("a category is not an object of code, level, known")
    code, level, known = str(raw.get("code", "")), str(raw.get("level", "3")), raw.get("known", [])
    if not PRODUCT_ID.fullmatch(code):
        raise JobError(f"category code {code[:30]!r} is not of letters and digits")
    if not level.isascii() or not level.isdigit():
        raise JobError(f"level of category {code} is not a number")
    if not isinstance(known, list) or not all(isinstance(each, str) for each in known):
        raise JobError(f"known of category {code} is not a list of texts")
    return CategoryJob(code, level, tuple(known))


def read_lines(stdout: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of a child's stdout as they come, "items" taken apart. Raises `ProtocolError`."""
    for raw in stdout:
        try:
            line = json.loads(raw)
            kind = line["type"]
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError(f"not a line of the spider's protocol: {raw[:120]!r}") from error
        if kind == "items":
            yield from cast(list[ItemLine], line["items"])
        else:
            yield cast(Line, line)
