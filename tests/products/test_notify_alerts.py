"""Alerts are notified once; and the previews of both templates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.events import event_kind
from notifications.services.templates import render_template, template_by_code
from notifications.templating.variables import declared
from products.models import Alert, Category, CrawlRun, PriceEvent
from products.selectors.alerts import alert_variables
from products.services import notify as service
from products.services.notify import Notified, notify_alerts, notify_pending, notify_price_events
from products.services.runs import close_run
from tests.products.factories import Runs, category, item
from tests.products.notifying import changed, messages, now_runs, subscribe
from tests.products.test_decisions import apart

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(runs: Runs, home: Category) -> Alert:
    runs.run({home: [item("1000001")]})
    runs.run({home: [item("1000001")]}, {home: "blocked"})
    return Alert.objects.get()


def test_an_alert_is_notified_once(alert: Alert, home: Category) -> None:
    mine = subscribe("crawl_suspect")
    assert notify_alerts() == 1
    (message,) = messages()
    assert (message.key, message.event) == (f"alert:{alert.pk}:{mine.pk}", "crawl_suspect")
    assert message.subject == f"可疑的價格更新：第 {alert.run_id} 次價格更新"
    assert home.name in message.body
    assert f"/admin/products/crawlrun/{alert.run_id}/change/" in message.body_html
    declarations = {one.name for one in declared(template_by_code("crawl_suspect").variables)}
    assert alert_variables(alert, {home.code: home.name}).keys() == declarations
    alert.refresh_from_db()
    assert alert.sent_at is not None
    assert notify_alerts() == 0
    assert len(messages()) == 1


def test_a_failed_crawl_is_notified_too() -> None:
    subscribe("crawl_suspect")
    now = timezone.now()
    run = CrawlRun.objects.create(trigger="schedule", started_at=now, heartbeat_at=now)
    close_run(run=run, status=CrawlRun.Status.LOST, message="太久沒有回報")
    assert notify_alerts() == 1
    assert "價格更新失敗" in messages()[0].subject
    assert "太久沒有回報" in messages()[0].body


def test_an_alert_waits_for_a_subscription(alert: Alert) -> None:
    assert notify_alerts() == 0
    alert.refresh_from_db()
    assert alert.sent_at is None
    subscribe("crawl_suspect")
    notify_pending()
    assert len(messages()) == 1


def test_a_long_reason_is_cut_and_still_rendered_by_the_template(alert: Alert) -> None:
    subscribe("crawl_suspect")
    Alert.objects.update(message="壞" * 20_000)
    assert notify_alerts() == 1
    (message,) = messages()
    assert message.template_version
    assert message.subject.startswith("可疑的價格更新")


def test_a_digest_of_two_crawls_names_the_later(runs: Runs, home: Category, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    real = service.deliver

    def look(*args: Any, **kwargs: Any) -> int:
        given.append(kwargs["variables"]["run_id"])
        return real(*args, **kwargs)

    monkeypatch.setattr(service, "deliver", look)
    subscribe()
    changed(runs, home, 2)
    later = changed(runs, home, 2)
    assert notify_price_events() == Notified(4, 1, 1)
    assert given == [later.pk]


def test_an_old_alert_is_no_news(alert: Alert) -> None:
    subscribe("crawl_suspect")
    Alert.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert notify_alerts() == 1
    assert messages() == []
    assert notify_alerts() == 0


@pytest.mark.django_db(transaction=True)
def test_an_alert_that_another_process_notifies_right_now_is_skipped() -> None:
    runs, home = now_runs(), category()
    runs.run({home: [item("1000001")]}, {home: "failed"})
    subscribe("crawl_suspect")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert notify_alerts() == 1
            assert apart(pool, notify_alerts).result(30) == 0
        assert apart(pool, notify_alerts).result(30) == 0
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
    assert [one["label"].split("（")[0] for one in shown] == [f"價格更新 #{second.pk}", f"價格更新 #{first.pk}"]
    for one in shown:
        assert one["variables"]["drop_count"] == 2
        assert f"#{one['variables']['run_id']}（" in one["label"]
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
