"""The lines that count, read only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Exists, Model, OuterRef, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import DropdownFilter, FieldTextFilter, RangeDateFilter
from unfold.decorators import display
from unfold.utils import parse_date_str

from momo.admin_kit.amounts import dollars
from momo.admin_kit.display import NOTHING, link
from momo.admin_kit.tables import LongAdmin, QuietChangeList
from sales.figures import NAMELESS
from sales.models import DayOwner, DayTotal, SalesLine

KEYS_OFFERED = 200
DAYS_LOOKED_AT = 31  # the last ones with sales tell the names, and are searched for what no sum tells
DAYS_AT_MOST = 36_525  # a century: an address may ask for any page
UNNAMED = "（未填）"

Row = TypeVar("Row", bound=Model)


def _whole(text: str) -> str:
    """Text that stays in one line."""
    return format_html('<span class="mo-nowrap">{}</span>', text)


def within(queryset: QuerySet[Row], chosen: Mapping[str, str]) -> QuerySet[Row]:
    """The rows of the days from `date_from` to `date_to`, both included, as a page's address says."""
    first: date | None = parse_date_str(chosen.get("date_from", ""))
    last: date | None = parse_date_str(chosen.get("date_to", ""))
    if first:
        queryset = queryset.filter(date__gte=first)
    return queryset.filter(date__lte=last) if last else queryset


class DateFilter(RangeDateFilter):
    """Days from and to, both included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        return within(queryset, self.used_parameters)


class KeyFilter(DropdownFilter):
    """Names of a dimension in the last of the days that are looked at, the biggest first, and the one that is chosen.

    From the totals, since the lines are millions.
    """

    dimension: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        days = within(DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL), request.GET)
        last = days.order_by("-date").values("date")[:DAYS_LOOKED_AT]
        sums = DayTotal.objects.filter(dimension=self.dimension, date__in=last).values("key").order_by()
        biggest = sums.annotate(money=Sum("amount")).order_by("-money", "key")
        names = list(biggest.values_list("key", flat=True)[:KEYS_OFFERED])
        if self.value() and self.key not in names:
            names.append(self.key)
        # No name is ever stored as that, so it can stand for none in the address.
        return [(name or NAMELESS, name or UNNAMED) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        return queryset.filter(**{self.dimension: self.key}) if self.value() else queryset

    @property
    def key(self) -> str:
        """The name that was chosen, as it is stored."""
        chosen = str(self.value() or "")
        return "" if chosen == NAMELESS else chosen


class CodeFilter(FieldTextFilter):
    """Part of a product code, in the last days only: an index of millions of codes would slow each import down."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = f"品號（{DAYS_LOOKED_AT} 天內）"


class LinesChangeList(QuietChangeList):
    """Looks only at days that can have what was asked for, the newest first: not through all that was ever sold.

    Each day that a sum tells has a line at least, so one key needs no more days than lines are shown. What no sum
    tells, a code or keys together, is looked for in DAYS_LOOKED_AT of the days, and the page says in which.
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
            # Named one by one: what is planned for days that are not known yet may go through all lines.
            return lines.filter(date__in=list(self._days(keys)[:needed]))
        days = list(self._days(keys)[: DAYS_LOOKED_AT + 1])
        if len(days) > DAYS_LOOKED_AT:
            last, first = days[0], days[DAYS_LOOKED_AT - 1]
            messages.info(
                request,
                f"只找了 {first:%Y-%m-%d} 到 {last:%Y-%m-%d} 之間可能符合的 {DAYS_LOOKED_AT} 天；"
                f"要找更早的，請把日期的迄日設為 {first - timedelta(days=1):%Y-%m-%d} 或更早。",
            )
        return lines.filter(date__in=days[:DAYS_LOOKED_AT])

    def _days(self, keys: Mapping[str, str]) -> QuerySet[DayTotal, date]:
        """The days chosen that have each of the keys, the newest first."""
        (dimension, key), *others = keys.items() or ((DayTotal.Dimension.ALL, ""),)
        days = DayTotal.objects.filter(dimension=dimension, key=key)
        for dimension, key in others:
            days = days.filter(Exists(DayTotal.objects.filter(dimension=dimension, key=key, date=OuterRef("date"))))
        for spec in self.filter_specs:
            if isinstance(spec, DateFilter):
                days = within(days, spec.used_parameters)
        return days.order_by("-date").values_list("date", flat=True)


def _by(dimension: str, title: str) -> type[KeyFilter]:
    return type("KeyFilter", (KeyFilter,), {"dimension": dimension, "title": title, "parameter_name": dimension})


@admin.register(SalesLine)
class SalesLineAdmin(LongAdmin):
    """Rows of the reports in force; what an older version of a day said is on the page of its import."""

    list_display = (
        "day",
        "product",
        "brand",
        "category_name",
        "pm_name",
        "quantity",
        "money",
        "cost_money",
        "profit_money",
        "import_link",
    )
    list_display_links = ("day",)
    list_filter = (
        ("date", DateFilter),
        _by("pm", "PM"),
        _by("brand", "品牌"),
        _by("category", "分類"),
        ("product_code", CodeFilter),
    )
    list_filter_submit = True
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
        "money",
        "cost_money",
        "profit_money",
        "import_link",
        "row",
    )
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LinesChangeList]:
        return LinesChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[SalesLine]:
        in_force = DayOwner.objects.filter(date=OuterRef("date"), claim__lines_job_id=OuterRef("job_id"))
        return super().get_queryset(request).filter(Exists(in_force))

    @display(description="日期")
    def day(self, obj: SalesLine) -> str:
        return _whole(f"{obj.date:%Y-%m-%d}")

    @display(description="商品")
    def product(self, obj: SalesLine) -> str:
        return format_html(
            '<div class="mo-goods"><span class="mo-name">{}</span><span class="mo-sub">{}</span></div>',
            obj.product_name or NOTHING,
            obj.product_code,
        )

    @display(description="分類")
    def category_name(self, obj: SalesLine) -> str:
        return _whole(obj.category or NOTHING)

    @display(description="PM")
    def pm_name(self, obj: SalesLine) -> str:
        return _whole(obj.pm or NOTHING)

    @display(description="業績")
    def money(self, obj: SalesLine) -> str:
        return dollars(obj.amount)

    @display(description="成本")
    def cost_money(self, obj: SalesLine) -> str:
        return dollars(obj.cost)

    @display(description="毛利")
    def profit_money(self, obj: SalesLine) -> str:
        return dollars(obj.gross_profit)

    @display(description="匯入")
    def import_link(self, obj: SalesLine) -> str:
        return link(reverse("admin:jobs_job_change", args=[obj.job_id]), f"#{obj.job_id}")
