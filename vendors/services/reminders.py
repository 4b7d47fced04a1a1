"""Reminders of vendors that do not answer, and mails to whoever is above them.

A reminder goes to the vendor again, with a link that is valid again; an escalation once for each row, after which the
row is reminded of no more. Neither changes what the row's own mail became.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from momo.core.thresholds import thresholds
from notifications.channels.mail import is_address
from vendors.models import MailLine, Stockout, VendorMail
from vendors.models.mails import MailKind
from vendors.services.sendings import Group, Recipients, recipients_of, why_not_to, write_sending


def remind_vendors() -> tuple[int, int]:
    """Write the reminders and escalations that are due. Returns how many mails of each.

    Called twice, also at once, it writes nothing the second time: the rows are locked, and what was written is seen.
    """
    now = timezone.now()
    with transaction.atomic():
        escalations = _escalate(now)
        return _remind(now), escalations


def _unanswered(now: datetime, days: int) -> QuerySet[Stockout]:
    """Locked rows that were sent so many days ago or more, are unanswered, and were not escalated."""
    escalated = MailLine.objects.filter(line=OuterRef("pk"), mail__kind=MailKind.ESCALATION)
    rows = Stockout.objects.filter(
        ~Exists(escalated),
        status=Stockout.Status.SENT,
        duplicate_of=None,
        notified_at__lte=now - timedelta(days=days),
        vendor__is_active=True,
    )
    return rows.select_related("vendor").order_by("pk").select_for_update(of=("self",), no_key=True)


def _escalate(now: datetime) -> int:
    if not thresholds.VENDOR_ESCALATE_DAYS:
        return 0
    own = ~Q(vendor__escalation_email="") if not settings.VENDOR_ESCALATION_TO else Q()
    # Of two calls at once the second waits for the rows, and reads afterwards whether they were escalated.
    locked = [row.pk for row in _unanswered(now, thresholds.VENDOR_ESCALATE_DAYS).filter(own)]
    rows = _unanswered(now, thresholds.VENDOR_ESCALATE_DAYS).filter(pk__in=locked)
    groups = []
    for group in _grouped(rows, {}):
        to = group.vendor.escalation_email or settings.VENDOR_ESCALATION_TO
        if is_address(to):
            groups.append(Group(group.vendor, Recipients([to]), group.rows))
    return _write(MailKind.ESCALATION, groups)


def _remind(now: datetime) -> int:
    """One mail to each vendor with a row in no mail of the last VENDOR_REMIND_DAYS; it holds all unanswered rows."""
    if not thresholds.VENDOR_REMIND_DAYS:
        return 0
    rows = list(_unanswered(now, thresholds.VENDOR_REMIND_DAYS))
    mails = VendorMail.objects.filter(kind__in=(MailKind.STOCKOUT, MailKind.REMINDER), mail_lines__line=OuterRef("pk"))
    newest = Subquery(mails.order_by("-created_at").values("created_at")[:1])
    oldest = now - timedelta(days=thresholds.VENDOR_REMIND_DAYS)
    # Read after the rows are locked, as in `_escalate`.
    silent = Stockout.objects.filter(pk__in=[row.pk for row in rows]).annotate(newest=newest)
    due = set(silent.filter(newest__lte=oldest).values_list("vendor", flat=True))
    today = VendorMail.objects.filter(kind=MailKind.REMINDER, day=timezone.localdate(now))
    due -= set(today.values_list("vendor", flat=True))
    to = recipients_of(due)
    groups = _grouped((row for row in rows if row.vendor_id in due), to)
    return _write(MailKind.REMINDER, [group for group in groups if not why_not_to(group.vendor, group.recipients)])


def _grouped(rows: Iterable[Stockout], to: Mapping[int, Recipients]) -> list[Group]:
    groups: dict[int, Group] = {}
    for row in rows:
        groups.setdefault(row.vendor_id, Group(row.vendor, to.get(row.vendor_id, Recipients()))).rows.append(row)
    return list(groups.values())


def _write(kind: str, groups: list[Group]) -> int:
    if groups:
        write_sending(kind, groups)
    return len(groups)
