"""Amounts to the cent as they look on pages: cents only where there are any."""

from __future__ import annotations

from decimal import Decimal

from momo.admin_kit.display import NOTHING


def dollars(amount: Decimal | float | None) -> str:
    """New Taiwan dollars with thousands separators; the sign stands before the `$`."""
    if amount is None:
        return NOTHING
    return f"{'-' if amount < 0 else ''}${_size(Decimal(str(amount)))}"


def difference(now: Decimal | float | None, then: Decimal | float | None) -> str:
    """How far `now` is from `then`, with its sign; nothing where either is unknown."""
    if now is None or then is None:
        return NOTHING
    change = Decimal(str(now)) - Decimal(str(then))
    return f"{'-' if change < 0 else '+'}{_size(change)}" if change else "0"


def _size(amount: Decimal) -> str:
    """Without its sign."""
    return f"{abs(amount):,.0f}" if amount == amount.to_integral_value() else f"{abs(amount):,.2f}"
