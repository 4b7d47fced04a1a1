"""Who is notified of a vendor's answer, once, and of which rows."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.events import event_kind
from notifications.models import OutboxMessage, Subscription
from notifications.services.templates import render_event
from tests.vendors.answering import Visitor, make_mail, tomorrow
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout

pytestmark = pytest.mark.django_db


def subscribe(name: str, **filters: Any) -> None:
    Subscription.objects.create(
        name=name, event="vendor_replied", channel="email", address=f"{name}@example.com", filters=filters
    )


@pytest.fixture
def lines() -> list[Stockout]:
    vendor = make_vendor(name="水潤生技")
    return [make_stockout(vendor, pm=pm, product_name=f"{pm}的商品") for pm in ("王小明", "李Amy")]


@pytest.fixture
def visitor(lines: list[Stockout]) -> Visitor:
    subscribe("all")
    subscribe("wang", pms=["王小明"])
    subscribe("amy", pms=["李ａｍｙ", "沒有人"])
    subscribe("nobody", pms=["沒有人"])
    visitor = Visitor(make_mail(lines[0].vendor, *lines))
    visitor.opens()
    return visitor


def told() -> dict[str, OutboxMessage]:
    return {message.recipient.partition("@")[0]: message for message in OutboxMessage.objects.order_by("pk")}


def test_each_subscription_gets_one_mail_with_the_rows_of_its_pms(visitor: Visitor, lines: list[Stockout]) -> None:
    visitor.says(lines[0], "restock", restock_date=tomorrow(), restock_quantity=1200)
    visitor.says(lines[1], "substitute", substitute="A & B")

    visitor.done(remark="<b>備註</b>")
    visitor.done(remark="<b>備註</b>")  # a double click

    messages = told()
    assert OutboxMessage.objects.count() == len(messages) == 3
    assert {name: message.subject for name, message in messages.items()} == {
        "all": "水潤生技 回覆了 2 項缺貨",
        "wang": "水潤生技 回覆了 1 項缺貨",
        "amy": "水潤生技 回覆了 1 項缺貨",
    }
    assert "李Amy的商品" not in messages["wang"].body
    assert "王小明的商品" not in messages["amy"].body
    assert tomorrow() in messages["wang"].body
    assert "1,200" in messages["wang"].body
    assert "A & B" in messages["amy"].body
    assert "<b>備註</b>" in messages["all"].body


def test_a_correction_is_told_again_with_what_changed(visitor: Visitor, lines: list[Stockout]) -> None:
    for line in lines:
        visitor.says(line, "discontinued")
    visitor.done()
    visitor.opens()
    visitor.says(lines[0], "substitute", substitute="新款")
    visitor.done()

    assert OutboxMessage.objects.filter(recipient__startswith="wang").count() == 2
    assert OutboxMessage.objects.filter(recipient__startswith="amy").count() == 1


def test_a_remark_alone_is_told_to_those_whose_rows_are_in_the_mail(visitor: Visitor) -> None:
    visitor.done(remark="下週回覆")

    assert set(told()) == {"all", "wang", "amy"}


def test_drafts_are_told_to_nobody(visitor: Visitor, lines: list[Stockout]) -> None:
    visitor.says(lines[0], "discontinued")
    visitor.done("draft")

    assert told() == {}


def test_previews_show_the_last_answers(
    visitor: Visitor, lines: list[Stockout], django_assert_num_queries: Any
) -> None:
    visitor.says(lines[0], "discontinued")
    visitor.done()
    kind = event_kind("vendor_replied")
    assert kind is not None
    with django_assert_num_queries(3):
        (last,) = kind.recent(5)

    for code in ("vendor_replied", "vendor_replied_mail"):
        assert "王小明的商品" in render_event(code, last["variables"])[0].body
