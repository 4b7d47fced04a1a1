"""Events and alerts are told once: after a run, on request, by the watch, by two at once, and by who is killed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from openpyxl import load_workbook

from notifications.events import event_kind
from notifications.models import Channel, Chat, OutboxMessage, Subscription
from notifications.services.templates import render_template, template_by_code
from products import tasks
from products.models import Alert, Category, CrawlRun, PriceEvent, Product, QuarantinedPrice
from products.services import tell as service
from products.services.quarantine import accept_price
from products.services.runs import close_run
from products.services.tell import DECIDING, DECIDING_AT_MOST, Told, tell, tell_alerts, tell_price_events
from tests.fakes.telegram.html import visible
from tests.products.factories import Runs, absent, category, item
from tests.products.test_decisions import apart

pytestmark = pytest.mark.django_db
NOTHING = Told(0, 0, 1)


def subscribe(event: str = "price_digest", address: str = "wang@example.com", **filters: Any) -> Subscription:
    return Subscription.objects.create(
        name=address, event=event, channel=Channel.EMAIL, address=address, filters=filters
    )


def now_runs() -> Runs:
    """Runs of the last hours."""
    runs = Runs()
    runs.at = timezone.now().replace(microsecond=0) - timedelta(hours=14)
    return runs


@pytest.fixture
def runs() -> Runs:
    return now_runs()


@pytest.fixture
def home() -> Category:
    return category(name="臉部保養")


def changed(runs: Runs, home: Category, count: int = 5, *, first: int = 1_000_000) -> CrawlRun:
    """A run after which each of `count` products is cheaper than before: another price each time."""
    goods = [(f"{first + n}", 1000 + n) for n in range(count)]
    known = set(Product.objects.values_list("product_id", flat=True))
    if not known.issuperset(code for code, _ in goods):
        runs.run({home: [item(code, price) for code, price in goods]})
    step = PriceEvent.objects.filter(kind="decrease").values("run").distinct().count() + 1
    return runs.run({home: [item(code, price - 10 * step) for code, price in goods]})


def untold() -> int:
    return PriceEvent.objects.filter(told_at=None).count()


def messages() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.order_by("pk"))


def test_a_digest_of_what_is_new(runs: Runs, home: Category) -> None:
    mine = subscribe()
    others = [item(f"20000{n:02}") for n in range(10)]
    runs.run({home: [item("1000001", 1000), item("1000002", 500), item("1000003", 300), *others]})
    for _ in range(3):
        runs.run({home: [item("1000001", 1100), item("1000002", 450), absent("1000003"), *others, item("1000004", 77)]})

    told = tell_price_events()

    assert told == Told(4, 1, 1)
    (message,) = messages()
    ids = PriceEvent.objects.order_by("pk").values_list("pk", flat=True)
    assert message.key == f"price_digest:{min(ids)}-{max(ids)}:{mine.pk}"
    assert (message.event, message.template_code) == ("price_digest", "price_digest")
    assert message.subject == "價格變動摘要：漲 1、降 1、下架 1、新上架 1"
    for part in ("商品 1000001", "1,000", "1,100", "商品 1000002", "商品 1000003", "商品 1000004"):
        assert part in message.body
    assert 'href="https://www.momoshop.com.tw/product/1000001"' in message.body_html
    assert not message.attachments.exists()
    assert untold() == 0
    assert tell_price_events() == NOTHING
    assert len(messages()) == 1


def test_each_by_its_own_selection(runs: Runs) -> None:
    care, food = category("1100100000", name="保養"), category("1100200000", name="食品")
    runs.run({care: [item("1000001", 1000, brand="水潤"), item("1000002", 1000)], food: [item("1000003", 1000)]})
    runs.run({care: [item("1000001", 990, brand="水潤"), item("1000002", 1300)], food: [item("1000003", 700)]})
    wanted = {
        "all": ({}, {"1000001", "1000002", "1000003"}),
        "care": ({"categories": [care.code]}, {"1000001", "1000002"}),
        "brand": ({"brands": ["水潤"]}, {"1000001"}),
        "drops": ({"directions": ["decrease"]}, {"1000001", "1000003"}),
        "big": ({"min_percent": 5}, {"1000002", "1000003"}),
        "gone": ({"directions": ["delisted"]}, set()),
        "none": ({"brands": ["沒有這個"]}, set()),
    }
    for name, (filters, _) in wanted.items():
        subscribe(address=f"{name}@example.com", **filters)

    assert tell_price_events() == Told(3, 5, 7)

    got = {
        message.recipient.split("@")[0]: {code for code in ("1000001", "1000002", "1000003") if code in message.body}
        for message in messages()
    }
    assert got == {name: codes for name, (_, codes) in wanted.items() if codes}


def test_beyond_twenty_lines_a_workbook_holds_all(runs: Runs, home: Category) -> None:
    subscribe()
    chat = Chat.objects.create(chat_id="-1001")
    Subscription.objects.create(name="群", event="price_digest", channel=Channel.TELEGRAM, chat=chat)
    changed(runs, home, 33)

    assert tell_price_events() == Told(33, 3, 2)

    mail, text, document = messages()
    assert "另有 13 項" in mail.body
    assert "另有 13 項" in visible(text.body)
    assert visible(text.body).count("▼") == 20
    assert document.after == text
    assert mail.attachments.get() == document.attachments.get()
    sheet: Any = load_workbook(BytesIO(bytes(mail.attachments.get().content))).active
    assert sheet.max_row == 34


def test_what_changed_back_is_not_told(runs: Runs, home: Category) -> None:
    subscribe()
    for price in (1000, 900, 1000):
        runs.run({home: [item("1000001", price), item("1000002", 1000 if price == 1000 else 1001)]})
    assert untold() == 4
    assert tell_price_events() == Told(4, 0, 1)
    assert untold() == 0
    assert messages() == []


def test_several_changes_are_told_as_one(runs: Runs, home: Category) -> None:
    subscribe()
    for price in (1000, 900, 800, 850):
        runs.run({home: [item("1000001", price)]})
    assert tell_price_events() == Told(3, 1, 1)
    (message,) = messages()
    assert message.subject == "價格變動摘要：漲 0、降 1、下架 0、新上架 0"
    assert "850" in message.body
    assert "900" not in message.body


def test_a_crawl_in_between_adds_only_what_is_new(runs: Runs, home: Category) -> None:
    subscribe()
    changed(runs, home, 3)
    assert tell_price_events() == Told(3, 1, 1)
    runs.run({home: [item("1000000", 990), item("1000001", 991), item("1000002", 800)]})
    assert tell_price_events() == Told(1, 1, 1)
    assert "1000002" in messages()[1].body
    assert "1000001" not in messages()[1].body


def test_the_first_crawl_of_a_category_floods_nobody(runs: Runs, home: Category) -> None:
    subscribe()
    runs.run({home: [item(f"{n}", 100) for n in range(1_000_000, 1_000_300)]})
    assert tell_price_events() == NOTHING
    assert messages() == []


def test_without_a_subscription_events_wait_until_they_are_no_news(runs: Runs, home: Category, settings: Any) -> None:
    changed(runs, home, 3)
    assert tell_price_events() == Told(0, 0, 0)
    assert untold() == 3
    subscribe(address="off@example.com")
    Subscription.objects.update(enabled=False)
    assert tell_price_events() == Told(0, 0, 0)
    assert untold() == 3

    settings.DIGEST_MAX_AGE_HOURS = 1
    assert tell_price_events(now=runs.at + timedelta(hours=2)) == Told(0, 0, 0)
    assert untold() == 0
    assert messages() == []


def test_old_events_are_left_out_and_new_ones_told(runs: Runs, home: Category) -> None:
    subscribe()
    changed(runs, home, 3)
    old = PriceEvent.objects.order_by("pk").first()
    assert old is not None
    PriceEvent.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert tell_price_events() == Told(2, 1, 1)
    assert untold() == 0


def test_old_events_are_dropped_some_at_a_time(runs: Runs, home: Category, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "EXPIRE_AT_ONCE", 2)
    changed(runs, home, 3)
    PriceEvent.objects.update(created_at=timezone.now() - timedelta(days=3))
    tell_price_events()
    assert untold() == 1
    tell_price_events()
    assert untold() == 0


def test_quiet_hours_are_kept(runs: Runs, home: Category) -> None:
    now = timezone.localtime()
    mine = subscribe()
    mine.quiet_from, mine.quiet_until = (now - timedelta(minutes=5)).time(), (now + timedelta(hours=1)).time()
    mine.save()
    changed(runs, home, 1)
    assert tell_price_events() == Told(1, 1, 1)
    assert messages()[0].next_attempt_at > now + timedelta(minutes=59)


def statements(runs: Runs, products: int, readers: int) -> int:
    """Of telling so many events to so many, who all read the same."""
    changed(runs, category(), products)
    Subscription.objects.all().delete()
    for number in range(readers):
        subscribe(address=f"a{number}@example.com")
    events = untold()
    assert events >= products
    with CaptureQueriesContext(connection) as queries:
        told = tell_price_events()
    assert told == Told(events, readers, readers)
    return len(queries)


def test_the_statements_do_not_grow(runs: Runs, settings: Any) -> None:
    settings.DIGEST_MAX_LINES = 1
    few = statements(runs, 5, 2)
    OutboxMessage.objects.all().delete()
    many = statements(runs, 500, 60)
    assert few == many == 14


# --- Who decides a held price ----------------------------------------------------------------------------------------


@pytest.fixture
def held(runs: Runs, home: Category) -> list[QuarantinedPrice]:
    """Three prices that wait for somebody, and no event."""
    codes = ("1000001", "1000002", "1000003")
    runs.run({home: [item(code, 1000) for code in codes]})
    runs.run({home: [item(code, 100) for code in codes]})
    return list(QuarantinedPrice.objects.order_by("pk"))


def test_decisions_one_after_the_other_become_one_digest(held: list[QuarantinedPrice]) -> None:
    subscribe()
    for one in held:
        accept_price(held=one, user=None)
        assert tell() == NOTHING
    later = timezone.now() + timedelta(seconds=DECIDING + 1)
    assert tell_price_events(everything=False, now=later) == Told(3, 1, 1)


def test_who_asks_for_it_gets_decisions_at_once(held: list[QuarantinedPrice]) -> None:
    subscribe()
    accept_price(held=held[0], user=None)
    assert tell_price_events() == Told(1, 1, 1)


def test_a_crawl_is_told_while_somebody_decides_other_prices(
    held: list[QuarantinedPrice], runs: Runs, home: Category
) -> None:
    subscribe()
    rest = [item("1000002", 1000), item("1000003", 1000), item("1000009", 500)]
    runs.run({home: [item("1000001", 1000), *rest]})  # and the held prices are gone
    runs.run({home: [item("1000001", 100), *rest[:2], item("1000009", 450)]})
    accept_price(held=QuarantinedPrice.objects.get(status="held"), user=None)
    told = tell()
    assert (told.events, told.messages) == (2, 1)  # 1000009 is new, and cheaper since
    assert untold() == 1


def test_somebody_who_goes_on_deciding_does_not_hold_it_up_for_ever(held: list[QuarantinedPrice]) -> None:
    subscribe()
    accept_price(held=held[0], user=None)
    first = PriceEvent.objects.get()
    accept_price(held=held[1], user=None)
    PriceEvent.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(seconds=DECIDING_AT_MOST))
    CrawlRun.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    assert tell() == Told(2, 1, 1)


# --- When ------------------------------------------------------------------------------------------------------------


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
    held: list[QuarantinedPrice], asked: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        accept_price(held=held[0], user=None)
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
    assert tasks.tell.name == service.TELL_TASK


def test_what_a_broker_did_not_take_is_told_by_the_watch(
    runs: Runs,
    home: Category,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise BrokerError("refused")

    subscribe()
    changed(runs, home, 2)
    monkeypatch.setattr(current_app._get_current_object(), "send_task", away)  # type: ignore[attr-defined]
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        service.tell_soon()
    assert "broker is away" in caplog.text
    tasks.crawl_watch()
    tasks.tell()
    assert untold() == 0
    assert len(messages()) == 1


# --- Two at once, and who dies -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_at_once_tell_each_event_once() -> None:
    runs, home = now_runs(), category()
    mine = subscribe()
    for step in range(6):
        changed(runs, home, 40)
        barrier = Barrier(4)

        def trigger(barrier: Barrier = barrier) -> Told:
            barrier.wait(10)
            return tell_price_events()

        with ThreadPoolExecutor(4) as pool:
            told = [future.result(60) for future in [apart(pool, trigger) for _ in range(4)]]

        assert sum(one.events for one in told) == 40
        assert sum(one.messages for one in told) == 1
        assert OutboxMessage.objects.filter(subscription=mine).count() == step + 1
        assert untold() == 0


@pytest.mark.django_db(transaction=True)
def test_who_comes_second_neither_waits_nor_tells_again_and_a_crawl_in_between_adds_only_new_ones() -> None:
    runs, home = now_runs(), category()
    subscribe()
    changed(runs, home, 5)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert tell_price_events() == Told(5, 1, 1)  # not committed yet
            assert apart(pool, tell_price_events).result(30) == NOTHING
            apart(pool, changed, runs, home, 5).result(30)
            assert apart(pool, tell_price_events).result(30) == Told(5, 1, 1)
        assert apart(pool, tell_price_events).result(30) == NOTHING
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
        tell_price_events()
    connection.close()
    monkeypatch.undo()

    assert untold() == 5
    assert messages() == []
    assert tell_price_events() == Told(5, 1, 1)


def test_a_digest_that_cannot_be_written_is_not_called_told(
    runs: Runs, home: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe()
    changed(runs, home, 2)

    def broken(*args: Any, **kwargs: Any) -> int:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(service, "deliver", broken)
        with pytest.raises(KeyError):
            tell_price_events()
    assert untold() == 2
    assert tell_price_events() == Told(2, 1, 1)


# --- Alerts ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def alert(runs: Runs, home: Category) -> Alert:
    runs.run({home: [item("1000001")]})
    runs.run({home: [item("1000001")]}, {home: "blocked"})
    return Alert.objects.get()


def test_an_alert_is_told_once(alert: Alert, home: Category) -> None:
    mine = subscribe("crawl_suspect")
    assert tell_alerts() == 1
    (message,) = messages()
    assert (message.key, message.event) == (f"alert:{alert.pk}:{mine.pk}", "crawl_suspect")
    assert message.subject == f"可疑爬取：第 {alert.run_id} 次爬取"
    assert home.name in message.body
    assert f"/admin/products/crawlrun/{alert.run_id}/change/" in message.body_html
    alert.refresh_from_db()
    assert alert.sent_at is not None
    assert tell_alerts() == 0
    assert len(messages()) == 1


def test_a_failed_crawl_is_told_too() -> None:
    subscribe("crawl_suspect")
    now = timezone.now()
    run = CrawlRun.objects.create(trigger="schedule", started_at=now, heartbeat_at=now)
    close_run(run=run, status=CrawlRun.Status.LOST, message="太久沒有回報")
    assert tell_alerts() == 1
    assert "爬取失敗" in messages()[0].subject
    assert "太久沒有回報" in messages()[0].body


def test_an_alert_waits_for_somebody_to_tell(alert: Alert) -> None:
    assert tell_alerts() == 0
    alert.refresh_from_db()
    assert alert.sent_at is None
    subscribe("crawl_suspect")
    tell()
    assert len(messages()) == 1


def test_an_old_alert_is_no_news(alert: Alert) -> None:
    subscribe("crawl_suspect")
    Alert.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert tell_alerts() == 1
    assert messages() == []
    assert tell_alerts() == 0


@pytest.mark.django_db(transaction=True)
def test_an_alert_that_somebody_tells_right_now_is_passed_over() -> None:
    runs, home = now_runs(), category()
    runs.run({home: [item("1000001")]}, {home: "failed"})
    subscribe("crawl_suspect")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert tell_alerts() == 1
            assert apart(pool, tell_alerts).result(30) == 0
        assert apart(pool, tell_alerts).result(30) == 0
    assert len(messages()) == 1


# --- Previews --------------------------------------------------------------------------------------------------------


def test_the_last_digests_for_previews(runs: Runs, home: Category) -> None:
    kind = event_kind("price_digest")
    assert kind is not None
    assert kind.recent(3) == []
    first, second = changed(runs, home, 2), changed(runs, home, 2)
    runs.run({home: [item("1000000", None), item("1000001", None)]})  # without news

    with CaptureQueriesContext(connection) as queries:
        shown = kind.recent(3)

    assert len(queries) == 2
    assert [one["label"].split("（")[0] for one in shown] == [f"爬取 #{second.pk}", f"爬取 #{first.pk}"]
    for one in shown:
        assert one["variables"]["drop_count"] == 2
        # Exactly what the template declares, or this would be refused.
        assert "商品 1000000" in render_template(template_by_code("price_digest"), one["variables"]).body


def test_the_last_alerts_for_previews(alert: Alert) -> None:
    kind = event_kind("crawl_suspect")
    assert kind is not None
    (one,) = kind.recent(5)
    assert alert.message in render_template(template_by_code("crawl_suspect"), one["variables"]).body


def test_what_a_subscription_can_choose(home: Category) -> None:
    kind = event_kind("price_digest")
    assert kind is not None
    fields = {field.name: field for field in kind.filters}
    assert {name: field.kind for name, field in fields.items()} == {
        "categories": "choices",
        "brands": "texts",
        "directions": "choices",
        "min_percent": "number",
    }
    assert list(fields["categories"].choices()) == [(home.code, "臉部保養")]
    assert {value for value, _ in fields["directions"].choices()} == set(PriceEvent.Kind.values)
