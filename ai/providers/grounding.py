"""What an answer of Gemini is grounded on (ai.google.dev/gemini-api/docs/google-search): sources, queries, entry point.

All of it comes from web pages, so it is bounded, and texts are plain. Chunks may be missing although a search ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.html import strip_tags

from momo.core.texts import one_line, storable

MAX_SOURCES = 50
MAX_QUERIES = 20
MAX_TEXT = 300  # characters of a title or a query
MAX_URL = 2000
MAX_ENTRY_POINT = 100_000


@dataclass(frozen=True)
class Grounding:
    """`search_entry_point` is Google's HTML as it came, "" if there is none: shown in a sandboxed frame only.

    Each source has a `title` without markup and an http(s) `url`.
    """

    sources: list[dict[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    search_entry_point: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As it is stored and answered."""
        return asdict(self)


def parse_grounding(metadata: Mapping[str, Any]) -> Grounding:
    """Read `groundingMetadata`; never raises, what is of another shape is left out."""
    sources: dict[str, str] = {}
    for chunk in _rows(metadata.get("groundingChunks"), MAX_SOURCES):
        web = chunk.get("web") if isinstance(chunk, dict) else None
        if isinstance(web, dict) and (url := _web_url(web.get("uri"))):
            sources.setdefault(url, _plain(web.get("title")) or urlsplit(url).hostname or url)
    entry = metadata.get("searchEntryPoint")
    html = entry.get("renderedContent") if isinstance(entry, dict) else None
    return Grounding(
        sources=[{"title": title, "url": url} for url, title in sources.items()],
        queries=[text for query in _rows(metadata.get("webSearchQueries"), MAX_QUERIES) if (text := _plain(query))],
        search_entry_point=storable(html) if isinstance(html, str) and len(html) <= MAX_ENTRY_POINT else "",
    )


def _rows(value: Any, most: int) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def _plain(value: Any) -> str:
    return one_line(strip_tags(value[: MAX_TEXT * 4]))[:MAX_TEXT] if isinstance(value, str) else ""


def _web_url(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_URL or not value.isprintable() or " " in value:
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme in ("http", "https") and parts.hostname else ""
