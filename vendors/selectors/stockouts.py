"""Reads of stockouts."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Min, Q, QuerySet, Sum
from django.utils import timezone

from vendors.models import Stockout, StockoutBatch, SubmittedLine, Vendor

SEARCH_DAYS = 180  # a search without another filter looks at open rows, and at those of reports since
UNNAMED = "（未填）"  # stands for an empty PM or department in addresses: no report has a PM of this name


def stockouts() -> QuerySet[Stockout]:
    """All rows, the newest first, with vendor and mail."""
    return Stockout.objects.select_related("vendor", "mail").order_by("-pk")


def rows_of_batch(rows: QuerySet[Stockout], *, batch: StockoutBatch) -> QuerySet[Stockout]:
    """The rows of a report; of one that repeats another report, the rows of that one."""
    return rows.filter(batch=batch.same_as_id or batch.pk)


def search_stockouts(rows: QuerySet[Stockout], *, text: str) -> QuerySet[Stockout]:
    """The rows whose product code or name, or vendor code or name, contains `text`.

    Rows that are resolved and older than SEARCH_DAYS are left out, since they are very many and in no index of texts.
    """
    text = text.strip()
    of_vendor = Vendor.objects.filter(Q(code__icontains=text) | Q(name__icontains=text)).values("pk")
    hit = Q(product_code__icontains=text) | Q(product_name__icontains=text) | Q(vendor__in=of_vendor)
    return rows.filter(recent_or_open()).filter(hit)


def recent_or_open() -> Q:
    """Open rows, and rows of the reports of the last SEARCH_DAYS days."""
    since = timezone.now() - timedelta(days=SEARCH_DAYS)
    first = StockoutBatch.objects.filter(published_at__gte=since).aggregate(pk=Min("pk"))["pk"]
    return Q(status__in=Stockout.OPEN) | Q(batch__gte=first) if first else Q(status__in=Stockout.OPEN)


def of_pm(rows: QuerySet[Stockout], name: str) -> QuerySet[Stockout]:
    """The rows of a PM, open or recent (`recent_or_open`): PMs are in no index. UNNAMED is the empty name."""
    return rows.filter(recent_or_open(), pm=stored_name(name))


def stored_name(name: str) -> str:
    """What UNNAMED stands for, and any other name as it is."""
    return "" if name == UNNAMED else name


def open_names(field: str) -> list[str]:
    """The names of open rows in `field` (pm, department), sorted, with UNNAMED for the empty one."""
    rows = Stockout.objects.filter(status__in=Stockout.OPEN).order_by(field)
    return [name or UNNAMED for name in rows.values_list(field, flat=True).distinct()]


def count_of_all() -> int:
    """How many rows there are, from the reports, which are few."""
    reports = StockoutBatch.objects.filter(undone_at=None).exclude(published_at=None).filter(same_as=None)
    return reports.aggregate(sum=Sum("line_count"))["sum"] or 0


def has_stockouts() -> bool:
    """Whether a report was ever imported."""
    return Stockout.objects.exists()


def answers_of(row: Stockout) -> QuerySet[SubmittedLine]:
    """What the vendor answered about a row, the newest first; drafts are left out."""
    lines = row.entries.filter(submission__is_draft=False).select_related("submission")
    return lines.order_by("-submission__created_at", "-pk")


def reported_since(days: int) -> Q:
    """The rows of reports of the last `days` days without duplicates, as the score counts them."""
    return Q(batch__published_at__gte=timezone.now() - timedelta(days=days), duplicate_of=None)
