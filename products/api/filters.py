"""Query parameters of the product list."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import CharFilter, ChoiceFilter, NumberFilter

from momo.rest.errors import ValidationFailed
from momo.rest.filters import Ordering, StrictFilterSet
from products.models import Category, Product
from products.selectors.products import FILTERS, MAX_QUERY_LENGTH, changed_products, search, search_words

ORDERING = Ordering(
    (
        "product_id",
        "name",
        "brand",
        "price",
        "change",
        "change_percent",
        "price_changed_at",
        "first_seen_at",
        "last_seen_at",
    ),
    default="price_changed_at",
    nullable=("change", "change_percent", "price_changed_at"),
)
MAX_HOURS = 24 * 366


class ProductFilter(StrictFilterSet):
    """`filter`, `hours`, `category` and `q` of GET /api/products."""

    filter = ChoiceFilter(
        choices=[(name, name) for name in FILTERS],
        method="by_kind",
        label="all 全部；increase／decrease 最近一次變價為漲／跌；delisted 已下架",
    )
    hours = NumberFilter(
        method="pass_through",
        min_value=1,
        max_value=MAX_HOURS,
        decimal_places=0,
        label="漲跌的時間範圍（小時），預設 24",
    )
    category = CharFilter(method="by_category", max_length=120, label="分類代碼或名稱")
    q = CharFilter(method="by_words", max_length=MAX_QUERY_LENGTH, label="品名、品牌或商品編號")

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()

    def pass_through(self, queryset: QuerySet[Product], name: str, value: object) -> QuerySet[Product]:
        """`hours` only says how far `increase` and `decrease` look back."""
        return queryset

    def by_kind(self, queryset: QuerySet[Product], name: str, value: str) -> QuerySet[Product]:
        if value == "delisted":
            return queryset.filter(status=Product.Status.DELISTED)
        if value in ("increase", "decrease"):
            hours = self.form.cleaned_data.get("hours")
            changed = changed_products(queryset, hours=int(hours) if hours else None)
            return changed.filter(change__gt=0) if value == "increase" else changed.filter(change__lt=0)
        return queryset

    def by_category(self, queryset: QuerySet[Product], name: str, value: str) -> QuerySet[Product]:
        ids = list(Category.objects.filter(Q(code=value) | Q(name=value)).values_list("pk", flat=True))
        if not ids:
            raise ValidationFailed(fields={"category": [f"沒有這個分類：{value}"]})
        return queryset.filter(category_id__in=ids)

    def by_words(self, queryset: QuerySet[Product], name: str, value: str) -> QuerySet[Product]:
        return search(queryset, search_words(value))
