"""How old prices and sales are, beside the objectives of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from momo.core.days import start_of_day
from momo.core.thresholds import thresholds
from products.models import CrawlRun
from sales.models import DayOwner


@dataclass(frozen=True)
class Freshness:
    """The age of one kind of data. `at` is None as long as there is none, `objective` without one."""

    kind: str
    label: str
    at: datetime | None
    objective: timedelta | None
    now: datetime
    note: str  # what to do about it

    @property
    def age(self) -> timedelta | None:
        """How old the data are."""
        return None if self.at is None else max(timedelta(), self.now - self.at)

    @property
    def last_day(self) -> date | None:
        """The last day of which there are data, which end at its midnight."""
        return None if self.at is None else timezone.localdate(self.at - timedelta(microseconds=1))

    @property
    def hours(self) -> int:
        """The objective in hours, 0 without one."""
        return 0 if self.objective is None else self.objective // timedelta(hours=1)

    @property
    def is_stale(self) -> bool:
        """Whether the objective is missed; never before there are any data."""
        return self.age is not None and self.objective is not None and self.age > self.objective


def freshness() -> list[Freshness]:
    """Prices: since the last applied crawl. Sales: since the end of the newest day in force. Two queries."""
    now = timezone.now()
    applied = CrawlRun.objects.filter(status=CrawlRun.Status.APPLIED).order_by("-id")
    crawled = applied.values_list("finished_at", flat=True).first()
    day = DayOwner.objects.aggregate(day=Max("date"))["day"]
    sold = None if day is None else start_of_day(day + timedelta(days=1))
    return [
        Freshness(
            kind="prices",
            label="價格",
            at=crawled,
            objective=_hours(thresholds.PRICES_FRESH_HOURS),
            now=now,
            note="請看「價格更新」與「排程」：更新可能沒有開始，或一直失敗。",
        ),
        Freshness(
            kind="sales",
            label="銷售日報",
            at=sold,
            objective=_hours(thresholds.SALES_FRESH_HOURS),
            now=now,
            note="請匯入最近的銷售日報，或看「匯入」裡有沒有失敗的檔案。",
        ),
    ]


def stale() -> list[Freshness]:
    """The kinds of data whose objective is missed."""
    return [kind for kind in freshness() if kind.is_stale]


def _hours(hours: int) -> timedelta | None:
    return timedelta(hours=hours) if hours else None
