"""What calls of providers have used and cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from ai.models import Call, DayUsage
from momo.core.days import between, check_range
from momo.core.roles import ADMIN, has_role

YEARS = 2  # that one answer covers at most
SUMS = ("calls", "errors", "input_tokens", "output_tokens", "searches", "seconds")
KEYS = ("day", "provider", "model", "username", "currency")


def calls_of(user: Any) -> QuerySet[Call]:
    """Calls of everybody for admins, else of `user`."""
    return _own(Call.objects.all(), user)


def _own(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    return rows if has_role(user, ADMIN) else rows.filter(user=user)


def usage_stats(*, user: Any, start: dt.date | None = None, end: dt.date | None = None) -> dict[str, Any]:
    """Sums of the calls from `start` (default: the month's first day) to `end` (today), by day, provider, model, user.

    Of everybody for admins, else of `user`. A call that runs counts at what is reserved. Raises ValidationFailed.
    """
    last = end or timezone.localdate()
    first = start or last.replace(day=1)
    check_range(first, last, max_years=YEARS)
    rows = _rows(user, first, last)
    return {
        "start_date": first,
        "end_date": last,
        "totals": _sums(rows),
        "by_day": _by(rows, lambda row: {"date": row["day"]}),
        "by_provider": _by(rows, lambda row: {"provider": row["provider"]}),
        "by_model": _by(rows, lambda row: {"provider": row["provider"], "model": row["model"]}),
        "by_user": _by(rows, lambda row: {"username": row["username"]}),
    }


def _rows(user: Any, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """Sums by `KEYS`: of calls, and of those that were folded into days."""
    calls = (
        calls_of(user)
        .filter(**between("started_at", first, last))
        .annotate(day=TruncDate("started_at"))
        .order_by()
        .values(*KEYS)
        .annotate(
            calls=Count("pk"),
            errors=Count("pk", filter=Q(status__in=[Call.Status.FAILED, Call.Status.ABORTED])),
            **{name: Sum(name, default=0) for name in SUMS[2:]},
            amount=Sum("cost"),
        )
    )
    folded = _own(DayUsage.objects.filter(day__range=(first, last)), user).values(*KEYS, *SUMS, amount=F("cost"))
    return [*calls, *folded]


def _by(rows: list[dict[str, Any]], key: Callable[[dict[str, Any]], dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(key(row).values()), []).append(row)
    return [{**key(group[0]), **_sums(group)} for _, group in sorted(groups.items())]


def _sums(rows: list[dict[str, Any]]) -> dict[str, Any]:
    costs: dict[str, Decimal] = {}
    for row in rows:
        costs[row["currency"]] = costs.get(row["currency"], Decimal(0)) + row["amount"]
    return {
        **{name: sum(row[name] for row in rows) for name in SUMS[:-1]},
        "seconds": round(sum(row["seconds"] for row in rows), 2),
        "costs": [{"currency": currency, "amount": amount} for currency, amount in sorted(costs.items())],
    }
