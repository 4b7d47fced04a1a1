"""Events are notified once, to each subscription by its own selection, net of what changed back."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from notifications.models import Channel, Chat, OutboxMessage, Subscription
from notifications.services.templates import render_event
from products.models import Category, CrawlRun, PriceEvent, QuarantinedPrice
from products.selectors.digest import recent_digests
from products.services import notify as service
from products.services.notify import DECIDING, DECIDING_AT_MOST, Notified, notify_pending, notify_price_events
from products.services.quarantine import accept_price
from tests.fakes.telegram.html import visible
from tests.products.factories import Runs, absent, category, item
from tests.products.notifying import NOTHING, changed, messages, subscribe, untold

pytestmark = pytest.mark.django_db


def test_a_digest_of_what_is_new(runs: Runs, home: Category) -> None:
    mine = subscribe()
    others = [item(f"20000{n:02}") for n in range(10)]
    runs.run({home: [item("1000001", 1000), item("1000002", 500), item("1000003", 300), *others]})
    for _ in range(3):
        runs.run({home: [item("1000001", 1100), item("1000002", 450), absent("1000003"), *others, item("1000004", 77)]})

    done = notify_price_events()

    assert done == Notified(4, 1, 1)
    (message,) = messages()
    ids = PriceEvent.objects.order_by("pk").values_list("pk", flat=True)
    assert message.key == f"price_digest:{min(ids)}-{max(ids)}:{mine.pk}"
    assert (message.event, message.template_code) == ("price_digest", "price_digest_mail")
    assert message.subject == "價格變動摘要：漲 1、降 1、下架 1、新上架 1"
    for part in ("商品 1000001", "1,000", "1,100", "商品 1000002", "商品 1000003", "商品 1000004"):
        assert part in message.body
    assert 'href="https://www.momoshop.com.tw/product/1000001"' in message.body_html
    assert not message.attachments.exists()
    assert untold() == 0
    assert notify_price_events() == NOTHING
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

    assert notify_price_events() == Notified(3, 5, 7)

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

    assert notify_price_events() == Notified(33, 3, 2)

    mail, text, document = messages()
    assert "另有 13 項，請看附件的活頁簿。" in mail.body
    assert "另有 13 項" in visible(text.body)
    assert visible(text.body).count("▼") == 20
    assert document.after == text
    assert mail.attachments.get() == document.attachments.get()
    sheet: Any = load_workbook(BytesIO(bytes(mail.attachments.get().content))).active
    assert sheet.max_row == 34


def test_a_sample_promises_no_workbook(runs: Runs, home: Category) -> None:
    changed(runs, home, 33)

    (sample,) = recent_digests(10)

    made, version = render_event("price_digest", sample["variables"])
    assert version
    assert "另有 13 項。" in made.body
    assert "活頁簿" not in made.body


def test_what_changed_back_is_not_notified(runs: Runs, home: Category) -> None:
    subscribe()
    for price in (1000, 900, 1000):
        runs.run({home: [item("1000001", price), item("1000002", 1000 if price == 1000 else 1001)]})
    assert untold() == 4
    assert notify_price_events() == Notified(4, 0, 1)
    assert untold() == 0
    assert messages() == []


def test_several_changes_are_notified_as_one(runs: Runs, home: Category) -> None:
    subscribe()
    for price in (1000, 900, 800, 850):
        runs.run({home: [item("1000001", price)]})
    assert notify_price_events() == Notified(3, 1, 1)
    (message,) = messages()
    assert message.subject == "價格變動摘要：降 1"
    assert "850" in message.body
    assert "900" not in message.body


def test_a_crawl_in_between_adds_only_what_is_new(runs: Runs, home: Category) -> None:
    subscribe()
    changed(runs, home, 3)
    assert notify_price_events() == Notified(3, 1, 1)
    runs.run({home: [item("1000000", 990), item("1000001", 991), item("1000002", 800)]})
    assert notify_price_events() == Notified(1, 1, 1)
    assert "1000002" in messages()[1].body
    assert "1000001" not in messages()[1].body


def test_the_first_crawl_of_a_category_notifies_of_nothing(runs: Runs, home: Category) -> None:
    subscribe()
    runs.run({home: [item(f"{n}", 100) for n in range(1_000_000, 1_000_300)]})
    assert notify_price_events() == NOTHING
    assert messages() == []


def test_without_a_subscription_events_wait_until_they_are_no_news(runs: Runs, home: Category, settings: Any) -> None:
    changed(runs, home, 3)
    assert notify_price_events() == Notified(0, 0, 0)
    assert untold() == 3
    subscribe(address="off@example.com")
    Subscription.objects.update(enabled=False)
    assert notify_price_events() == Notified(0, 0, 0)
    assert untold() == 3

    settings.DIGEST_MAX_AGE_HOURS = 1
    assert notify_price_events(now=runs.at + timedelta(hours=2)) == Notified(0, 0, 0)
    assert untold() == 0
    assert messages() == []


def test_old_events_are_left_out_and_new_ones_notified(runs: Runs, home: Category) -> None:
    subscribe()
    changed(runs, home, 3)
    old = PriceEvent.objects.order_by("pk").first()
    assert old is not None
    PriceEvent.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert notify_price_events() == Notified(2, 1, 1)
    assert untold() == 0
    assert list(PriceEvent.objects.filter(silence="expired")) == [old], "it is in no message, and its page shows that"


def test_old_events_are_dropped_some_at_a_time(runs: Runs, home: Category, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "EXPIRE_AT_ONCE", 2)
    changed(runs, home, 3)
    PriceEvent.objects.update(created_at=timezone.now() - timedelta(days=3))
    notify_price_events()
    assert untold() == 1
    notify_price_events()
    assert untold() == 0


def test_quiet_hours_are_kept(runs: Runs, home: Category) -> None:
    now = timezone.localtime()
    mine = subscribe()
    mine.quiet_from, mine.quiet_until = (now - timedelta(minutes=5)).time(), (now + timedelta(hours=1)).time()
    mine.save()
    changed(runs, home, 1)
    assert notify_price_events() == Notified(1, 1, 1)
    assert messages()[0].next_attempt_at > now + timedelta(minutes=59)


# --- Events in no message ------------------------------------------------------------------------------------------


def silent() -> dict[str, set[tuple[str, str]]]:
    """Kind and product of the claimed events, by what their page shows."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for event in PriceEvent.objects.exclude(told_at=None).select_related("product"):
        found[event.silence or "notified"].add((event.kind, event.product.product_id))
    return dict(found)


