"""What is left of budgets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils import timezone

from ai.models import Budget, Call
from momo.core.roles import ADMIN, has_role


@dataclass(frozen=True)
class BudgetState:
    """A budget that is in force in a month, with what its calls have cost or reserved."""

    budget: Budget
    used: Decimal

    @property
    def left(self) -> Decimal:
        """What may still be spent; never below 0."""
        return max(Decimal(0), self.budget.amount - self.used)


def in_force(budgets: Iterable[Budget]) -> list[Budget]:
    """The same, without budgets of every month that one of the month replaces."""
    found: dict[tuple[str, int | None, str], Budget] = {}
    for budget in budgets:
        key = (budget.provider, budget.user_id, budget.currency)
        if budget.month or key not in found:
            found[key] = budget
    return list(found.values())


def spent(budget: Budget, *, month: dt.date) -> Decimal:
    """What calls of a month that count towards the budget have cost or reserved."""
    calls = Call.objects.filter(month=month, currency=budget.currency)
    if budget.provider:
        calls = calls.filter(provider=budget.provider)
    if budget.user_id:
        calls = calls.filter(user=budget.user_id)
    return calls.aggregate(total=Sum("cost"))["total"] or Decimal(0)


def budget_states(*, user: Any = None) -> list[BudgetState]:
    """Budgets of this month (Taipei) that limit `user`; all for admins and without a user. Two queries."""
    month = timezone.localdate().replace(day=1)
    rows = Budget.objects.filter(Q(month=None) | Q(month=month)).select_related("user").order_by("pk")
    if user is not None and not has_role(user, ADMIN):
        rows = rows.filter(Q(user=None) | Q(user=user))
    # Calls of one month are folded into days no earlier than two months later.
    sums = list(
        Call.objects.filter(month=month).order_by().values("provider", "user", "currency").annotate(total=Sum("cost"))
    )
    return [BudgetState(budget, _sum(budget, sums)) for budget in in_force(rows)]


def _sum(budget: Budget, sums: list[Any]) -> Decimal:
    fits = (
        one["total"]
        for one in sums
        if one["currency"] == budget.currency
        and budget.provider in ("", one["provider"])
        and budget.user_id in (None, one["user"])
    )
    return sum(fits, Decimal(0))
