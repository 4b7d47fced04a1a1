"""Undoes the import of a stockout report: afterwards the rows are as the other reports alone would have made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.utils import timezone

from momo.core.errors import Conflict
from momo.jobs.models import Job
from vendors.models import Stockout, StockoutBatch, Vendor, VendorMail, VendorSending
from vendors.selectors.batches import batches_in_force
from vendors.services.closing import count_rows, lock_rows, lock_stockouts, open_rows

NAMED = 5

# Rows that the import brought or resolved, rows of later reports for the same goods, and the duplicates of all, in the
# order in which all services lock rows. Which those are only changes under the lock of stockouts.
TOUCHED = """
WITH originals AS (
    SELECT id FROM vendors_stockout WHERE batch_id = %(batch)s OR resolved_batch_id = %(batch)s
    UNION SELECT unnest(%(laters)s::bigint[])
)
SELECT l.id, l.batch_id, l.resolved_batch_id FROM vendors_stockout l
WHERE l.id IN (SELECT id FROM originals
               UNION ALL SELECT d.id FROM vendors_stockout d JOIN originals o ON o.id = d.duplicate_of_id)
ORDER BY l.id FOR UPDATE OF l
"""

# The originals that the import resolved, each with the first row of a later report for the same vendor and product.
RESOLVED = """
SELECT o.id, o.department, l.id, l.batch_id
FROM vendors_stockout o
LEFT JOIN LATERAL (
    SELECT l.id, l.batch_id FROM vendors_stockout l JOIN vendors_stockoutbatch b ON b.id = l.batch_id
    WHERE l.vendor_id = o.vendor_id AND l.product_code = o.product_code AND b.published_at > %(after)s
    ORDER BY b.published_at, l.id LIMIT 1) l ON true
WHERE o.resolved_batch_id = %(batch)s AND o.duplicate_of_id IS NULL
ORDER BY o.id
"""

# Another report would have resolved the row.
RESOLVED_BY = """
UPDATE vendors_stockout o SET resolved_batch_id = x.later, resolved_at = x.at
FROM unnest(%(rows)s::bigint[], %(laters)s::bigint[], %(times)s::timestamptz[]) AS x(id, later, at)
WHERE coalesce(o.duplicate_of_id, o.id) = x.id AND o.resolved_batch_id = %(batch)s
"""

# A row of a later report would have been a duplicate: its original ends as it did, and has its answer.
ENDED_AS = """
UPDATE vendors_stockout o
SET resolved_at = l.resolved_at, resolved_reason = l.resolved_reason, resolved_by_id = l.resolved_by_id,
    resolved_batch_id = l.resolved_batch_id
FROM unnest(%(rows)s::bigint[], %(laters)s::bigint[]) AS x(id, later) JOIN vendors_stockout l ON l.id = x.later
WHERE coalesce(o.duplicate_of_id, o.id) = x.id AND o.resolved_batch_id = %(batch)s AND l.status = 'resolved'
"""
ANSWERED_AS = """
UPDATE vendors_stockout o
SET answer = l.answer, restock_date = l.restock_date, restock_quantity = l.restock_quantity,
    substitute = l.substitute, answered_at = l.answered_at
FROM unnest(%(rows)s::bigint[], %(laters)s::bigint[]) AS x(id, later) JOIN vendors_stockout l ON l.id = x.later
WHERE o.id = x.id AND l.answered_at IS NOT NULL AND o.answered_at IS NULL
"""
POINT = """
UPDATE vendors_stockout o SET duplicate_of_id = x.id
FROM unnest(%(rows)s::bigint[], %(laters)s::bigint[]) AS x(id, later)
WHERE o.id = x.later OR o.duplicate_of_id = x.later
"""

# The oldest duplicate in a later report takes the place of an original that is deleted.
HEIRS = """
SELECT DISTINCT ON (d.duplicate_of_id) d.duplicate_of_id, d.id
FROM vendors_stockout d JOIN vendors_stockout o ON o.id = d.duplicate_of_id
WHERE o.batch_id = %(batch)s AND d.batch_id <> o.batch_id
ORDER BY d.duplicate_of_id, d.id
"""
# A vendor that a batch created has its time; without the batch the next with rows of it would have created it.
CREATED_BY_NEXT = """
UPDATE vendors_vendor v SET created_at = x.at
FROM (SELECT l.vendor_id, min(b.published_at) AS at
      FROM vendors_stockout l JOIN vendors_stockoutbatch b ON b.id = l.batch_id
      JOIN vendors_vendor w ON w.id = l.vendor_id AND w.created_at = %(at)s
      GROUP BY l.vendor_id) x
