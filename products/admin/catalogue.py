"""Products and categories."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Count, F, Field, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeNumericFilter,
)
from unfold.decorators import action, display

from momo.admin_kit.display import duration, empty_last, link, money, percent_change, picture, price_change, when
from momo.admin_kit.tables import PageAdmin, QuietAdmin, QuietChangeList
from momo.admin_kit.transfer import TransferMixin
from products.admin.crawls import start_crawl
from products.admin.looks import RememberingPaginator, kind_badge, product_badge, run_link
from products.admin.resources import CategoryResource
from products.models import Category, Product
from products.selectors.pages import TABLE_SPANS, chart_points, last_events, last_spans
from products.selectors.products import changed_products, lowest_prices, search, search_words
from products.services.catalogue import enable_categories, set_note


class ChangeFilter(DropdownFilter):
    """Products whose last confirmed change is recent."""

    title = "漲跌"
    parameter_name = "moved"
    HOURS: ClassVar = {"24h": 24, "7d": 7 * 24}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("up-24h", "漲價（24 小時內）"),
            ("down-24h", "降價（24 小時內）"),
            ("up-7d", "漲價（7 天內）"),
            ("down-7d", "降價（7 天內）"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        way, _, span = (self.value() or "").partition("-")
        if span not in self.HOURS or way not in {"up", "down"}:
            return queryset
        changed = changed_products(queryset, hours=self.HOURS[span])
        return changed.filter(change__gt=0) if way == "up" else changed.filter(change__lt=0)


class ProductChangeList(QuietChangeList):
    """Sorts as the indexes do."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        ordering = list(super().get_ordering(request, queryset))
        if ORDER_VAR not in self.params:
            return ordering
        # Django goes on with the default order and "-pk" whichever way the column goes; the indexes end with the id in
        # the column's direction.
        chosen = ordering[: len(self.get_ordering_field_columns())]
        first = chosen[0] if chosen else "-pk"
        descending = first.descending if isinstance(first, OrderBy) else str(first).startswith("-")
        return [*chosen, "-pk" if descending else "pk"]


@admin.register(Product)
class ProductAdmin(PageAdmin):
    """The product list, and a page with the history of one; people write nothing but the note."""

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
    list_display_links = ("image", "label")
    list_select_related = ("category",)
    list_filter = (
        ChangeFilter,
        ("status", ChoicesDropdownFilter),
        ("category", AutocompleteSelectFilter),
        ("price", RangeNumericFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("name",)
    search_help_text = "品名、品牌或商品編號"
    sortable_by = ("product_id", "label", "brand", "current", "moved", "moved_percent", "changed")
    ordering = (F("price_changed_at").desc(nulls_last=True), "-pk")
    paginator = RememberingPaginator
    actions_list: ClassVar = [
        {"title": "匯出 Excel", "icon": "download", "items": ["export_all", "export_changes", "export_delisted"]}
    ]
    change_form_before_template = "admin/products/product/page.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("products.change_product")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": ("note",)})]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "note":
            field.widget.attrs["rows"] = 3
        return field

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ProductChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        return search(queryset, search_words(search_term)), False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        set_note(product=obj, note=form.cleaned_data["note"])

    def page_context(self, request: HttpRequest, obj: Product) -> dict[str, Any]:
        spans = last_spans(obj)
        lowest = lowest_prices([obj.pk]).get(obj.pk)
        return {
            "figures": [
                ("目前售價", money(obj.price)),
                ("30 天最低", money(lowest)),
                ("原價", money(obj.list_price)),
                ("前次售價", money(obj.previous_price)),
                ("漲跌", format_html("{} {}", price_change(obj.change), percent_change(obj.change_percent))),
            ],
            "facts": [
                ("商品編號", obj.product_id),
                ("品牌", obj.brand or "－"),
                ("分類", obj.category),
                ("狀態", product_badge(obj)),
                ("變價時間", when(obj.price_changed_at)),
                ("首次看到", when(obj.first_seen_at)),
                ("最近看到", when(obj.last_seen_at)),
                ("下架時間", when(obj.delisted_at)),
            ],
            "shop_link": link(obj.url, "在 momo 查看", new_tab=True),
            "product_picture": picture(obj.image_url),
            "chart": {"points": chart_points(spans), "lowest": lowest, "list_price": obj.list_price},
            "spans": [
                {
                    "price": money(span.price),
                    "begun": when(span.begun),
                    "until": when(span.until),
                    "open": span.open,
                    "length": duration(span.length),
                }
                for span in spans[:TABLE_SPANS]
            ],
            "events": [
                {
                    "kind": kind_badge(event),
                    "old": money(event.old_price),
                    "new": money(event.new_price),
                    "time": when(event.created_at),
                    "run": run_link(event.run_id),
                }
                for event in last_events(obj)
            ],
        }

    @display(description="圖片")
    def image(self, obj: Product) -> str:
        return picture(obj.image_url)

    @display(description="品名", ordering="name")
    def label(self, obj: Product) -> str:
        return format_html('<span class="mo-name">{}</span>', obj.name)

    @display(description="售價", ordering="price")
    def current(self, obj: Product) -> str:
        return money(obj.price)

    @display(description="漲跌", ordering=empty_last("change"))
    def moved(self, obj: Product) -> str:
        return price_change(obj.change)

    @display(description="幅度", ordering=empty_last("change_percent"))
    def moved_percent(self, obj: Product) -> str:
        return percent_change(obj.change_percent)

    @display(description="狀態")
    def state(self, obj: Product) -> str:
        return product_badge(obj)

    @display(description="變價時間", ordering=F("price_changed_at").asc(nulls_first=True))
    def changed(self, obj: Product) -> str:
        return when(obj.price_changed_at)

    @display(description="最近看到")
    def seen(self, obj: Product) -> str:
        return when(obj.last_seen_at)

    @action(description="全部商品", icon="inventory_2", permissions=["view"])
    def export_all(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("export-excel", args=["all"]))

    @action(description="價格變動", icon="swap_vert", permissions=["view"])
    def export_changes(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("export-excel", args=["changes"]))

    @action(description="已下架商品", icon="block", permissions=["view"])
    def export_delisted(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("export-excel", args=["delisted"]))


