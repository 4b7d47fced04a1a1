"""What is found in a text, and in the facts: one shape for both, so that one is compared with the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of facts, as warnings name them."""

    PRICE = "price"  # amounts of money: what it costs, list price, thresholds, price of one piece
    DISCOUNT = "discount"  # 折, % off, 半價
    SAVING = "saving"  # 現省, 折抵
    PERCENT = "percent"  # shares, increases, multiples
    CONTENT = "content"  # volumes, weights, lengths and whatever else is measured
    COUNT = "count"  # pieces, sorts, layers, times
    DURATION = "duration"
    WARRANTY = "warranty"
    SHELF_LIFE = "shelf_life"
    RANK = "rank"
    SALES = "sales"  # pieces sold, people who bought
    RATING = "rating"
    PROMOTION = "promotion"
    DATE = "date"
    ORIGIN = "origin"
    CERTIFICATION = "certification"
    AWARD = "award"
    PATENT = "patent"
    ENDORSEMENT = "endorsement"
    NEGATIVE = "negative"  # 無添加, 不含酒精
    MODEL = "model"  # names with a number: MX-3000, SPF50
    NUMBER = "number"  # without a unit


class Money(StrEnum):
    """What an amount of money is said to be."""

    PRICE = "售價"
    LIST = "原價"
    SAVING = "折抵"
    THRESHOLD = "門檻"
    UNIT = "單價"  # of one piece, one millilitre, one day
    VALUE = "價值"
    ANY = "金額"


@dataclass(slots=True)  # a text makes hundreds; frozen ones take three times as long to make
class Item:
    """`shadow[start:end]` says something that a fact must support.

    For an amount, `key` is its dimension, `value` what is written, `size` the same in base units, and a fact between
    `low` and `high` (base units) supports it. For anything else `key` is the concept (`sgs`, `日本`) and `value` None.
    """

    kind: Kind
    key: str
    start: int
    end: int
    value: float | None = None
    size: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    group: str = ""  # of a counter
    role: str = ""  # of money `Money`, of an origin "made", of a rank its field, of a name its number
    each: str = ""  # the piece that it speaks of, such as 瓶 in 每瓶; empty: of all

    def takes(self, fact: float) -> bool:
        """Whether a fact of this size makes the item true."""
        slack = 1e-6 * max(1.0, abs(fact))
        return self.low - slack <= fact <= self.high + slack
