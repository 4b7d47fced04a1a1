"""Admin pages of products and categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RangeNumericFilter,
)
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from momo.admin.kit.display import (
    NO_VALUE,
    column,
    empty_last,
    full_name,
    link,
    money,
    page_link,
    percent_change,
    picture,
    price_change,
    when,
)
from momo.admin.kit.figures import export_response
from momo.admin.kit.filters import Choices, ChoicesFilter, NamesFilter, RowsFilter, choice_filter
from momo.admin.kit.mine import mine_filter
from momo.admin.kit.nav import row_links, row_panels
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import BaseAdmin, BaseChangeList, PageAdmin
from momo.admin.kit.transfer import TransferMixin
from momo.core.errors import ServiceError
from products.admin.category_form import NewCategoryForm
from products.admin.crawls import start_crawl
from products.admin.held import decision_links, may_decide
from products.admin.looks import CachingPaginator, kind_badge, price_in_list, product_badge, run_link
from products.admin.resources import CategoryResource
from products.admin.watches import WatchAction
from products.models import Category, Product
from products.selectors.lowest import lowest_price_of
from products.selectors.pages import TABLE_SPANS, chart_points, held_price_of, last_events, last_spans
from products.selectors.products import (
    MOST_BRANDS,
    brands,
    change_window_start,
    held_codes,
    held_prices,
    search,
    search_words,
    with_product_numbers,
)
from products.selectors.watches import conditions_on
from products.services.catalogue import enable_categories, set_note
from products.services.closing import confirm_gone


def recent_changes() -> Choices:
    """Products whose last confirmed change is recent, by direction and window."""
    return {
        f"{way}-{span}": (f"{label}價（{title}內）", Q(price_changed_at__gte=change_window_start(hours), **{sign: 0}))
        for span, title, hours in (("24h", "24 小時", 24), ("7d", "7 天", 7 * 24))
        for way, label, sign in (("up", "漲", "change__gt"), ("down", "降", "change__lt"))
    }


def price_states() -> Choices:
    """Products whose price is not certain now."""
    return {
        "unread": ("售價讀不到", Q(price_unread_since__isnull=False)),
        "held": ("有待確認價格", Q(product_id__in=held_codes())),
    }


def listed_choices() -> Choices:
    """Products that are not delisted, as the start page counts them."""
    return {"yes": ("在架（含缺貨）", ~Q(status=Product.Status.DELISTED))}


class BrandFilter(NamesFilter):
    """Products of any of the chosen brands."""

    title, parameter_name = "品牌", "brand"

    def offered(self) -> list[str]:
        found = brands()
        if len(found) == MOST_BRANDS:
            self.title = f"品牌（前 {MOST_BRANDS:,} 個）"
        return found

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        return queryset.filter(brand__in=self.names) if self.names else queryset


class ProductChangeList(BaseChangeList):
    """Sorts the product list as its indexes do."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Product]) -> list[Any]:
        ordering = list(super().get_ordering(request, queryset))
        if ORDER_VAR not in self.params:
            return ordering
        # Django appends the default order and "-pk" in either direction of the column; the indexes end with the id in
        # the column's direction.
        chosen = ordering[: len(self.get_ordering_field_columns())]
        first = chosen[0] if chosen else "-pk"
        descending = first.descending if isinstance(first, OrderBy) else str(first).startswith("-")
        return [*chosen, "-pk" if descending else "pk"]


def _export(title: str, icon: str, kind: str) -> Any:
    """An action that downloads an export of the API."""

    def download(self: Any, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("export-excel", args=[kind]))

    return action(download, description=title, icon=icon, permissions=["view"])


