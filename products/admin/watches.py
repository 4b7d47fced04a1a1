"""Admin pages of the watch list: everybody sees and edits their own."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.http import urlencode
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from accounts.models import User
from momo.admin.kit.display import (
    GOOD,
    NO_VALUE,
    active_badge,
    badge,
    column,
    goods,
    money,
    percent_change,
    when,
    with_sub,
)
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import Conflict, ValidationFailed
from momo.core.formats import change_percent
from products.admin.looks import product_link
from products.models import Product, Watch
from products.selectors.watches import is_met, products_by_ids, watches_of
from products.services.watches import check_threshold, set_watch, set_watches, switch_watches

SEVERAL = "admin:products_watch_several"
MOST = 100  # products that are chosen at once
HELP = "「售價低到」填元，「漲跌達到」填百分比，「新低價」填天數（2 到 365）"


class ConditionForm(forms.Form):
    """A condition for several products; `ids` are their keys."""

    ids = forms.RegexField(r"^[0-9]{1,18}(,[0-9]{1,18}){0,99}$", widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="條件", choices=Watch.Kind.choices, initial=Watch.Kind.PERCENT, widget=UnfoldAdminSelectWidget
    )
    value = forms.IntegerField(
        label="數值", initial=5, min_value=1, help_text=HELP, widget=UnfoldAdminIntegerFieldWidget
    )


class WatchForm(ModelForm):
    """A condition on one product."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "value" in self.fields:
            self.fields["value"].help_text = HELP

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind, value = cleaned.get("kind", self.instance.kind), cleaned.get("value")
        if kind and value is not None:
            try:
                check_threshold(kind=kind, value=value)
            except ValidationFailed as refusal:
                for name, texts in refusal.fields.items():
                    self.add_error(name if name in self.fields else None, texts)
        return cleaned


def _against(watch: Watch) -> str:
    """How far the present price is from what a percentage is measured from."""
    percent = change_percent(watch.base_price, watch.product.price)
    return with_sub(money(watch.base_price), percent_change(percent)) if percent else money(watch.base_price)


def _state(watch: Watch) -> str:
    return badge("售價符合", GOOD) if is_met(watch) else NO_VALUE


def _told(watch: Watch) -> str:
    return with_sub(money(watch.notified_price), when(watch.notified_at)) if watch.notified_at else "還沒有"


@admin.register(Watch)
class WatchAdmin(BaseAdmin):
    """One's own conditions. Product and kind stay as they are: another one is another row."""

    form = WatchForm
    list_display = ("label", "condition", "now", "base", "state", "told", "on")
    list_display_links = ("condition",)
    list_filter = (("kind", ChoicesDropdownFilter), ("active", BooleanRadioFilter))
    search_fields = ("product__product_id", "product__name", "product__brand")
    search_help_text = "品號、品名或品牌"
    sortable_by = ()
    ordering = ("-pk",)
    autocomplete_fields = ("product",)
    fields = ("product", "kind", "value", "active")
    actions = ("switch_on", "switch_off")

    label = column(
        "商品",
        lambda watch: goods(product_link(watch.product_id, watch.product.name), watch.product.product_id),
    )
    condition = column("條件", of="condition")
    now = column("售價", money, of="product.price")
    base = column("設定時或上次到價的售價", _against, number=True)
    state = column("狀態", _state)
    told = column("上次到價", _told)
    on = column("啟用", active_badge, of="active")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Watch]:
        return watches_of(request.user)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("several/", view(self.several), name="products_watch_several"),
            path("of/<int:product_id>/", view(self.of_product), name="products_watch_of"),
        ]
        return [*own, *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("product", "kind") if obj else ()

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        # Pages of products link here.
        return lookup == "product__id__exact" or super().lookup_allowed(lookup, value, request)

    def of_product(self, request: HttpRequest, product_id: int) -> HttpResponse:
        """Redirect to the user's conditions on a product, or to a new one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        product = get_object_or_404(Product.objects.only("pk"), pk=min(product_id, 2**63 - 1))
        if watches_of(request.user).filter(product=product).exists():
            url = reverse("admin:products_watch_changelist")
            return HttpResponseRedirect(f"{url}?{urlencode({'product__id__exact': product.pk})}")
        return HttpResponseRedirect(f"{reverse('admin:products_watch_add')}?{urlencode({'product': product.pk})}")

    def several(self, request: HttpRequest) -> HttpResponse:
        """A condition for several products, which the list of products names by their keys in `ids`."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ConditionForm(
            request.POST if request.method == "POST" else None, initial={"ids": request.GET.get("ids")}
        )
        products = products_by_ids(_ids(form["ids"].value() or ""))
        if products and form.is_valid() and self._watched(request, form, products):
            return HttpResponseRedirect(reverse("admin:products_watch_changelist"))
        return self.own_page(
            request, "admin/products/watch/several.html", title="關注商品", form=form, products=products
        )

    def _watched(self, request: HttpRequest, form: ConditionForm, products: list[Product]) -> bool:
        given = {name: form.cleaned_data[name] for name in ("kind", "value")}
        try:
            done = set_watches(user=cast(User, request.user), products=products, **given)
        except ValidationFailed as refusal:
            for name, texts in refusal.fields.items():
                form.add_error(name, texts)
            return False
        except Conflict as refusal:
            show_refusal(request, refusal)
            return False
        messages.success(request, f"已關注 {len(done):,} 件商品：售價符合條件時通知一次")
        return True

    def save_model(self, request: HttpRequest, obj: Watch, form: Any, change: bool) -> None:
        given: dict[str, Any] = {"kind": obj.kind, "value": obj.value, "active": obj.active}
        done = set_watch(user=cast(User, request.user), product=obj.product, **given)
        obj.pk = done.watch.pk
        obj.seen_price, obj.base_price = done.watch.seen_price, done.watch.base_price

    @admin.action(description="啟用選取的關注", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Watch]) -> None:
        self._switch(request, queryset, active=True)

    @admin.action(description="停用選取的關注", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Watch]) -> None:
        self._switch(request, queryset, active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Watch], *, active: bool) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        changed = switch_watches(user=cast(User, request.user), ids=ids, active=active)
        messages.success(request, f"已{'啟用' if active else '停用'} {changed} 筆")


class WatchAction:
    """For the list of products: watch those that are chosen."""

    def has_watch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.add_watch")

    @admin.action(description="關注選取的商品", permissions=["watch"])
    def watch_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            messages.warning(request, f"一次最多關注 {MOST} 件商品，其餘的請再做一次")
        return HttpResponseRedirect(f"{reverse(SEVERAL)}?ids={','.join(map(str, ids[:MOST]))}")


def _ids(text: str) -> list[int]:
    """At most MOST keys from the address; what is no key is left out."""
    parts = text[: MOST * 20].split(",")[:MOST]
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= 18]
