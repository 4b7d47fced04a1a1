"""What is counted of the outbox: for pages, and for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from momo.local.processes import free_port
from notifications.metrics import OutboxCollector
from notifications.models import Chat, OutboxMessage, Pace
from notifications.selectors import channel_pause, next_due, oldest_pending, outbox_counts, waiting_count
from notifications.services.recording import pause
from tests.notifications.outbox_world import chat, long_text, mail, mails, plans, text

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def scrape() -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(OutboxCollector())
    lines = generate_latest(registry).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


@pytest.fixture
def full(db: None) -> None:
    """Some of each status, of what is over some of today and some older."""
    now = timezone.now()
    for number, status in enumerate(OutboxMessage.Status.values, start=1):
        for place in range(number):
            message = mail(f"{status}-{place}")
            ended = now - HOUR if place else now - 8 * DAY
            over = status in ("sent", "failed", "cancelled", "held")
            OutboxMessage.objects.filter(pk=message.pk).update(status=status, finished_at=ended if over else None)
    long_text("t", 3)


def test_counts(full: None) -> None:
    counts = outbox_counts()
    assert list(counts["email"]) == OutboxMessage.Status.values
    assert counts["email"] == {
        "waiting": 1,
        "pending": 2,
        "unsent": 3,
        "claimed": 4,
        "sending": 5,
        "sent": 6 - 1,
        "held": 7,
        "failed": 8 - 1,
        "cancelled": 9 - 1,
    }
    assert {status: count for status, count in counts["telegram"].items() if count} == {"waiting": 2, "pending": 1}


def test_what_a_person_should_look_at(full: None) -> None:
    assert waiting_count() == 3 + 7 + 7


@pytest.mark.django_db
def test_nothing() -> None:
    assert {count for counts in outbox_counts().values() for count in counts.values()} == {0}
    assert oldest_pending() == {"email": 0, "telegram": 0}
    assert (waiting_count(), next_due("email"), next_due("telegram")) == (0, None, None)
    assert channel_pause("email") is None


@pytest.mark.django_db
def test_the_oldest_and_the_next() -> None:
    now = timezone.now()
    mail("a", due=now - 2 * HOUR)
    mail("b", due=now + HOUR)
    text("c", chat(1, next_at=now + HOUR), due=now - 3 * HOUR)
    text("d", chat(2, is_active=False), due=now - 9 * HOUR)
    assert oldest_pending(now=now) == {"email": 7200, "telegram": 10800}
    assert (next_due("email"), next_due("telegram")) == (now - 2 * HOUR, now + HOUR)
    until = pause("email", "連不上")
    assert next_due("email") == until
    assert next_due("email", now=until) == now - 2 * HOUR
    OutboxMessage.objects.filter(key="a").delete()
    assert oldest_pending(now=now)["email"] == 0
    Chat.objects.update(is_active=False)
    assert next_due("telegram") is None


def test_a_scrape(full: None) -> None:
    pause("telegram", "連不上")
    OutboxMessage.objects.filter(channel="email", status="pending").update(
        next_attempt_at=timezone.now() - timedelta(seconds=90)
    )
    found = scrape()
    assert found['momo_outbox_messages{channel="email",status="unsent"}'] == 3
    assert found['momo_outbox_messages{channel="email",status="held"}'] == 7
    assert found['momo_outbox_messages{channel="email",status="sent"}'] == 5
    assert found['momo_outbox_messages{channel="telegram",status="waiting"}'] == 2
    assert found['momo_outbox_messages{channel="telegram",status="sending"}'] == 0
    assert 90 <= found['momo_outbox_oldest_pending_seconds{channel="email"}'] < 300
    assert found['momo_outbox_paused{channel="email"}'] == 0
    assert found['momo_outbox_paused{channel="telegram"}'] == 1
    assert len(found) == 2 * 9 + 2 + 2


@pytest.mark.django_db
def test_a_scrape_says_when_the_channel_works_again() -> None:
    pause("email", "連不上")
    Pace.objects.update(paused_until=timezone.now())
    assert scrape()['momo_outbox_paused{channel="email"}'] == 0


@contextmanager
def no_database() -> Iterator[None]:
    connection.close()
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = str(free_port())
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["PORT"] = port


@pytest.mark.django_db(transaction=True)
def test_a_scrape_without_a_database_still_answers(caplog: Any) -> None:
    with no_database():
        assert scrape() == {}
    assert "no figures of the outbox" in caplog.text
    assert len(scrape()) == 22


@pytest.mark.django_db
def test_registering_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        CollectorRegistry(auto_describe=True).register(OutboxCollector())


@pytest.mark.django_db
def test_what_is_over_is_not_read(django_assert_num_queries: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_outboxmessage (channel, key, event, recipient, subject, body, body_html, reply_to,
                status, attempts, next_attempt_at, due_at, reason, message_id, template_code, created_at, finished_at)
            SELECT 'email', n::text, 'e', 'r', '', '', '', '', CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'sent' END, 1,
                now(), now(), '', '', '', now(), now() - interval '10 days' - n * interval '1 second'
            FROM generate_series(1, 20000) n
            """
        )
        cursor.execute("ANALYZE notifications_outboxmessage")
    mails(3)
    with plans() as found, django_assert_num_queries(5):
        assert outbox_counts()["email"]["pending"] == 3
        assert waiting_count() == 0
        assert oldest_pending()["email"] > 0
    for plan in found:
        assert "Seq Scan on notifications_outboxmessage" not in plan
        assert "rows=20000" not in plan
