"""The latest day and its month on the start page, against earlier ones and against the target."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.display import NO_VALUE
from momo.admin.kit.figures import signed_rate
from momo.core.periods import Period, day_of
from sales.addresses import address_of_lines
from sales.admin.board.frame import contribution_url
from sales.figures import exact_dollars
from sales.models import DayTotal
from sales.selectors.glance import Glance, glance
from sales.selectors.targets import Progress, attainment

COMPARED = {"previous_day": "前一天", "same_weekday_last_week": "上週同日"}
TO_DATE = {"previous_month": "上月同期", "last_year": "去年同期"}


def glance_panel(request: HttpRequest) -> dict[str, Any]:
    """Variables of `admin/sales/home.html`: None for `sold` before any data."""
    scope = mine.chosen_scope(request)
    found = glance(scope=scope)
    if found is None:
        return {"sold": None}
    month, aims = found.month, attainment(found.day, found.dimension, scope=scope)
    now = month["current"]
    return {
        "sold": {
            "board_url": mine.address(request, reverse("admin:sales_board")),
            "whose": "" if found.dimension == DayTotal.Dimension.ALL else "、".join(found.keys),
            "day": found.day,
            "day_amount": exact_dollars(found.figures.amount),
            "day_profit": exact_dollars(found.figures.gross_profit),
            "day_margin": found.figures.margin,
            "day_url": _lines(found, found.day),
            "day_why_url": contribution_url(request, day_of(found.day), "before"),
            "day_against": [_against(label, found.before[name]) for name, label in COMPARED.items()],
            "first": now["start_date"],
            "month_amount": now["amount"],
            "month_profit": now["gross_profit"],
            "month_margin": now["margin"],
            "month_url": _lines(found, now["start_date"]),
            "month_why_url": contribution_url(request, Period(now["start_date"], found.day), "month_before"),
            "month_against": [_against(label, month[name]) for name, label in TO_DATE.items()],
            "aim": _aim(aims.together.amount, aims.days_left),
            "aim_url": mine.address(request, reverse("admin:sales_target_attainment") + f"?month={found.day:%Y-%m}"),
        }
    }


def _against(label: str, then: dict[str, Any]) -> dict[str, Any]:
    """An earlier figure, and the change from it in percent."""
    rate = then["change_percent"]["amount"]
    return {"label": label, "amount": then["amount"], "change": NO_VALUE if rate is None else signed_rate(rate)}


def _aim(progress: Progress, days_left: int) -> dict[str, Any] | None:
    """The target and how far it is; None without one."""
    if progress.target is None:
        return None
    share = min(100.0, max(0.0, progress.attainment or 0.0))
    return {
        "progress": progress,
        "share": share,
        "gap": None if progress.ahead is None else abs(progress.ahead),
        "days_left": days_left,
    }


def _lines(found: Glance, first: date) -> str:
    """The list of the lines that a figure adds up."""
    filters = {} if found.dimension == DayTotal.Dimension.ALL else {found.dimension: found.keys}
    return address_of_lines(first, found.day, **filters)
