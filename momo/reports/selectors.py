"""Reads of reports: which there are, and the tables of one for a period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from momo.admin.kit.figures import FigureTable
from momo.admin.kit.sections import Filters, Section, sections
from momo.core.days import EARLIEST
from momo.core.errors import NotFound, ValidationFailed
from momo.core.periods import Period
from momo.reports.models import Report
from notifications.channels.mail import is_address
from notifications.models import Chat
from sales.selectors.lines import latest_date


@dataclass(frozen=True)
class Edition:
    """A report of one period: what every form of it is rendered from. `missing` are sentences."""

    name: str
    period: Period
    filters: Filters
    tables: Sequence[FigureTable]
    missing: Sequence[str]
    made_at: dt.datetime

    @property
    def title(self) -> str:
        """Name and period, on one line."""
        return f"{self.name}　{self.period.label}"

    @property
    def slug(self) -> str:
        """The period as a part of file names."""
        return f"{self.period.first:%Y%m%d}" if self.period.kind == "day" else self.period.text.replace("~", "_")


@dataclass(frozen=True)
class Recipients:
    """Where a report goes; each address once. `without_address` are users who get nothing."""

    addresses: Sequence[str]
    chats: Sequence[Chat]
    without_address: Sequence[User]


def reports() -> QuerySet[Report]:
    """All reports by name."""
    return Report.objects.order_by("name", "pk")


def report_by_id(pk: int) -> Report:
    """The report. Raises NotFound."""
    report = Report.objects.filter(pk=pk).first()
    if report is None:
        raise NotFound("找不到這份報表")
    return report


def chosen_sections(report: Report) -> list[Section]:
    """The sections of a report in its order. Those that no app registers any more are left out."""
    known = sections()
    return [known[code] for code in report.sections if code in known]


def missing_data(report: Report, period: Period) -> list[str]:
    """What the sections of a report wait for, each sentence once."""
    found = [text for section in chosen_sections(report) for text in section.missing(period)]
    return list(dict.fromkeys(found))


def last_day() -> dt.date:
    """The day that previews begin with: the last with sales up to today (a file may bring tomorrow's), or yesterday."""
    today = timezone.localdate()
    return min(latest_date() or today - dt.timedelta(days=1), today)


def edition(report: Report, *, day: dt.date) -> Edition:
    """The report of the period that `day` is part of. Raises ValidationFailed for a day to come or before EARLIEST."""
    if day > timezone.localdate():
        raise ValidationFailed(fields={"date": ["日期不可晚於今天"]})
    if day < EARLIEST:
        raise ValidationFailed(fields={"date": ["日期超出可用範圍"]})
    period = report.period(day)
    filters = Filters(tuple(report.pms), tuple(report.brands), tuple(report.categories))
    return Edition(
        name=report.name,
        period=period,
        filters=filters,
        tables=[section.make(period, filters) for section in chosen_sections(report)],
        missing=missing_data(report, period),
        made_at=timezone.now(),
    )


def recipients(report: Report) -> Recipients:
    """Addresses of active users and others, and chats that are switched on."""
    users = list(report.users.filter(is_active=True).order_by("pk"))
    known = [user for user in users if is_address(user.email)]
    given = [*(user.email for user in known), *report.addresses]
    return Recipients(
        addresses=list({address.casefold(): address for address in reversed(given)}.values())[::-1],
        chats=list(report.chats.filter(is_active=True).order_by("pk")),
        without_address=[user for user in users if user not in known],
    )
