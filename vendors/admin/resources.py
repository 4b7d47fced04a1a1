"""Import and export of vendors and of their addresses as spreadsheets, saved through the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.instance_loaders import ModelInstanceLoader

from momo.admin.kit.transfer import KEPT, ChoiceWidget, KeptTextField, SheetResource, TextWidget, YesNoWidget
from momo.core.errors import Conflict, ValidationFailed
from vendors.models import Vendor, VendorAddress
from vendors.services.vendors import mailbox_of, save_address, save_vendor


def refused(error: ValidationFailed | Conflict) -> ValidationError:
    """A service's error as one of the row."""
    return ValidationError(error.fields if isinstance(error, ValidationFailed) and error.fields else str(error))


class VendorResource(SheetResource):
    """Vendors by code."""

    empty_cells = KEPT

    code = Field("code", "廠商代號", widget=TextWidget())
    name = KeptTextField("name", "名稱")
    contact = KeptTextField("contact", "聯絡人")
    phone = KeptTextField("phone", "電話")
    escalation_email = KeptTextField("escalation_email", "主管信箱")
    note = KeptTextField("note", "備註")
    is_active = Field("is_active", "啟用", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = Vendor
        name = "廠商"
        fields = ("code", "name", "contact", "phone", "escalation_email", "note", "is_active")
        import_id_fields = ("code",)

    def save_instance(self, instance: Vendor, is_create: bool, row: Any, **kwargs: Any) -> None:
        values = {name: getattr(instance, name) for name in self._meta.fields}
        try:
            instance.pk = save_vendor(vendor=None if is_create else instance, **values).pk
        except (ValidationFailed, Conflict) as error:
            raise refused(error) from error


class VendorWidget(TextWidget):
    """A vendor by its code, of those that were loaded before."""

    known: Mapping[str, Vendor]

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        code = super().clean(value, row, **kwargs)
        if not code:
            return None
        vendor = self.known.get(code)
        if vendor is None:
            raise ValidationError({"vendor": [f"沒有代號「{code}」的廠商，請先新增"]})
        if vendor.merged_into_id is not None:
            raise ValidationError({"vendor": [f"廠商「{code}」已併入其他廠商，請改用那一家的代號"]})
        return vendor

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value.code if value is not None else ""


class AddressResource(SheetResource):
    """Addresses by vendor and address, whatever its case."""

    empty_cells = KEPT

    vendor = Field("vendor", "廠商代號", widget=VendorWidget())
    email = Field("email", "電子郵件", widget=TextWidget())
    kind = Field("kind", "用途", widget=ChoiceWidget(VendorAddress.Kind.choices), saves_null_values=False)
    name = KeptTextField("name", "姓名")
    is_active = Field("is_active", "啟用", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = VendorAddress
        name = "廠商信箱"
        fields = ("vendor", "email", "kind", "name", "is_active")
        import_id_fields = ("vendor", "email")
        instance_loader_class = ModelInstanceLoader  # the cached one takes a single key

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        vendor = self.fields["vendor"]
        codes = {TextWidget().clean(value) for value in dataset[vendor.column_name]}
        vendor.widget.known = Vendor.objects.in_bulk(codes, field_name="code")

    def identity(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        vendor, email = values
        return vendor, mailbox_of(email)

    def get_instance(self, instance_loader: Any, row: Any) -> VendorAddress | None:
        vendor, email = (key.clean(row) for key in self.keys)
        return VendorAddress.objects.filter(vendor=vendor, mailbox=mailbox_of(email)).first() if vendor else None

    def import_instance(self, instance: VendorAddress, row: Any, **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        instance.mailbox = mailbox_of(instance.email)

    def save_instance(self, instance: VendorAddress, is_create: bool, row: Any, **kwargs: Any) -> None:
        values = {name: getattr(instance, name) for name in ("email", "kind", "name", "is_active")}
        try:
            address = None if is_create else instance
            instance.pk = save_address(vendor=instance.vendor, address=address, **values).pk
        except (ValidationFailed, Conflict) as error:
            raise refused(error) from error

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("vendor")