def test_events_that_no_subscription_selects_are_not_called_notified(runs: Runs, home: Category) -> None:
    subscribe(min_percent=5)
    subscribe(address="b@example.com", directions=["relisted"])
    runs.run({home: [item("1000001", 1000), item("1000002", 1000), item("1000003", 1000)]})
    runs.run({home: [item("1000001", 900), item("1000002", 999), item("1000003", 1000, in_stock=False)]})

    assert notify_price_events() == Notified(3, 1, 2)

    assert silent() == {
        "notified": {("decrease", "1000001")},
        "unwanted": {("decrease", "1000002"), ("out_of_stock", "1000003")},
    }


def test_of_one_product_what_is_notified_and_what_is_not(runs: Runs, home: Category) -> None:
    subscribe()
    runs.run({home: [item("1000001", 1000)]})
    runs.run({home: [item("1000001", 900, in_stock=False)]})

    assert notify_price_events() == Notified(2, 1, 1)

    assert silent() == {"notified": {("decrease", "1000001")}, "unwanted": {("out_of_stock", "1000001")}}


def test_an_event_that_is_part_of_notified_news_is_notified(runs: Runs, home: Category) -> None:
    subscribe()
    runs.run({home: [item("1000001", 1000), item("1000002", 1000)]})
    runs.run({home: [item("1000001", 1100), item("1000002", 1000, in_stock=False)]})
    runs.run({home: [item("1000001", 900), item("1000002", 900)]})

    assert notify_price_events() == Notified(5, 1, 1)

    # That the stock came and went is nothing by itself, and goes with the price.
    assert set(silent()) == {"notified"}