@admin.register(Category)
class CategoryAdmin(TransferMixin, QuietAdmin):
    """The categories of momo that are watched."""

    list_display = ("code", "name", "path", "level", "enabled", "products_now", "complete")
    list_display_links = ("code", "name")
    list_editable = ("enabled",)
    list_filter = (("enabled", BooleanRadioFilter), ("level", ChoicesDropdownFilter))
    list_filter_submit = True
    search_fields = ("code", "name", "path")
    search_help_text = "代碼、名稱或路徑"
    ordering = ("path", "code")
    fields = ("code", "name", "path", "level", "enabled", "complete")
    readonly_fields = ("complete",)
    resource_classes: ClassVar = [CategoryResource]
    actions = ("enable", "disable", "crawl")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        known = Product.objects.filter(category=OuterRef("pk")).exclude(status=Product.Status.DELISTED)
        counted = known.order_by().values("category").annotate(n=Count("*")).values("n")
        number = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        return super().get_queryset(request).annotate(products_number=number)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The code is what products and imports hang on.
        return ("code", *self.readonly_fields) if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only what was never crawled can go; the rest is switched off and keeps its history."""
        allowed = super().has_delete_permission(request, obj)
        if obj is None:
            return allowed
        return allowed and obj.last_complete_at is None and not obj.results.exists() and not obj.products.exists()

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        # A crawl may be writing `last_complete_at` of the same row.
        obj.save(update_fields=form.changed_data if change else None)

    @display(description="在架商品")
    def products_now(self, obj: Any) -> str:
        url = f"{reverse('admin:products_product_changelist')}?category__id__exact={obj.pk}"
        return link(url, f"{obj.products_number:,}")

    @display(description="上次完整爬取", ordering="last_complete_at")
    def complete(self, obj: Category) -> str:
        return when(obj.last_complete_at)

    @admin.action(description="啟用爬取", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        changed = enable_categories(categories=Category.objects.filter(pk__in=queryset), enabled=True)
        messages.success(request, f"已啟用 {changed} 個分類")

    @admin.action(description="停用爬取", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        changed = enable_categories(categories=Category.objects.filter(pk__in=queryset), enabled=False)
        messages.success(request, f"已停用 {changed} 個分類")

    def has_crawl_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("products.add_crawlrun")

    @admin.action(description="爬取選取的分類", permissions=["crawl"])
    def crawl(self, request: HttpRequest, queryset: QuerySet[Category]) -> HttpResponse | None:
        return start_crawl(request, categories=list(queryset.values_list("code", flat=True)))
