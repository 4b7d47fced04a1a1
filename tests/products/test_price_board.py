"""The price board: its figures are those of their rows, its moves and lows those of plain arithmetic."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User, UserScope
from momo.core.scope import Scope
from products.models import CrawlRun, PriceEvent, PriceSpan, Product
from products.selectors.prices import Goods, biggest_moves, lowest_now
from tests.admin import makers
from tests.kit.users import person, session_client

pytestmark = pytest.mark.django_db
PAGE = "/admin/products/prices/"
NOON = timedelta(hours=12)


@pytest.fixture
def amy(db: None) -> User:
    return person("amy")


@pytest.fixture
def client(amy: User) -> Client:
    return session_client(amy)


def happened(one: Product, run: CrawlRun, kind: str, old: int | None, new: int | None, at: datetime) -> None:
    PriceEvent.objects.create(product=one, run=run, kind=kind, old_price=old, new_price=new, created_at=at)


def noon() -> datetime:
    return timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def shop(db: None) -> dict[str, Product]:
    """Today and yesterday: a rise, two falls, one that returned, one whose fall was yesterday, and goods that went."""
    made = {
        name: makers.product(number, name=name, brand=brand, category=makers.category(f"110010000{number % 2}"))
        for number, (name, brand) in enumerate(
            {"rise": "甲", "fall": "甲", "deep": "乙", "back": "乙", "old": "乙", "gone": "丙"}.items()
        )
    }
    runs = [makers.run() for _ in range(3)]
    now = noon()
    happened(made["rise"], runs[0], "increase", 1000, 1100, now)
    happened(made["rise"], runs[1], "increase", 1100, 1300, now + NOON / 2)
    happened(made["fall"], runs[0], "decrease", 1000, 700, now)
    happened(made["deep"], runs[0], "decrease", 100, 40, now)
    happened(made["back"], runs[0], "decrease", 500, 400, now)
    happened(made["back"], runs[1], "increase", 400, 500, now)
    happened(made["old"], runs[2], "decrease", 900, 100, now - timedelta(days=1))
    happened(made["gone"], runs[0], "delisted", 700, None, now)
    return made


def figures(tables: Any) -> dict[str, list[Mapping[str, Any]]]:
    return {table.key: table.rows for table in tables}


def test_moves_are_from_the_first_price_of_the_period_to_the_last(shop: dict[str, Product], client: Client) -> None:
    today = f"{timezone.localdate():%Y-%m-%d}"
    rows = figures(client.get(PAGE).context["tables"])
    assert [(row["name"], row["change"], float(row["percent"])) for row in rows["rises"]] == [("rise", 300, 30.0)]
    assert [(row["name"], row["change"]) for row in rows["falls"]] == [("deep", -60), ("fall", -300)]
    by_amount = figures(client.get(PAGE, {"by": "amount", "first": today}).context["tables"])
    assert [row["name"] for row in by_amount["falls"]] == ["fall", "deep"]
    yesterday = timezone.localdate() - timedelta(days=1)
    both, _ = biggest_moves(first=yesterday, last=timezone.localdate(), goods=Goods(brand="乙"))[::-1]
    assert [move.name for move in both] == ["old", "deep"]
    mine = Goods(scope=Scope(brands=frozenset({"甲"})))
    assert [len(moves) for moves in biggest_moves(first=yesterday, last=timezone.localdate(), goods=mine)] == [1, 1]


@pytest.mark.parametrize("asked", [{}, {"brand": "乙", "category": "1100100001"}, {"mine": "1"}])
def test_each_figure_is_the_number_of_its_rows(
    asked: dict[str, str], shop: dict[str, Product], client: Client, amy: User
) -> None:
    UserScope.objects.create(user=amy, kind="brand", name="甲")
    page = client.get(PAGE, asked)
    cards = page.context["board"].cards()
    totals = next(table for table in page.context["tables"] if table.key == "categories")
    linked = [(card["figure"], card["url"]) for card in cards]
    linked += [
        (row[name.removesuffix("_url")], url)
        for row in (*totals.rows, totals.totals or {})
        for name, url in row.items()
        if name.endswith("_url")
    ]

    assert sum(card["figure"] for card in cards) > 0
    assert [number for number, _ in linked] == [len(client.get(url).context["cl"].result_list) for _, url in linked]


def test_a_table_and_its_file_have_the_same_rows(shop: dict[str, Product], client: Client) -> None:
    rows = figures(client.get(PAGE).context["tables"])["falls"]
    answer = client.get(PAGE, {"export": "falls", "format": "csv"})
    text = answer.content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [(line["品號"], int(float(line["新售價"]))) for line in lines] == [(row["code"], row["new"]) for row in rows]
    assert client.get(PAGE, {"export": "nothing", "format": "csv"}).status_code == 404


def test_lows_are_below_every_other_price_of_their_days() -> None:
    now = noon()

    def shown(number: int, *prices: tuple[int, int], **values: Any) -> Product:
        """(days ago, price), the oldest first; the last is the present one."""
        old, new = prices[-2][1], prices[-1][1]
        changed = now - timedelta(days=prices[-1][0])
        one = makers.product(number, price=new, previous_price=old, price_changed_at=changed, **values)
        for place, (ago, price) in enumerate(prices):
            last = None if place + 1 == len(prices) else now - timedelta(days=prices[place + 1][0], hours=1)
            begun = now - timedelta(days=ago)
            PriceSpan.objects.create(product=one, price=price, observed_at=begun, last_seen_at=last)
        return one

    for number, prices in enumerate(
        (
            ((200, 500), (3, 400)),  # the lowest of both
            ((200, 300), (60, 500), (3, 400)),  # 300 was seen within 90 days, not within 30
            ((20, 400), (10, 500), (3, 400)),  # as low as before
            ((20, 300), (3, 400)),  # rose
            ((50, 500), (40, 400)),  # fell too long ago for 30 days: nothing else was seen since
        )
    ):
        shown(number, *prices)
    shown(9, (200, 500), (3, 400), status="delisted")

    found = {
        days: {int(one.product_id) - 10_000_000 for one in lowest_now(days=days, goods=Goods(), now=now)}
        for days in (30, 90)
    }

    assert found == {30: {0, 1}, 90: {0, 4}}


@pytest.mark.parametrize("rows", [3, 60])
def test_the_page_takes_the_same_queries_however_much_happened(
    rows: int, client: Client, django_assert_num_queries: Any
) -> None:
    makers.events(rows)
    client.get(PAGE)
    cache.clear()

    with django_assert_num_queries(13):
        page = client.get(PAGE)

    assert page.status_code == 200


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first": "2026-02-30"}, "起日請寫成 YYYY-MM-DD"),
        ({"first": "2026-03-02", "last": "2026-03-01"}, "起日不可晚於迄日"),
        ({"first": "2026-01-01", "last": "2026-03-01"}, "期間最長 31 天"),
        ({"first": "0001-01-01"}, "日期超出可用範圍"),
        ({"category": "0000000000"}, "沒有這個分類"),
        ({"category": "x" * 11}, "10"),
        ({"by": "luck"}, "luck"),
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, str], said: str, client: Client) -> None:
    page = client.get(PAGE, asked)
    assert page.status_code == 200
    assert said in page.content.decode()
    assert page.context["board"] is None


def test_presets_keep_the_other_choices(client: Client) -> None:
    page = client.get(PAGE, {"brand": "甲"})
    titles = [title for title, _, _ in page.context["presets"]]
    assert titles[:5] == ["今天", "昨天", "上週", "本月", "上月"]
    for _, url, _ in page.context["presets"]:
        assert "brand=" in url
        assert client.get(url).context["board"] is not None
