"""What the demo has: made once, for what there is, and never beside what people made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from momo.local import demo
from notifications.events import event_kinds
from notifications.models import Channel, Subscription
from sales.models import Campaign, Target
from tests.admin import makers

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


def test_targets_of_the_months_follow_what_each_pm_sold() -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    demo.load_targets(pytest.fail)
    makers.brought(*(makers.sold(f"{yesterday}", pm=pm, amount=600_000) for pm in demo.PMS))
    said: list[str] = []
    demo.load_targets(said.append)
    demo.load_targets(said.append)

    month = Target.objects.filter(month=yesterday.replace(day=1))
    amounts = {target.key: int(target.amount or 0) for target in month}
    assert len(said) == 1
    assert amounts.pop("") == sum(amounts.values()) > 1_000_000
    assert set(amounts) == set(demo.PMS)
    assert Campaign.objects.get().last < yesterday
