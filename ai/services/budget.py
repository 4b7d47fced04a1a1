"""What calls of providers cost, and whether a month's budget still pays for one.

A call is reserved at the most that it can cost, in one transaction that locks the budgets it counts towards, and
settled at what it has cost. So calls that run at once never pass a budget together. Months are those of Taipei.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_UP, Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ai.models import Budget, Call, ModelPrice
from ai.providers.base import Usage
from ai.selectors.budgets import in_force, spent
from momo.core.days import start_of_day
from momo.core.errors import RateLimited, Unavailable
from momo.core.formats import number
from momo.core.thresholds import thresholds

MILLION = Decimal(1_000_000)
EXACT = Decimal("0.000001")  # as costs are stored
# Fields of a call that its end changes.
_SETTLED = ("status", "error", "seconds", "searches", "input_tokens", "output_tokens", "cost", "finished_at")
TEMPLATE_TOKENS = 64  # what a provider puts around a prompt


def most_tokens(text: str) -> int:
    """The most tokens that `text` has in the vocabularies of today's models: a Chinese character has 1.5 at most."""
    return len(text.encode()) // 2 + TEMPLATE_TOKENS


# In SQL, since each generation asks it: the ORM takes 0.6 ms to write it, PostgreSQL 0.1 ms to answer it.
_PRICE = """
    SELECT * FROM ai_modelprice WHERE provider = %s AND model IN (%s, '') AND valid_from <= %s
    ORDER BY model DESC, valid_from DESC LIMIT 1
"""


def price_on(*, provider: str, model: str, day: dt.date) -> ModelPrice:
    """The price row in force, the model's own before the provider's. Raises Unavailable if there is none."""
    found = next(iter(ModelPrice.objects.raw(_PRICE, [provider, model, day])), None)
    if found is None:
        raise Unavailable(f"模型 {model} 的價格不明，", "請管理員先在「模型價格」登記，才能計入預算")
    return found


def cost_of(price: ModelPrice, *, input_tokens: int, output_tokens: int, searches: int = 0) -> Decimal:
    """The cost in the price's currency, rounded up to a millionth."""
    tokens = input_tokens * price.input_per_million + output_tokens * price.output_per_million
    return (tokens / MILLION + searches * price.per_search).quantize(EXACT, ROUND_UP)


def reserve(
    *,
    user: Any,
    kind: str,
    provider: str,
    model: str,
    input_tokens: int,
    max_output: int,
    searches: int = 0,
    fallback_from: str = "",
) -> Call:
    """A running call that costs the most it can until it is settled.

    Raises Unavailable if the model's price is not known, RateLimited until the next month if a budget does not suffice.
    """
    today = timezone.localdate()
    price = price_on(provider=provider, model=model, day=today)
    cost = cost_of(price, input_tokens=input_tokens, output_tokens=max_output, searches=searches)
    call = Call(
        kind=kind,
        user=user,
        username=user.get_username(),
        provider=provider,
        model=model,
        month=today.replace(day=1),
        currency=price.currency,
        cost=cost,
        fallback_from=fallback_from,
        heartbeat_at=timezone.now(),
    )
    if not cost:  # counts towards no budget, so there is nothing to lock
        call.save()
        return call
    with transaction.atomic():
        for budget in _locked(call):
            _check(budget, call)
        call.save()
    return call


def near_limit(call: Call) -> list[str]:
    """A sentence for each budget of which more than AI_BUDGET_WARN_PERCENT is used or reserved."""
    told = []
    for budget in _in_force(call, Budget.objects.all()) if call.cost else ():
        used = spent(budget, month=call.month)
        if used * 100 >= budget.amount * thresholds.AI_BUDGET_WARN_PERCENT:
            amounts = f"{number(used, places=2)} / {number(budget.amount)} {budget.currency}"
            told.append(f"{_name(budget)}本月的 AI 預算已使用 {amounts}，即將用完")
    return told