def test_what_changed_back_is_neither_notified_nor_unwanted(runs: Runs, home: Category) -> None:
    subscribe(directions=["decrease", "increase"])
    runs.run({home: [item("1000001", 1000), item("1000002", 1000)]})
    runs.run({home: [item("1000001", 900), item("1000002", 1000, in_stock=False)]})
    runs.run({home: [item("1000001", 1000), item("1000002", 1000, in_stock=False)]})

    assert notify_price_events() == Notified(3, 0, 1)

    undone = {("decrease", "1000001"), ("increase", "1000001")}
    assert silent() == {"undone": undone, "unwanted": {("out_of_stock", "1000002")}}


def test_unwanted_events_cost_one_statement(runs: Runs, home: Category) -> None:
    subscribe(directions=["relisted"])
    counted = []
    for count in (3, 90):
        changed(runs, home, count)
        with CaptureQueriesContext(connection) as queries:
            assert notify_price_events().messages == 0
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert PriceEvent.objects.filter(silence="").count() == 0


def statements(runs: Runs, products: int, readers: int) -> int:
    """Statements of notifying so many subscriptions, all with the same selection, of so many events."""
    changed(runs, category(), products)
    Subscription.objects.all().delete()
    for number in range(readers):
        subscribe(address=f"a{number}@example.com")
    events = untold()
    assert events >= products
    with CaptureQueriesContext(connection) as queries:
        done = notify_price_events()
    assert done == Notified(events, readers, readers)
    return len(queries)


def test_the_statements_do_not_grow(runs: Runs, settings: Any) -> None:
    settings.DIGEST_MAX_LINES = 1
    few = statements(runs, 5, 2)
    OutboxMessage.objects.all().delete()
    many = statements(runs, 500, 60)
    assert few == many == 15


# --- Decisions on held prices -----------------------------------------------------------------------------------------


def test_decisions_one_after_the_other_become_one_digest(held_prices: list[QuarantinedPrice]) -> None:
    subscribe()
    for one in held_prices:
        accept_price(held=one, user=None)
        assert notify_pending() == NOTHING
    later = timezone.now() + timedelta(seconds=DECIDING + 1)
    assert notify_price_events(wait_for_decisions=True, now=later) == Notified(3, 1, 1)


def test_a_requested_digest_has_decisions_at_once(held_prices: list[QuarantinedPrice]) -> None:
    subscribe()
    accept_price(held=held_prices[0], user=None)
    assert notify_price_events() == Notified(1, 1, 1)


def test_a_crawl_is_notified_while_a_user_decides_other_prices(
    held_prices: list[QuarantinedPrice], runs: Runs, home: Category
) -> None:
    subscribe()
    rest = [item("1000002", 1000), item("1000003", 1000), item("1000009", 500)]
    runs.run({home: [item("1000001", 1000), *rest]})  # and the held prices are gone
    runs.run({home: [item("1000001", 100), *rest[:2], item("1000009", 450)]})
    accept_price(held=QuarantinedPrice.objects.get(status="held"), user=None)
    done = notify_pending()
    assert (done.events, done.messages) == (2, 1)  # 1000009 is new, and cheaper since
    assert untold() == 1
    # Only the new event of a run that was notified already.
    assert notify_price_events() == Notified(1, 1, 1)
    assert "1000001" in messages()[1].body
    assert "1000009" not in messages()[1].body


def test_a_user_who_goes_on_deciding_does_not_delay_it_for_ever(held_prices: list[QuarantinedPrice]) -> None:
    subscribe()
    accept_price(held=held_prices[0], user=None)
    first = PriceEvent.objects.get()
    accept_price(held=held_prices[1], user=None)
    PriceEvent.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(seconds=DECIDING_AT_MOST))
    CrawlRun.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    assert notify_pending() == Notified(2, 1, 1)
