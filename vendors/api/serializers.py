"""Bodies of vendors, addresses and stockouts."""

from __future__ import annotations

from rest_framework import serializers

from momo.rest.serializers import StrictSerializer
from vendors.models import Stockout, Vendor, VendorAddress


class VendorSerializer(serializers.ModelSerializer[Vendor]):
    """A vendor, as `selectors.vendors` reads it."""

    needs_address = serializers.SerializerMethodField(help_text="啟用中，但沒有可用的收件者")
    open_stockouts = serializers.IntegerField(source="open_rows", help_text="未結案的缺貨，不含重複")

    class Meta:
        model = Vendor
        fields = (
            "id",
            "code",
            "name",
            "contact",
            "phone",
            "escalation_email",
            "note",
            "is_active",
            "merged_into_id",
            "needs_address",
            "open_stockouts",
            "created_at",
        )

    def get_needs_address(self, vendor: Vendor) -> bool:
        return vendor.is_active and not vendor.has_address  # type: ignore[attr-defined]


class NewVendorSerializer(StrictSerializer):
    """A vendor to be created."""

    code = serializers.CharField(max_length=30)
    name = serializers.CharField(max_length=200)
    contact = serializers.CharField(max_length=60, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    escalation_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)


class VendorChangesSerializer(NewVendorSerializer):
    """Changes of a vendor; a missing field is not changed. Other fields of GET may be sent back: they are ignored."""

    also = frozenset(VendorSerializer.Meta.fields)
    code = serializers.CharField(max_length=30, required=False)
    name = serializers.CharField(max_length=200, required=False)


class AddressSerializer(serializers.ModelSerializer[VendorAddress]):
    """An address of a vendor."""

    class Meta:
        model = VendorAddress
        fields = ("id", "vendor_id", "email", "kind", "name", "is_active", "bounced_at", "bounce_reason", "created_at")


class NewAddressSerializer(StrictSerializer):
    """An address to be added."""

    email = serializers.EmailField(max_length=254)
    kind = serializers.ChoiceField(choices=VendorAddress.Kind.choices, required=False)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)


class StockoutSerializer(serializers.ModelSerializer[Stockout]):
    """A row of a stockout report, and what became of it."""

    vendor_code = serializers.CharField(source="vendor.code")
    vendor_name = serializers.CharField(source="vendor.name")
    mail_status = serializers.CharField(source="mail.status", default=None, allow_null=True)
    reason = serializers.CharField(source="mail.reason", default="", help_text="郵件伺服器的回答，或失敗的原因")

    class Meta:
        model = Stockout
        fields = (
            "id",
            "batch_id",
            "row",
            "department",
            "section",
            "pm",
            "product_code",
            "product_name",
            "vendor_id",
            "vendor_code",
            "vendor_name",
            "monthly_sales",
            "stock",
            "price",
            "status",
            "duplicate_of_id",
            "mail_id",
            "mail_status",
            "reason",
            "notified_at",
            "answer",
            "restock_date",
            "restock_quantity",
            "substitute",
            "answered_at",
            "resolved_at",
            "resolved_reason",
            "created_at",
        )
