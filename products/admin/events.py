"""Admin pages of product events."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import column, goods, money, percent_change, when
from momo.admin.kit.filters import Choices, ChoicesFilter, DayRangeFilter, RowsFilter, choice_filter, within
from momo.admin.kit.mine import mine_filter
from momo.admin.kit.tables import UncountedAdmin
from momo.core.errors import Conflict
from momo.core.formats import change_percent
from momo.core.roles import MANAGER, has_role
from products.admin.looks import kind_badge, product_link, run_link
from products.models import PriceEvent, Product
from products.selectors.products import search, search_words
from products.services.notify import notify_price_events


def notified_choices() -> Choices:
    """Events that were notified, that wait for it, or that never will be."""
    return {
        "no": ("未通知", Q(told_at=None, silence="")),
        "yes": ("已通知", Q(told_at__isnull=False, silence="")),
        **{value: (label, Q(silence=value)) for value, label in PriceEvent.Silence.choices},
    }


@admin.register(PriceEvent)
class PriceEventAdmin(UncountedAdmin):
    """Events of products. The table only grows, so the list never counts its rows."""

    list_display = ("time", "what", "goods", "prices", "change", "run_number", "notified")
    list_display_links = ("time",)
    list_select_related = ("product",)
    list_filter = (
        ("kind", ChoicesFilter),
        choice_filter("通知", "told", notified_choices),
        within("created_at"),
        ("created_at", DayRangeFilter),
        ("product__category", RowsFilter),
        mine_filter(brand="product__brand"),
    )
    tabs = (("全部", {}), *((kind.label, {"kind__exact": kind.value}) for kind in PriceEvent.Kind))
    export_extra = (("品號", "product.product_id"),)
    search_fields = ("product__name",)
    search_help_text = "品名、品牌或品號"
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
        # Pages of runs, the price board and the start page link here.
        linked = {"run__id__exact", "kind__exact", "product__brand__exact"}
        return lookup in linked or super().lookup_allowed(lookup, value, request)

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
    prices = column("售價", lambda event: event_prices(event), number=True)
    change = column("幅度", lambda event: percent_change(change_percent(event.old_price, event.new_price)), number=True)
    run_number = column("價格更新", run_link, of="run_id")

    @display(description="通知")
    def notified(self, obj: PriceEvent) -> str:
        if obj.silence:
            return str(obj.get_silence_display())
        return when(obj.told_at) if obj.told_at else "未通知"


def event_prices(event: PriceEvent) -> str:
    """The prices of an event; of a product that came back without a price that can be read there is none."""
    if event.kind == PriceEvent.Kind.RELISTED and event.new_price is None:
        return "不明"
    return from_to(event.old_price, event.new_price)


def from_to(old: int | None, new: int | None) -> str:
    """HTML of a price, or of an old and a new one with an arrow."""
    if old is None or new is None or old == new:
        return money(new if new is not None else old)
    return format_html('<span class="mo-nowrap"><s class="mo-old">{}</s> → {}</span>', money(old), money(new))
