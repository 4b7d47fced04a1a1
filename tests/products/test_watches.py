"""The watch list: each price that crosses a condition is notified exactly once, and only one that is believed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from momo.core.errors import Conflict, ValidationFailed
from notifications.models import Chat, OutboxMessage
from notifications.services.subscribing import subscribe as subscribe_chat
from notifications.services.templates import render_event, template_by_code
from notifications.templating.variables import declared
from products.models import Category, Product, QuarantinedPrice, Watch
from products.selectors.watches import Crossing, alert_variables
from products.services import watches as service
from products.services.quarantine import accept_price
from products.services.watches import notify_watches, set_watch, set_watches, switch_watches
from tests.kit.users import person, session_client
from tests.products.factories import Runs, category, item
from tests.products.notifying import messages, now_runs, subscribe
from tests.products.test_decisions import apart

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)


@pytest.fixture
def amy(db: None) -> User:
    return person("amy", email="amy@example.com", display_name="小美")


def priced(runs: Runs, home: Category, price: int | None, code: str = "1000001") -> Product:
    runs.run({home: [item(code, price)]})
    return Product.objects.get(product_id=code)


# --- A model of many days --------------------------------------------------------------------------------------------


@dataclass
class Shelf:
    """One product of the shop, and what may be believed of it: written without a look at the product's code."""

    shown: int
    believed: int
    held: tuple[int, int] | None = None  # day and price
    seen: list[tuple[int, int]] = field(default_factory=list)  # days at which a believed price was shown
    begun: int = 0  # the day on which the believed price was first seen

    def see(self, day: int, price: int) -> None:
        if price == self.believed:
            self.held = None
        elif abs(price - self.believed) * 100 > self.believed * 60 and (self.held is None or self.held[1] != price):
            self.held = (day, price)
            return
        else:
            self.begun = self.held[0] if self.held and self.held[1] == price else day
            if self.begun != day:
                self.seen.append((self.begun, price))
            self.believed, self.held = price, None
        self.seen.append((day, price))


@dataclass
class Wish:
    kind: str
    value: int
    judged: int
    base: int

    def crosses(self, shelf: Shelf) -> bool:
        """Whether the change since the last look crosses the condition."""
        now, before = shelf.believed, self.judged
        self.judged = now
        if now == before:
            return False
        if self.kind == "absolute":
            return before > self.value >= now
        if self.kind == "percent":
            if abs(now - self.base) * 100 < self.base * self.value:
                return False
            self.base = now
            return True
        others = [price for day, price in shelf.seen if shelf.begun - self.value <= day < shelf.begun]
        return bool(others) and now < min(others)