@admin.register(Product)
class ProductAdmin(WatchAction, PageAdmin):
    """The product list, and the page of a product with its history; only the note can be edited."""

    changelist_class = ProductChangeList
    list_display = (
        "image",
        "product_id",
        "label",
        "brand",
        "category",
        "current",
        "moved",
        "moved_percent",
        "state",
        "changed",
        "seen",
    )
    list_display_links = ("label",)
    list_select_related = ("category",)
    list_filter = (
        choice_filter("漲跌", "moved", recent_changes),
        choice_filter("在架", "listed", listed_choices),
        ("status", ChoicesFilter),
        ("category", RowsFilter),
        BrandFilter,
        ("price", RangeNumericFilter),
        choice_filter("售價狀況", "price_state", price_states),
        mine_filter(brand="brand"),
    )
    list_fullwidth = True
    search_fields = ("name",)
    search_help_text = "品名、品牌或品號"
    sortable_by = ("product_id", "label", "brand", "current", "moved", "moved_percent", "changed")
    ordering = (F("price_changed_at").desc(nulls_last=True), "-pk")
    paginator = CachingPaginator
    actions = ("watch_selected",)
    tabs: ClassVar = [
        ("全部", {}),
        ("漲價", {"moved": "up-24h"}),
        ("降價", {"moved": "down-24h"}),
        ("缺貨", {"status__exact": Product.Status.OUT_OF_STOCK.value}),
        ("下架", {"status__exact": Product.Status.DELISTED.value}),
    ]
    actions_list: ClassVar = [
        {"title": "匯出 Excel", "icon": "download", "items": ["export_all", "export_changes", "export_delisted"]}
    ]
    change_form_before_template = "admin/products/product/page.html"
    formfield_overrides: ClassVar = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("products.change_product")

    def complete_rows(self, rows: Iterable[Any]) -> None:
        # Beside the list, not in it: PostgreSQL would look for the held price of each row that a late page skips.
        held = held_prices(product.product_id for product in rows)
        for product in rows:
            product.held_price = held.get(product.product_id)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": ("note",)})]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        return search(queryset, search_words(search_term)), False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        set_note(product=obj, note=form.cleaned_data["note"])

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        if product := kwargs.get("obj"):
            context["row_panels"] = panels = row_panels(request, product)
            file = export_response(request, [table for _, panel in panels for table in panel.get("tables", ())])
            if file is not None:
                return file
        return super().render_change_form(request, context, **kwargs)

    def page_context(self, request: HttpRequest, obj: Product) -> dict[str, Any]:
        spans = last_spans(obj)
        lowest = lowest_price_of(obj)
        held = held_price_of(obj)
        return {
            "unread_since": obj.price_unread_since,
            "unread_for": timezone.now() - obj.price_unread_since if obj.price_unread_since else None,
            "held": held,
            "held_link": held and page_link("products_quarantinedprice", held.pk, "查看待確認價格"),
            "held_choices": decision_links(held) if held and may_decide(request) else "",
            "figures": [
                ("最後讀到的售價" if obj.price_unread_since else "目前售價", money(obj.price)),
                ("30 天最低", money(lowest)),
                ("原價", money(obj.list_price)),
                ("前次售價", money(obj.previous_price)),
                ("漲跌", format_html("{} {}", price_change(obj.change), percent_change(obj.change_percent))),
            ],
            "facts": [
                ("品號", obj.product_id),
                ("品牌", obj.brand or NO_VALUE),
                ("分類", obj.category),
                ("狀態", product_badge(obj)),
                ("變價時間", when(obj.price_changed_at)),
                ("首次看到", when(obj.first_seen_at)),
                ("最近看到", when(obj.last_seen_at)),
                ("下架時間", when(obj.delisted_at)),
                ("我的關注", "、".join(conditions_on(request.user, obj)) or NO_VALUE),
            ],
            "row_links": row_links(request, obj),
            "shop_link": link(obj.url, "在 momo 查看", new_tab=True),
            "product_picture": picture(obj.image_url),
            "chart": {"points": chart_points(spans), "lowest": lowest, "list_price": obj.list_price},
            "spans": spans[:TABLE_SPANS],
            "events": [(event, kind_badge(event), run_link(event.run_id)) for event in last_events(obj)],
        }

    image = column("圖片", picture, of="image_url")
    label = column("品名", full_name, of="name", order="name")
    current = column("售價", price_in_list, order="price", number=True)
    moved = column("漲跌", price_change, of="change", order=empty_last("change"))
    moved_percent = column("幅度", percent_change, of="change_percent", order=empty_last("change_percent"))
    state = column("狀態", product_badge)
    changed = column("變價時間", when, of="price_changed_at", order=F("price_changed_at").asc(nulls_first=True))
    seen = column("最近看到", when, of="last_seen_at")

    export_all = _export("全部商品", "inventory_2", "all")
    export_changes = _export("價格變動", "swap_vert", "changes")
    export_delisted = _export("已下架商品", "block", "delisted")


