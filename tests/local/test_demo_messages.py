"""The demo's subscriptions: made once, for events that there are, and never beside those of people."""

from __future__ import annotations

import pytest

from momo.local import demo_messages
from notifications.events import event_kinds
from notifications.models import Channel, Subscription

pytestmark = pytest.mark.django_db


def test_made_once() -> None:
    said: list[str] = []
    demo_messages.load(said.append)
    demo_messages.load(said.append)
    assert len(said) == 1
    made = {(one.event, one.channel, one.address) for one in Subscription.objects.all()}
    assert made == {(event, "email", "demo@example.com") for event in demo_messages.EVENTS}
    assert set(demo_messages.EVENTS) <= event_kinds().keys()


def test_who_has_subscriptions_gets_none_of_ours() -> None:
    Subscription.objects.create(name="王", event="price_digest", channel=Channel.EMAIL, address="wang@example.com")
    demo_messages.load(pytest.fail)
    assert Subscription.objects.count() == 1
