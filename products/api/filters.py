"""Query parameters of the product list."""

from __future__ import annotations

import functools
from dataclasses import replace

from django.db.models import QuerySet
from django.forms import Form
from django.http import QueryDict
from django_filters import CharFilter, ChoiceFilter, NumberFilter

from momo.core.errors import ValidationFailed
from momo.rest.filters import Ordering, StrictFilterSet
from products.models import Product
from products.selectors.listing import FILTERS, Listing
from products.selectors.products import MAX_QUERY_LENGTH, category_keys, search_words

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
    """`filter`, `hours`, `category` and `q` of GET /api/products: their validation and description.

    Only the form is used: making a filter set for each request copies every filter and creates a form class, which
    takes as long as the query.
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
    q = CharFilter(method="by_form", max_length=MAX_QUERY_LENGTH, label="品名、品牌或品號")

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()

    def by_form(self, queryset: QuerySet[Product], name: str, value: object) -> QuerySet[Product]:
        """`listing` reads the whole form at once."""
        return queryset

    @classmethod
    @functools.cache
    def form_of(cls) -> type[Form]:
        """The form class that validates the parameters of every request."""
        made: type[Form] = cls(queryset=Product.objects.none()).get_form_class()
        return made


def listing(params: QueryDict) -> Listing:
    """The listing that a query string asks for. Raises ValidationFailed."""
    asked, category = _parsed(params.urlencode())
    if not category:
        return asked
    keys = category_keys(category)
    if not keys:
        raise ValidationFailed(fields={"category": [f"沒有這個分類：{category}"]})
    return replace(asked, categories=keys)


@functools.lru_cache(maxsize=1000)
def _parsed(query: str) -> tuple[Listing, str]:
    """The listing of a query string without its category, and that category's code or name."""
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