def beat(call: Call, *, input_tokens: int, output_tokens: int) -> None:
    """Record that the call is alive, and what it has used so far."""
    Call.objects.filter(pk=call.pk, status=Call.Status.RUNNING).update(
        heartbeat_at=timezone.now(), input_tokens=input_tokens, output_tokens=output_tokens
    )


def settle(call: Call, *, usage: Usage, seconds: float, status: str = Call.Status.SUCCEEDED, error: str = "") -> None:
    """End a call at what it has cost, by the prices of the day that it began."""
    call.status, call.error, call.seconds, call.searches = status, error, seconds, usage.searches
    call.input_tokens, call.output_tokens = usage.input_tokens or 0, usage.output_tokens or 0
    if call.cost:  # what was free stays free
        call.cost = _spent(call)
    call.finished_at = timezone.now()
    call.save(update_fields=_SETTLED)


def abort(call: Call, *, usage: Usage, seconds: float) -> None:
    """End a call whose client went away."""
    settle(call, usage=usage, seconds=seconds, status=Call.Status.ABORTED, error="client_gone")


def sweep_calls() -> int:
    """End calls whose process is silent, at what was recorded of them; how many there were."""
    silent = timezone.now() - dt.timedelta(seconds=settings.AI_HEARTBEAT_TIMEOUT)
    calls = Call.objects.filter(status=Call.Status.RUNNING, heartbeat_at__lt=silent)
    ended = 0
    for pk in calls.values_list("pk", flat=True):
        with transaction.atomic():
            call = calls.select_for_update(skip_locked=True).filter(pk=pk).first()
            if call is None:
                continue
            used = Usage(call.input_tokens, call.output_tokens)
            seconds = ((call.heartbeat_at or call.started_at) - call.started_at).total_seconds()
            settle(call, usage=used, seconds=max(0.0, seconds), status=Call.Status.ABORTED, error="lost")
            ended += 1
    return ended


def _spent(call: Call) -> Decimal:
    """What a call has cost; what was reserved for it where somebody has deleted its price since."""
    try:
        price = price_on(provider=call.provider, model=call.model, day=timezone.localdate(call.started_at))
    except Unavailable:
        return call.cost
    return cost_of(price, input_tokens=call.input_tokens, output_tokens=call.output_tokens, searches=call.searches)


def _locked(call: Call) -> list[Budget]:
    """Always in one order, so that two calls do not wait for each other."""
    return _in_force(call, Budget.objects.select_for_update(of=("self",)))


def _in_force(call: Call, budgets: QuerySet[Budget]) -> list[Budget]:
    """Budgets that the call counts towards; one of its month replaces the same one of every month."""
    fits = budgets.filter(
        Q(provider__in=["", call.provider]),
        Q(user=None) | Q(user=call.user_id),
        Q(month=None) | Q(month=call.month),
    )
    return in_force(fits.select_related("user").order_by("pk"))


def _check(budget: Budget, call: Call) -> None:
    if budget.currency != call.currency:
        raise Unavailable(
            f"{_name(budget)}預算的幣別 {budget.currency} 與模型價格的幣別 {call.currency} 不同，",
            "請管理員改成相同的幣別",
        )
    used = spent(budget, month=call.month)
    if used + call.cost > budget.amount:
        month = (call.month + dt.timedelta(days=32)).replace(day=1)
        raise RateLimited(
            f"{_name(budget)}本月的 AI 預算 {number(budget.amount)} {budget.currency} 不夠這次使用"
            f"（已使用 {number(used, places=2)}，這次最多 {number(call.cost, places=4)}），"
            f"{month.month} 月 1 日起可再使用，或請管理員提高預算",
            retry_after=(start_of_day(month) - timezone.now()).total_seconds(),
        )


def _name(budget: Budget) -> str:
    who = f"使用者 {budget.user.get_username()} " if budget.user else ""
    return f"{who}{budget.get_provider_display() or '全部供應者'} "
