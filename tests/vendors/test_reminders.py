"""Reminders of vendors that do not answer, and what goes to whoever is above them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from tests.kit.threads import at_once
from tests.notifications.outbox_world import FAILED, SENT
from tests.vendors.mailing import delivered, message_of, statuses
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import MailLine, Stockout, Vendor, VendorMail, VendorSending
from vendors.models.mails import MailKind
from vendors.services.prepare import run_sending
from vendors.services.reminders import remind_vendors
from vendors.tasks import remind

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.VENDOR_REMIND_DAYS, settings.VENDOR_ESCALATE_DAYS = 3, 7
    settings.VENDOR_ESCALATION_TO = ""


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def notified(vendor: Vendor, *, days: float, **values: Any) -> Stockout:
    """A row of which the vendor was told so many days ago."""
    sending = VendorSending.objects.create(status="done")
    mail = VendorMail.objects.create(
        sending=sending,
        vendor=vendor,
        day=ago(days).date(),
        to=["a@example.com"],
        status="sent",
        sent_at=ago(days),
        created_at=ago(days),
        link_expires_at=ago(days - 14),
    )
    row = make_stockout(vendor, **{"status": "sent", "notified_at": ago(days), "mail": mail, **values})
    MailLine.objects.create(mail=mail, line=row)
    return row


def mails(kind: str) -> list[VendorMail]:
    """The mails of a kind after their workers are done."""
    for sending in VendorSending.objects.filter(kind=kind, status="pending"):
        run_sending(sending.pk)
    return list(VendorMail.objects.filter(kind=kind).select_related("message").order_by("vendor__code"))


def test_one_reminder_a_vendor_with_all_its_unanswered_rows() -> None:
    first, second = make_vendor("A", "a@example.com", "copy@example.com"), make_vendor("B", "b@example.com")
    rows = [notified(first, days=4), notified(first, days=3.1)]
    notified(first, days=2)
    notified(first, days=5, status="replied")
    notified(first, days=5, status="resolved")
    notified(first, days=5, product_code=rows[0].product_code, duplicate_of=rows[0])
    notified(second, days=1)
    assert remind_vendors() == (1, 0)
    (mail,) = mails(MailKind.REMINDER)
    assert set(mail.lines.all()) == set(rows)
    message = message_of(mail)
    assert message.subject == "【提醒】廠商A：2 項缺貨尚未回覆"
    assert "最久 4 天" in message.body
    assert (message.recipient, message.cc) == ("a@example.com", ["copy@example.com"])
    assert mail.link_expires_at > timezone.now()


def test_a_vendor_is_reminded_once_a_day_and_not_every_day(settings: Any) -> None:
    settings.VENDOR_ESCALATE_DAYS = 0
    vendor = make_vendor("A", "a@example.com")
    notified(vendor, days=4)
    assert remind_vendors() == (1, 0)
    notified(vendor, days=9)
    assert remind_vendors() == (0, 0), "whatever the number of rows"
    reminders = VendorMail.objects.filter(kind=MailKind.REMINDER)
    reminders.update(day=ago(1).date(), created_at=ago(1))
    Stockout.objects.order_by("-pk")[0].delete()
    assert remind_vendors() == (0, 0), "the row is in a mail of these days"
    reminders.update(day=ago(3.1).date(), created_at=ago(3.1))
    assert remind_vendors() == (1, 0)


def test_what_becomes_of_a_reminder_changes_no_row() -> None:
    row = notified(make_vendor("A", "a@example.com"), days=4)
    remind_vendors()
    (mail,) = mails(MailKind.REMINDER)
    delivered(FAILED)
    mail.refresh_from_db()
    assert (mail.status, statuses(row)) == ("failed", ["sent"])
    assert Stockout.objects.get().mail_id == row.mail_id


def test_a_row_is_escalated_once_and_reminded_of_no_more(settings: Any) -> None:
    settings.VENDOR_ESCALATION_TO = "lead@example.com"
    own = make_vendor("A", "a@example.com", escalation_email="boss@example.com", contact="陳小姐")
    rows = [notified(own, days=8), notified(make_vendor("B", "b@example.com"), days=8)]
    assert remind_vendors() == (0, 2)
    escalations = mails(MailKind.ESCALATION)
    assert [message_of(mail).recipient for mail in escalations] == ["boss@example.com", "lead@example.com"]
    message = message_of(escalations[0])
    assert message.cc == []
    assert "陳小姐" in message.body
    assert message.subject == "【未回覆】廠商A：1 項缺貨最久 8 天沒有回覆"
    delivered(SENT, SENT)
    assert remind_vendors() == (0, 0)
    assert statuses(*rows) == ["sent"] * 2


def test_without_anybody_above_it_is_reminded_on() -> None:
    notified(make_vendor("A", "a@example.com"), days=8)
    assert remind_vendors() == (1, 0)


def test_vendors_that_cannot_be_written_to_are_left_alone(settings: Any) -> None:
    settings.VENDOR_ESCALATION_TO = "lead@example.com"
    notified(make_vendor("A"), days=4)
    notified(make_vendor("B", "b@example.com", is_active=False), days=8)
    assert remind_vendors() == (0, 0)


def test_zero_days_are_never(settings: Any) -> None:
    settings.VENDOR_REMIND_DAYS = settings.VENDOR_ESCALATE_DAYS = 0
    settings.VENDOR_ESCALATION_TO = "lead@example.com"
    notified(make_vendor("A", "a@example.com"), days=90)
    assert remind_vendors() == (0, 0)


def test_what_is_answered_before_the_reminder_is_prepared_is_left_out() -> None:
    row = notified(make_vendor("A", "a@example.com"), days=4)
    remind_vendors()
    Stockout.objects.filter(pk=row.pk).update(status="replied")
    (mail,) = mails(MailKind.REMINDER)
    assert (mail.status, mail.message) == ("cancelled", None)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_write_one(settings: Any) -> None:
    settings.VENDOR_ESCALATION_TO = "lead@example.com"
    notified(make_vendor("A", "a@example.com"), days=4)
    notified(make_vendor("B", "b@example.com"), days=8)
    answers = at_once(remind_vendors, remind_vendors)
    assert sorted(answers) == [(0, 0), (1, 1)]


def test_the_schedule_is_written_once() -> None:
    tasks = {task.task: task for task in PeriodicTask.objects.filter(task__startswith="vendors.")}
    morning = tasks["vendors.remind"].crontab
    assert morning is not None
    assert (morning.hour, morning.minute, str(morning.timezone)) == ("9", "30", "Asia/Taipei")
    every = tasks["vendors.sweep"].interval
    assert every is not None
    assert (every.every, every.period) == (30, "seconds")
    notified(make_vendor("A", "a@example.com"), days=4)
    remind()
    assert VendorMail.objects.filter(kind=MailKind.REMINDER).count() == 1
