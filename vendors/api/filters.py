"""Parameters of the lists of vendors and of stockouts."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import filters

from momo.core.errors import ValidationFailed
from momo.rest.filters import StrictBooleanFilter, StrictFilterSet
from vendors.models import Stockout, StockoutBatch, Vendor
from vendors.selectors.board import OPEN_ROWS, WAITS, wait_condition
from vendors.selectors.stockouts import SEARCH_DAYS, UNNAMED, of_pm, rows_of_batch, search_stockouts
from vendors.selectors.vendors import needing_address, search_vendors


class VendorFilter(StrictFilterSet):
    """Of `GET /api/vendor/list`."""

    q = filters.CharFilter(method="search", label="代號、名稱或電子郵件", max_length=100)
    is_active = StrictBooleanFilter(label="是否啟用")
    needs_address = StrictBooleanFilter(method="without_address", label="是否缺少可用的信箱（只看啟用中的）")

    class Meta:
        model = Vendor
        fields = ("q", "is_active")

    def search(self, queryset: QuerySet[Vendor], name: str, value: str) -> QuerySet[Vendor]:
        return search_vendors(queryset, text=value)

    def without_address(self, queryset: QuerySet[Vendor], name: str, value: bool) -> QuerySet[Vendor]:
        needing = needing_address(queryset)
        return needing if value else queryset.exclude(pk__in=needing.values("pk"))


class StockoutFilter(StrictFilterSet):
    """Of `GET /api/vendor/stockout`."""

    batch_id = filters.NumberFilter(method="of_batch", label="批次；內容與另一批相同時，為那一批的資料", min_value=1)
    vendor_code = filters.CharFilter(method="of_vendor", label="廠商代號，完全相同", max_length=30)
    status = filters.ChoiceFilter(choices=Stockout.Status.choices, label="狀態")
    waits_for = filters.ChoiceFilter(
        method="waiting",
        choices=[(who, label) for who, (label, _) in WAITS.items()],
        label="等待誰：`us` 我方、`vendor` 廠商、`answered` 到貨；未結案、不含重複，與看板相同",
    )
    open = StrictBooleanFilter(method="still_open", label="true：未結案、不含重複，與看板相同；false：已結案")
    pm = filters.CharFilter(
        method="of_name", label=f"PM，完全相同，{UNNAMED} 為沒有 PM 的；未結案的與 {SEARCH_DAYS} 天內的", max_length=60
    )
    q = filters.CharFilter(
        method="search", label=f"品號、品名、廠商代號或名稱；未結案的與 {SEARCH_DAYS} 天內的", max_length=100
    )

    class Meta:
        model = Stockout
        fields = ("status",)

    def of_batch(self, queryset: QuerySet[Stockout], name: str, value: int) -> QuerySet[Stockout]:
        batch = StockoutBatch.objects.filter(pk=int(value)).first() if value == int(value) < 2**63 else None
        if batch is None:
            raise ValidationFailed(fields={name: ["沒有這個批次"]})
        return rows_of_batch(queryset, batch=batch)

    def of_vendor(self, queryset: QuerySet[Stockout], name: str, value: str) -> QuerySet[Stockout]:
        vendor = Vendor.objects.filter(code=value).first()
        if vendor is None:
            raise ValidationFailed(fields={name: ["沒有這家廠商"]})
        return queryset.filter(vendor=vendor.merged_into_id or vendor.pk)

    def waiting(self, queryset: QuerySet[Stockout], name: str, value: str) -> QuerySet[Stockout]:
        return queryset.filter(wait_condition(value))

    def still_open(self, queryset: QuerySet[Stockout], name: str, value: bool) -> QuerySet[Stockout]:
        return queryset.filter(OPEN_ROWS if value else Q(status=Stockout.Status.RESOLVED))

    def of_name(self, queryset: QuerySet[Stockout], name: str, value: str) -> QuerySet[Stockout]:
        if not of_pm(Stockout.objects.all(), value).exists():
            raise ValidationFailed(fields={name: ["沒有這位 PM 的缺貨"]})
        return of_pm(queryset, value)

    def search(self, queryset: QuerySet[Stockout], name: str, value: str) -> QuerySet[Stockout]:
        return search_stockouts(queryset, text=value)
