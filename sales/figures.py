"""Sums of sales as they are handed about: whole cents inside, New Taiwan dollars outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

NAMELESS = "未分類"  # how a key is called where the report says none; no key is written so
REST = "其他"  # the keys that are not among the biggest


def dollars(cents: int | None) -> int | float | None:
    """An amount in New Taiwan dollars, with cents only where there are some."""
    if cents is None:
        return None
    return cents // 100 if cents % 100 == 0 else cents / 100


def margin_of(profit: int | None, amount: int | None) -> float | None:
    """Gross profit as a percentage of the amount; None where that is not above zero: a loss would look like a gain."""
    return None if profit is None or amount is None or amount <= 0 else percent(profit, amount)


def percent(part: int, whole: int) -> float | None:
    """`part` of `whole` to two decimals, half up; None of nothing."""
    if whole == 0:
        return None
    size = (abs(part) * 20_000 + abs(whole)) // (2 * abs(whole))
    return (size if (part < 0) == (whole < 0) else -size) / 100


class Sums(NamedTuple):
    """What an import says of a day; amounts in cents, None where no line has one."""

    lines: int
    quantity: int
    amount: int
    cost: int | None
    gross_profit: int | None

    def as_dict(self) -> dict[str, Any]:
        return {"lines": self.lines, "quantity": self.quantity, "amount": dollars(self.amount)}


def added(one: int | None, other: int | None) -> int | None:
    """The sum of what is known."""
    if one is None:
        return other
    return one if other is None else one + other


@dataclass(frozen=True)
class Figures:
    """The figures of a day, a month or a key; amounts in cents, None where no line has one.

    `margin_base` is the amount of the lines whose gross profit is known: a line without one does not thin the margin.
    """

    lines: int = 0
    quantity: int = 0
    amount: int = 0
    cost: int | None = None
    gross_profit: int | None = None
    margin_base: int | None = None

    @property
    def margin(self) -> float | None:
        """Gross profit as a percentage of the amount it was made with."""
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
        """As the API tells it. Without a line all is zero; with lines an unknown cost is None."""
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
        """The figures of `before`, how far these are from them, and by how many percent."""
        pairs = {
            "quantity": (self.quantity, before.quantity),
            "amount": (self.amount, before.amount),
            "gross_profit": (self.gross_profit or 0, before.gross_profit or 0),
        }
        # Unknown is not zero: a day with lines but without gross profit compares with none.
        if (self.lines and self.gross_profit is None) or (before.lines and before.gross_profit is None):
            del pairs["gross_profit"]
        change: dict[str, Any] = {"gross_profit": None}
        rate: dict[str, Any] = {"gross_profit": None}
        for name, (now, then) in pairs.items():
            change[name] = now - then if name == "quantity" else dollars(now - then)
            rate[name] = None if then == 0 else percent(now - then, abs(then))
        return {**before.as_dict(), "change": change, "change_percent": rate}


def total(figures: Iterable[Figures]) -> Figures:
    """All of them together."""
    together = Figures()
    for one in figures:
        together += one
    return together
