"""What happened to products, and the prices that wait for somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from momo.admin_kit.dialogs import after_dialog, dialog_link, question
from momo.admin_kit.display import badge, money, percent_change, percent_of, when
from momo.admin_kit.filters import DayRangeFilter, within
from momo.admin_kit.tables import LongAdmin, ReadOnlyAdmin
from momo.rest.permissions import MANAGER, has_role
from products.admin.looks import HELD_TONES, kind_badge, product_link, run_link
from products.models import PriceEvent, Product, QuarantinedPrice
from products.selectors.products import search, search_words
from products.services.quarantine import AlreadyDecided, accept_price, reject_price
from products.services.tell import tell_price_events

HELD = QuarantinedPrice.Status.HELD


class ToldFilter(DropdownFilter):
    """Events that were told, that still wait for it, or that nobody is told of."""

    title = "通知"
    parameter_name = "told"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "未通知"), ("yes", "已通知"), *PriceEvent.Silence.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PriceEvent]) -> QuerySet[PriceEvent]:
        chosen = self.value()
        if chosen in PriceEvent.Silence.values:
            return queryset.filter(silence=chosen)
        if chosen in {"no", "yes"}:
            return queryset.filter(told_at__isnull=chosen == "no", silence="")
        return queryset


@admin.register(PriceEvent)
class PriceEventAdmin(LongAdmin):
    """Price changes, goods that came and went; the table only grows, so nothing here counts it."""

    list_display = ("time", "what", "goods", "prices", "change", "run_number", "told")
    list_display_links = ("time",)
    list_select_related = ("product",)
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ToldFilter,
        within("created_at"),
        ("created_at", DayRangeFilter),
        ("product__category", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    search_fields = ("product__name",)
    search_help_text = "品名、品牌或商品編號"
    sortable_by = ()
    fields = ("what", "goods", "prices", "change", "run_number", "time", "told")
    readonly_fields = fields
    actions_list = ("tell_now",)

    def has_tell_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, MANAGER)

    @action(
        description="立即通知",
        icon="notifications_active",
        permissions=["tell"],
        dialog=question(
            "立即通知",
            "把還沒通知過的事件，依各訂閱的條件寄給訂閱「價格通知」的人。每個事件只會通知一次。",
            yes="立即通知",
        ),
    )
    def tell_now(self, request: HttpRequest, form: Any) -> HttpResponse:
        told = tell_price_events()
        show = messages.success if told.messages else messages.warning
        show(request, told.in_words())
        return after_dialog(request, reverse("admin:products_priceevent_changelist"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # A run's events bear one time, a million of them perhaps: the ids tell the same order without sorting. Those of
        # one kind are few, and are found through the index over kind and time.
        return ("-created_at", "-pk") if "kind__exact" in request.GET else ("-pk",)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        # Pages of runs and the start page lead here.
        return lookup in {"run__id__exact", "kind__exact"} or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PriceEvent], search_term: str
    ) -> tuple[QuerySet[PriceEvent], bool]:
        words = search_words(search_term)
        return (queryset.filter(product__in=search(Product.objects.all(), words)) if words else queryset), False

    @display(description="時間")
    def time(self, obj: PriceEvent) -> str:
        return when(obj.created_at)

    @display(description="事件")
    def what(self, obj: PriceEvent) -> str:
        return kind_badge(obj)

    @display(description="商品")
    def goods(self, obj: PriceEvent) -> str:
        return goods(product_link(obj.product_id, obj.product.name), obj.product.product_id)

    @display(description="售價")
    def prices(self, obj: PriceEvent) -> str:
        return from_to(obj.old_price, obj.new_price)

    @display(description="幅度")
    def change(self, obj: PriceEvent) -> str:
        return percent_change(percent_of(obj.old_price, obj.new_price))

    @display(description="爬取")
    def run_number(self, obj: PriceEvent) -> str:
        return run_link(obj.run_id)

    @display(description="通知")
    def told(self, obj: PriceEvent) -> str:
        if obj.silence:
            return str(obj.get_silence_display())
        return when(obj.told_at) if obj.told_at else "未通知"


def goods(name: str, code: str) -> str:
    """Name over goods code."""
    return format_html(
        '<div class="mo-goods"><span class="mo-name">{}</span><span class="mo-sub">{}</span></div>', name, code
    )


def from_to(old: int | None, new: int | None) -> str:
    """One price where they are the same, else both with an arrow."""
    if old is None or new is None or old == new:
        return money(new if new is not None else old)
    return format_html('<span class="mo-nowrap"><s class="mo-old">{}</s> → {}</span>', money(old), money(new))


class HeldFilter(DropdownFilter):
    """The work that waits is shown unless something else is asked for."""

    title = "狀態"
    parameter_name = "state"
    all_option = ("", "待確認")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        decided = [(value, label) for value, label in QuarantinedPrice.Status.choices if value != HELD]
        return [("all", "全部（待確認在前）"), *decided]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value() or HELD
        return queryset.filter(status=chosen) if chosen in QuarantinedPrice.Status.values else queryset


@admin.register(QuarantinedPrice)
class QuarantinedPriceAdmin(ReadOnlyAdmin):
    """Prices too odd to believe at first sight."""

    list_display = (
        "observed",
        "goods",
        "known",
        "saw",
        "change",
        "list_money",
        "why",
        "state",
        "decided",
        "run_number",
    )
    list_display_links = ("observed",)
    list_select_related = ("product", "decided_by")
    list_filter = (HeldFilter, ("reason", ChoicesDropdownFilter), ("observed_at", DayRangeFilter))
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("code", "name")
    search_help_text = "品名或商品編號"
    sortable_by = ()
    ordering = (
        Case(When(status=HELD, then=Value(0)), default=Value(1), output_field=IntegerField()).asc(),
        "-observed_at",
        "-pk",
    )
    fields = ("goods", "known", "saw", "change", "list_money", "why", "state", "observed", "decided", "run_number")
    readonly_fields = fields
    actions = ("accept_selected", "reject_selected")
    actions_detail = ("accept", "reject")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("products.change_quarantinedprice")

    @display(description="商品")
    def goods(self, obj: QuarantinedPrice) -> str:
        name = product_link(obj.product_id, obj.name) if obj.product_id else obj.name
        return goods(name, obj.code)

    @display(description="目前售價")
    def known(self, obj: QuarantinedPrice) -> str:
        return money(obj.known_price)

    @display(description="看到的售價")
    def saw(self, obj: QuarantinedPrice) -> str:
        return format_html("<strong>{}</strong>", money(obj.price))

    @display(description="幅度")
    def change(self, obj: QuarantinedPrice) -> str:
        return percent_change(percent_of(obj.known_price, obj.price))

    @display(description="原價")
    def list_money(self, obj: QuarantinedPrice) -> str:
        return money(obj.list_price)

    @display(description="原因")
    def why(self, obj: QuarantinedPrice) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', obj.get_reason_display())

    @display(description="狀態")
    def state(self, obj: QuarantinedPrice) -> str:
        return badge(obj.get_status_display(), HELD_TONES[QuarantinedPrice.Status(obj.status)])

    @display(description="看到時間")
    def observed(self, obj: QuarantinedPrice) -> str:
        return when(obj.observed_at)

    @display(description="決定")
    def decided(self, obj: QuarantinedPrice) -> str:
        if obj.decided_at is None:
            return "－"
        return format_html('{}<span class="mo-sub">{}</span>', when(obj.decided_at), obj.decided_by or "系統")

    @display(description="爬取")
    def run_number(self, obj: QuarantinedPrice) -> str:
        return run_link(obj.run_id)

    def get_list_display(self, request: HttpRequest) -> Any:
        return (*self.list_display, "decide") if self.has_decide_permission(request) else self.list_display

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        waits = QuarantinedPrice.objects.filter(pk=object_id, status=HELD).exists()
        return super().get_actions_detail(request, object_id) if waits else []

    @display(description="處理")
    def decide(self, obj: QuarantinedPrice) -> str:
        if obj.status != HELD:
            return "－"
        name = "admin:products_quarantinedprice"
        return format_html(
            '<span class="mo-choices">{}{}</span>',
            dialog_link(reverse(f"{name}_accept", args=[obj.pk]), "採用"),
            dialog_link(reverse(f"{name}_reject", args=[obj.pk]), "拒絕"),
        )

    @action(
        description="採用",
        icon="check",
        permissions=["decide"],
        dialog=question("採用這個價格", "商品會改為這個售價，並記為一次漲跌。", yes="採用"),
    )
    def accept(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._decide_one(request, object_id, accept_price, "已採用")

    @action(
        description="拒絕",
        icon="close",
        permissions=["decide"],
        dialog=question("拒絕這個價格", "商品維持目前售價；之後再看到這個價格也不會採用。", yes="拒絕"),
    )
    def reject(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._decide_one(request, object_id, reject_price, "已拒絕")

    def _decide_one(self, request: HttpRequest, object_id: str, decide: Callable[..., None], done: str) -> HttpResponse:
        held = get_object_or_404(QuarantinedPrice, pk=object_id)
        try:
            decide(held=held, user=request.user)
        except AlreadyDecided as error:
            messages.warning(request, str(error))
        else:
            messages.success(request, f"{done} {held.name}（{held.code}）的價格 {money(held.price)}")
        return after_dialog(request, reverse("admin:products_quarantinedprice_changelist"))

    @admin.action(description="採用選取的價格", permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[QuarantinedPrice]) -> None:
        self._decide_many(request, queryset, accept_price, "已採用")

    @admin.action(description="拒絕選取的價格", permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[QuarantinedPrice]) -> None:
        self._decide_many(request, queryset, reject_price, "已拒絕")

    def _decide_many(
        self, request: HttpRequest, queryset: QuerySet[QuarantinedPrice], decide: Callable[..., None], done: str
    ) -> None:
        decided = late = 0
        for held in queryset:
            try:
                decide(held=held, user=request.user)
            except AlreadyDecided:
                late += 1
            else:
                decided += 1
        if decided:
            messages.success(request, f"{done} {decided} 個價格")
        if late:
            messages.warning(request, f"{late} 個先前已經處理過，沒有變動")
