"""The walk over one category: which page is next, and how the walk ended. Pure: no network, no Scrapy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from products.spiders.pages import CategoryPage
from products.spiders.protocol import CategoryJob, CategoryLine, CategoryOutcome

# Goods come and go while the pages are read: this share of the total may go unseen in a complete walk.
TOLERANCE_PERCENT = 2
# Entries that were read, but name goods twice or no goods at all, leave that many fewer goods: this share of the total,
# or that many. What they hide is looked up like everything that is not listed.
ODD_PERCENT = 10
ODD_ENTRIES = 2
# After this many failed pages in a row the walk stops.
MAX_FAILED_PAGES = 3


class Trouble(Exception):
    """A page that could not be fetched, or is not the one asked for; `value` is what it is instead.

    `message` is shown to users; `outcome` is the category's if it is page 1.
    """

    def __init__(
        self, kind: str, outcome: Literal["blocked", "failed"], message: str, *, value: str | None = None
    ) -> None:
        self.kind = kind
        self.outcome: Literal["blocked", "failed"] = outcome
        self.message = message
        self.value = value
        super().__init__(message)


@dataclass(slots=True)
class LookUps:
    """What the own pages of goods said that a category no longer lists.

    `elsewhere` led to another page, for example the front page: that page answers, but not for the goods asked for.
    """

    unseen: int = 0
    asked: int = 0
    alive: int = 0
    missing: int = 0
    elsewhere: int = 0
    failed: int = 0
    blocked: str = ""  # why the shop refused

    @property
    def need_control(self) -> bool:
        """Whether the answers prove something only if product pages open at all."""
        return not self.blocked and self.alive < self.asked

    def pages_answer(self, control: bool | None) -> bool | None:
        """Whether to believe them; `control` is whether pages of goods on sale opened, None if there were none."""
        if self.blocked or (self.failed >= MAX_FAILED_PAGES and self.failed * 2 > self.asked):
            return False
        return control if self.need_control else None

    def note(self, control: bool | None) -> str:
        """One sentence for users, `control` as above; "" when nothing was to be asked."""
        if not self.unseen:
            return ""
        text = f"逐一查詢了 {self.asked} 件沒有列出的商品"
        if self.unseen > self.asked:
            text += f"（共 {self.unseen} 件，其餘輪到下次）"
        if self.blocked:
            text += f"，商品頁：{self.blocked}"
        elif self.pages_answer(control) is False:
            text += f"，{self.failed} 件讀不到，{self.missing} 件說沒有"
            text += "，但販售中商品的頁面也打不開" if control is False else ""
        return text


@dataclass(slots=True)
class Walk:
    """One category's walk: takes pages and troubles, returns the next page number, then the outcome."""

    job: CategoryJob
    page_size: int
    max_pages: int
    seen: set[str] = field(default_factory=set)
    entries: int = 0
    pages: int = 0
    max_page: int = 0
    total: int = 0
    stated_empty: bool = False
    next_page: int = 1
    stopped: bool = False
    repeat: str = ""
    failed: list[tuple[int, Trouble]] = field(default_factory=list)
    look_ups: LookUps = field(default_factory=LookUps)
    _failed_in_a_row: int = 0
    _contents: dict[frozenset[str], int] = field(default_factory=dict)

    @property
    def last_page(self) -> int:
        """The last page to read: the shop's, within the job's bound."""
        return min(max(1, self._all_pages), self.max_pages)

    @property
    def _all_pages(self) -> int:
        """How many pages the shop states, or its total implies."""
        return self.max_page or -(-self.total // self.page_size)

    def take_page(self) -> int | None:
        """Return the number of the next page to read, or None when there is none left or the walk has stopped."""
        if self.stopped or self.next_page > self.last_page:
            return None
        self.next_page += 1
        return self.next_page - 1

    def read(self, number: int, page: CategoryPage) -> None:
        """Take in a page that was read; a repeated or an empty one ends the walk."""
        self.pages += 1
        self._failed_in_a_row = 0
        self.max_page = max(self.max_page, page.max_page)
        self.total = max(self.total, page.total)
        codes = {item.product_id for item in page.items}
        # Entries dropped for want of a name are on the list all the same: they are not missing.
        codes.update(problem.product_id for problem in page.problems if problem.product_id)
        self.seen |= codes
        self.entries += len(page.items) + sum(problem.kind == "item" for problem in page.problems)
        if not codes:
            self.stopped = True
            self.stated_empty = page.empty
            self.repeat = f"第 {number} 頁沒有商品"
            return
        content = frozenset(codes)
        other = self._contents.setdefault(content, number)
        if other != number:
            self.stopped = True
            self.repeat = f"第 {max(number, other)} 頁與第 {min(number, other)} 頁的商品相同"

    def fail(self, number: int, trouble: Trouble) -> None:
        """Take in a page that could not be read; a block, or several failures in a row, ends the walk."""
        self.failed.append((number, trouble))
        self._failed_in_a_row += 1
        if number == 1 or trouble.outcome == "blocked" or self._failed_in_a_row >= MAX_FAILED_PAGES:
            self.stopped = True

    def outcome(self) -> tuple[CategoryOutcome, str]:
        """Return how the walk ended and the reason shown to users."""
        for number, trouble in self.failed:
            if trouble.outcome == "blocked":
                return "blocked", f"第 {number} 頁：{trouble.message}"
        if self.failed:
            number, trouble = self.failed[0]
            more = f"（另有 {len(self.failed) - 1} 頁讀不到）" if len(self.failed) > 1 else ""
            return ("failed" if self.pages == 0 else "partial"), f"第 {number} 頁：{trouble.message}{more}"
        if not self.seen and self.pages == 1:
            if self.stated_empty:
                return "empty", "這個分類沒有商品"
            return "partial", f"第 1 頁沒有可辨識的商品，但網站說有 {self.total} 件"
        return self._complete_or_partial()

    def _complete_or_partial(self) -> tuple[CategoryOutcome, str]:
        seen = len(self.seen)
        if self.repeat:
            # Nothing is lost by a list that repeats itself after all its goods have been shown.
            if 0 < self.total <= seen:
                return "complete", f"共 {seen} 件；{self.repeat}"
            return "partial", f"{self.repeat}；網站說有 {self.total} 件，只看到 {seen} 件"
        if self._all_pages > self.max_pages:
            reason = f"分類有 {self._all_pages} 頁，只讀到上限第 {self.max_pages} 頁"
            return "partial", f"{reason}；請調高設定 CRAWL_MAX_PAGES，或改用它的下層分類"
        if self.total <= 0:
            return "partial", f"網站沒有說總件數，無法確認是否讀完（看到 {seen} 件）"
        odd = max(ODD_ENTRIES, self.total * ODD_PERCENT // 100)
        if self.entries * 100 < self.total * (100 - TOLERANCE_PERCENT) or seen + odd < self.total:
            return "partial", f"讀完 {self.pages} 頁，網站說有 {self.total} 件，只看到 {seen} 件"
        return "complete", f"共 {seen} 件"

    def line(self, control: bool | None = None) -> CategoryLine:
        """Return the category's protocol line; `control` as in `LookUps.pages_answer`."""
        outcome, message = self.outcome()
        note = self.look_ups.note(control)
        return CategoryLine(
            self.job.code,
            outcome,
            pages=self.pages,
            max_page=self.max_page,
            total=self.total,
            seen=len(self.seen),
            message=f"{message}；{note}" if note else message,
            pages_answer=self.look_ups.pages_answer(control),
        )
