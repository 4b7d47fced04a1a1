"""Changes of vendors and their addresses. Raises ValidationFailed with the fields that are not acceptable."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from momo.core.errors import Conflict, validation_failed
from momo.core.texts import clean_text, one_line
from notifications.channels.mail import is_address
from vendors.models import Stockout, Vendor, VendorAddress, VendorMail
from vendors.services.closing import lock_rows, lock_stockouts

UNSENT = (Stockout.Status.PENDING, Stockout.Status.FAILED, Stockout.Status.NO_EMAIL)
LINES = ("code", "name", "contact", "phone", "escalation_email")


def save_vendor(*, vendor: Vendor | None = None, **fields: Any) -> Vendor:
    """Create a vendor, or change one: `fields` that are left out stay."""
    with transaction.atomic():
        changed = Vendor() if vendor is None else Vendor.objects.select_for_update().get(pk=vendor.pk)
        for name, value in fields.items():
            if isinstance(value, str):
                value = one_line(value) if name in LINES else clean_text(value).strip()
            setattr(changed, name, value)
        if changed.merged_into_id is not None and changed.is_active:
            raise Conflict(f"這家廠商已併入 {changed.merged_into}，不能再啟用")
        _check(changed, changed.escalation_email, "escalation_email")
        changed.save()
    return changed


def _check(row: Vendor | VendorAddress, address: str, field: str) -> None:
    """Raise ValidationFailed for an address that is none, and for what the model refuses."""
    faults: dict[str, list[str]] = {}
    if address and not is_address(address):
        faults[field] = ["請輸入有效的電子郵件地址"]
    try:
        row.full_clean(exclude=set(faults))
    except ValidationError as error:
        faults = {**validation_failed(error).fields, **faults}
    if faults:
        raise validation_failed(ValidationError(faults))


def delete_vendor(*, vendor: Vendor) -> bool:
    """Delete a vendor with its addresses; one with stockouts or mails is deactivated. Returns whether it is deleted."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_stockouts(cursor)  # of imports, which write rows of vendors that they found
        locked = Vendor.objects.select_for_update().get(pk=vendor.pk)
        of_vendor = Q(vendor=locked)
        used = Stockout.objects.filter(of_vendor).exists() or VendorMail.objects.filter(of_vendor).exists()
        if used or locked.merged_into_id is not None or locked.merged.exists():
            locked.is_active = False
            locked.save(update_fields=["is_active"])
            return False
        locked.delete()
    return True


def save_address(*, vendor: Vendor, address: VendorAddress | None = None, **fields: Any) -> VendorAddress:
    """Add an address to a vendor, or change one. A changed address may be used again although it was refused before.

    Rows of the vendor that had no address wait to be sent from then on. Raises Conflict for a vendor that was merged.
    """
    with transaction.atomic():
        locked = Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)
        if locked.merged_into is not None:
            raise Conflict(f"這家廠商已併入 {locked.merged_into}，信箱請加在那一家")
        # A sending that found no address marks rows that it holds.
        lock_rows(Stockout.objects.filter(vendor=vendor, status__in=UNSENT))
        changed = address or VendorAddress(vendor=vendor)
        for name, value in fields.items():
            setattr(changed, name, one_line(value) if isinstance(value, str) else value)
        changed.mailbox = mailbox_of(changed.email)
        changed.bounced_at, changed.bounce_reason = None, ""
        _check(changed, changed.email or "-", "email")
        changed.save()
        release_rows(vendor=vendor)
    return changed


def mailbox_of(email: str) -> str:
    """What makes two addresses the same."""
    return email.strip().lower()


def release_rows(*, vendor: Vendor) -> None:
    """Let rows that had no address wait to be sent, if the vendor has one now; the caller has locked them."""
    if vendor.addresses.filter(VendorAddress.USABLE, kind=VendorAddress.Kind.TO).exists():
        rows = Stockout.objects.filter(vendor=vendor, status=Stockout.Status.NO_EMAIL)
        rows.update(status=Stockout.Status.PENDING)


def delete_address(*, address: VendorAddress) -> None:
    """Delete an address; mails that were sent keep it as a text."""
    address.delete()
