"""A shop of many days, made by dice, and the diary of what a visitor saw of it: the truth that runs are compared with.

It knows nothing of the tables: who asks it for a day gets lists and pages as the spider would report them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

CRAWLED = ("1100100000", "1100200000", "1100300000")
ELSEWHERE = "1100900000"  # a category that nobody crawls
CLOSED_FROM = 60  # the third category answers that it is empty; half of its goods live on elsewhere
COLLAPSE = 130  # a third of the first category goes at once
EMPTY_DAYS = {40, 150}  # the second category answers for one day that it is empty
BLOCKED_LISTS = {20, 21, 75}  # of the first category
REFUSED_PAGES = set(range(90, 96))  # 403 for every product page
BLOCKED_PAGES = set(range(110, 114))  # the page of missing goods for every product
UNREAD_DAYS = set(range(160, 163))  # all prices of the second category


class State(StrEnum):
    LISTED = "listed"
    SOLD_OUT = "sold out"  # not listed; the page says so
    MISSING = "missing"  # not listed; the page does not know it
    ELSEWHERE = "elsewhere"  # not listed; the address leads to another page


@dataclass
class Good:
    code: str
    category: str
    price: int
    state: State = State.LISTED
    back_on: int | None = None
    unread_until: int = -1
    glitch_on: int = -1
    sale_until: int = -1
    gone_since: int | None = None

    def shown(self, day: int, dice: random.Random) -> int | None:
        """The price that the shop shows on that day, None for one that cannot be read."""
        if day <= self.unread_until:
            return None
        if day == self.glitch_on:
            return 1
        if day <= self.sale_until:
            return self.price * 3 // 10 + dice.randrange(-3, 4)
        return self.price


@dataclass
class Seen:
    """What a visit saw: goods by category on lists, on their own pages, and the pages that failed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[str, int | None]] = field(default_factory=dict)
    pages: dict[str, dict[str, int | None]] = field(default_factory=lambda: defaultdict(dict))
    missing: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    answer: dict[str, bool | None] = field(default_factory=dict)


