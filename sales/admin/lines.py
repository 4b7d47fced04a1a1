"""Admin pages of the sales lines in force, read only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, FieldTextFilter, RangeDateFilter
from unfold.utils import parse_date_str

from momo.admin.kit.display import NO_VALUE, column, goods, money, nowrap, page_link
from momo.admin.kit.tables import BaseChangeList, UncountedAdmin
from momo.jobs.models import Job
from sales.figures import NAMELESS
from sales.models import DayTotal, SalesLine
from sales.selectors.days import biggest_keys, days_with
from sales.selectors.lines import lines_in_force

KEYS_OFFERED = 200
DAYS_SEARCHED = 31  # last days with sales whose keys are offered, and whose lines a search without totals reads
DAYS_AT_MOST = 36_525  # a century; the address may name any page
UNNAMED = "（未填）"


def job_link(job: Job) -> SafeString:
    """A link to the page of an import, with the name of its file."""
    return page_link("jobs_job", job.pk, f"#{job.pk} {job.file_name}")


def _days_of(chosen: Mapping[str, str]) -> dict[str, date | None]:
    """`first` and `last` day, both included, from the parameters `date_from` and `date_to` of the page's address."""
    return {"first": parse_date_str(chosen.get("date_from", "")), "last": parse_date_str(chosen.get("date_to", ""))}


class DateFilter(RangeDateFilter):
    """Days from and to, both included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        days = _days_of(self.used_parameters)
        bounds = {"date__gte": days["first"], "date__lte": days["last"]}
        return queryset.filter(**{lookup: day for lookup, day in bounds.items() if day})


class KeyFilter(DropdownFilter):
    """Keys of a dimension on the last of the chosen days, the largest first, and the chosen key.

    Read from the totals, since there are millions of lines.
    """

    dimension: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        days = days_with(keys={}, **_days_of(request.GET))[:DAYS_SEARCHED]
        names = biggest_keys(dimension=self.dimension, days=days, limit=KEYS_OFFERED)
        if self.value() and self.key not in names:
            names.append(self.key)
        # NAMELESS is never stored as a key, so in the address it can stand for the empty key.
        return [(name or NAMELESS, name or UNNAMED) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        return queryset.filter(**{self.dimension: self.key}) if self.value() else queryset

    @property
    def key(self) -> str:
        """The chosen key as it is stored."""
        chosen = str(self.value() or "")
        return "" if chosen == NAMELESS else chosen


class CodeFilter(FieldTextFilter):
    """Part of a product code, in the last days only: an index of millions of codes would slow down each import."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = f"品號（{DAYS_SEARCHED} 天內）"


class LinesChangeList(BaseChangeList):
    """Reads only days that can have matching lines, the newest first, not all lines ever sold.

    A day with a total of the key has at least one line of it, so a search for one key needs at most as many days as the
    page shows lines. No total exists for a code or for several keys: these searches read DAYS_SEARCHED days, and the
    page shows which.
    """

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[SalesLine]:
        lines: QuerySet[SalesLine] = super().get_queryset(request, exclude_parameters)
        keys = {spec.dimension: spec.key for spec in self.filter_specs if isinstance(spec, KeyFilter) and spec.value()}
        code = any(isinstance(spec, CodeFilter) and spec.value() for spec in self.filter_specs)
        if not keys and not code:
            return lines
        if len(keys) == 1 and not code:
            needed = min(max(self.page_num, 1) * self.list_per_page + 1, DAYS_AT_MOST)
            # As literals: for days in a subquery, unknown when planning, PostgreSQL may choose to read all lines.
            return lines.filter(date__in=list(self._days(keys)[:needed]))
        days = list(self._days(keys)[: DAYS_SEARCHED + 1])
        if len(days) > DAYS_SEARCHED:
            last, first = days[0], days[DAYS_SEARCHED - 1]
            messages.info(
                request,
                f"只找了 {first:%Y-%m-%d} 到 {last:%Y-%m-%d} 之間可能符合的 {DAYS_SEARCHED} 天；"
                f"要找更早的，請把日期的迄日設為 {first - timedelta(days=1):%Y-%m-%d} 或更早。",
            )
        return lines.filter(date__in=days[:DAYS_SEARCHED])

    def _days(self, keys: Mapping[str, str]) -> QuerySet[DayTotal, date]:
        """The chosen days with lines of each key, the newest first."""
        chosen: Mapping[str, str] = next(
            (spec.used_parameters for spec in self.filter_specs if isinstance(spec, DateFilter)), {}
        )
        return days_with(keys=keys, **_days_of(chosen))


def _by(dimension: str, title: str) -> type[KeyFilter]:
    return type("KeyFilter", (KeyFilter,), {"dimension": dimension, "title": title, "parameter_name": dimension})


@admin.register(SalesLine)
class SalesLineAdmin(UncountedAdmin):
    """Lines in force; those of an older version of a day are on the page of its import."""

    changelist_class = LinesChangeList
    list_display = (
        "day",
        "product",
        "brand",
        "category_name",
        "pm_name",
        "quantity",
        "amount_money",
        "cost_money",
        "profit_money",
        "import_link",
    )
    list_filter = (
        ("date", DateFilter),
        _by("pm", "PM"),
        _by("brand", "品牌"),
        _by("category", "分類"),
        ("product_code", CodeFilter),
    )
    list_fullwidth = True
    sortable_by = ()
    ordering = ("-date", "-job_id", "-row")
    fields = (
        "date",
        "product_code",
        "product_name",
        "brand",
        "category",
        "pm",
        "vendor_code",
        "vendor_name",
        "quantity",
        "amount_money",
        "cost_money",
        "profit_money",
        "import_link",
        "row",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SalesLine]:
        return lines_in_force(super().get_queryset(request))

    day = column("日期", lambda day: nowrap(f"{day:%Y-%m-%d}"), of="date")
    product = column("商品", lambda line: goods(line.product_name or NO_VALUE, line.product_code))
    category_name = column("分類", lambda name: nowrap(name or NO_VALUE), of="category")
    pm_name = column("PM", lambda name: nowrap(name or NO_VALUE), of="pm")
    amount_money = column("業績", money, of="amount")
    cost_money = column("成本", money, of="cost")
    profit_money = column("毛利", money, of="gross_profit")
    import_link = column("匯入", lambda pk: page_link("jobs_job", pk, f"#{pk}"), of="job_id")
