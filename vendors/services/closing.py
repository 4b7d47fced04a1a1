"""What closes rows, and opens them again: a later report, the catalogue, or a person. Duplicates follow their original.

Rows are locked in the order of their ids, as every service that changes several locks them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, NotFound
from vendors.models import Stockout

NAMED = 5

# Whether a row is open decides what a report makes of it.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('stockouts', 0))"

GROUP = """
SELECT id FROM vendors_stockout
WHERE id IN (SELECT unnest(%(ids)s::bigint[])
             UNION ALL SELECT id FROM vendors_stockout WHERE duplicate_of_id = ANY(%(ids)s))
ORDER BY id FOR UPDATE
"""
CLOSE = """
UPDATE vendors_stockout
SET resolved_from = status, status = 'resolved', resolved_at = %(at)s, resolved_reason = %(reason)s,
    resolved_by_id = %(user)s, resolved_batch_id = %(batch)s
WHERE id = ANY(%(ids)s) AND status <> 'resolved'
RETURNING duplicate_of_id
"""

# What became of the mail, and whether the vendor answered, while the row was resolved.
OPEN = """
UPDATE vendors_stockout o
SET status = CASE
        WHEN o.answered_at IS NOT NULL THEN 'replied'
        WHEN o.resolved_from <> 'queued' THEN coalesce(nullif(o.resolved_from, ''), 'pending')
        WHEN (SELECT m.status FROM vendors_vendormail m WHERE m.id = o.mail_id) = 'sent' THEN 'sent'
        WHEN (SELECT m.status FROM vendors_vendormail m WHERE m.id = o.mail_id) IN ('failed', 'cancelled') THEN 'failed'
        ELSE 'queued' END,
    resolved_at = NULL, resolved_reason = '', resolved_from = '', resolved_by_id = NULL, resolved_batch_id = NULL
WHERE o.id = ANY(%(ids)s) AND o.status = 'resolved'
"""

# An event is newer than the last report that listed the product: before that it was out of stock again.
RESTOCKED = """
SELECT o.id FROM vendors_stockout o JOIN products_product p ON p.product_id = o.product_code
WHERE o.duplicate_of_id IS NULL AND o.status <> 'resolved' AND p.status = 'active' AND EXISTS (
    SELECT 1 FROM products_priceevent e
    WHERE e.product_id = p.id AND e.kind IN ('back_in_stock', 'relisted') AND e.created_at > greatest(
        o.created_at, (SELECT max(d.created_at) FROM vendors_stockout d WHERE d.duplicate_of_id = o.id)))
"""

COUNT = """
UPDATE vendors_stockoutbatch b
SET new_count = (SELECT count(*) FROM vendors_stockout l WHERE l.batch_id = b.id AND l.duplicate_of_id IS NULL),
    still_count = (SELECT count(*) FROM vendors_stockout l JOIN vendors_stockout o ON o.id = l.duplicate_of_id
                   WHERE l.batch_id = b.id AND o.batch_id <> b.id),
    recovered_count = (SELECT count(*) FROM vendors_stockout l
                       WHERE l.resolved_batch_id = b.id AND l.duplicate_of_id IS NULL)
WHERE b.id = ANY(%(ids)s)
"""


def lock_stockouts(cursor: CursorWrapper) -> None:
    """Wait until no other transaction imports, undoes, opens, closes, or merges or deletes vendors.

    It is taken before every other lock, and ends with the transaction.
    """
    cursor.execute(LOCK)


def lock_rows(rows: QuerySet[Stockout]) -> list[int]:
    """Lock rows in the order of their ids, until the transaction ends. Returns the ids."""
    locked = rows.select_related(None).order_by("pk").select_for_update()
    return list(locked.values_list("pk", flat=True))


def close_rows(
    *,
    ids: Collection[int],
    reason: str,
    at: datetime | None = None,
    user: User | None = None,
    batch_id: int | None = None,
) -> int:
    """Resolve originals with their duplicates, in the caller's transaction. Returns how many originals were open."""
    if not ids:
        return 0
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "ids": _lock_group(cursor, ids),
            "reason": reason,
            "at": at or timezone.now(),
            "user": user and user.pk,
            "batch": batch_id,
        }
        cursor.execute(CLOSE, values)
        return sum(original is None for (original,) in cursor.fetchall())


def open_rows(*, ids: Collection[int]) -> None:
    """Open resolved rows again in their earlier state, in the caller's transaction; callers know what is resolved."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"ids": list(ids)})


def count_rows(batch_ids: Collection[int]) -> None:
    """Count the rows of batches anew."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"ids": list(batch_ids)})


def close_restocked() -> int:
    """Resolve what the catalogue sees on sale again since it was last reported. Returns the number of originals."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_stockouts(cursor)
        cursor.execute(RESTOCKED)
        ids = [pk for (pk,) in cursor.fetchall()]
        return close_rows(ids=ids, reason=Stockout.Reason.BACK_IN_STOCK)


def resolve(*, ids: Collection[int], user: User | None) -> int:
    """Resolve rows by hand, each with its original and its duplicates. Returns how many products were still open.

    Raises NotFound if one of the ids is unknown; then nothing is changed.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_stockouts(cursor)
        return close_rows(ids=_originals(ids), reason=Stockout.Reason.MANUAL, user=user)


def reopen(*, ids: Collection[int]) -> int:
    """Open resolved rows again, each with its original and its duplicates. Returns how many products were resolved.

    Raises NotFound for an unknown id, Conflict where a later report has an open row of the same vendor and product;
    then nothing is changed.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_stockouts(cursor)
        group = _lock_group(cursor, _originals(ids))
        resolved = Stockout.objects.filter(pk__in=group, duplicate_of=None, status=Stockout.Status.RESOLVED)
        found = list(resolved.select_related("vendor").order_by("pk"))
        keys = [(row.vendor_id, row.product_code) for row in found]
        twice = {key for key, count in Counter(keys).items() if count > 1}
        open_now = Stockout.objects.filter(duplicate_of=None, status__in=Stockout.OPEN)
        taken = set(
            open_now.filter(
                vendor__in=[vendor for vendor, _ in keys], product_code__in=[code for _, code in keys]
            ).values_list("vendor_id", "product_code")
        )
        blocked = [row for row, key in zip(found, keys, strict=True) if key in taken | twice]
        if blocked:
            named = "、".join(f"{row.product_code}（{row.vendor.name}）" for row in blocked[:NAMED])
            more = f" 等 {len(blocked):,} 項" if len(blocked) > NAMED else ""
            raise Conflict(f"{named}{more}另有未結案的缺貨，不能重新開啟；請處理那一筆")
        batches = {row.resolved_batch_id for row in found if row.resolved_batch_id}
        open_rows(ids=group)
        count_rows(batches)
        return len(found)


def _originals(ids: Collection[int]) -> list[int]:
    """The originals of rows. Raises NotFound, naming the ids that do not exist."""
    known = dict(Stockout.objects.filter(pk__in=ids).values_list("pk", "duplicate_of"))
    unknown = sorted(set(ids) - set(known))
    if unknown:
        named = "、".join(f"#{pk}" for pk in unknown[:NAMED])
        raise NotFound(f"找不到缺貨 {named}{' 等' if len(unknown) > NAMED else ''}，沒有更動任何資料")
    return sorted({original or pk for pk, original in known.items()})


def _lock_group(cursor: CursorWrapper, ids: Collection[int]) -> list[int]:
    cursor.execute(GROUP, {"ids": list(ids)})
    return [pk for (pk,) in cursor.fetchall()]
