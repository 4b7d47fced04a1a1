"""The demo's subscriptions: made once, for events that there are, and never beside those of people."""

from __future__ import annotations

import pytest

from momo.local import demo
from notifications.events import event_kinds
from notifications.models import Channel, Subscription

pytestmark = pytest.mark.django_db


def test_made_once() -> None:
    said: list[str] = []
    demo.load_subscriptions(said.append)
    demo.load_subscriptions(said.append)
    assert len(said) == 1
    made = {(one.event, one.channel, one.address) for one in Subscription.objects.all()}
    assert made == {(event, "email", "demo@example.com") for event in demo.EVENTS}
    assert set(demo.EVENTS) <= event_kinds().keys()


def test_existing_subscriptions_get_no_demo_ones() -> None:
    Subscription.objects.create(name="王", event="price_digest", channel=Channel.EMAIL, address="wang@example.com")
    demo.load_subscriptions(pytest.fail)
    assert Subscription.objects.count() == 1
