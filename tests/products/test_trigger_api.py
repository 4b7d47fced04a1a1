"""A user requests the digest: over REST, and after a confirmation in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from notifications.models import Channel, OutboxMessage, Subscription
from products.models import PriceEvent
from tests.kit.users import person, session_client
from tests.products.factories import Runs, category, item

pytestmark = pytest.mark.django_db
PATH = "/api/trigger_momo_notification"
LIST = "admin:products_priceevent_changelist"
YES = {"_form_submitted": "True"}


@pytest.fixture(autouse=True)
def _events(settings: Any) -> None:
    """Two events that were not notified yet."""
    runs, home = Runs(), category()
    runs.at = timezone.now() - timedelta(hours=6)
    runs.run({home: [item("1000001", 1000), item("1000002", 1000)]})
    runs.run({home: [item("1000001", 900), item("1000002", 1100)]})


@pytest.fixture
def subscription() -> Subscription:
    return Subscription.objects.create(
        name="王", event="price_digest", channel=Channel.EMAIL, address="wang@example.com"
    )


@pytest.fixture
def manager() -> Client:
    return session_client(person("max", Role.MANAGER))


@pytest.fixture
def reader() -> Client:
    return session_client(person("uma", Role.USER))


def trigger(client: Client) -> dict[str, Any]:
    answer = client.post(PATH)
    assert answer.status_code == 202
    body: dict[str, Any] = answer.json()
    assert body["success"] is True
    return body


def said(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def test_what_is_new_is_notified_once(manager: Client, subscription: Subscription) -> None:
    assert trigger(manager)["data"] == {"events": 2, "messages": 1}
    again = trigger(manager)
    assert again["data"] == {"events": 0, "messages": 0}
    assert again["message"] == "沒有新的事件，沒有寄出通知"
    assert OutboxMessage.objects.count() == 1


def test_without_a_subscription_it_says_so(manager: Client) -> None:
    body = trigger(manager)
    assert body["data"] == {"events": 0, "messages": 0}
    assert "沒有人訂閱" in body["message"]
    assert PriceEvent.objects.filter(told_at=None).count() == 2


def test_what_no_subscription_wants(manager: Client, subscription: Subscription) -> None:
    Subscription.objects.update(filters={"min_percent": 50})
    body = trigger(manager)
    assert body["data"] == {"events": 2, "messages": 0}
    assert "條件" in body["message"]


def test_readers_may_not(reader: Client, subscription: Subscription) -> None:
    assert reader.post(PATH).status_code == 403
    assert Client().post(PATH).status_code == 401
    assert OutboxMessage.objects.count() == 0


def test_it_counts_as_sending(manager: Client, settings: Any, subscription: Subscription) -> None:
    rest = settings.REST_FRAMEWORK
    settings.REST_FRAMEWORK = {**rest, "DEFAULT_THROTTLE_RATES": {**rest["DEFAULT_THROTTLE_RATES"], "send": "1/min"}}
    trigger(manager)
    assert manager.post(PATH).status_code == 429


def test_the_list_asks_first(manager: Client, subscription: Subscription) -> None:
    page = manager.get(reverse(LIST)).content.decode()
    assert "立即通知" in page
    asked = manager.get(reverse("admin:products_priceevent_notify_now"))
    assert "每個事件只會通知一次" in asked.content.decode()
    assert OutboxMessage.objects.count() == 0

    answer = manager.post(reverse("admin:products_priceevent_notify_now"), YES)

    assert answer["Location"] == reverse(LIST)
    assert said(answer) == "2 個新事件已寫成 1 則訊息，正在寄送"
    assert OutboxMessage.objects.count() == 1
    assert "沒有新的事件" in said(manager.post(reverse("admin:products_priceevent_notify_now"), YES))


def test_readers_do_not_see_it_there(reader: Client, subscription: Subscription) -> None:
    assert "tell_now" not in reader.get(reverse(LIST)).content.decode()
    assert reader.post(reverse("admin:products_priceevent_notify_now"), YES).status_code in {302, 403}
    assert OutboxMessage.objects.count() == 0


@pytest.mark.parametrize(("told", "rows"), [("no", 1), ("yes", 1), ("", 2), ("maybe", 0)])
def test_the_list_can_be_filtered_by_notification(told: str, rows: int, reader: Client) -> None:
    PriceEvent.objects.filter(kind="decrease").update(told_at=timezone.now())
    page = reader.get(f"{reverse(LIST)}?told={told}")
    assert len(page.context["cl"].result_list) == rows
