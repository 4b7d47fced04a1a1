"""The page of what AI has used and cost, as a chart and a table, and of what is left of budgets."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode

from ai.models.calls import Provider
from ai.selectors.budgets import BudgetState, budget_states
from ai.selectors.usage import usage_stats
from momo.admin.kit.display import NO_VALUE, thousands
from momo.admin.kit.periods import PeriodForm
from momo.core.days import each_day
from momo.core.errors import ValidationFailed
from momo.core.formats import number, percent, percent_of

# By what a chart and its table are grouped, and what the chart shows.
GROUPS = {"day": "日期", "provider": "供應者", "model": "模型", "user": "使用者"}
METRICS = {"cost": "費用", "calls": "次數", "tokens": "token"}
BARS = 20  # in a chart; all are in the table
TONES = ("--color-primary-500", "#0ea5e9", "#f59e0b", "#a855f7")
TOKENS = (("輸入", "input_tokens"), ("輸出（含思考）", "output_tokens"))
SPANS = (("本月", 0), ("近 30 天", 30), ("近 90 天", 90), ("近一年", 365))


class UsagePage:
    """A page of `CallAdmin`, for users who may view calls: their own, for admins everybody's."""

    def get_urls(self) -> list[Any]:
        own = path("usage/", self.admin_site.admin_view(self.usage), name="ai_call_usage")  # type: ignore[attr-defined]
        return [own, *super().get_urls()]  # type: ignore[misc]

    def usage(self, request: HttpRequest) -> HttpResponse:
        """Sums from `start_date` to `end_date`, grouped by `by`; the chart shows `metric`."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        by = request.GET.get("by") if request.GET.get("by") in GROUPS else "day"
        metric = request.GET.get("metric") if request.GET.get("metric") in METRICS else "cost"
        problem = ""
        try:
            start, end = PeriodForm(request.GET).days()
            found = usage_stats(user=request.user, start=start, end=end)
        except ValidationFailed as refusal:
            problem = refusal.fields["start_date"][0]
            found = usage_stats(user=request.user)
        first, last = found["start_date"], found["end_date"]
        rows = [_row(row, str(by)) for row in found[f"by_{by}"]]
        shown = rows[::-1] if by == "day" else sorted(rows, key=_size(str(metric)), reverse=True)

        def url(**other: object) -> str:
            chosen = {"start_date": first, "end_date": last, "by": by, "metric": metric} | other
            return f"?{urlencode(chosen)}"

        today = timezone.localdate()
        spans = [
            (title, today.replace(day=1) if not days else today - dt.timedelta(days=days - 1)) for title, days in SPANS
        ]
        return self.own_page(  # type: ignore[attr-defined,no-any-return]
            request,
            "admin/ai/call/usage.html",
            title="用量與費用",
            opts=None,
            problem=problem,
            first=first,
            last=last,
            by=by,
            metric=metric,
            group=GROUPS[str(by)],
            metric_name=METRICS[str(metric)],
            groups=[(title, url(by=name), name == by) for name, title in GROUPS.items()],
            metrics=[(title, url(metric=name), name == metric) for name, title in METRICS.items()],
            spans=[
                (title, url(start_date=begin, end_date=today), (begin, today) == (first, last))
                for title, begin in spans
            ],
            figures=_figures(found["totals"]),
            rows=shown,
            chart=_chart(shown, str(metric), by_day=by == "day", first=first, last=last),
            budgets=[_budget(state) for state in budget_states(user=request.user)],
        )


def _row(row: dict[str, Any], by: str) -> dict[str, Any]:
    """A row of the table, with its name."""
    names = {"day": "date", "user": "username"}
    name = row[names.get(by, by)]
    return {
        **row,
        "name": Provider(name).label if by == "provider" else str(name) or NO_VALUE,
        "note": Provider(row["provider"]).label if by == "model" else "",
        "costs": {one["currency"]: one["amount"] for one in row["costs"]},
        "cost": _costs(row["costs"]),
        "minutes": number(row["seconds"] / 60, places=1, thousands=True),
    }


def _costs(costs: list[dict[str, Any]]) -> str:
    """Amounts with their currency; fractions of a cent only where that is all."""
    texts = (
        f"{number(one['amount'], places=2 if one['amount'] >= 1 else 4, thousands=True)} {one['currency']}"
        for one in costs
    )
    return "、".join(texts) or NO_VALUE


def _figures(totals: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and note of the cards."""
    tokens = totals["input_tokens"] + totals["output_tokens"]
    return [
        ("估計費用", _costs(totals["costs"]), "依模型價格計算"),
        ("次數", thousands(totals["calls"]), f"失敗與中斷 {totals['errors']:,}"),
        ("token", thousands(tokens), f"輸入 {totals['input_tokens']:,}・輸出 {totals['output_tokens']:,}"),
        ("上網搜尋", thousands(totals["searches"]), "Google 搜尋的次數"),
    ]


def _size(metric: str) -> Any:
    if metric == "cost":
        return lambda row: sum(row["costs"].values())
    return lambda row: row["calls"] if metric == "calls" else row["input_tokens"] + row["output_tokens"]


def _chart(rows: list[dict[str, Any]], metric: str, *, by_day: bool, first: dt.date, last: dt.date) -> dict[str, Any]:
    """Bars of the metric: costs by currency, calls by outcome, tokens by direction; every day, also without calls."""
    if by_day:
        known = {row["date"]: row for row in rows}
        days = each_day(first, last)
        form = "%m/%d" if first.year == last.year else "%Y/%m/%d"
        labels, rows = [f"{day:{form}}" for day in days], [known.get(day, {}) for day in days]
    else:
        rows = rows[:BARS]
        labels = [row["name"] for row in rows]
    if metric == "cost":
        currencies = sorted({currency for row in rows for currency in row.get("costs", ())})
        series = [(one, [float(row.get("costs", {}).get(one, 0)) for row in rows]) for one in currencies]
    elif metric == "calls":
        series = [
            ("完成或進行中", [row.get("calls", 0) - row.get("errors", 0) for row in rows]),
            ("失敗與中斷", [row.get("errors", 0) for row in rows]),
        ]
    else:
        series = [(title, [row.get(key, 0) for row in rows]) for title, key in TOKENS]
    return {
        "labels": labels,
        "series": [
            {"label": label, "data": data, "tone": TONES[place % len(TONES)]}
            for place, (label, data) in enumerate(series)
        ],
        "across": not by_day,
    }


def _budget(state: BudgetState) -> dict[str, Any]:
    budget = state.budget
    used = percent_of(state.used, budget.amount, places=1)
    return {
        "name": budget.get_provider_display() or "全部供應者",
        "whose": str(budget.user) if budget.user else "全部使用者",
        "amount": number(budget.amount, places=2, thousands=True),
        "used": number(state.used, places=2, thousands=True),
        "left": number(state.left, places=2, thousands=True),
        "currency": budget.currency,
        "share": min(100.0, used) if used is not None else 100.0,
        "percent": NO_VALUE if used is None else percent(used, places=1),
        "month": "本月" if budget.month else "每月",
    }
