"""How a product fares from day to day: pure functions of (seed, product number, day).

Nothing is simulated forward: time is cut into cycles of 20 days, each product having its own place in the
cycle, and everything that may happen to it has a fixed place there. So the answer for day 900 costs as much
as for day 0, and events of one product never overlap (a price never changes while nobody can see it). Products
of one category are spread evenly over the cycle, which bounds how many can change on one day.

    day of the cycle   0   new price (5 % of the products each day)
                       3   may vanish, for 4 to 8 days or for good (1 % a day)
                      13   may sell out, for 1 to 5 days (1.1 % a day), half of them leaving the category
"""

from __future__ import annotations

import math
from enum import StrEnum

CYCLE = 20
VANISH_AT = 3
SELL_OUT_AT = 13

# Chances for one cycle, in 1/1000.
_GONE_FOR_A_WHILE = 140
_SOLD_OUT = 220
_GONE_FOR_GOOD = 0.06

_MASK = (1 << 64) - 1


class State(StrEnum):
    """What a visitor of the shop finds on one day."""

    LISTED = "listed"
    OUT_OF_STOCK_LISTED = "out_of_stock_listed"
    OUT_OF_STOCK_UNLISTED = "out_of_stock_unlisted"
    MISSING = "missing"
    UPCOMING = "upcoming"


#: States in which a product appears in its categories.
IN_CATEGORY = frozenset({State.LISTED, State.OUT_OF_STOCK_LISTED, State.UPCOMING})
OUT_OF_STOCK = frozenset({State.OUT_OF_STOCK_LISTED, State.OUT_OF_STOCK_UNLISTED})


def mix(key: int, number: int, salt: int = 0) -> int:
    """64 well-mixed bits (splitmix64): the same in every process, unlike hash(), and cheaper than hashlib."""
    x = (key + number * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


class DayModel:
    """The fate of products, known by number, birth day and place in the cycle (0..19)."""

    def __init__(self, seed: int) -> None:
        self._fate = mix(seed, 11)
        self._gone = mix(seed, 12)
        self._stock = mix(seed, 13)
        self._price = mix(seed, 14)

    def release_day(self, number: int, birth: int) -> int:
        """The first day on which it can be bought; before it, it is shown as coming soon."""
        draw = mix(self._fate, number, 1)
        if birth == 0:
            return 1 + draw // 100 % 5 if draw % 100 == 0 else 0
        return birth + 1 + draw // 100 % 3 if draw % 100 < 20 else birth

    def end(self, number: int, release: int, place: int) -> int:
        """The day from which it is gone for good: a geometric draw over the cycles after its release."""
        draw = (mix(self._fate, number, 2) + 1) / (_MASK + 2)
        cycles = int(math.log(draw) / math.log(1 - _GONE_FOR_GOOD))
        first = (release + place - VANISH_AT) // CYCLE + 1
        return (first + cycles) * CYCLE - place + VANISH_AT

    def state(self, number: int, place: int, release: int, end: int, day: int) -> State:
        """The state on a `day` not before its birth.

        On its birth day a product is never missing or unlisted: what a first crawl sees is all there is.
        """
        if day < release:
            return State.UPCOMING
        if day >= end:
            return State.MISSING
        cycle, at = divmod(day + place, CYCLE)
        if VANISH_AT <= at < SELL_OUT_AT:
            draw = mix(self._gone, number, cycle)
            began = cycle * CYCLE - place + VANISH_AT
            if draw % 1000 < _GONE_FOR_A_WHILE and began > release and at < VANISH_AT + 4 + draw // 1000 % 5:
                return State.MISSING
        elif at >= SELL_OUT_AT:
            draw = mix(self._stock, number, cycle)
            if draw % 1000 < _SOLD_OUT and at < SELL_OUT_AT + 1 + draw // 1000 % 5:
                began = cycle * CYCLE - place + SELL_OUT_AT
                unlisted = draw // 5000 % 2 == 0 and began > release
                return State.OUT_OF_STOCK_UNLISTED if unlisted else State.OUT_OF_STOCK_LISTED
        return State.LISTED

    def price(self, number: int, place: int, base: int, day: int) -> int:
        """The selling price in whole New Taiwan dollars, 78 to 100 % of `base`.

        Usual and promotional prices take turns, which keeps every step between 4 and 29 %.
        """
        cycle = (day + place) // CYCLE
        draw = mix(self._price, number, cycle)
        usual = (cycle + mix(self._price, number, -1)) % 2 == 0
        thousandths = 940 + draw % 61 if usual else 780 + draw % 121
        return (base * thousandths + 500) // 1000