def next_price(shelf: Shelf, dice: random.Random) -> int:
    """The price that the shop shows next: steps, jumps that stay, and mistakes of one day."""
    if shelf.shown == 1:
        return shelf.believed
    chance = dice.random()
    if shelf.held or chance < 0.5:
        return shelf.shown  # a jump stays for a second day at least
    if chance < 0.56:
        return 1
    if chance < 0.64:
        return max(60, shelf.shown * 3 // 10)
    return max(60, shelf.shown * dice.randrange(60, 150) // 100)


def test_many_days_of_prices_are_notified_as_a_model_says(amy: User) -> None:
    dice, runs, home = random.Random(11), now_runs(), category()
    prices = [dice.randrange(300, 2000) for _ in range(10)]
    runs.at -= 60 * DAY
    runs.run({home: [item(f"100000{number}", price) for number, price in enumerate(prices)]})
    products = list(Product.objects.order_by("product_id"))
    shelves = [Shelf(price, price, seen=[(0, price)]) for price in prices]
    wishes: dict[int, tuple[Shelf, Wish]] = {}
    for product, shelf in zip(products, shelves, strict=True):
        for kind, value in (("absolute", shelf.shown * 8 // 10), ("percent", 15), ("lowest", dice.choice((3, 10)))):
            watch = set_watch(user=amy, product=product, kind=kind, value=value).watch
            wishes[watch.pk] = shelf, Wish(kind, value, shelf.shown, shelf.shown)
    crossings = mails = 0

    for day in range(1, 41):
        for shelf in shelves:
            shelf.shown = next_price(shelf, dice)
            shelf.see(day, shelf.shown)
        runs.at += DAY - timedelta(hours=2)
        runs.run({home: [item(f"100000{number}", shelf.shown) for number, shelf in enumerate(shelves)]})
        assert [product.price for product in Product.objects.order_by("product_id")] == [s.believed for s in shelves]
        for _ in range(dice.choice((0, 1, 1, 2))):
            due = {pk for pk, (shelf, wish) in wishes.items() if wish.crosses(shelf)}
            assert notify_watches(now=runs.at) == len(due)
            assert due <= set(Watch.objects.filter(notified_at=runs.at).values_list("pk", flat=True))
            crossings, mails = crossings + len(due), mails + bool(due)

    assert OutboxMessage.objects.filter(event="price_watch", recipient="amy@example.com").count() == mails
    assert crossings > 30  # each kind had its turn
    assert Watch.objects.filter(notified_at__isnull=False).values("kind").distinct().count() == 3


# --- Who is notified, and of what ------------------------------------------------------------------------------------


def test_a_price_is_told_when_it_is_believed_and_not_before(runs: Runs, home: Category, amy: User) -> None:
    product = priced(runs, home, 1000)
    set_watch(user=amy, product=product, kind="absolute", value=500)
    priced(runs, home, 100)
    assert (notify_watches(), messages()) == (0, [])

    accept_price(held=QuarantinedPrice.objects.get(), user=None)

    assert (notify_watches(), notify_watches()) == (1, 0)
    [mail] = messages()
    assert (mail.recipient, mail.subject) == ("amy@example.com", "1 件關注的商品到價（小美）")
    assert "$1,000 → $100" in mail.body
    assert "售價低到 $500" in mail.body
    assert f"/admin/products/product/{product.pk}/change/" in mail.body_html


def test_subscriptions_get_what_they_select_and_an_address_one_mail(runs: Runs, home: Category, amy: User) -> None:
    product = priced(runs, home, 1000)
    max_ = person("max")
    for user in (amy, max_):
        set_watch(user=user, product=product, kind="percent", value=5)
    for address, watchers in (("all@x.tw", []), ("max@x.tw", ["max"]), ("AMY@example.com", ["amy"])):
        subscribe("price_watch", address, watchers=watchers)
    priced(runs, home, 900)

    assert notify_watches() == 2

    got = sorted((mail.recipient, "小美" in mail.subject) for mail in messages())
    assert got == [("AMY@example.com", True), ("all@x.tw", False), ("all@x.tw", True), ("max@x.tw", False)]


def test_who_subscribes_the_own_chat_gets_the_own_list_there(amy: User) -> None:
    own, group = (Chat.objects.create(chat_id=number) for number in ("501", "-100"))
    filters = [subscribe_chat(chat=chat, event="price_watch", user=amy).filters for chat in (own, group)]
    assert filters == [{"watchers": ["amy"]}, {}]


def test_what_is_off_and_whose_user_is_away_is_not_judged(runs: Runs, home: Category, amy: User) -> None:
    product, away = priced(runs, home, 1000), person("away", email="away@example.com")
    User.objects.filter(pk=away.pk).update(is_active=False)
    watch = set_watch(user=amy, product=product, kind="percent", value=5).watch
    set_watch(user=away, product=product, kind="percent", value=5)
    assert switch_watches(user=away, ids=[watch.pk], active=False) == 0
    assert switch_watches(user=amy, ids=[watch.pk], active=False) == 1
    priced(runs, home, 900)
    assert notify_watches() == 0

    switch_watches(user=amy, ids=[watch.pk], active=True)

    watch.refresh_from_db()
    assert (watch.seen_price, watch.base_price) == (900, 900)
    assert notify_watches() == 0


def test_the_variables_are_those_of_the_template_however_many_and_odd_the_products(amy: User) -> None:
    made = [
        Product(pk=number, product_id=f"{number}", name="\u200b" if number else "長" * 500, price=1)
        for number in range(40)
    ]
    crossings = [Crossing(Watch(user=amy, product=one, kind="lowest", value=30), None, 1) for one in made]
    variables = alert_variables(amy, crossings)
    assert variables.keys() == {one.name for one in declared(template_by_code("price_watch").variables)}
    assert (len(variables["items"]), variables["more"]) == (30, 10)
    text, version = render_event("price_watch", variables)
    assert version == 1
    assert "30 天新低價" in text.body


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_tell_a_crossing_once() -> None:
    runs, home, amy = now_runs(), category(), person("amy", email="amy@example.com")
    set_watch(user=amy, product=priced(runs, home, 1000), kind="percent", value=5)
    priced(runs, home, 900)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert notify_watches() == 1
            assert apart(pool, notify_watches).result(30) == 0
        assert apart(pool, notify_watches).result(30) == 0
    assert len(messages()) == 1


# --- Conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"), [("absolute", 0), ("percent", 501), ("lowest", 1), ("lowest", 366), ("other", 5)]
)
def test_values_that_a_kind_cannot_have(kind: str, value: int, runs: Runs, home: Category, amy: User) -> None:
    with pytest.raises(ValidationFailed):
        set_watch(user=amy, product=priced(runs, home, 1000), kind=kind, value=value)


def test_a_user_has_a_bounded_list_and_one_condition_of_a_kind(
    runs: Runs, home: Category, amy: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_WATCHES", 2)
    runs.run({home: [item(f"100000{number}", 1000) for number in range(3)]})
    products = list(Product.objects.order_by("product_id"))
    with pytest.raises(Conflict, match="最多 2 筆"):
        set_watches(user=amy, products=products, kind="percent", value=5)
    assert not Watch.objects.exists()

    done = set_watches(user=amy, products=products[:2], kind="percent", value=5)
    again = set_watches(user=amy, products=products[:2], kind="percent", value=9)

    assert [one.is_new for one in (*done, *again)] == [True, True, False, False]
    assert list(Watch.objects.values_list("value", flat=True)) == [9, 9]


# --- Pages and API ---------------------------------------------------------------------------------------------------


def test_everybody_sees_and_changes_only_their_own(runs: Runs, home: Category, amy: User) -> None:
    product, max_ = priced(runs, home, 1000), person("max", "manager")
    watch = set_watch(user=amy, product=product, kind="absolute", value=900).watch
    own, other = session_client(amy), session_client(max_)
    page = reverse("admin:products_watch_change", args=[watch.pk])

    assert other.get("/api/products/watches").json()["data"]["total"] == 0
    assert own.get("/api/products/watches").json()["data"]["items"][0]["value"] == 900
    assert other.post(page, {"value": "1", "active": "on"}).status_code == 302
    assert other.post(reverse("admin:products_watch_delete", args=[watch.pk]), {"post": "yes"}).status_code == 302
    watch.refresh_from_db()
    assert watch.value == 900
    assert own.post(page, {"value": "850", "active": "on"}).status_code == 302
    watch.refresh_from_db()
    assert (watch.value, watch.user) == (850, amy)


def test_from_the_page_of_a_product_and_from_the_list(runs: Runs, home: Category, amy: User) -> None:
    product, client = priced(runs, home, 1000), session_client(amy)
    of_product = reverse("admin:products_watch_of", args=[product.pk])
    assert of_product in client.get(reverse("admin:products_product_change", args=[product.pk])).content.decode()
    add = client.get(of_product)["Location"]
    assert client.get(add).context["adminform"].form.initial["product"] == str(product.pk)
    wrong = client.post(add, {"product": product.pk, "kind": "lowest", "value": "1", "active": "on"})
    assert "2 到 365 天" in wrong.content.decode()
    client.post(add, {"product": product.pk, "kind": "lowest", "value": "90", "active": "on"})
    assert "90 天新低價" in client.get(client.get(of_product)["Location"]).content.decode()

    chosen = {"action": "watch_selected", "_selected_action": [product.pk]}
    several = client.post(reverse("admin:products_product_changelist"), chosen)["Location"]
    assert client.get(several).context["products"] == [product]
    posted = {"ids": str(product.pk), "kind": "percent", "value": "600"}
    assert "1 到 500 %" in client.post(several, posted).content.decode()
    assert client.post(several, {**posted, "value": "7"}).status_code == 302
    assert set(Watch.objects.values_list("user__username", "kind", "value")) == {
        ("amy", "lowest", 90),
        ("amy", "percent", 7),
    }


@pytest.mark.parametrize("ids", ["", "abc", "1,,2", "-1", "9" * 30, ",".join(["1"] * 200)])
def test_an_address_that_names_no_products(ids: str, amy: User) -> None:
    client: Client = session_client(amy)
    assert client.get(reverse("admin:products_watch_several"), {"ids": ids}).status_code == 200
    assert client.post(reverse("admin:products_watch_several"), {"ids": ids, "kind": "x"}).status_code == 200
