"""Merges a vendor that exists twice into another one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from momo.core.errors import Conflict
from vendors.models import Stockout, Vendor, VendorAddress
from vendors.services.closing import lock_rows, lock_stockouts
from vendors.services.vendors import release_rows


@dataclass(frozen=True)
class Merge:
    """What a merge moves. `doubled` are open rows of products that are open at both; they become duplicates."""

    addresses: list[str]  # that move
    known: list[str]  # addresses that the target has already
    rows: int
    doubled: int


# Of two open originals of one product the older one stays the original, whoever's it was.
_DOUBLED = """
SELECT s.id, t.id FROM vendors_stockout s JOIN vendors_stockout t USING (product_code)
WHERE s.vendor_id = %(source)s AND t.vendor_id = %(target)s
  AND s.duplicate_of_id IS NULL AND t.duplicate_of_id IS NULL AND s.status <> 'resolved' AND t.status <> 'resolved'
"""


def preview_merge(*, source: Vendor, target: Vendor) -> Merge:
    """Return what `merge_vendors` would move. Raises Conflict."""
    _refuse(source, target)
    have = set(target.addresses.values_list("mailbox", flat=True))
    mine = list(source.addresses.all())
    return Merge(
        addresses=[address.email for address in mine if address.mailbox not in have],
        known=[address.email for address in mine if address.mailbox in have],
        rows=Stockout.objects.filter(vendor=source).count(),
        doubled=len(_doubled(source, target)),
    )


def merge_vendors(*, source: Vendor, target: Vendor) -> Merge:
    """Move addresses and rows of `source` to `target`, and deactivate `source`.

    Mails that were sent stay with `source`, and their links go on working while `target` is active. Reports that name
    the code of `source` mean `target` from then on. Raises Conflict for a vendor and itself, and for vendors that were
    merged before.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_stockouts(cursor)
        # A sending holds rows while its mails refer to their vendors, which no FOR NO KEY UPDATE keeps it from.
        changed = Vendor.objects.filter(Q(pk__in=[source.pk, target.pk]) | Q(merged_into=source))
        locked = {vendor.pk: vendor for vendor in changed.order_by("pk").select_for_update(no_key=True)}
        source, target = locked[source.pk], locked[target.pk]
        lock_rows(Stockout.objects.filter(Q(vendor=source) | Q(vendor=target, status__in=Stockout.OPEN)))
        done = preview_merge(source=source, target=target)
        for pair in _doubled(source, target):
            first, later = sorted(pair)
            Stockout.objects.filter(duplicate_of=later).update(duplicate_of=first)
            Stockout.objects.filter(pk=later).update(duplicate_of=first)
        Stockout.objects.filter(vendor=source).update(vendor=target)
        have = target.addresses.values("mailbox")
        VendorAddress.objects.filter(vendor=source, mailbox__in=have).delete()
        VendorAddress.objects.filter(vendor=source).update(vendor=target)
        Vendor.objects.filter(merged_into=source).update(merged_into=target)
        source.is_active, source.merged_into = False, target
        source.save(update_fields=["is_active", "merged_into"])  # a save is in the audit trail, an update is not
        release_rows(vendor=target)
    return done


def _doubled(source: Vendor, target: Vendor) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_DOUBLED, {"source": source.pk, "target": target.pk})
        pairs: list[tuple[int, int]] = cursor.fetchall()
    return pairs


def _refuse(source: Vendor, target: Vendor) -> None:
    if source.pk == target.pk:
        raise Conflict("廠商不能併入自己")
    for vendor in (source, target):
        if vendor.merged_into_id is not None:
            raise Conflict(f"{vendor} 已經併入其他廠商")
