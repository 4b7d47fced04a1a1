"""Sums of sales: integer cents inside, New Taiwan dollars in answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from momo.core.formats import percent_of

NAMELESS = "未分類"  # label of the empty key, of lines without that field; never stored as a key
OTHERS = "其他"  # label of all keys that are not among the biggest


def dollars(cents: int | None) -> int | float | None:
    """An amount in New Taiwan dollars: int if it is whole, else float."""
    if cents is None:
        return None
    return cents // 100 if cents % 100 == 0 else cents / 100


def exact_dollars(cents: int | None) -> Decimal | None:
    """An amount in New Taiwan dollars with its cents, for pages and reports."""
    return None if cents is None else Decimal(cents).scaleb(-2)


def margin_of(profit: int | None, amount: int | None) -> float | None:
    """Gross profit in percent of the amount; None unless that is positive, since a loss would look like a gain."""
    return None if profit is None or amount is None or amount <= 0 else percent_of(profit, amount)


class Sums(NamedTuple):
    """Sums of one day of an import; amounts in cents, None if no line has a value."""

    lines: int
    quantity: int
    amount: int
    cost: int | None
    gross_profit: int | None

    def as_dict(self) -> dict[str, Any]:
        """The sums in an import's result: no cost and no gross profit."""
        return {"lines": self.lines, "quantity": self.quantity, "amount": dollars(self.amount)}


def added(one: int | None, other: int | None) -> int | None:
    """The sum of the known values; None if both are unknown."""
    if one is None:
        return other
    return one if other is None else one + other


@dataclass(frozen=True)
class Figures:
    """Figures of a day, a month or a key; amounts in cents, None if no line has a value.

    `margin_base` is the amount of the lines whose gross profit is known, so that other lines do not lower the margin.
    """

    lines: int = 0
    quantity: int = 0
    amount: int = 0
    cost: int | None = None
    gross_profit: int | None = None
    margin_base: int | None = None

    @property
    def margin(self) -> float | None:
        """Gross profit in percent of `margin_base`."""
        return margin_of(self.gross_profit, self.margin_base)

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.lines + other.lines,
            self.quantity + other.quantity,
            self.amount + other.amount,
            added(self.cost, other.cost),
            added(self.gross_profit, other.gross_profit),
            added(self.margin_base, other.margin_base),
        )

    def as_dict(self) -> dict[str, Any]:
        """The figures in an API answer. Without lines all are 0; with lines an unknown cost is None."""
        empty = None if self.lines else 0
        return {
            "quantity": self.quantity,
            "amount": dollars(self.amount),
            "cost": empty if self.cost is None else dollars(self.cost),
            "gross_profit": empty if self.gross_profit is None else dollars(self.gross_profit),
            "margin": self.margin,
            "lines": self.lines,
        }

    def against(self, before: Figures) -> dict[str, Any]:
        """The figures of `before`, with `change` and `change_percent` from `before` to these."""
        pairs = {
            "quantity": (self.quantity, before.quantity),
            "amount": (self.amount, before.amount),
            "gross_profit": (self.gross_profit or 0, before.gross_profit or 0),
        }
        # An unknown gross profit is not 0: a day with lines but without it cannot be compared.
        if (self.lines and self.gross_profit is None) or (before.lines and before.gross_profit is None):
            del pairs["gross_profit"]
        change: dict[str, Any] = {"gross_profit": None}
        rate: dict[str, Any] = {"gross_profit": None}
        for name, (now, then) in pairs.items():
            change[name] = now - then if name == "quantity" else dollars(now - then)
            rate[name] = None if then == 0 else percent_of(now - then, abs(then))
        return {**before.as_dict(), "change": change, "change_percent": rate}


def total(figures: Iterable[Figures]) -> Figures:
    """The sum of all figures."""
    return sum(figures, start=Figures())
