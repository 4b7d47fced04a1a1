"""A stand-in for mybest, @cosme and YouTube: pages of the shapes of 2026, each as good or bad as scripted.

One server is all three: their paths differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from momo.local.http import Answer, HttpStandIn, Request, json_answer

ALLOW = b"User-agent: *\nAllow: /\n"


class TrendSites(HttpStandIn):
    """Answers by path and query; `pages` is path (with its query, if it matters) → answer."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Answer] = {"/robots.txt": Answer(ALLOW)}
        self.videos: dict[str, list[dict[str, Any]]] = {}  # what is searched for → rows of videos.list
        self.refusals: list[Answer] = []  # of YouTube, given first

    def page(self, path: str, body: bytes | str, status: int = 200) -> None:
        """Script a page."""
        raw = body if isinstance(body, bytes) else body.encode()
        self.pages[path] = Answer(raw, status, {"Content-Type": "text/html; charset=utf-8"})

    def asked(self, path: str) -> list[Request]:
        """The requests of a path."""
        with self.lock:
            return [request for request in self.requests if request.path == path]

    def respond(self, request: Request) -> Answer:
        """Answer as scripted; 404 for anything else."""
        if request.path.startswith("/youtube/v3/"):
            return self._youtube(request)
        query = "&".join(f"{name}={value}" for name, value in request.params.items())
        whole = f"{request.path}?{query}" if query else request.path
        return self.pages.get(whole) or self.pages.get(request.path) or Answer(b"<h1>404</h1>", 404)

    def _youtube(self, request: Request) -> Answer:
        with self.lock:
            if self.refusals:
                return self.refusals.pop(0)
        params = request.params
        if request.parts[-1] == "search":
            rows = self.videos.get(params["q"], [])[: int(params["maxResults"])]
            found = [{"id": {"kind": "youtube#video", "videoId": row["id"]}, "snippet": {}} for row in rows]
            return json_answer({"kind": "youtube#searchListResponse", "items": found})
        wanted = params["id"].split(",")
        known = {row["id"]: row for rows in self.videos.values() for row in rows if not row.get("gone")}
        return json_answer({"items": [known[video] for video in reversed(wanted) if video in known]})


def refusal(code: int, reason: str, message: str = "refused") -> Answer:
    """An error of YouTube's API."""
    errors = [{"domain": "youtube.quota", "reason": reason, "message": message}]
    return json_answer({"error": {"code": code, "message": message, "errors": errors}}, code)


def video(number: int, **statistics: str) -> dict[str, Any]:
    """A row of videos.list; counts are texts."""
    return {
        "id": f"-vid_{number:03}",
        "snippet": {
            "title": f"開箱 {number} A&B",
            "channelTitle": "測試頻道",
            "publishedAt": "2026-11-20T12:00:00Z",
            "thumbnails": {"medium": {"url": f"https://i.ytimg.com/vi/{number}/mqdefault.jpg"}},
        },
        "statistics": statistics,
        "contentDetails": {"duration": "PT9M"},
    }


def mybest_entry(position: Any, name: str | None, **item: Any) -> dict[str, Any]:
    """An entry of mybest's ranking."""
    given = {"@type": "Product", **({"name": name} if name is not None else {}), **item}
    return {"@type": "ListItem", "position": position, "item": given}


def mybest(entries: Sequence[Any], headline: str = "十大化妝水人氣排行榜", kind: str = "Article") -> str:
    """An article of mybest."""
    article = {
        "@context": "https://schema.org",
        "@type": kind,
        "headline": headline,
        "mainEntity": [{"@type": "ItemList", "itemListElement": list(entries)}],
    }
    trail = {"@type": "BreadcrumbList", "itemListElement": [{"position": 2, "item": {"name": "美妝保養"}}]}
    scripts = "".join(
        f'<script type="application/ld+json">{json.dumps(each, ensure_ascii=False)}</script>'
        for each in ("not an object", trail, article)
    )
    return f"<!DOCTYPE html><html><head><title>mybest</title>{scripts}</head><body><h1>{headline}</h1></body></html>"


def cosme(goods: Sequence[tuple[str, str, str]], title: str = "化妝水排行榜 - @cosme TAIWAN") -> str:
    """A page of a ranking of @cosme: brand, name and score of each; "" leaves one out."""
    cards = []
    for number, (brand, name, score) in enumerate(goods, 1):
        brand_link = f'<a class="uc-main-link" href="/brands/{number}">{brand}</a>' if brand else ""
        points = f'<div class="product-score"><span class="score-number">{score}</span></div>' if score else ""
        cards.append(
            f'<div class="product-card"><div class="brand-name">{brand_link}</div><div class="product-name">'
            f'<a class="uc-minor-link single-dot" href="/products/{number}">{name}</a></div>{points}</div>'
        )
    return f"<html><head><title>{title}</title></head><body><div>{''.join(cards)}</div></body></html>"


def cosme_new(names: Sequence[str]) -> str:
    """A page of new goods of @cosme."""
    cards = "".join(
        f'<a href="/products/{n}"><p class="title-product-name">{name}</p></a>' for n, name in enumerate(names)
    )
    return f"<html><head><title>新品</title></head><body>{cards}</body></html>"
