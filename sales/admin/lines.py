"""Admin pages of the sales lines in force, read only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, BinaryIO

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter
from unfold.utils import parse_date_str

from momo.admin.kit.display import NO_VALUE, column, goods, money, nowrap, page_link
from momo.admin.kit.exports import FoundList, facts_of, refuse_too_many
from momo.admin.kit.filters import NamesFilter
from momo.admin.kit.mine import chosen_scope, mine_filter
from momo.admin.kit.tables import UncountedAdmin
from momo.jobs.models import Job
from momo.sheets.write import most_rows
from sales.admin.spans import SalesChangeList
from sales.exports import lines_file
from sales.figures import NAMELESS, Figures
from sales.models import DayTotal, SalesLine
from sales.selectors.board import totals_of_scope
from sales.selectors.days import biggest_keys, days_with, totals_of
from sales.selectors.lines import lines_in_force, sum_of_lines, sum_of_totals

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


def chosen_days(specs: Iterable[Any]) -> dict[str, date | None]:
    """`first` and `last` day that the date filter of a list keeps; None is no bound."""
    chosen: Mapping[str, str] = next((spec.used_parameters for spec in specs if isinstance(spec, DateFilter)), {})
    return _days_of(chosen)


class KeyFilter(NamesFilter):
    """Keys of a dimension on the last of the chosen days, the largest first, and the chosen keys.

    Read from the totals, since there are millions of lines.
    """

    dimension: str

    def offered(self) -> list[str]:
        days = days_with(keys={}, **_days_of(self.request.GET))[:DAYS_SEARCHED]
        # NAMELESS is never stored as a key, so in the address it can stand for the empty key.
        return [key or NAMELESS for key in biggest_keys(dimension=self.dimension, days=days, limit=KEYS_OFFERED)]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, UNNAMED if name == NAMELESS else name) for name, _ in super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        keys = self.keys
        if len(keys) == 1:
            return queryset.filter(**{self.dimension: keys[0]})
        return queryset.filter(**{f"{self.dimension}__in": keys}) if keys else queryset

    @property
    def keys(self) -> list[str]:
        """The chosen keys as they are stored."""
        return ["" if name == NAMELESS else name for name in self.names]


class CodeFilter(FieldTextFilter):
    """Part of a product code, in the last days only: an index of millions of codes would slow down each import."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = f"品號（{DAYS_SEARCHED} 天內）"


class LinesChangeList(SalesChangeList):
    """Reads only days that can have matching lines, the newest first, not all lines ever sold.

    A day with a total of a key has at least one line of it, so a search for keys of one dimension needs at most as many
    days as the page shows lines, and its sum is that of the totals. No total exists for a code, for keys of several
    dimensions, or for a user's PMs and brands together: these searches read DAYS_SEARCHED days, which the page names.
    """

    sums: Figures = Figures()

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[SalesLine]:
        lines: QuerySet[SalesLine] = super().get_queryset(request, exclude_parameters)
        keys = {spec.dimension: spec.keys for spec in self.filter_specs if isinstance(spec, KeyFilter) and spec.keys}
        scope = chosen_scope(request)
        if scope and not keys and not (scope.pms and scope.brands):
            dimension, names = totals_of_scope(scope)
            keys, scope = {dimension: names}, None
        code = any(isinstance(spec, CodeFilter) and spec.value() for spec in self.filter_specs)
        span = chosen_days(self.filter_specs)
        self.days: QuerySet[DayTotal, date] | list[date] | None = None
        if code or scope or len(keys) > 1:
            self.days = self._searched(request, days_with(keys=keys, **span))
            self.found = lines = lines.filter(date__in=self.days)
            self.sums = sum_of_lines(lines) if self.days else Figures()
            return lines
        dimension, names = next(iter(keys.items()), (DayTotal.Dimension.ALL, [""]))
        self.sums = sum_of_totals(totals_of(dimension=dimension, keys=names, **span))
        self.found = lines
        if not keys:
            return lines
        self.days = days_with(keys=keys, **span)
        needed = min(max(self.page_num, 1) * self.list_per_page + 1, DAYS_AT_MOST)
        # As literals: for days in a subquery, unknown when planning, PostgreSQL may choose to read all lines.
        return lines.filter(date__in=list(self.days[:needed]))

    def every_line(self) -> QuerySet[SalesLine]:
        """All lines of the list, not only those of its page: `sums` is their sum."""
        found: QuerySet[SalesLine] = self.found
        return found if self.days is None else found.filter(date__in=list(self.days[:DAYS_AT_MOST]))

    @staticmethod
    def _searched(request: HttpRequest, found: QuerySet[DayTotal, date]) -> list[date]:
        days = list(found[: DAYS_SEARCHED + 1])
        if len(days) > DAYS_SEARCHED:
            last, first = days[0], days[DAYS_SEARCHED - 1]
            messages.info(
                request,
                f"只找了 {first:%Y-%m-%d} 到 {last:%Y-%m-%d} 之間可能符合的 {DAYS_SEARCHED} 天；"
                f"要找更早的，請把日期的迄日設為 {first - timedelta(days=1):%Y-%m-%d} 或更早。",
            )
        return days[:DAYS_SEARCHED]


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
        mine_filter(pm="pm", brand="brand"),
    )
    list_fullwidth = True
    list_before_template = "admin/sales/lines.html"
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

    def export_file(self, found: FoundList, kind: str) -> BinaryIO:
        refuse_too_many(found.changes.sums.lines, most_rows(kind))
        return lines_file(found.changes.every_line(), kind=kind, about=facts_of(found))

    day = column("日期", lambda day: nowrap(f"{day:%Y-%m-%d}"), of="date")
    product = column("商品", lambda line: goods(line.product_name or NO_VALUE, line.product_code))
    category_name = column("分類", lambda name: nowrap(name or NO_VALUE), of="category")
    pm_name = column("PM", lambda name: nowrap(name or NO_VALUE), of="pm")
    amount_money = column("業績", money, of="amount")
    cost_money = column("成本", money, of="cost")
    profit_money = column("毛利", money, of="gross_profit")
    import_link = column("匯入", lambda pk: page_link("jobs_job", pk, f"#{pk}"), of="job_id")
