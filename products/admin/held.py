"""Admin pages of held prices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.forms import BaseDialogForm

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action, dialog_link
from momo.admin.kit.display import NO_VALUE, column, goods, link, money, nowrap, percent_change, when, with_sub
from momo.admin.kit.filters import Choices, DayRangeFilter, choice_filter
from momo.admin.kit.mine import mine_filter
from momo.admin.kit.tables import ReadOnlyAdmin
from momo.core.formats import change_percent
from products.admin.looks import held_badge, product_link, run_link
from products.models import QuarantinedPrice
from products.services.quarantine import AlreadyDecided, accept_price, reject_price

HELD = QuarantinedPrice.Status.HELD


def _is_held(held: QuarantinedPrice) -> bool:
    return held.status == HELD


def held_choices() -> Choices:
    """Held prices by status; the undecided ones by default."""
    status = QuarantinedPrice.Status
    return {
        "": (status.HELD.label, Q(status=status.HELD)),
        "all": ("全部（待確認在前）", Q()),
        **{value: (label, Q(status=value)) for value, label in status.choices if value != status.HELD},
    }


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may accept and reject held prices."""
    return request.user.has_perm("products.change_quarantinedprice")


def decision_links(held: QuarantinedPrice) -> SafeString:
    """Links that open the dialogs of a held price."""
    name = "admin:products_quarantinedprice"
    return format_html(
        '<span class="mo-choices">{}{}</span>',
        dialog_link(reverse(f"{name}_accept", args=[held.pk]), "採用"),
        dialog_link(reverse(f"{name}_reject", args=[held.pk]), "拒絕"),
    )


def shop_link(held: QuarantinedPrice, text: str = "在 momo 查看") -> SafeString:
    """Link to the shop's page of the product, which is no product of ours while its first price is held."""
    url = held.product.url if held.product else f"{settings.MOMO_SHOP_URL.rstrip('/')}/product/{held.code}"
    return nowrap(link(url, text, new_tab=True))


def _goods(held: QuarantinedPrice) -> SafeString:
    name = product_link(held.product_id, held.name) if held.product_id else held.name
    return goods(name, format_html("{} {}", held.code, shop_link(held, "momo 頁面")))


class DecisionForm(BaseDialogForm):
    """The dialog of a decision: which product, and which prices."""

    form_before_template = "admin/products/quarantinedprice/dialog.html"

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        held = QuarantinedPrice.objects.select_related("product").filter(pk=object_id).first()
        return {
            "held": held,
            "percent": percent_change(change_percent(held.known_price, held.price))
            if held and held.known_price
            else "",
            "shop_link": held and shop_link(held),
        }


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
        mine_filter(brand="product__brand"),
    )
    list_fullwidth = True
    export_extra = (("品號", "code"),)
    search_fields = ("code", "name")
    search_help_text = "品名或品號"
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
        return may_decide(request)

    goods = column("商品", _goods)
    known = column("目前售價", money, of="known_price")
    saw = column("看到的售價", lambda price: format_html("<strong>{}</strong>", money(price)), of="price")
    change = column("幅度", lambda held: percent_change(change_percent(held.known_price, held.price)), number=True)
    list_money = column("原價", money, of="list_price")
    why = column("原因", lambda held: nowrap(held.get_reason_display()))
    state = column("狀態", held_badge)
    observed = column("看到時間", when, of="observed_at")
    run_number = column("價格更新", run_link, of="run_id")

    @display(description="決定")
    def decided(self, obj: QuarantinedPrice) -> str:
        return NO_VALUE if obj.decided_at is None else with_sub(when(obj.decided_at), obj.decided_by or "系統")

    def get_list_display(self, request: HttpRequest) -> Any:
        return (*self.list_display, "decide") if self.has_decide_permission(request) else self.list_display

    @display(description="處理")
    def decide(self, obj: QuarantinedPrice) -> str:
        return decision_links(obj) if obj.status == HELD else NO_VALUE

    @dialog_action(
        "採用",
        "check",
        permission="decide",
        fits=_is_held,
        dialog=confirm_dialog(
            "採用這個價格", "商品會改為這個售價，並記為一次漲跌。", yes="採用", form_class=DecisionForm
        ),
    )
    def accept(self, request: HttpRequest, form: Any, held: QuarantinedPrice) -> str:
        accept_price(held=held, user=cast(User, request.user))
        return f"已採用 {held.name}（{held.code}）的價格 {money(held.price)}"

    @dialog_action(
        "拒絕",
        "close",
        permission="decide",
        fits=_is_held,
        dialog=confirm_dialog(
            "拒絕這個價格",
            "商品維持目前售價；之後再看到這個價格也不會採用。",
            yes="拒絕",
            form_class=DecisionForm,
        ),
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
