"""Troubles the shop can be told to make, so that a crawler meets them over real HTTP.

A rule is a JSON object:

    match         which requests: any of path (shell pattern), category, product, page_from, page_to; all hold
    kind          blocked | 403 | 429 | 500 | 503 | empty | truncated | 40006 | repeat_last | slow | drop
    percent       of those requests (100); always the same ones: it depends on what is asked for and how often
                  that was asked before, never on the order in which different pages arrive
    sticky        true: the same pages fail however often they are asked for again (false)
    pages         only these pages (all)
    times         at most so many troubles in all (null: no limit)
    times_each    at most so many for one page or product (null: no limit)
    retry_after   seconds, for the header Retry-After of 429 and 503
    delay         seconds to wait before answering (1 for `slow`, else 0)
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

KINDS = frozenset({"blocked", "403", "429", "500", "503", "empty", "truncated", "40006", "repeat_last", "slow", "drop"})
_MATCHES = frozenset({"path", "category", "product", "page_from", "page_to"})
_FIELDS = frozenset({"match", "kind", "percent", "sticky", "pages", "times", "times_each", "retry_after", "delay"})


class Asked(NamedTuple):
    """What a request asks for; category and product are empty and page is 0 where there is none."""

    path: str
    category: str = ""
    page: int = 0
    product: str = ""


@dataclass(slots=True)
class Rule:
    """One rule, read and checked, with its own count of requests and troubles."""

    kind: str
    match: dict[str, Any] = field(default_factory=dict)
    percent: float = 100
    sticky: bool = False
    pages: frozenset[int] | None = None
    times: int | None = None
    times_each: int | None = None
    retry_after: int | None = None
    delay: float = 0
    made: int = 0
    asked: Counter[Asked] = field(default_factory=Counter)
    made_for: Counter[Asked] = field(default_factory=Counter)

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Rule:
        """Check a rule. ValueError names what is wrong with it."""
        if not isinstance(raw, dict):
            raise ValueError("a rule must be an object")
        match = raw.get("match") or {}
        unknown = (raw.keys() - _FIELDS) | (match.keys() - _MATCHES)
        if unknown:
            raise ValueError(f"unknown in a rule: {', '.join(sorted(unknown))}")
        kind = str(raw.get("kind", ""))
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(KINDS))}")
        pages = raw.get("pages")
        return cls(
            kind=kind,
            match=dict(match),
            percent=float(raw.get("percent", 100)),
            sticky=bool(raw.get("sticky", False)),
            pages=None if pages is None else frozenset(int(page) for page in pages),
            times=raw.get("times"),
            times_each=raw.get("times_each"),
            retry_after=raw.get("retry_after"),
            delay=float(raw.get("delay", 1 if kind == "slow" else 0)),
        )

    def strikes(self, asked: Asked) -> bool:
        """Whether this request is to fail; counts it."""
        if not self._matches(asked):
            return False
        nth = self.asked[asked]
        self.asked[asked] += 1
        if self.times is not None and self.made >= self.times:
            return False
        if self.times_each is not None and self.made_for[asked] >= self.times_each:
            return False
        key = f"{self.kind}|{asked}|{0 if self.sticky else nth}"
        # Knuth's multiplier spreads neighbouring checksums; CRC alone is linear in page numbers.
        if (zlib.crc32(key.encode()) * 2_654_435_761 >> 7) % 10_000 >= self.percent * 100:
            return False
        self.made += 1
        self.made_for[asked] += 1
        return True

    def _matches(self, asked: Asked) -> bool:
        match = self.match
        if self.pages is not None and asked.page not in self.pages:
            return False
        if "path" in match and not fnmatchcase(asked.path, match["path"]):
            return False
        if "category" in match and asked.category != str(match["category"]):
            return False
        if "product" in match and asked.product != str(match["product"]):
            return False
        if "page_from" in match and asked.page < int(match["page_from"]):
            return False
        return "page_to" not in match or 0 < asked.page <= int(match["page_to"])
