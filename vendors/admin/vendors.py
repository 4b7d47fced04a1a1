"""Admin pages of vendors with their addresses, of all addresses, and the merge of a vendor that exists twice."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, TextField
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from momo.admin.kit.display import (
    BAD,
    GOOD,
    NO_VALUE,
    WARN,
    active_badge,
    badge,
    column,
    full_name,
    link,
    page_link,
    when,
    with_sub,
)
from momo.admin.kit.filters import Choices, choice_filter
from momo.admin.kit.forms import ModelForm, RowField
from momo.admin.kit.tables import BaseAdmin, ReadOnlyAdmin
from momo.admin.kit.transfer import TransferMixin
from momo.core.errors import ServiceError
from notifications.channels.mail import is_address
from vendors.admin.board import rows_url
from vendors.admin.resources import AddressResource, VendorResource
from vendors.models import Vendor, VendorAddress
from vendors.selectors.vendors import needing_address, search_vendors, vendors, with_last_mail
from vendors.services.merge import Merge, merge_vendors, preview_merge
from vendors.services.vendors import delete_address, delete_vendor, mailbox_of, save_address, save_vendor

BAD_ADDRESS = "請輸入有效的電子郵件地址"
TWICE = "這家廠商已有這個信箱"


class VendorForm(ModelForm):
    """Shows beside the field what the service would refuse."""

    def clean_escalation_email(self) -> str:
        email: str = self.cleaned_data["escalation_email"]
        if email and not is_address(email):
            raise forms.ValidationError(BAD_ADDRESS)
        return email

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        if active and self.instance.merged_into_id is not None:
            raise forms.ValidationError(f"這家廠商已併入 {self.instance.merged_into}，不能再啟用")
        return active


class AddressForm(ModelForm):
    """One address, in a table whose headings are no labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", str(field.label))

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if not is_address(email):
            raise forms.ValidationError(BAD_ADDRESS)
        return email


class AddressFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """All addresses of a vendor, none of them twice."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            email = form.cleaned_data.get("email") if hasattr(form, "cleaned_data") else None
            if not email or form.cleaned_data.get("DELETE"):
                continue
            if mailbox_of(email) in seen:
                form.add_error("email", TWICE)
            seen.add(mailbox_of(email))


def address_state(address: VendorAddress) -> SafeString:
    """Whether mails go to an address, and why not."""
    if address.bounced_at is not None:
        return with_sub(badge("退信", BAD), address.bounce_reason)
    return badge("可以寄送", GOOD) if address.is_active else badge("停用")


class AddressInline(TabularInline):
    """The addresses of a vendor."""

    model = VendorAddress
    form = AddressForm
    formset = AddressFormSet
    fields = ("email", "kind", "name", "is_active", "state")
    readonly_fields = ("state",)
    extra = 0
    hide_title = True

    state = column("寄送", lambda address: address_state(address) if address.pk else NO_VALUE)


def address_choices() -> Choices:
    """Vendors by whether mails can be sent to them."""
    needing = Q(pk__in=needing_address(Vendor.objects.all()).values("pk"))
    return {"needed": ("需要補信箱", needing), "bounced": ("有退信的信箱", Q(addresses__bounced_at__isnull=False))}


def address_of(vendor: Any) -> SafeString:
    """Whether mails can be sent to a vendor."""
    if vendor.has_address:
        return badge("有信箱", GOOD)
    return badge("需要補信箱", WARN) if vendor.is_active else badge("沒有信箱")


def _open_rows(vendor: Any) -> object:
    if not vendor.open_rows:
        return 0
    return link(rows_url(waits="open", vendor__id__exact=vendor.pk), f"{vendor.open_rows:,}")


class MergeForm(forms.Form):
    """The vendor that takes over what another one has."""

    target = RowField(label="併入的廠商", queryset=Vendor.objects.filter(merged_into=None))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = Vendor._meta.get_field("merged_into")
        self.fields["target"].widget = AutocompleteSelect(
            source, admin.site, attrs={"class": "unfold-admin-autocomplete"}
        )
        self.fields["target"].widget.choices = cast(Any, self.fields["target"]).choices


@admin.register(Vendor)
class VendorAdmin(TransferMixin, BaseAdmin):
    """Vendors, those of reports and those that staff add."""

    form = VendorForm
    inlines = (AddressInline,)
    list_display = ("code", "label", "contact", "phone", "active", "address", "open_now", "mailed")
    list_display_links = ("code", "label")
    list_filter = (("is_active", BooleanRadioFilter), choice_filter("信箱", "address", address_choices))
    deletes_many = False  # vendors are deleted one at a time, through the service
    search_fields = ("code", "name")
    search_help_text = "代號、名稱或電子郵件"
    ordering = ("code",)
    sortable_by = ("code", "label", "open_now")
    fields = ("code", "name", "contact", "phone", "escalation_email", "note", "is_active", "into", "stockouts")
    readonly_fields = ("into", "stockouts")
    resource_classes: ClassVar = [VendorResource]
    formfield_overrides: ClassVar = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    actions_detail: ClassVar[Any] = ("merge",)

    label = column("名稱", full_name, of="name", order="name")
    active = column("狀態", active_badge, of="is_active")
    address = column("信箱", address_of)
    open_now = column("未結案缺貨", _open_rows, order="open_rows", number=True)
    mailed = column("上次寄信", when, of="last_mail")
    into = column("已併入", lambda one: page_link("vendors_vendor", one.pk, one) if one else NO_VALUE, of="merged_into")
    stockouts = column("未結案缺貨", lambda vendor: _open_rows(vendor) if vendor.pk else NO_VALUE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vendor]:
        return with_last_mail(vendors())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Vendor], search_term: str
    ) -> tuple[QuerySet[Vendor], bool]:
        return (search_vendors(queryset, text=search_term.strip()) if search_term.strip() else queryset), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = set(self.fields) if obj else set(self.fields) - set(self.readonly_fields)
        if obj and obj.merged_into_id is None:
            shown.discard("into")
        return [name for name in self.fields if name in shown]

    # --- Saving, through the services ----------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Vendor, form: Any, change: bool) -> None:
        names = form.changed_data if change else list(form.cleaned_data)
        saved = save_vendor(vendor=obj if change else None, **{name: form.cleaned_data[name] for name in names})
        obj.pk = saved.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for address in formset.deleted_objects:
            delete_address(address=address)
        changed = {one.pk: names for one, names in formset.changed_objects}
        for one in formset.forms:
            if one.instance.pk in changed or one.instance in formset.new_objects:
                values = {name: one.cleaned_data[name] for name in ("email", "kind", "name", "is_active")}
                address = one.instance if one.instance.pk else None
                one.instance.pk = save_address(vendor=form.instance, address=address, **values).pk

    # --- Deleting ------------------------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # The service deactivates what other rows need; nothing is protected.
        return [str(vendor) for vendor in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Vendor) -> None:
        delete_vendor(vendor=obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        if not Vendor.objects.filter(pk=obj_id).exists():
            return cast(HttpResponse, super().response_delete(request, obj_display, obj_id))
        messages.warning(request, f"{obj_display} 有缺貨資料或郵件，已停用而沒有刪除")
        return HttpResponseRedirect(reverse("admin:vendors_vendor_change", args=[obj_id]))

    # --- Merging -------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        own = path(
            "<int:object_id>/merge-into/", self.admin_site.admin_view(self.merge_page), name="vendors_vendor_into"
        )
        return [own, *super().get_urls()]

    @action(description="併入另一家廠商", icon="merge", permissions=["change"])
    def merge(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:vendors_vendor_into", args=[object_id]))

    def merge_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """GET asks for the other vendor and shows what would move; POST moves it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        source = get_object_or_404(Vendor, pk=object_id)
        form = MergeForm(request.POST if request.method == "POST" else request.GET or None)
        merge: Merge | None = None
        target: Vendor | None = None
        if form.is_valid():
            target = form.cleaned_data["target"]
            assert target is not None
            try:
                if request.method == "POST":
                    done = merge_vendors(source=source, target=target)
                    said = f"已將 {source} 併入 {target}：{done.rows:,} 筆缺貨、{len(done.addresses):,} 個信箱"
                    messages.success(request, said)
                    return HttpResponseRedirect(reverse("admin:vendors_vendor_change", args=[target.pk]))
                merge = preview_merge(source=source, target=target)
            except ServiceError as refusal:
                form.add_error("target", str(refusal))
        return self.own_page(
            request,
            "admin/vendors/vendor/merge.html",
            title="併入另一家廠商",
            subtitle=str(source),
            form=form,
            media=form.media,
            original=source,
            source=source,
            target=target,
            merge=merge,
            back=reverse("admin:vendors_vendor_change", args=[source.pk]),
        )


def bounce_choices() -> Choices:
    """Addresses to which mails go, and those to which none do."""
    return {
        "usable": ("可以寄送", VendorAddress.USABLE),
        "bounced": ("退信", Q(bounced_at__isnull=False)),
        "off": ("停用", Q(is_active=False)),
    }


@admin.register(VendorAddress)
class VendorAddressAdmin(TransferMixin, ReadOnlyAdmin):
    """All addresses, to search, import and export them; they are edited on the page of their vendor."""

    list_display = ("box", "supplier", "use", "name", "state", "added")
    list_display_links = None
    list_select_related = ("vendor",)
    list_filter = (choice_filter("寄送", "state", bounce_choices), ("kind", ChoicesDropdownFilter))
    search_fields = ("mailbox", "name", "vendor__code", "vendor__name")
    search_help_text = "電子郵件、姓名、廠商代號或名稱"
    ordering = ("vendor__code", "-kind", "id")
    sortable_by = ("box",)
    resource_classes: ClassVar = [AddressResource]

    box = column("電子郵件", full_name, of="email", order="mailbox")
    supplier = column("廠商", lambda vendor: page_link("vendors_vendor", vendor.pk, vendor), of="vendor")
    use = column("用途", lambda address: address.get_kind_display())
    state = column("寄送", address_state)
    added = column("建立時間", when, of="created_at")

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(("vendors.add_vendoraddress", "vendors.change_vendoraddress"))
