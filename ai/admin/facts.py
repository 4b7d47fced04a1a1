"""Admin pages of fact sheets: what the catalogue says, and what staff say beside it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ai.admin.fact_resource import FactSheetResource
from ai.models import Domain, FactSheet
from ai.services.checking import domain_of
from ai.services.fact_sheets import ONE_LINE, beside_catalogue, fact_as_text, fact_from_text, save_fact_sheet
from ai.services.facts import PRICES, catalogue_facts, has_ended, prices_outdated, shown_facts
from momo.admin.kit.display import NO_VALUE, QUIET, WARN, badge, column, goods, money, nowrap, page_link, when, with_sub
from momo.admin.kit.filters import Choices, choice_filter, within
from momo.admin.kit.forms import ModelForm, is_id
from momo.admin.kit.tables import BaseAdmin
from momo.admin.kit.transfer import TransferMixin
from momo.core.errors import ValidationFailed
from products.models import Product

LONGEST = 20_000  # characters of a fact
HELP = {
    "price": "momo 沒有顯示的售價才要填，例如折價券後的價格；momo 的售價一有變動就失效",
    "list_price": "momo 的售價一有變動就失效",
    "content": "例如 30ml；一行一項",
    "count": "例如 2入組；一行一項",
    "ingredients": "一行一項",
    "certifications": "一行一項",
    "awards": "一行一項",
    "patents": "一行一項",
    "promotion": "一行一項，期間寫在最後，例如：買一送一 2026-11-01～2026-11-30；結束後就不再採用",
    "other": "文案可以引用的其他事實，一行一項",
}
GROUPS = (
    ("名稱與價格", ("brand", "name", "price", "list_price")),
    ("規格", ("content", "count", "origin", "ingredients", "warranty", "shelf_life")),
    ("證明與促銷", ("certifications", "awards", "patents", "promotion", "other")),
)


class FactInput(forms.CharField):
    """A fact as text; its value is as a sheet stores it."""

    def __init__(self, key: str, label: str) -> None:
        one_line = key in ONE_LINE or key in PRICES
        widget = UnfoldAdminTextInputWidget() if one_line else UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(label=label, required=False, max_length=LONGEST, widget=widget, help_text=HELP.get(key, ""))
        self.key = key

    def prepare_value(self, value: Any) -> str:
        return fact_as_text(value)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return fact_from_text(self.key, text)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        return fact_as_text(initial).split() != str(data or "").split()


# A class of forms takes its fields from its body; these come from the model's table of facts.
FactInputs: Any = type(
    "FactInputs", (ModelForm,), {key: FactInput(key, label) for key, label in FactSheet.FACTS.items()}
)


class FactSheetForm(FactInputs):
    """Begins with what the catalogue and the sheet say; `product` is the one that the address of a new sheet names."""

    product: ClassVar[Product | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.product:
            self.instance.product = self.product
        if self.instance.product_id:
            sheet = self.instance if self.instance.pk else None
            self.initial.update(shown_facts(self.instance.product, sheet))
        if "domain" in self.fields:
            self.fields["domain"].choices = [("", "自動判斷"), *Domain.choices]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        product = cleaned.get("product") or (self.instance.product if self.instance.product_id else None)
        try:
            if product:
                beside_catalogue(product, self.facts())
        except ValidationFailed as refusal:
            self.add_error(None, refusal.fields["facts"][0])
        return cleaned

    def facts(self) -> dict[str, Any]:
        """The facts, as a sheet stores them."""
        return {key: self.cleaned_data[key] for key in FactSheet.FACTS if key in self.cleaned_data}


def price_choices() -> Choices:
    """Sheets by whether staff wrote a price, and whether it still counts."""
    own = Q(facts__has_any_keys=list(PRICES))
    outdated = Q(product__price_changed_at__gt=F("priced_at"))
    return {
        "own": ("自訂售價", own & (Q(product__price_changed_at=None) | ~outdated)),
        "outdated": ("自訂售價已失效", own & outdated),
    }


def own_price(sheet: FactSheet) -> str:
    """The price that staff wrote, and whether it counts."""
    amount = sheet.facts.get("price") or sheet.facts.get("list_price")
    if not isinstance(amount, (int, float)):
        return NO_VALUE
    state = badge("已失效", WARN) if prices_outdated(sheet, sheet.product) else badge("採用中", QUIET)
    return with_sub(money(amount), state)


def domain_name(sheet: FactSheet) -> str:
    """The domain that staff chose, or the one that the category suggests."""
    if sheet.domain:
        return nowrap(sheet.get_domain_display())
    return with_sub(nowrap(Domain(domain_of(sheet.product)).label), nowrap("自動判斷"))


def own_names(sheet: FactSheet) -> str:
    """Which facts staff wrote."""
    return "、".join(label for key, label in FactSheet.FACTS.items() if sheet.facts.get(key)) or "都採用商品目錄"


def facts_table(sheet: FactSheet) -> SafeString:
    """All facts, for those who may not change them."""
    shown = shown_facts(sheet.product, sheet)
    rows = (
        (label, fact_as_text(shown[key]).replace("\n", "、"))
        for key, label in FactSheet.FACTS.items()
        if shown.get(key)
    )
    return format_html('<div class="mo-changes">{}</div>', format_html_join("", "<div><b>{}</b>　{}</div>", rows))


@admin.register(FactSheet)
class FactSheetAdmin(TransferMixin, BaseAdmin):
    """A sheet for each product of which staff know more than the catalogue."""

    form = FactSheetForm
    resource_classes: ClassVar = [FactSheetResource]
    list_display = ("label", "kind", "own", "price_now", "updated", "who")
    list_display_links = ("label",)
    list_select_related = ("product__category", "updated_by")
    list_filter = (
        ("domain", ChoicesDropdownFilter),
        choice_filter("自訂售價", "price", price_choices),
        within("updated_at"),
    )
    search_fields = ("product__product_id", "product__name", "product__brand")
    search_help_text = "品號、品名或品牌"
    sortable_by = ("updated",)
    ordering = ("-updated_at", "-id")
    autocomplete_fields = ("product",)
    change_form_before_template = "admin/ai/factsheet/page.html"

    label = column("商品", lambda product: goods(product.name, product.product_id), of="product")
    kind = column("類別", domain_name)
    own = column("自訂的事實", own_names)
    price_now = column("自訂售價", own_price)
    in_force = column("事實", facts_table)
    updated = column("更新時間", when, of="updated_at", order="updated_at")
    who = column("更新者", lambda sheet: str(sheet.updated_by) if sheet.updated_by else NO_VALUE)

    def get_urls(self) -> list[Any]:
        own = path("of/<int:product_id>/", self.admin_site.admin_view(self.of_product), name="ai_factsheet_of")
        return [own, *super().get_urls()]

    def of_product(self, request: HttpRequest, product_id: int) -> HttpResponse:
        """Redirect to the sheet of a product, to a new one, or, for those who may not write one, to the product."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        product = get_object_or_404(Product.objects.select_related("fact_sheet"), pk=min(product_id, 2**63 - 1))
        sheet = getattr(product, "fact_sheet", None)
        if sheet:
            return HttpResponseRedirect(reverse("admin:ai_factsheet_change", args=[sheet.pk]))
        if self.has_add_permission(request):
            return HttpResponseRedirect(f"{reverse('admin:ai_factsheet_add')}?{urlencode({'product': product.pk})}")
        messages.info(request, "這個商品還沒有商品事實，文案採用商品目錄的資料；主管可以填寫")
        return HttpResponseRedirect(reverse("admin:products_product_change", args=[product.pk]))

    # --- Form ----------------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change, **kwargs)
        made.product = None if obj else _named(request)
        return made

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new sheet whose product nobody has named begins with that alone; its facts come with the product."""
        if obj is None and _named(request) is None:
            return [(None, {"fields": ("product",), "description": "選擇商品之後，會帶入商品目錄的資料。"})]
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ("kind", "in_force")})]
        return [(None, {"fields": ("domain",)}), *((title, {"fields": keys}) for title, keys in GROUPS)]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        product = _named(request)
        sheet = product and FactSheet.objects.filter(product=product).first()
        if sheet and self.has_view_permission(request):
            return HttpResponseRedirect(reverse("admin:ai_factsheet_change", args=[sheet.pk]))
        return super().add_view(request, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        sheet = kwargs.get("obj")
        product = sheet.product if sheet else _named(request)
        if product:
            context.update(_page(product, sheet))
        return super().render_change_form(request, context, **kwargs)

    def save_model(self, request: HttpRequest, obj: FactSheet, form: Any, change: bool) -> None:
        saved = save_fact_sheet(
            product=obj.product,
            domain=form.cleaned_data.get("domain", obj.domain),
            facts=form.facts(),
            user=request.user,
        )
        obj.pk = saved.pk

    def response_add(self, request: HttpRequest, obj: FactSheet, post_url_continue: Any = None) -> Any:
        if _named(request) is None:  # now its facts
            post = request.POST.copy()
            post["_continue"] = "1"
            request.POST = post  # type: ignore[assignment]
        return super().response_add(request, obj, post_url_continue)


def _named(request: HttpRequest) -> Product | None:
    """The product that the address names."""
    text = request.GET.get("product", "")
    if not text or not is_id(Product, text) or int(text) >= 2**63:
        return None
    return Product.objects.select_related("category").filter(pk=text).first()


def _page(product: Product, sheet: FactSheet | None) -> dict[str, Any]:
    """What stands above the form."""
    found = catalogue_facts(product)
    stored = sheet.facts.get("promotion") if sheet else None
    ended = [one for one in stored if has_ended(one)] if isinstance(stored, list) else []
    return {
        "product": product,
        "product_link": page_link("products_product", product.pk, product.product_id),
        "catalogue": [
            ("分類", product.category),
            *(
                (label, money(found[key]) if key in PRICES else fact_as_text(found[key]).replace("\n", "、"))
                for key, label in FactSheet.FACTS.items()
                if found.get(key)
            ),
            ("類別（自動判斷）", Domain(domain_of(product)).label if sheet is None or not sheet.domain else NO_VALUE),
        ],
        "outdated": (
            {"price": own_price(sheet), "changed": product.price_changed_at, "now": money(product.price)}
            if sheet and prices_outdated(sheet, product)
            else None
        ),
        "ended": [fact_as_text(one) for one in ended],
        "unread_since": product.price_unread_since,
    }