class SimulatedShop:
    """`size` goods in each of three categories, and two hundred days of what may happen to them."""

    def __init__(self, seed: int, size: int) -> None:
        self.dice = random.Random(seed)
        self.goods = [
            Good(f"{2000000 + number}", CRAWLED[number % 3], self.dice.randrange(200, 3000))
            for number in range(size * 3)
        ]
        self.day = -1
        # What was seen of each product, by day: a price, None for an unreadable one, "missing" for none.
        self.diary: dict[str, dict[int, int | str | None]] = defaultdict(dict)

    def next_day(self) -> None:
        self.day += 1
        if self.day == 0:
            return
        if self.day == CLOSED_FROM:
            for number, good in enumerate(self._of(CRAWLED[2])):
                if number % 2:
                    good.category = ELSEWHERE
                else:
                    self._leave(good, State.MISSING, None)
        if self.day == COLLAPSE:
            for good in self._of(CRAWLED[0])[::3]:
                self._leave(good, State.MISSING, None)
        for good in self.goods:
            self._live(good)
        for _ in range(self.dice.choice((0, 0, 1))):
            number = len(self.goods)
            self.goods.append(Good(f"{2000000 + number}", CRAWLED[number % 2], self.dice.randrange(200, 3000)))

    def _of(self, category: str) -> list[Good]:
        return [good for good in self.goods if good.category == category and good.state is State.LISTED]

    def _leave(self, good: Good, state: State, days: int | None) -> None:
        good.state, good.gone_since = state, self.day
        good.back_on = None if days is None else self.day + days

    def _live(self, good: Good) -> None:
        if good.back_on == self.day:
            good.state, good.back_on, good.gone_since = State.LISTED, None, None
            if self.dice.random() < 0.5:
                good.price = self.dice.randrange(200, 3000)
            return
        if good.state is not State.LISTED:
            return
        chance = self.dice.random()
        if chance < 0.03:
            good.price = max(50, good.price * self.dice.randrange(80, 121) // 100)
        elif chance < 0.034:
            good.unread_until = self.day + self.dice.randrange(4)
        elif chance < 0.037:
            good.glitch_on = self.day
        elif chance < 0.040:
            good.sale_until = self.day + self.dice.randrange(2, 9)
        elif chance < 0.043:
            self._leave(good, State.SOLD_OUT, self.dice.choice((2, 9, None)))
        elif chance < 0.046:
            self._leave(good, State.MISSING, self.dice.choice((1, 2, 20, 50, None)))
        elif chance < 0.0465:
            self._leave(good, State.ELSEWHERE, self.dice.choice((5, None)))
        elif chance < 0.048:
            good.category = self.dice.choice((CRAWLED[0], CRAWLED[1], ELSEWHERE))

    # --- A visit -----------------------------------------------------------------------------------------------------

    def visit(self, known: dict[str, list[str]], max_look_ups: int) -> Seen:
        """One crawl: lists, then pages of the known goods that no list shows, in their order and within the bound."""
        seen = Seen()
        for code in CRAWLED:
            outcome, goods = self._list(code)
            seen.outcomes[code] = outcome
            seen.lists[code] = {good.code: good.shown(self.day, self.dice) for good in goods}
        found = {code for listed in seen.lists.values() for code in listed}
        for category, codes in known.items():
            if seen.outcomes[category] in ("complete", "empty"):
                self._look_up(seen, category, [code for code in codes if code not in found][:max_look_ups])
        self._write(seen)
        return seen

    def _list(self, code: str) -> tuple[str, list[Good]]:
        if code == CRAWLED[0] and self.day in BLOCKED_LISTS:
            return "blocked", []
        if (code == CRAWLED[1] and self.day in EMPTY_DAYS) or (code == CRAWLED[2] and self.day >= CLOSED_FROM):
            return "empty", []
        goods = self._of(code)
        if code == CRAWLED[1] and self.day in UNREAD_DAYS:
            for good in goods:
                good.unread_until = max(UNREAD_DAYS)
        return "complete", goods

    def _look_up(self, seen: Seen, category: str, codes: list[str]) -> None:
        by_code = {good.code: good for good in self.goods}
        for code in codes:
            good = by_code[code]
            if self.day in REFUSED_PAGES or (good.state is State.ELSEWHERE and self.day not in BLOCKED_PAGES):
                seen.failed[category].add(code)
            elif good.state is State.MISSING or self.day in BLOCKED_PAGES:
                seen.missing[category].add(code)
            else:
                seen.pages[category][code] = good.shown(self.day, self.dice)
        if seen.missing[category] or seen.failed[category]:
            seen.answer[category] = self.day not in REFUSED_PAGES | BLOCKED_PAGES

    def _write(self, seen: Seen) -> None:
        for shown in (*seen.lists.values(), *seen.pages.values()):
            for code, price in shown.items():
                self.diary[code][self.day] = price
        for category, codes in seen.missing.items():
            if seen.answer.get(category):
                for code in codes:
                    self.diary[code][self.day] = "missing"

    # --- What must be so ---------------------------------------------------------------------------------------------

    def is_sold_out(self, code: str) -> bool:
        return next(good for good in self.goods if good.code == code).state is State.SOLD_OUT

    def known_prices(self, code: str) -> Iterator[tuple[int, int]]:
        """Days and prices that nobody may doubt: the same was seen on the visit before or after."""
        visits = sorted(self.diary[code].items())
        for (day, price), (later, again) in pairwise(visits):
            if isinstance(price, int) and price == again:
                yield from ((day, price), (later, price))

    def unread_since(self, code: str) -> int | None:
        """The first day of the present series of prices that cannot be read."""
        since = None
        for day, price in sorted(self.diary[code].items()):
            if price is None:
                since = day if since is None else since
            elif price != "missing":
                since = None
        return since
