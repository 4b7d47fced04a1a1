"""The spider of mybest and @cosme: one list after the other, each read whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, BinaryIO

from scrapy import Request
from scrapy.http import Response

from ai.spiders.pages import ListError, TrendItem, TrendPage, parse_cosme_new, parse_cosme_ranking, parse_mybest
from ai.spiders.protocol import EndLine, FailedLine, Line, ListLine, TrendJob, write_line
from products.spiders.polite import PoliteSpider
from products.spiders.walk import Trouble

logger = logging.getLogger(__name__)
MAX_PAGES = 10  # of one list
# After so many lists in a row that the site refused, the others are not asked for.
MAX_REFUSED = 2


class TrendSpider(PoliteSpider):
    """Runs one job; writes a line for each list."""

    name = "trends"

    def __init__(self, job: TrendJob, out: BinaryIO, **kwargs: Any) -> None:
        super().__init__(job, out, **kwargs)
        self.job: TrendJob = job
        self._out = out

    async def start(self) -> AsyncIterator[Any]:
        """Crawl, within Scrapy's start phase: the engine stays open until it ends."""
        refused, why = 0, ""
        for key in self.job.keys:
            if refused >= MAX_REFUSED:
                self._send(FailedLine(key, f"{why}；網站連續拒絕，這個清單沒有再詢問"))
                continue
            try:
                page = await self._list(key)
            except Trouble as trouble:
                # robots.txt has a rule for each path, and to look costs the site nothing.
                blocked = trouble.outcome == "blocked" and trouble.kind != "robots"
                refused, why = (refused + 1, trouble.message) if blocked else (0, "")
                self._send(FailedLine(key, trouble.message))
            except ListError as error:
                refused = 0
                self._send(FailedLine(key, str(error)))
            else:
                refused = 0
                items = page.items[: self.job.limit]
                self._send(ListLine(key, page.title, [item.as_dict() for item in items]))
        self.finished = True
        return
        yield  # Scrapy requires an asynchronous generator; this one yields nothing

    def end(self) -> None:
        """Write the last line."""
        self._send(EndLine(self.traffic.requests))

    async def _list(self, key: str) -> TrendPage:
        """Raises Trouble for what the site does not give, ListError for what is not the list."""
        if self.job.source == "mybest":
            return parse_mybest((await self._page(f"/{key}")).body)
        if key.startswith("newhot-"):
            response = await self._page(f"/newhot?mindex={key.removeprefix('newhot-')}")
            return parse_cosme_new(response.body, response.url)
        return await self._ranking(key)

    async def _ranking(self, key: str) -> TrendPage:
        """Pages of a ranking of @cosme up to the limit. It ends with a page that has nothing new, or is not there."""
        title, found = "", dict[tuple[str, str, str], TrendItem]()
        for number in range(1, MAX_PAGES + 1):
            try:
                response = await self._page(f"/tags/{key}/ranking?period=6&page={number}")
                page = parse_cosme_ranking(response.body, response.url)
            except (Trouble, ListError) as error:
                if number > 1 and (isinstance(error, ListError) or error.kind == "gone"):
                    break
                raise
            title = title or page.title
            before = len(found)
            for item in page.items:
                found.setdefault((item.brand, item.name, item.url), item)
            if len(found) == before or len(found) >= self.job.limit:
                break
        return TrendPage(title, [replace(item, rank=rank) for rank, item in enumerate(found.values(), start=1)])

    async def _page(self, path: str) -> Response:
        return await self.ask(Request(self.job.site + path))

    def _send(self, line: Line) -> None:
        self._out.write(write_line(line))
        self._out.flush()
