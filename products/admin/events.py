"""Admin pages of product events and of held prices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action, dialog_link
from momo.admin.kit.display import NO_VALUE, column, goods, money, nowrap, percent_change, when, with_sub
from momo.admin.kit.filters import Choices, DayRangeFilter, choice_filter, within
from momo.admin.kit.tables import ReadOnlyAdmin, UncountedAdmin
from momo.core.errors import Conflict
from momo.core.formats import change_percent
from momo.core.roles import MANAGER, has_role
from products.admin.looks import held_badge, kind_badge, product_link, run_link
from products.models import PriceEvent, Product, QuarantinedPrice
from products.selectors.products import search, search_words
from products.services.notify import notify_price_events
from products.services.quarantine import AlreadyDecided, accept_price, reject_price

HELD = QuarantinedPrice.Status.HELD


def _is_held(held: QuarantinedPrice) -> bool:
    return held.status == HELD


def notified_choices() -> Choices:
    """Events that were notified, that wait for it, or that never will be."""
    return {
        "no": ("未通知", Q(told_at=None, silence="")),
        "yes": ("已通知", Q(told_at__isnull=False, silence="")),
        **{value: (label, Q(silence=value)) for value, label in PriceEvent.Silence.choices},
    }


def held_choices() -> Choices:
    """Held prices by status; the undecided ones by default."""
    status = QuarantinedPrice.Status
    return {
        "": (status.HELD.label, Q(status=status.HELD)),
        "all": ("全部（待確認在前）", Q()),
        **{value: (label, Q(status=value)) for value, label in status.choices if value != status.HELD},
    }


@admin.register(PriceEvent)
class PriceEventAdmin(UncountedAdmin):
    """Events of products. The table only grows, so the list never counts its rows."""

    list_display = ("time", "what", "goods", "prices", "change", "run_number", "notified")
    list_display_links = ("time",)
    list_select_related = ("product",)
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        choice_filter("通知", "told", notified_choices),
        within("created_at"),
        ("created_at", DayRangeFilter),
        ("product__category", AutocompleteSelectFilter),
    )
    search_fields = ("product__name",)
    search_help_text = "品名、品牌或商品編號"
    sortable_by = ()
    fields = ("what", "goods", "prices", "change", "run_number", "time", "notified")
    actions_list = ("notify_now",)

    def has_notify_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, MANAGER)

    @dialog_action(
        "立即通知",
        "notifications_active",
        url_path="tell_now",
        permission="notify",
        dialog=confirm_dialog(
            "立即通知",
            "把還沒通知過的事件，依各訂閱的條件寄給訂閱「價格通知」的人。每個事件只會通知一次。",
            yes="立即通知",
        ),
    )
    def notify_now(self, request: HttpRequest, form: Any) -> str:
        done = notify_price_events()
        if not done.messages:
            raise Conflict(done.description())
        return done.description()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # A run's events share one time, perhaps a million of them: the ids give the same order without sorting. Events
        # of one kind are few, and are found through the index over kind and time.
        return ("-created_at", "-pk") if "kind__exact" in request.GET else ("-pk",)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        # Pages of runs and the start page link here.
        return lookup in {"run__id__exact", "kind__exact"} or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PriceEvent], search_term: str
    ) -> tuple[QuerySet[PriceEvent], bool]:
        words = search_words(search_term)
        return (queryset.filter(product__in=search(Product.objects.all(), words)) if words else queryset), False

    time = column("時間", when, of="created_at")
    what = column("事件", kind_badge)
    goods = column(
        "商品", lambda event: goods(product_link(event.product_id, event.product.name), event.product.product_id)
    )
    prices = column("售價", lambda event: from_to(event.old_price, event.new_price))
    change = column("幅度", lambda event: percent_change(change_percent(event.old_price, event.new_price)))
    run_number = column("爬取", run_link, of="run_id")

    @display(description="通知")
    def notified(self, obj: PriceEvent) -> str:
        if obj.silence:
            return str(obj.get_silence_display())
        return when(obj.told_at) if obj.told_at else "未通知"


def from_to(old: int | None, new: int | None) -> str:
    """HTML of a price, or of an old and a new one with an arrow."""
    if old is None or new is None or old == new:
        return money(new if new is not None else old)
    return format_html('<span class="mo-nowrap"><s class="mo-old">{}</s> → {}</span>', money(old), money(new))


@admin.register(QuarantinedPrice)
class QuarantinedPriceAdmin(ReadOnlyAdmin):
    """Implausible prices, held until a second sight or a decision."""

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
    list_filter = (
        choice_filter("狀態", "state", held_choices),
        ("reason", ChoicesDropdownFilter),
        ("observed_at", DayRangeFilter),
    )
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
    actions = ("accept_selected", "reject_selected")
    actions_detail = ("accept", "reject")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("products.change_quarantinedprice")

    goods = column(
        "商品",
        lambda held: goods(product_link(held.product_id, held.name) if held.product_id else held.name, held.code),
    )
    known = column("目前售價", money, of="known_price")
    saw = column("看到的售價", lambda price: format_html("<strong>{}</strong>", money(price)), of="price")
    change = column("幅度", lambda held: percent_change(change_percent(held.known_price, held.price)))
    list_money = column("原價", money, of="list_price")
    why = column("原因", lambda held: nowrap(held.get_reason_display()))
    state = column("狀態", held_badge)
    observed = column("看到時間", when, of="observed_at")
    run_number = column("爬取", run_link, of="run_id")

    @display(description="決定")
    def decided(self, obj: QuarantinedPrice) -> str:
        return NO_VALUE if obj.decided_at is None else with_sub(when(obj.decided_at), obj.decided_by or "系統")

    def get_list_display(self, request: HttpRequest) -> Any:
        return (*self.list_display, "decide") if self.has_decide_permission(request) else self.list_display

    @display(description="處理")
    def decide(self, obj: QuarantinedPrice) -> str:
        if obj.status != HELD:
            return NO_VALUE
        name = "admin:products_quarantinedprice"
        return format_html(
            '<span class="mo-choices">{}{}</span>',
            dialog_link(reverse(f"{name}_accept", args=[obj.pk]), "採用"),
            dialog_link(reverse(f"{name}_reject", args=[obj.pk]), "拒絕"),
        )

    @dialog_action(
        "採用",
        "check",
        permission="decide",
        fits=_is_held,
        dialog=confirm_dialog("採用這個價格", "商品會改為這個售價，並記為一次漲跌。", yes="採用"),
    )
    def accept(self, request: HttpRequest, form: Any, held: QuarantinedPrice) -> str:
        accept_price(held=held, user=cast(User, request.user))
        return f"已採用 {held.name}（{held.code}）的價格 {money(held.price)}"

    @dialog_action(
        "拒絕",
        "close",
        permission="decide",
        fits=_is_held,
        dialog=confirm_dialog("拒絕這個價格", "商品維持目前售價；之後再看到這個價格也不會採用。", yes="拒絕"),
    )
    def reject(self, request: HttpRequest, form: Any, held: QuarantinedPrice) -> str:
        reject_price(held=held, user=cast(User, request.user))
        return f"已拒絕 {held.name}（{held.code}）的價格 {money(held.price)}"

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
