"""Admin pages of alarms about sales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter

from accounts.models import User
from momo.admin.kit.display import BAD, GOOD, QUIET, WARN, badge, choice_badge, column, link, when, with_weekday
from momo.admin.kit.filters import Choices, ChoicesFilter, choice_filter
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import ReadOnlyAdmin
from momo.core.errors import ServiceError
from sales.addresses import address_of_lines
from sales.models import Alarm
from sales.selectors.alarms import OPEN, alarms
from sales.services.alarms import acknowledge, said_of

TONES = {
    Alarm.Kind.AMOUNT: WARN,
    Alarm.Kind.SILENT: WARN,
    Alarm.Kind.MARGIN: BAD,
    Alarm.Kind.COST: WARN,
    Alarm.Kind.MISSING: BAD,
}


def states() -> Choices:
    """Alarms by state; all by default."""
    return {
        "open": ("待處理", OPEN),
        "acknowledged": ("已處理", Q(acknowledged_at__isnull=False)),
        "closed": ("已解除", Q(closed_at__isnull=False, acknowledged_at=None)),
    }


def _state(alarm: Alarm) -> SafeString:
    if alarm.acknowledged_at:
        return badge("已處理", GOOD)
    return badge("已解除", QUIET) if alarm.closed_at else badge("待處理", WARN)


def _lines(alarm: Alarm) -> SafeString:
    """A link to the lines of the day that the alarm is about; of a product to its page, where there is one."""
    filters = {}
    if alarm.dimension == Alarm.Dimension.PRODUCT:
        filters["product_code__icontains"] = alarm.key
    elif alarm.dimension != Alarm.Dimension.ALL:
        filters[alarm.dimension] = alarm.key
    return link(address_of_lines(alarm.date, alarm.date, **filters), "查看明細")


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """Alarms: the system makes and closes them, managers acknowledge them."""

    list_display = ("day", "sort", "of", "title", "said", "state", "lines")
    list_display_links = ("day", "title")
    list_filter = (
        choice_filter("狀態", "state", states),
        ("kind", ChoicesFilter),
        ("dimension", ChoicesFilter),
        ("date", RangeDateFilter),
    )
    tabs = (("全部", {}), *((label, {"state": value}) for value, (label, _) in states().items()))
    search_fields = ("name", "key")
    search_help_text = "名稱或品號"
    sortable_by = ("day",)
    fields = ("day", "sort", "of", "title", "said", "state", "lines", "found", "gone", "seen", "person")
    actions = ("acknowledge_chosen",)

    day = column("銷售日", with_weekday, of="date", order="date")
    sort = column("種類", choice_badge(TONES, "kind"))
    of = column("維度", lambda alarm: alarm.get_dimension_display())
    title = column("名稱", lambda name: name or "－", of="name")
    said = column("說明", said_of)
    state = column("狀態", _state)
    lines = column("明細", _lines)
    found = column("發現時間", when, of="created_at")
    gone = column("解除時間", when, of="closed_at")
    seen = column("處理時間", when, of="acknowledged_at")
    person = column("處理人", lambda user: str(user or "－"), of="acknowledged_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alarm]:
        return alarms()

    @admin.action(description="標記為已處理", permissions=["acknowledge"])
    def acknowledge_chosen(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        """Acknowledge the chosen alarms."""
        ids: Sequence[int] = list(queryset.order_by().values_list("pk", flat=True))
        try:
            done = acknowledge(ids=ids, user=cast(User, request.user))
        except ServiceError as refusal:
            show_refusal(request, refusal)
            return
        messages.success(request, f"已將 {done} 項標記為已處理")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Whether the user may acknowledge alarms."""
        return request.user.has_perm("sales.change_alarm")
