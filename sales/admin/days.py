"""Days: which file is in force, and what it changed of the one before."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from momo.admin_kit.amounts import difference, dollars
from momo.admin_kit.display import GOOD, NOTHING, QUIET, WARN, badge, full_time, link, when
from momo.admin_kit.tables import PageAdmin
from sales.admin.lines import DateFilter
from sales.admin.reads import chart_of_days, claims_of_day
from sales.models import DayClaim, DayOwner, DayTotal


@admin.register(DayOwner)
class DayOwnerAdmin(PageAdmin):
    """One row a day with sales."""

    list_display = ("day", "money", "profit", "margin", "quantity", "lines", "file", "imported")
    list_display_links = ("day",)
    list_select_related = ("claim__job",)
    list_filter = (("date", DateFilter),)
    list_filter_submit = True
    sortable_by = ("day",)
    ordering = ("-date",)
    date_hierarchy = None
    list_before_template = "admin/sales/chart.html"
    change_form_before_template = "admin/sales/dayowner/page.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "sales_chart": chart_of_days()})

    @display(description="日期", ordering="date")
    def day(self, obj: DayOwner) -> str:
        return _with_weekday(obj.date)

    @display(description="業績")
    def money(self, obj: DayOwner) -> str:
        return format_html("<strong>{}</strong>", dollars(obj.claim.amount))

    @display(description="毛利")
    def profit(self, obj: DayOwner) -> str:
        return dollars(obj.claim.gross_profit)

    @display(description="毛利率")
    def margin(self, obj: Any) -> str:
        """Of the lines whose gross profit is known, as everywhere."""
        profit, base = obj.claim.gross_profit, obj.margin_base
        return NOTHING if profit is None or not base or base < 0 else f"{profit * 100 / base:.1f}%"

    @display(description="數量")
    def quantity(self, obj: DayOwner) -> str:
        return f"{obj.claim.quantity:,}"

    @display(description="列數")
    def lines(self, obj: DayOwner) -> str:
        return f"{obj.claim.lines:,}"

    @display(description="有效的檔案")
    def file(self, obj: DayOwner) -> str:
        job = obj.claim.job
        return link(reverse("admin:jobs_job_change", args=[job.pk]), f"#{job.pk} {job.file_name}")

    @display(description="匯入時間")
    def imported(self, obj: DayOwner) -> str:
        return when(obj.claim.job.finished_at)

    def page_context(self, request: HttpRequest, obj: DayOwner) -> dict[str, Any]:
        claims = list(claims_of_day(date=obj.date, source=obj.source))
        standing = [claim for claim in claims if claim.undone_at is None]
        before = {claim.pk: older for claim, older in zip(standing, [*standing[1:], None], strict=True)}
        lines = reverse("admin:sales_salesline_changelist")
        return {
            "day": _with_weekday(obj.date),
            "lines_url": f"{lines}?date_from={obj.date:%Y-%m-%d}&date_to={obj.date:%Y-%m-%d}",
            "figures": [
                ("業績", dollars(obj.claim.amount)),
                ("毛利", dollars(obj.claim.gross_profit)),
                ("數量", f"{obj.claim.quantity:,}"),
                ("列數", f"{obj.claim.lines:,}"),
            ],
            "versions": [_version(claim, before.get(claim.pk), in_force=claim.pk == obj.claim_id) for claim in claims],
        }

    def get_queryset(self, request: HttpRequest) -> QuerySet[DayOwner]:
        whole = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL, key="", date=OuterRef("date"))
        days = super().get_queryset(request).select_related("claim__job__created_by")
        return days.annotate(margin_base=Subquery(whole.values("margin_base")))


def _with_weekday(day: date) -> str:
    return f"{day:%Y-%m-%d}（{'一二三四五六日'[day.weekday()]}）"


def _version(claim: DayClaim, older: DayClaim | None, *, in_force: bool) -> dict[str, Any]:
    if claim.undone_at is not None:
        state = badge("已復原", QUIET)
    else:
        state = badge("有效", GOOD) if in_force else badge("已被取代", WARN)
    job = claim.job
    return {
        "state": state,
        "file": link(reverse("admin:jobs_job_change", args=[job.pk]), f"#{job.pk} {job.file_name}"),
        "who": job.created_by or "系統",
        "time": full_time(job.finished_at),
        "lines": f"{claim.lines:,}",
        "lines_change": difference(claim.lines, older.lines if older else None),
        "quantity": f"{claim.quantity:,}",
        "quantity_change": difference(claim.quantity, older.quantity if older else None),
        "amount": dollars(claim.amount),
        "amount_change": difference(claim.amount, older.amount if older else None),
    }
