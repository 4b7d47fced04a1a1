"""Query parameters of the product list."""

from __future__ import annotations

import functools
from dataclasses import replace

from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import QueryDict
from django_filters import CharFilter, ChoiceFilter, NumberFilter

from momo.rest.errors import ValidationFailed
from momo.rest.filters import Ordering, StrictFilterSet
from products.models import Category, Product
from products.selectors.listing import FILTERS, Listing
from products.selectors.products import MAX_QUERY_LENGTH, search_words

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
    """`filter`, `hours`, `category` and `q` of GET /api/products: what may be asked, and its description.

    Only its form is used. A filter set of its own for each request would copy every filter and make a class of a form,
    which takes as long as the query.
    """

    filter = ChoiceFilter(
        choices=[(name, name) for name in FILTERS],
        method="by_form",
        label="all 全部；increase／decrease 最近一次變價為漲／跌；delisted 已下架",
    )
    hours = NumberFilter(
        method="by_form",
        min_value=1,
        max_value=MAX_HOURS,
        decimal_places=0,
        label="漲跌的時間範圍（小時），預設 24",
    )
    category = CharFilter(method="by_form", max_length=120, label="分類代碼或名稱")
    q = CharFilter(method="by_form", max_length=MAX_QUERY_LENGTH, label="品名、品牌或商品編號")

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()

    def by_form(self, queryset: QuerySet[Product], name: str, value: object) -> QuerySet[Product]:
        """`listing` reads the whole form at once."""
        return queryset

    @classmethod
    @functools.cache
    def form_of(cls) -> type[Form]:
        """The form that every request fills in."""
        made: type[Form] = cls(queryset=Product.objects.none()).get_form_class()
        return made


def listing(params: QueryDict) -> Listing:
    """What a query string asks for. Raises ValidationFailed."""
    asked, category = _read(params.urlencode())
    return replace(asked, categories=_category_keys(category)) if category else asked


@functools.lru_cache(maxsize=1000)
def _read(query: str) -> tuple[Listing, str]:
    """All that a query string says by itself, and the category that it names."""
    params = QueryDict(query)
    form = ProductFilter.form_of()(params)
    if not form.is_valid():
        raise ValidationFailed(fields={name: [str(text) for text in texts] for name, texts in form.errors.items()})
    asked = form.cleaned_data
    sort_by, order = ORDERING.choose(params)
    found = Listing(
        kind=asked["filter"] or "all",
        hours=int(asked["hours"]) if asked["hours"] else None,
        words=tuple(search_words(asked["q"])) if asked["q"] else (),
        sort_by=sort_by,
        descending=order == "desc",
        nulls_last=sort_by in ORDERING.nullable,
    )
    return found, asked["category"]


def _category_keys(value: str) -> tuple[int, ...]:
    keys = tuple(Category.objects.filter(Q(code=value) | Q(name=value)).values_list("pk", flat=True))
    if not keys:
        raise ValidationFailed(fields={"category": [f"沒有這個分類：{value}"]})
    return keys
