"""Admin pages of days: the import in force, and its differences from the version before."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from momo.admin.kit.display import GOOD, NO_VALUE, WARN, badge, column, difference, money, thousands, when, with_weekday
from momo.admin.kit.exports import KINDS
from momo.admin.kit.tables import PageAdmin
from momo.core.formats import percent, percent_of
from sales.addresses import address_of_lines
from sales.admin.lines import DateFilter, chosen_days, job_link
from sales.admin.notes import note_context
from sales.admin.spans import SalesChangeList
from sales.exports import FORMATS
from sales.models import DayClaim, DayOwner, DayTotal
from sales.selectors.days import chart_of_days, claims_of_day, totals_of
from sales.selectors.lines import sum_of_totals


def margin_of(day: Any) -> str:
    """The gross margin over the lines whose gross profit is known, as in the API."""
    profit, base = day.claim.gross_profit, day.margin_base
    margin = percent_of(profit, base, places=1) if profit is not None and base and base > 0 else None
    return NO_VALUE if margin is None else percent(margin, places=1, fixed=True)


class DaysChangeList(SalesChangeList):
    """Sums up the days that the list finds, and offers their lines as files."""

    @property
    def line_exports(self) -> list[tuple[str, str]]:
        """Title and address of each file with the lines of the days that the list finds."""
        asked, address = self.get_query_string(), "admin:sales_salesline_export_file"
        return [(f"明細 {title}", reverse(address, args=[kind]) + asked) for kind, title in KINDS.items()]

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[DayOwner]:
        days: QuerySet[DayOwner] = super().get_queryset(request, exclude_parameters)
        span = chosen_days(self.filter_specs)
        self.sums = sum_of_totals(totals_of(dimension=DayTotal.Dimension.ALL, keys=[""], **span))
        return days


@admin.register(DayOwner)
class DayOwnerAdmin(PageAdmin):
    """One row for each day with sales."""

    changelist_class = DaysChangeList
    list_display = ("day", "amount", "profit", "margin", "quantity", "lines", "file", "imported")
    list_select_related = ("claim__job",)
    list_filter = (("date", DateFilter),)
    sortable_by = ("day",)
    ordering = ("-date",)
    list_before_template = "admin/sales/chart.html"
    change_form_before_template = "admin/sales/dayowner/page.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "sales_chart": chart_of_days()})

    day = column("日期", with_weekday, of="date", order="date")
    amount = column("業績", lambda amount: format_html("<strong>{}</strong>", money(amount)), of="claim.amount")
    profit = column("毛利", money, of="claim.gross_profit")
    margin = column("毛利率", margin_of, number=True)
    quantity = column("銷量", thousands, of="claim.quantity")
    lines = column("列數", thousands, of="claim.lines")
    file = column("採用的檔案", job_link, of="claim.job")
    imported = column("匯入時間", when, of="claim.job.finished_at")

    def page_context(self, request: HttpRequest, obj: DayOwner) -> dict[str, Any]:
        claims = list(claims_of_day(date=obj.date, source=obj.source))
        standing = [claim for claim in claims if claim.undone_at is None]
        before = {claim.pk: older for claim, older in zip(standing, [*standing[1:], None], strict=True)}
        return {
            **note_context(obj.date),
            "day": with_weekday(obj.date),
            "exports": [
                (KINDS[kind], f"{reverse('export-daily-sales')}?date={obj.date:%Y-%m-%d}&format={name}")
                for name, kind in FORMATS.items()
            ],
            "lines_url": address_of_lines(obj.date, obj.date),
            "figures": [
                ("業績", money(obj.claim.amount)),
                ("毛利", money(obj.claim.gross_profit)),
                ("銷量", thousands(obj.claim.quantity)),
                ("列數", thousands(obj.claim.lines)),
            ],
            "versions": [
                (claim, _changes(claim, before.get(claim.pk)), _state(claim, obj), job_link(claim.job))
                for claim in claims
            ],
        }

    def get_queryset(self, request: HttpRequest) -> QuerySet[DayOwner]:
        whole = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL, key="", date=OuterRef("date"))
        days = super().get_queryset(request).select_related("claim__job__created_by")
        annotated: QuerySet[DayOwner] = days.annotate(margin_base=Subquery(whole.values("margin_base")))
        return annotated


def _state(claim: DayClaim, day: DayOwner) -> SafeString:
    if claim.undone_at is not None:
        return badge("已復原")
    return badge("採用中", GOOD) if claim.pk == day.claim_id else badge("已被取代", WARN)


def _changes(claim: DayClaim, older: DayClaim | None) -> list[str]:
    """Differences of lines, quantity and amount from the version before."""
    return [difference(getattr(claim, name), getattr(older, name, None)) for name in ("lines", "quantity", "amount")]
