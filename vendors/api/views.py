"""Views of vendors, their addresses, and the list of stockouts."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from momo.rest.examples import answered, sent
from momo.rest.permissions import MANAGER, USER
from momo.rest.views import ApiView, GenericApiView
from vendors.api import examples
from vendors.api.filters import StockoutFilter, VendorFilter
from vendors.api.serializers import (
    AddressSerializer,
    NewAddressSerializer,
    NewVendorSerializer,
    StockoutSerializer,
    VendorChangesSerializer,
    VendorSerializer,
)
from vendors.models import Stockout, Vendor, VendorAddress
from vendors.selectors.stockouts import count_of_all, stockouts
from vendors.selectors.vendors import address_by_id, vendor_by_id, vendors
from vendors.services.vendors import delete_address, delete_vendor, save_address, save_vendor

VENDORS = ["廠商與缺貨"]
VENDOR_ID = OpenApiParameter("vendor_id", int, OpenApiParameter.PATH, description="廠商的 `id`")
EMAIL_ID = OpenApiParameter("email_id", int, OpenApiParameter.PATH, description="信箱的 `id`")


class StockoutListView(GenericApiView):
    """GET /api/vendor/stockout."""

    roles = {"GET": USER}
    queryset = Stockout.objects.none()
    serializer_class = StockoutSerializer
    filterset_class = StockoutFilter

    def get_queryset(self) -> QuerySet[Stockout]:
        return stockouts()

    def get_total(self, queryset: QuerySet[Stockout]) -> int:
        filtered = any(self.request.query_params.get(name) for name in StockoutFilter.base_filters)
        return queryset.order_by().count() if filtered else count_of_all()

    def get_rows(self, page: QuerySet[Stockout]) -> QuerySet[Stockout]:
        # Numbers are sorted, not whole rows with their vendors: open rows are few among very many.
        return stockouts().filter(pk__in=page.select_related(None).values("pk"))

    @extend_schema(
        operation_id="vendor_stockout_list",
        tags=VENDORS,
        summary="缺貨清單",
        description="由新到舊。`duplicate_of_id` 有值的列重複於另一筆未結案的缺貨，除非要求，不會再寄一次。",
        responses={200: StockoutSerializer(many=True)},
        examples=[answered("清單", examples.STOCKOUT)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), StockoutSerializer)


class VendorListView(GenericApiView):
    """GET and POST /api/vendor/list."""

    roles = {"GET": USER, "POST": MANAGER}
    queryset = Vendor.objects.none()
    serializer_class = VendorSerializer
    filterset_class = VendorFilter

    def get_queryset(self) -> QuerySet[Vendor]:
        return vendors()

    @extend_schema(
        operation_id="vendor_list",
        tags=VENDORS,
        summary="廠商清單",
        description="依代號排序。",
        responses={200: VendorSerializer(many=True)},
        examples=[answered("清單", examples.VENDOR)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), VendorSerializer)

    @extend_schema(
        operation_id="vendor_create",
        tags=VENDORS,
        summary="新增廠商",
        description="代號不可與其他廠商相同。",
        request=NewVendorSerializer,
        responses={201: VendorSerializer},
        examples=[sent("新增", examples.NEW_VENDOR), answered("已新增", examples.VENDOR, 201)],
    )
    def post(self, request: Request) -> Response:
        vendor = save_vendor(**self.body(NewVendorSerializer))
        return self.answer(VendorSerializer(vendor_by_id(vendor.pk)).data, status=201, message="已新增廠商")


@extend_schema(parameters=[VENDOR_ID])
class VendorView(ApiView):
    """GET, PUT, PATCH and DELETE /api/vendor/list/{vendor_id}."""

    roles = {"GET": USER, "PUT": MANAGER, "PATCH": MANAGER, "DELETE": MANAGER}

    @extend_schema(
        operation_id="vendor_retrieve",
        tags=VENDORS,
        summary="一家廠商",
        responses=VendorSerializer,
        examples=[answered("廠商", examples.VENDOR)],
    )
    def get(self, request: Request, vendor_id: int) -> Response:
        return self.answer(VendorSerializer(vendor_by_id(vendor_id)).data)

    @extend_schema(
        operation_id="vendor_update",
        tags=VENDORS,
        summary="修改廠商",
        description="省略的欄位維持不變。",
        request=VendorChangesSerializer,
        responses=VendorSerializer,
        examples=[sent("改聯絡人", {"contact": "陳先生"}), answered("已更新", examples.VENDOR)],
    )
    def put(self, request: Request, vendor_id: int) -> Response:
        changes = self.body(VendorChangesSerializer)
        save_vendor(vendor=vendor_by_id(vendor_id), **changes)
        return self.answer(VendorSerializer(vendor_by_id(vendor_id)).data, message="已更新廠商")

    @extend_schema(
        operation_id="vendor_partial_update",
        tags=VENDORS,
        summary="修改廠商（同 PUT）",
        request=VendorChangesSerializer,
        responses=VendorSerializer,
        examples=[sent("改聯絡人", {"contact": "陳先生"}), answered("已更新", examples.VENDOR)],
    )
    def patch(self, request: Request, vendor_id: int) -> Response:
        return self.put(request, vendor_id)

    @extend_schema(
        operation_id="vendor_destroy",
        tags=VENDORS,
        summary="刪除廠商",
        description="有缺貨資料或郵件的廠商不會刪除，而是停用；`data.deleted` 與訊息會說明。",
        responses={200: {"type": "object", "properties": {"deleted": {"type": "boolean"}}, "required": ["deleted"]}},
        examples=[answered("改為停用", {"deleted": False})],
    )
    def delete(self, request: Request, vendor_id: int) -> Response:
        deleted = delete_vendor(vendor=vendor_by_id(vendor_id))
        message = "已刪除廠商" if deleted else "這家廠商有缺貨資料或郵件，已停用而沒有刪除"
        return self.answer({"deleted": deleted}, message=message)


@extend_schema(parameters=[VENDOR_ID])
class VendorEmailsView(GenericApiView):
    """GET and POST /api/vendor/{vendor_id}/emails."""

    roles = {"GET": USER, "POST": MANAGER}
    queryset = VendorAddress.objects.none()
    serializer_class = AddressSerializer

    @extend_schema(
        operation_id="vendor_emails_list",
        tags=VENDORS,
        summary="廠商的信箱",
        description="`bounced_at` 有值的信箱被郵件伺服器退過信，修改之前不再寄。",
        responses={200: AddressSerializer(many=True)},
        examples=[answered("清單", examples.ADDRESS)],
    )
    def get(self, request: Request, vendor_id: int) -> Response:
        return self.page(vendor_by_id(vendor_id).addresses.all(), AddressSerializer)

    @extend_schema(
        operation_id="vendor_emails_create",
        tags=VENDORS,
        summary="新增廠商的信箱",
        description="同一家廠商的信箱不可重複（不分大小寫）。",
        request=NewAddressSerializer,
        responses={201: AddressSerializer},
        examples=[sent("新增", examples.NEW_ADDRESS), answered("已新增", examples.ADDRESS, 201)],
    )
    def post(self, request: Request, vendor_id: int) -> Response:
        address = save_address(vendor=vendor_by_id(vendor_id), **self.body(NewAddressSerializer))
        return self.answer(AddressSerializer(address).data, status=201, message="已新增信箱")


@extend_schema(parameters=[EMAIL_ID])
class EmailView(ApiView):
    """DELETE /api/vendor/email/{email_id}."""

    roles = {"DELETE": MANAGER}

    @extend_schema(
        operation_id="vendor_email_destroy",
        tags=VENDORS,
        summary="刪除廠商的信箱",
        responses={200: None},
    )
    def delete(self, request: Request, email_id: int) -> Response:
        delete_address(address=address_by_id(email_id))
        return self.answer(message="已刪除信箱")
