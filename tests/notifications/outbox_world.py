"""A server that is no server: what tests of the outbox put in the place of a channel, and messages for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import redis
from django.conf import settings
from django.db import connection

from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.models import Chat, OutboxMessage
from notifications.services import control
from notifications.services.outbox import ChatText, Mail, enqueue
from notifications.services.sending import Counts, drain

CHOICES = (control.RETRY, control.CANCEL, control.RELEASE, control.MARK_SENT)
retry, cancel, release, mark_sent = (partial(control.decide, choice) for choice in CHOICES)
SENT = Outcome(Verdict.SENT, message_id="4711")
SLOW = Outcome(Verdict.RETRY, "450 4.2.1 Mailbox busy", wait=600)
RETRY = Outcome(Verdict.RETRY, "451 Try again later")
FAILED = Outcome(Verdict.FAILED, "550 5.1.1 No such user")
UNKNOWN = Outcome(Verdict.UNKNOWN, "連線在送出後中斷")
AWAY = Outcome(Verdict.RETRY, "無法連線到郵件伺服器", of_channel=True)


class Recorder(ChannelSender):
    """Accepts everything, unless `answers` holds something else: outcomes or exceptions, in turn."""

    def __init__(self, *answers: Outcome | BaseException, trouble: Outcome | None = None) -> None:
        self.answers = list(answers)
        self.trouble = trouble
        self.accepted: Counter[str] = Counter()
        self.tried: list[OutboxMessage] = []
        self.opened = self.closed = 0
        self.during: Callable[[OutboxMessage], None] = lambda message: None

    def open(self) -> Outcome | None:
        self.opened += 1
        return self.trouble

    def send(self, message: OutboxMessage) -> Outcome:
        self.tried.append(message)
        self.during(message)
        answer = self.answers.pop(0) if self.answers else SENT
        if isinstance(answer, BaseException):
            raise answer
        if answer.verdict is Verdict.SENT:
            self.accepted[message.key] += 1
        return answer

    def close(self) -> None:
        self.closed += 1


def mail(key: str = "k", **values: Any) -> OutboxMessage:
    """One mail, newly written."""
    given = {"event": "system_alert", "to": "wang@example.com", "subject": "主旨", "text": "內文", **values}
    (message,) = enqueue(Mail(key=key, **given))
    return message


def mails(count: int, **values: Any) -> list[OutboxMessage]:
    return [mail(f"k{number}", **values) for number in range(count)]


def chat(number: int | str = 1001, **values: Any) -> Chat:
    return Chat.objects.get_or_create(chat_id=str(number), defaults=values)[0]


def text(key: str = "t", to: Chat | None = None, body: str = "哈囉", **values: Any) -> list[OutboxMessage]:
    """One text, newly written."""
    return enqueue(ChatText(key=key, event="system_alert", chat=to or chat(), body=body, **values))


def long_text(key: str = "t", parts: int = 3, **values: Any) -> list[OutboxMessage]:
    """A text of so many parts."""
    written = text(key, body="\n".join("字" * 4000 for _ in range(parts)), **values)
    assert len(written) == parts
    return written


def statuses(messages: Sequence[OutboxMessage]) -> list[str]:
    """As they are in the database."""
    known = dict(OutboxMessage.objects.filter(pk__in=[one.pk for one in messages]).values_list("pk", "status"))
    return [known[one.pk] for one in messages]


def fresh(message: OutboxMessage) -> OutboxMessage:
    return OutboxMessage.objects.get(pk=message.pk)


@contextmanager
def queue() -> Iterator[Callable[[], int]]:
    """How many tasks wait for the workers that send messages."""
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    broker.delete("messages")
    yield lambda: broker.llen("messages")
    broker.close()


@contextmanager
def plans() -> Iterator[list[str]]:
    """Plans of all that is asked of the outbox inside the block, each undone before it is done."""
    found: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "notifications_outboxmessage" in sql:
            with connection.connection.transaction(force_rollback=True), connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", params)
                found.append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


def run(sender: Recorder, channel: str = "email", **values: Any) -> Counts:
    """Send what is due, as one drain does."""
    return drain(channel, sender=sender, seconds=30, pass_on=False, **values)
