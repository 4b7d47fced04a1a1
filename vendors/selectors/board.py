"""The board of open stockouts: how many wait for whom, by PM, vendor and age. Duplicates count nowhere.

Only open rows are read, so that what is over costs nothing however much it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from momo.core.thresholds import thresholds
from vendors.models import Stockout

Status = Stockout.Status
# Who has to do something about a row, by its status.
WAITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "us": ("待我方寄送", (Status.PENDING, Status.FAILED, Status.NO_EMAIL)),
    "vendor": ("待廠商回覆", (Status.QUEUED, Status.SENT)),
    "answered": ("已回覆，待到貨", (Status.REPLIED,)),
}
# Days since the report that first had the row: from the first (inclusive) to the second (exclusive).
AGES: dict[str, tuple[int, int | None]] = {"0-2": (0, 3), "3-6": (3, 7), "7-13": (7, 14), "14-": (14, None)}
DIMENSIONS = ("pm", "vendor", "age")

# NT$ that a row has cost so far, if it is known: pieces a day × price × days.
LOST = "s.monthly_sales / 30.0 * s.price * extract(epoch FROM {until} - s.created_at) / 86400"

_OPEN = f"""
WITH open AS (
    SELECT s.pm, v.code, v.name, s.status, floor(extract(epoch FROM %(now)s - s.created_at) / 86400)::int AS days,
           {LOST.format(until="%(now)s")} AS lost
    FROM vendors_stockout s JOIN vendors_vendor v ON v.id = s.vendor_id
    WHERE s.status = ANY(%(open)s) AND s.duplicate_of_id IS NULL AND (%(pms)s::text[] IS NULL OR s.pm = ANY(%(pms)s))
)
SELECT dimension, key, label, status, count(*), coalesce(round(sum(lost)), 0)::bigint, count(*) - count(lost)
FROM open CROSS JOIN LATERAL (VALUES
    ('pm', pm, pm), ('vendor', code, name),
    ('age', CASE WHEN days < 3 THEN '0-2' WHEN days < 7 THEN '3-6' WHEN days < 14 THEN '7-13' ELSE '14-' END, '')
) AS cut(dimension, key, label)
GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - no value of a request becomes part of the text


@dataclass
class Group:
    """Open rows of one PM, vendor or age, by whom they wait for (keys of WAITS).

    `lost` is the estimate of lost sales so far in New Taiwan dollars; it leaves out `unknown` rows without monthly
    sales or price.
    """

    key: str
    label: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAITS, 0))
    lost: int = 0
    unknown: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Board:
    """`total` of all open rows, and `groups` by dimension: PMs and vendors with the most rows first, ages by days."""

    total: Group
    groups: dict[str, Sequence[Group]]


def board(*, pms: Collection[str] | None = None, now: datetime | None = None) -> Board:
    """Return the board, of the rows of some PMs if `pms` is given."""
    chosen = None if pms is None else list(pms)
    values: dict[str, Any] = {"now": now or timezone.now(), "open": list(Stockout.OPEN), "pms": chosen}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, values)
        found = cursor.fetchall()
    waits = {str(status): name for name, (_, statuses) in WAITS.items() for status in statuses}
    groups: dict[str, dict[str, Group]] = {dimension: {} for dimension in DIMENSIONS}
    groups["age"] = {key: Group(key, age_label(key)) for key in AGES}
    for dimension, key, label, status, count, lost, unknown in found:
        group = groups[dimension].setdefault(key, Group(key, label))
        group.counts[waits[status]] += count
        group.lost += lost
        group.unknown += unknown
    total = Group("", "全部")
    for group in groups["age"].values():
        for name, count in group.counts.items():
            total.counts[name] += count
        total.lost += group.lost
        total.unknown += group.unknown
    ordered = {name: _largest_first(groups[name].values()) for name in ("pm", "vendor")}
    return Board(total, {**ordered, "age": list(groups["age"].values())})


def _largest_first(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-group.rows, group.key))


def age_label(key: str) -> str:
    """The text of an age."""
    first, after = AGES[key]
    return f"{first} 天以上" if after is None else f"{first}–{after - 1} 天"


OPEN_ROWS = Q(status__in=Stockout.OPEN, duplicate_of=None)  # that the board counts
UNKNOWN = Q(monthly_sales=None) | Q(price=None)  # rows whose lost sales cannot be estimated


def wait_condition(who: str) -> Q:
    """The open rows that wait for `who`, a key of WAITS."""
    return Q(status__in=WAITS[who][1], duplicate_of=None)


def open_stockouts() -> QuerySet[Stockout]:
    """The rows that the board counts."""
    return Stockout.objects.filter(OPEN_ROWS)


def waiting_for_us() -> QuerySet[Stockout]:
    """The open rows that wait for us."""
    return Stockout.objects.filter(wait_condition("us"))


def waiting_for_vendors() -> QuerySet[Stockout]:
    """The open rows that wait for their vendors."""
    return Stockout.objects.filter(wait_condition("vendor"))


def overdue_condition() -> Q:
    """The rows that a vendor was told of VENDOR_REMIND_DAYS ago or earlier (3 days without it), and left unanswered."""
    told = timezone.now() - timedelta(days=thresholds.VENDOR_REMIND_DAYS or 3)
    return Q(status=Status.SENT, duplicate_of=None, notified_at__lte=told)


def overdue_answers() -> QuerySet[Stockout]:
    """The rows of `overdue_condition`."""
    return Stockout.objects.filter(overdue_condition())


def age_condition(key: str, *, now: datetime | None = None) -> Q:
    """The rows of an age, a key of AGES."""
    now = now or timezone.now()
    first, after = AGES[key]
    younger = Q(created_at__gt=now - timedelta(days=after)) if after is not None else Q()
    return younger & Q(created_at__lte=now - timedelta(days=first))


def lost_sales(row: Stockout, *, now: datetime | None = None) -> int | None:
    """The estimate of what one row has cost so far, as the board sums it up; None where it is unknown."""
    if row.monthly_sales is None or row.price is None:
        return None
    out = (row.resolved_at or now or timezone.now()) - row.created_at
    return round(row.monthly_sales / 30 * row.price * out.total_seconds() / 86400)