WHERE v.id = x.vendor_id
"""
DELETE = """
DELETE FROM vendors_mailline WHERE line_id IN (SELECT id FROM vendors_stockout WHERE batch_id = %(batch)s);
DELETE FROM vendors_stockout WHERE batch_id = %(batch)s
"""
INHERIT = """
UPDATE vendors_stockout d SET duplicate_of_id = nullif(x.heir, d.id)
FROM unnest(%(rows)s::bigint[], %(heirs)s::bigint[]) AS x(id, heir)
WHERE d.duplicate_of_id = x.id
"""


def undo_import(*, job: Job) -> Mapping[str, Any]:
    """Undo what `job` published, inside the caller's transaction. Returns what changed.

    Rows that it brought are deleted, rows that it resolved are opened unless a later report does not list them either,
    and vendors that it created are deleted unless something else is known of them. If another import has the same
    rows, the rows become that import's. Raises Conflict if a vendor was, or may have been, written to about the rows.
    """
    with connection.cursor() as cursor:
        lock_stockouts(cursor)
        batch = StockoutBatch.objects.select_for_update().filter(job=job).first()
        if batch is None or batch.published_at is None:
            raise Conflict("這次匯入沒有更動任何資料，沒有可以復原的內容")
        if batch.undone_at is not None:
            raise Conflict("這次匯入已經復原過了")
        heir = StockoutBatch.objects.filter(same_as=batch, undone_at=None).order_by("pk").first()
        message = f"內容與缺貨批次 {batch.same_as} 相同，資料維持不變"
        if batch.same_as is None:
            message = _take_back(cursor, batch) if heir is None else _hand_over(batch, heir)
        batch.undone_at = timezone.now()
        batch.save(update_fields=["undone_at"])
        return {"message": message}


def _take_back(cursor: CursorWrapper, batch: StockoutBatch) -> str:
    of_batch = {"batch": batch.pk}
    closed, followed = _sort_resolved(cursor, batch)
    cursor.execute(TOUCHED, {**of_batch, "laters": [line for _, line in followed]})
    touched = cursor.fetchall()
    _refuse_if_mailed(batch)
    counted = {pk for _, *batches in touched for pk in batches if pk not in (None, batch.pk)}
    counted |= {one.pk for _, one in closed}
    opened = _give_back_resolved(cursor, batch, closed, followed)
    cursor.execute(HEIRS, of_batch)
    heirs = dict(cursor.fetchall())
    rows = Stockout.objects.filter(batch=batch).count()
    cursor.execute(DELETE, of_batch)
    cursor.execute(INHERIT, {"rows": list(heirs), "heirs": list(heirs.values())})
    StockoutBatch.objects.filter(previous=batch).update(previous=batch.previous)
    count_rows(counted)
    vendors = _delete_vendors(cursor, batch)
    parts = [f"刪除 {rows:,} 列缺貨"]
    parts += [f"{opened:,} 項重新開啟"] if opened else []
    parts += [f"刪除 {vendors:,} 家新廠商"] if vendors else []
    return "、".join(parts)


def _sort_resolved(
    cursor: CursorWrapper, batch: StockoutBatch
) -> tuple[list[tuple[int, StockoutBatch]], list[tuple[int, int]]]:
    """The originals that the batch resolved: those that a later one would have, with it, and those that a row follows.

    All others are open again.
    """
    cursor.execute(RESOLVED, {"batch": batch.pk, "after": batch.published_at})
    later = list(batches_in_force().filter(published_at__gt=batch.published_at).order_by("published_at", "pk"))
    place = {one.pk: number for number, one in enumerate(later)}
    closed: list[tuple[int, StockoutBatch]] = []
    followed: list[tuple[int, int]] = []
    for row, department, line, line_batch in cursor.fetchall():
        listed = len(later) if line is None else place[line_batch]
        closer = next((one for one in later[:listed] if _closes(one, department)), None)
        if closer is not None:
            closed.append((row, closer))
        elif line is not None:
            followed.append((row, line))
    return closed, followed


def _give_back_resolved(
    cursor: CursorWrapper,
    batch: StockoutBatch,
    closed: Sequence[tuple[int, StockoutBatch]],
    followed: Sequence[tuple[int, int]],
) -> int:
    """Undo what the batch resolved. Returns how many rows are open again."""
    if closed:
        closers = [one for _, one in closed]
        laters, times = [one.pk for one in closers], [one.published_at for one in closers]
        rows = [row for row, _ in closed]
        values: dict[str, Any] = {"batch": batch.pk, "rows": rows, "laters": laters, "times": times}
        cursor.execute(RESOLVED_BY, values)
    if followed:
        pairs: dict[str, Any] = {
            "batch": batch.pk,
            "rows": [row for row, _ in followed],
            "laters": [line for _, line in followed],
        }
        for statement in (ENDED_AS, ANSWERED_AS, POINT):
            cursor.execute(statement, pairs)
    still = Stockout.objects.filter(resolved_batch=batch)
    opened = still.filter(duplicate_of=None).count()
    open_rows(ids=list(still.values_list("pk", flat=True)))
    return opened


def _closes(batch: StockoutBatch, department: str) -> bool:
    """Whether a report resolves open rows of a department that it does not list."""
    return not batch.is_partial and (not batch.departments or department in batch.departments)


def _refuse_if_mailed(batch: StockoutBatch) -> None:
    """Raise Conflict if a mail with rows of the batch is on its way or may have arrived, naming vendors and times."""
    ended = (VendorMail.Status.FAILED, VendorMail.Status.CANCELLED)
    left = VendorMail.objects.filter(~Q(status__in=ended) | Q(version__gt=0), lines__batch=batch).distinct()
    mails = list(left.select_related("vendor").order_by("pk"))
    if not mails:
        return
    named = "、".join(
        f"{mail.vendor.name}（{timezone.localtime(mail.sent_at or mail.created_at):%Y-%m-%d %H:%M} "
        f"{mail.get_status_display()}）"
        for mail in mails[:NAMED]
    )
    more = f" 等 {len(mails):,} 封" if len(mails) > NAMED else ""
    raise Conflict(f"這批缺貨已經寄給廠商，不能復原：{named}{more}")


def _hand_over(batch: StockoutBatch, heir: StockoutBatch) -> str:
    """Give the rows to another import of the same content, which takes the place of `batch` among the reports."""
    for name in ("digest", "departments", "is_partial", "published_at", "previous"):
        setattr(heir, name, getattr(batch, name))
    for name in ("line_count", "vendor_count", "new_vendor_count"):
        setattr(heir, name, getattr(batch, name))
    heir.same_as = None
    heir.save()
    lock_rows(Stockout.objects.filter(Q(batch=batch) | Q(resolved_batch=batch)))
    Stockout.objects.filter(batch=batch).update(batch=heir)
    Stockout.objects.filter(resolved_batch=batch).update(resolved_batch=heir)
    StockoutBatch.objects.filter(same_as=batch).update(same_as=heir)
    StockoutBatch.objects.filter(previous=batch).update(previous=heir)
    VendorSending.objects.filter(batch=batch).update(batch=heir)
    count_rows([heir.pk])
    return f"缺貨批次 {heir} 的內容相同，資料維持不變"


def _delete_vendors(cursor: CursorWrapper, batch: StockoutBatch) -> int:
    """Delete the vendors that the batch created, unless something else is known of them. Returns how many."""
    cursor.execute(CREATED_BY_NEXT, {"at": batch.published_at})
    assert batch.published_at is not None
    created = Vendor.objects.filter(
        created_at=batch.published_at, stockouts=None, mails=None, addresses=None, merged=None
    )
    untouched = created.filter(contact="", phone="", note="", escalation_email="", is_active=True)
    ids = list(untouched.values_list("pk", flat=True))
    Vendor.objects.filter(pk__in=ids).delete()
    return len(ids)
