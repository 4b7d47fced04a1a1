"""The page of a month's targets against its sales."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from momo.admin.kit.figures import export_response, page_address
from momo.admin.kit.mine import chosen_scope, switch
from momo.core.periods import month_of
from momo.core.scope import Scope
from sales.admin.marks import marks_of_chart
from sales.admin.target_tables import LABELS, keys_table, whole_table
from sales.models.campaigns import FIRST_DAY, LAST_DAY
from sales.selectors.lines import latest_or_today
from sales.selectors.targets import ALL, attainment, has_targets

MONTHS_BACK = 4  # offered beside the present and the next one


class AttainmentPage:
    """A page of `TargetAdmin`, for users who may view targets."""

    def attainment(self, request: HttpRequest) -> HttpResponse:
        """Targets of `month`, all together and by `dimension`; of the user's PMs and brands with `mine=1`."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        today = timezone.localdate()
        month, scope = _month(request.GET.get("month", "")), chosen_scope(request)
        dimension = _dimension(request.GET.get("dimension", ""), scope)
        found = attainment(month, dimension, today=today, scope=scope)
        tables = [whole_table(found, marks_of_chart(month, month_of(month).last)), keys_table(found)]
        if (file := export_response(request, tables)) is not None:
            return file

        offered = sorted({*_around(today), month})
        grid = urlencode([("year", str(month.year)), ("dimension", str(dimension))])
        return self.own_page(  # type: ignore[attr-defined,no-any-return]
            request,
            "admin/sales/target/attainment.html",
            title="目標",
            opts=None,
            tables=tables,
            has_targets=found.has_targets or has_targets(),
            may_change=request.user.has_perm("sales.change_target"),
            grid_url=f"{reverse('admin:sales_target_grid')}?{grid}",
            months=[(f"{one:%Y-%m}", page_address(request, month=f"{one:%Y-%m}"), one == month) for one in offered],
            dimensions=[
                (label, page_address(request, dimension=name), name == dimension)
                for name, label in LABELS.items()
                if name != ALL
            ],
            **switch(request),
        )


def _month(text: str) -> date:
    """The first day of the month `YYYY-MM`; for anything else that of the latest day with data."""
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return latest_or_today().replace(day=1)
    return day if FIRST_DAY <= day <= LAST_DAY else latest_or_today().replace(day=1)


def _dimension(text: str, scope: Scope | None) -> str:
    if text in LABELS and text != ALL:
        return text
    return "brand" if scope and scope.brands and not scope.pms else "pm"


def _around(today: date) -> list[date]:
    """The first days of the months before and after that of `today`."""
    found = [(today.replace(day=1) + timedelta(days=31)).replace(day=1)]
    for _ in range(MONTHS_BACK + 1):
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
