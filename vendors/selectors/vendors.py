"""Reads of vendors and their addresses."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from momo.core.errors import NotFound
from vendors.models import Stockout, Vendor, VendorAddress, VendorMail

_USABLE_TO = VendorAddress.objects.filter(VendorAddress.USABLE, vendor=OuterRef("pk"), kind=VendorAddress.Kind.TO)


def vendors() -> QuerySet[Vendor]:
    """All vendors by code, with `open_rows` (open stockouts without duplicates) and `has_address`."""
    rows = Stockout.objects.filter(vendor=OuterRef("pk"), status__in=Stockout.OPEN, duplicate_of=None)
    counted = rows.order_by().values("vendor").annotate(count=Count("pk")).values("count")
    return Vendor.objects.annotate(open_rows=Coalesce(Subquery(counted), 0), has_address=Exists(_USABLE_TO)).order_by(
        "code"
    )


def needing_address(vendors: QuerySet[Vendor]) -> QuerySet[Vendor]:
    """Those of `vendors` (active ones) to whom no mail can be sent."""
    return vendors.filter(~Exists(_USABLE_TO), is_active=True)


def all_needing_address() -> QuerySet[Vendor]:
    """All vendors that `needing_address` finds."""
    return needing_address(Vendor.objects.all())


def with_last_mail(vendors: QuerySet[Vendor]) -> QuerySet[Vendor]:
    """`vendors` with `last_mail`, when a server last accepted a mail to them."""
    mails = VendorMail.objects.filter(vendor=OuterRef("pk"), sent_at__isnull=False).order_by("-pk")
    return vendors.annotate(last_mail=Subquery(mails.values("sent_at")[:1]))


def search_vendors(vendors: QuerySet[Vendor], *, text: str) -> QuerySet[Vendor]:
    """The vendors whose code, name or one of whose addresses contains `text`."""
    addresses = VendorAddress.objects.filter(vendor=OuterRef("pk"), mailbox__contains=text.strip().lower())
    return vendors.filter(Q(code__icontains=text) | Q(name__icontains=text) | Exists(addresses))


def vendor_by_id(vendor_id: int) -> Vendor:
    """The vendor, as `vendors`. Raises NotFound."""
    vendor = vendors().filter(pk=vendor_id).first()
    if vendor is None:
        raise NotFound("找不到這家廠商")
    return vendor


def vendor_by_code(code: str) -> Vendor | None:
    """The vendor with this code, or the one that it was merged into."""
    vendor = Vendor.objects.select_related("merged_into").filter(code=code).first()
    return (vendor.merged_into or vendor) if vendor else None


def address_by_id(address_id: int) -> VendorAddress:
    """The address. Raises NotFound."""
    address = VendorAddress.objects.filter(pk=address_id).first()
    if address is None:
        raise NotFound("找不到這個信箱")
    return address
