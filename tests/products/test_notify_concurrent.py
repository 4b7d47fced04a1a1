"""When the notify task starts; two at once; a killed process: each event once, none lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from notifications.models import OutboxMessage
from products import tasks
from products.models import Category, CrawlRun, QuarantinedPrice
from products.services import notify as service
from products.services.notify import DECIDING, Notified, notify_price_events
from products.services.quarantine import accept_price
from products.services.runs import close_run
from tests.products.factories import Runs, category, item
from tests.products.notifying import NOTHING, changed, messages, now_runs, subscribe, untold
from tests.products.test_decisions import apart

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Tasks that would be sent, with their countdown."""
    found: list[tuple[str, Any]] = []

    def send_task(name: str, *args: Any, countdown: float | None = None, **kwargs: Any) -> None:
        found.append((name, countdown))

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)  # type: ignore[attr-defined]
    return found


def test_a_run_that_is_applied_asks_for_its_digest(
    runs: Runs, home: Category, asked: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        runs.run({home: [item("1000001")]})
    assert asked == [("products.tell", None)]


def test_an_accepted_price_asks_when_the_series_may_be_over(
    held_prices: list[QuarantinedPrice], asked: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        accept_price(held=held_prices[0], user=None)
    assert asked == [("products.tell", DECIDING)]


def test_a_run_that_is_closed_asks_for_its_alert(
    asked: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    now = timezone.now()
    run = CrawlRun.objects.create(trigger="schedule", started_at=now, heartbeat_at=now)
    with django_capture_on_commit_callbacks(execute=True):
        close_run(run=run, status=CrawlRun.Status.LOST, message="太久沒有回報")
    assert asked == [("products.tell", None)]


def test_the_task_is_routed_to_the_messages(settings: Any) -> None:
    assert settings.CELERY_TASK_ROUTES["products.tell"] == {"queue": "messages"}
    assert tasks.notify.name == service.NOTIFY_TASK


def test_the_sweep_notifies_when_the_broker_was_down(
    runs: Runs,
    home: Category,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise BrokerError("refused")

    subscribe()
    monkeypatch.setattr(current_app._get_current_object(), "send_task", away)  # type: ignore[attr-defined]
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        changed(runs, home, 2)
        service.notify_soon()
    assert "broker is away" in caplog.text
    tasks.sweep_crawls()
    tasks.notify()
    assert untold() == 0
    assert len(messages()) == 1


# --- Two at once, and a killed process -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_at_once_notify_each_event_once() -> None:
    runs, home = now_runs(), category()
    mine = subscribe()
    for step in range(6):
        changed(runs, home, 40)
        barrier = Barrier(4)

        def trigger(barrier: Barrier = barrier) -> Notified:
            barrier.wait(10)
            return notify_price_events()

        with ThreadPoolExecutor(4) as pool:
            done = [future.result(60) for future in [apart(pool, trigger) for _ in range(4)]]

        assert sum(one.events for one in done) == 40
        assert sum(one.messages for one in done) == 1
        assert OutboxMessage.objects.filter(subscription=mine).count() == step + 1
        assert untold() == 0


@pytest.mark.django_db(transaction=True)
def test_a_second_call_neither_waits_nor_notifies_again_and_a_crawl_in_between_adds_only_new_events() -> None:
    runs, home = now_runs(), category()
    subscribe()
    changed(runs, home, 5)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert notify_price_events() == Notified(5, 1, 1)  # not committed yet
            assert apart(pool, notify_price_events).result(30) == NOTHING
            apart(pool, changed, runs, home, 5).result(30)
            assert apart(pool, notify_price_events).result(30) == Notified(5, 1, 1)
        assert apart(pool, notify_price_events).result(30) == NOTHING
    assert untold() == 0
    assert len(messages()) == 2


@pytest.mark.django_db(transaction=True)
def test_killed_between_claim_and_commit_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, home = now_runs(), category()
    subscribe()
    changed(runs, home, 5)
    real = service.deliver

    def killed(*args: Any, **kwargs: Any) -> int:
        real(*args, **kwargs)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return 0

    monkeypatch.setattr(service, "deliver", killed)
    with pytest.raises(Exception, match="terminat"):
        notify_price_events()
    connection.close()
    monkeypatch.undo()

    assert untold() == 5
    assert messages() == []
    assert notify_price_events() == Notified(5, 1, 1)


def test_a_digest_that_cannot_be_written_leaves_its_events_unclaimed(
    runs: Runs, home: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe()
    changed(runs, home, 2)

    def broken(*args: Any, **kwargs: Any) -> int:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(service, "deliver", broken)
        with pytest.raises(KeyError):
            notify_price_events()
    assert untold() == 2
    assert notify_price_events() == Notified(2, 1, 1)