def _products_link(category: Any) -> str:
    url = f"{reverse('admin:products_product_changelist')}?category__id__exact={category.pk}&listed=yes"
    return link(url, f"{category.products_number:,}")


@admin.register(Category)
class CategoryAdmin(TransferMixin, BaseAdmin):
    """The categories of momo, and which of them are crawled."""

    list_display = ("code", "name", "path", "level", "enabled", "products_now", "complete")
    list_display_links = ("code", "name")
    list_editable = ("enabled",)
    list_filter = (("enabled", BooleanRadioFilter), ("level", ChoicesDropdownFilter))
    deletes_many = False
    search_fields = ("code", "name", "path")
    search_help_text = "代碼、名稱或路徑"
    ordering = ("path", "code")
    fields = ("code", "name", "path", "level", "enabled", "complete")
    readonly_fields = ("complete",)
    resource_classes: ClassVar = [CategoryResource]
    actions = ("enable", "disable", "crawl", "confirm_closed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return with_product_numbers(super().get_queryset(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("address", "name", "level", "path", "enabled")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # A new category is added by its address, which holds the code.
        given = {} if obj else {"form": NewCategoryForm, "fields": ("name", "path", "enabled")}
        return super().get_form(request, obj, change, **{**kwargs, **given})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Products and imports refer to the code.
        return ("code", *self.readonly_fields) if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a category that was never crawled can be deleted; others are switched off and keep their history."""
        allowed: bool = super().has_delete_permission(request, obj)
        if obj is None:
            return allowed
        untouched: bool = obj.last_complete_at is None and not obj.results.exists() and not obj.products.exists()
        return allowed and untouched

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        # A crawl may be writing `last_complete_at` of the same row.
        obj.save(update_fields=form.changed_data if change else None)

    products_now = column("在架商品", _products_link, number=True)
    complete = column("上次完整更新", when, of="last_complete_at", order="last_complete_at")

    @admin.action(description="啟用更新價格", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        changed = enable_categories(categories=Category.objects.filter(pk__in=queryset), enabled=True)
        messages.success(request, f"已啟用 {changed} 個分類")

    @admin.action(description="停用更新價格", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        changed = enable_categories(categories=Category.objects.filter(pk__in=queryset), enabled=False)
        messages.success(request, f"已停用 {changed} 個分類")

    @admin.action(description="確認已關閉（未列出的商品已下架）", permissions=["change"])
    def confirm_closed(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        for category in Category.objects.filter(pk__in=queryset):
            try:
                delisted = confirm_gone(category=category)
            except ServiceError as refusal:
                show_refusal(request, refusal)
            else:
                messages.success(request, f"已確認「{category.name}」：{delisted} 件商品下架")

    def has_crawl_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.add_crawlrun")

    @admin.action(description="更新選取分類的價格", permissions=["crawl"])
    def crawl(self, request: HttpRequest, queryset: QuerySet[Category]) -> HttpResponse | None:
        try:
            return start_crawl(request, categories=list(queryset.values_list("code", flat=True)))
        except ServiceError as refusal:
            show_refusal(request, refusal)
            return None
