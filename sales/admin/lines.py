"""The lines that count, read only."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import DropdownFilter, FieldTextFilter, RangeDateFilter
from unfold.decorators import display
from unfold.utils import parse_date_str

from momo.admin_kit.amounts import dollars
from momo.admin_kit.display import NOTHING, link
from momo.admin_kit.tables import LongAdmin
from sales.figures import NAMELESS
from sales.models import DayOwner, DayTotal, SalesLine

KEYS_OFFERED = 200
DAYS_LOOKED_AT = 31  # the last ones with sales tell the names
UNNAMED = "（未填）"


def _whole(text: str) -> str:
    """Text that stays in one line."""
    return format_html('<span class="mo-nowrap">{}</span>', text)


class DateFilter(RangeDateFilter):
    """Days from and to, both included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        first: date | None = parse_date_str(self.used_parameters.get("date_from", ""))
        last: date | None = parse_date_str(self.used_parameters.get("date_to", ""))
        if first:
            queryset = queryset.filter(date__gte=first)
        return queryset.filter(date__lte=last) if last else queryset


class KeyFilter(DropdownFilter):
    """Names of a dimension in the last days, the biggest first; from the totals, since the lines are millions."""

    dimension: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        days = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL).order_by("-date")[:DAYS_LOOKED_AT]
        sums = DayTotal.objects.filter(dimension=self.dimension, date__in=days.values("date")).values("key").order_by()
        biggest = sums.annotate(money=Sum("amount")).order_by("-money", "key")
        names = biggest.values_list("key", flat=True)[:KEYS_OFFERED]
        # No name is ever stored as that, so it can stand for none in the address.
        return [(name or NAMELESS, name or UNNAMED) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
        chosen = self.value()
        return queryset.filter(**{self.dimension: "" if chosen == NAMELESS else chosen}) if chosen else queryset


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
        ("product_code", FieldTextFilter),
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
