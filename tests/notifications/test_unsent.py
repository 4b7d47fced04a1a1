"""Mails without a mail server: they stay in the outbox in a state of their own, and are sent when there is a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.channels.email import EmailSender
from notifications.models import OutboxMessage, Pace
from notifications.retention import expired
from notifications.selectors import outbox_counts, waiting_count
from notifications.services import sending
from notifications.services.sending import Counts, drain, pass_on_due
from notifications.services.sweep import TOO_OLD, bring_back, set_aside, sweep
from tests.fakes.smtp import SmtpStandIn
from tests.kit.threads import at_once
from tests.notifications.outbox_world import Recorder, cancel, fresh, mail, mails, queue, statuses, text

pytestmark = pytest.mark.django_db
HOURS = 48


@pytest.fixture(autouse=True)
def _no_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.EMAIL_URL, settings.OUTBOX_GIVE_UP_HOURS = "", HOURS
    sender = EmailSender()
    monkeypatch.setattr(sending, "sender_of", lambda channel: sender)
    yield
    sender.close()


def old(message: OutboxMessage, hours: float) -> None:
    moment = timezone.now() - timedelta(hours=hours)
    OutboxMessage.objects.filter(pk=message.pk).update(created_at=moment, due_at=moment, next_attempt_at=moment)


@pytest.mark.parametrize("local", [True, False])
def test_due_mails_are_unsent_and_nothing_says_that_they_were_sent(settings: Any, local: bool) -> None:
    settings.LOCAL = local
    written = [*mails(30), mail("later", due=timezone.now() + timedelta(hours=1))]
    assert drain("email", pass_on=False) == Counts()
    assert statuses(written) == [*["unsent"] * 30, "pending"]
    kept = fresh(written[0])
    assert (kept.get_status_display(), kept.attempts, kept.reason) == ("未寄出：沒有設定郵件伺服器", 0, "")
    assert (kept.sent_at, kept.finished_at, kept.claim) == (None, None, None)
    # No server is no trouble of the channel: nobody is alerted.
    assert not Pace.objects.exists()
    assert drain("email", pass_on=False) == Counts()
    assert (outbox_counts()["email"]["unsent"], waiting_count()) == (30, 30)


def test_unsent_mails_are_sent_when_there_is_a_server(smtp: SmtpStandIn, settings: Any) -> None:
    url, settings.EMAIL_URL = settings.EMAIL_URL, ""
    written = mails(3)
    drain("email", pass_on=False)
    ids = [one.message_id for one in written]
    settings.EMAIL_URL = url
    assert drain("email", pass_on=False) == Counts(sent=3)
    assert statuses(written) == ["sent"] * 3
    assert sorted(one.message_id for one in smtp.accepted()) == sorted(ids)


@pytest.mark.parametrize(("hours", "status"), [(HOURS - 1, "pending"), (HOURS + 1, "failed")])
def test_what_waited_too_long_fails_with_a_reason(settings: Any, hours: float, status: str) -> None:
    message = mail("a")
    old(message, hours)
    drain("email", pass_on=False)
    # Without a server it stays, however old it is.
    assert sweep().total == 0
    assert bring_back() == 0
    assert statuses([message]) == ["unsent"]
    settings.EMAIL_URL = "smtp://mail.test"
    assert bring_back() == 1
    kept = fresh(message)
    reason = TOO_OLD.format(hours=HOURS) if status == "failed" else ""
    assert (kept.status, kept.reason) == (status, reason)
    assert (kept.finished_at is not None) == (status == "failed")


@pytest.mark.django_db(transaction=True)
def test_the_periodic_task_moves_them_on(settings: Any) -> None:
    message = mail("a")
    drain("email", pass_on=False)
    with queue() as waiting:
        assert pass_on_due() == []
        settings.EMAIL_URL = "smtp://mail.test"
        assert pass_on_due() == ["email"]
        assert waiting() == 1
    assert statuses([message]) == ["pending"]


def test_telegram_goes_on() -> None:
    written = text("t")
    assert drain("telegram", sender=Recorder(), pass_on=False) == Counts(sent=1)
    assert statuses(written) == ["sent"]


def test_a_person_may_cancel_them(settings: Any) -> None:
    message = mail("a")
    drain("email", pass_on=False)
    cancel(fresh(message))
    settings.EMAIL_URL = "smtp://mail.test"
    assert bring_back() == 0
    assert statuses([message]) == ["cancelled"]


def test_the_command_says_how_many(capsys: Any) -> None:
    mails(2)
    with pytest.raises(CommandError, match=r"2 封郵件未寄出：沒有設定郵件伺服器（EMAIL_URL）"):
        call_command("send_messages")


def test_they_are_deleted_as_old_as_what_is_over(settings: Any) -> None:
    settings.OUTBOX_KEEP_DAYS = 180
    young, aged = mails(2)
    old(young, 179 * 24)
    old(aged, 181 * 24)
    set_aside()
    assert expired(now=timezone.now())["結束的訊息"].delete()[0] == 1
    assert OutboxMessage.objects.get() == young


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_do_no_harm(settings: Any) -> None:
    mails(200)
    assert sum(at_once(*[set_aside] * 3)) == 200
    settings.EMAIL_URL = "smtp://mail.test"
    assert sum(at_once(*[bring_back] * 3)) == 200
    assert not OutboxMessage.objects.exclude(status="pending").exists()
