"""What a digest says: the net of a product's events, for one selection, the biggest first, in so many lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from notifications.services.shipped import shipped_templates
from notifications.templating.render import render
from notifications.templating.variables import declared
from products import exports
from products.exports import digest_files
from products.models import PriceEvent
from products.selectors.digest import DEFAULT_KINDS, MAX_LINES, NAMED, Digest, Selection, spread
from products.selectors.news import Goods, News, all_news, net_news

Kind = PriceEvent.Kind
AT = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


def goods(product_id: str = "1000001", **values: str) -> Goods:
    given = {
        "name": f"商品 {product_id}",
        "brand": "水潤",
        "category": "臉部保養",
        "category_code": "1100100000",
        "url": f"https://www.momoshop.com.tw/product/{product_id}",
    }
    return Goods(product_id=product_id, **(given | values))


def net(*events: tuple[str, int | None, int | None]) -> list[tuple[str, int | None, int | None]]:
    happened = [News(kind, goods(), old, new, AT + timedelta(hours=n)) for n, (kind, old, new) in enumerate(events)]
    return [(one.kind, one.old_price, one.new_price) for one in net_news(happened)]


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([("decrease", 1000, 900)], [("decrease", 1000, 900)]),
        # It changed and changed back; it moved on.
        ([("decrease", 1000, 900), ("increase", 900, 1000)], []),
        ([("decrease", 1000, 900), ("decrease", 900, 700)], [("decrease", 1000, 700)]),
        ([("increase", 1000, 1500), ("decrease", 1500, 900)], [("decrease", 1000, 900)]),
        ([("new", None, 1000)], [("new", None, 1000)]),
        ([("new", None, 1000), ("decrease", 1000, 900)], [("new", None, 900)]),
        ([("new", None, 1000), ("delisted", 1000, None)], []),
        ([("delisted", 1000, None)], [("delisted", 1000, None)]),
        ([("decrease", 1000, 900), ("delisted", 900, None)], [("delisted", 900, None)]),
        ([("delisted", 1000, None), ("relisted", 1000, 1000)], []),
        (
            [("delisted", 1000, None), ("relisted", 1000, 800), ("decrease", 1000, 800)],
            [("decrease", 1000, 800)],
        ),
        ([("relisted", 1000, 1000)], [("relisted", 1000, 1000)]),
        (
            [("decrease", 1000, 800), ("relisted", 1000, 800)],
            [("decrease", 1000, 800), ("relisted", 1000, 800)],
        ),
        ([("relisted", 1000, 1000), ("delisted", 1000, None)], []),
        ([("delisted", 1000, None), ("relisted", 1000, 1000), ("delisted", 1000, None)], [("delisted", 1000, None)]),
        ([("out_of_stock", 1000, 1000)], [("out_of_stock", 1000, 1000)]),
        ([("out_of_stock", 1000, 1000), ("back_in_stock", 1000, 1000)], []),
        (
            [("decrease", 1000, 900), ("out_of_stock", 1000, 900), ("back_in_stock", 900, 900)],
            [("decrease", 1000, 900)],
        ),
        # Its stock is unknown, before it was delisted or now.
        ([("out_of_stock", 1000, 1000), ("delisted", 1000, None), ("relisted", 1000, 1000)], []),
        ([("delisted", 1000, None), ("relisted", 1000, 1000), ("out_of_stock", 1000, 1000)], []),
        ([("new", None, 500), ("out_of_stock", 500, 500)], [("new", None, 500), ("out_of_stock", 500, 500)]),
    ],
)
def test_what_events_come_to(
    events: list[tuple[str, int | None, int | None]], found: list[tuple[str, int | None, int | None]]
) -> None:
    assert net(*events) == found


@dataclass
class Shop:
    """A product as it really is; a run looks at it and writes the events that `apply_run` would."""

    place: str = "never"  # never, on, off
    price: int = 0
    stock: bool = True
    events: list[tuple[str, int | None, int | None]] = field(default_factory=list)

    def state(self) -> tuple[str, int | None, bool | None]:
        on = self.place == "on"
        return self.place, (self.price if self.place != "never" else None), (self.stock if on else None)

    def seen(self, price: int, stock: bool) -> None:
        old = self.price
        if self.place == "never":
            self.events.append(("new", None, price))
        else:
            if price != old:
                self.events.append(("increase" if price > old else "decrease", old, price))
            if self.place == "off":
                self.events.append(("relisted", old, price))
            elif stock != self.stock:
                self.events.append(("back_in_stock" if stock else "out_of_stock", old, price))
        self.place, self.price, self.stock = "on", price, stock

    def gone(self) -> None:
        if self.place == "on":
            self.events.append(("delisted", self.price, None))
            self.place = "off"


PRICES = st.integers(1, 4).map(lambda n: n * 100)
SHOPS = st.builds(Shop, place=st.sampled_from(("never", "on", "off")), price=PRICES, stock=st.booleans())
RUNS = st.lists(st.one_of(st.none(), st.tuples(PRICES, st.booleans())), max_size=7)


@given(shop=SHOPS, runs=RUNS)
def test_the_net_is_the_difference_between_before_and_after(shop: Shop, runs: list[tuple[int, bool] | None]) -> None:
    place, price, stock = shop.state()
    for seen in runs:
        if seen is None:
            shop.gone()
        else:
            shop.seen(*seen)
    new_place, new_price, new_stock = shop.state()

    found = set(net(*shop.events)) if shop.events else set()

    expected: set[tuple[str, int | None, int | None]] = set()
    if place == "on" and new_place == "off":
        expected.add(("delisted", new_price, None))
    if new_place == "on":
        if place == "never":
            expected.add(("new", None, new_price))
        elif price is not None and new_price is not None and price != new_price:
            expected.add(("increase" if new_price > price else "decrease", price, new_price))
        if place == "off":
            expected.add(("relisted", price, new_price))
    in_stock = {one for one in found if one[0] in ("out_of_stock", "back_in_stock")}
    assert found - in_stock == expected
    # News of the stock is always true; it is complete when the product was on sale all along.
    moved = any(kind in ("new", "delisted", "relisted") for kind, *_ in shop.events)
    for kind, *prices in in_stock:
        assert prices == [new_price, new_price]
        assert new_stock == (kind == "back_in_stock")
        assert stock is None or stock != new_stock
    if not moved and place == "on" and stock != new_stock:
        assert in_stock == {("back_in_stock" if new_stock else "out_of_stock", new_price, new_price)}


def news(kind: str = "decrease", old: int | None = 1000, new: int | None = 900, **values: str) -> News:
    return News(kind, goods(**values), old, new, AT)


def test_events_of_many_products_each_in_its_order_the_biggest_first() -> None:
    happened = [
        News(Kind.DECREASE, goods("3"), 1000, 900, AT),
        News(Kind.INCREASE, goods("1"), 1000, 1100, AT),
        News(Kind.DECREASE, goods("2"), 100, 50, AT),
        News(Kind.DECREASE, goods("3"), 900, 500, AT),
        News(Kind.DELISTED, goods("4"), 200, None, AT),
        News(Kind.DELISTED, goods("5"), 900, None, AT),
        News(Kind.INCREASE, goods("6"), 1000, 1200, AT),
        News(Kind.NEW, goods("7"), None, 10, AT),
    ]

    found = [(one.kind, one.goods.product_id, one.percent) for one in all_news(happened)]

    assert found == [
        ("increase", "6", 20.0),
        ("increase", "1", 10.0),
        ("decrease", "3", -50.0),
        ("decrease", "2", -50.0),
        ("delisted", "5", None),
        ("delisted", "4", None),
        ("new", "7", None),
    ]


@pytest.mark.parametrize(
    ("filters", "one", "takes"),
    [
        ({}, news(), True),
        ({}, news("relisted"), False),
        ({}, news("out_of_stock"), False),
        ({"directions": []}, news("delisted", 1000, None), True),
        ({"directions": ["relisted"]}, news("relisted"), True),
        ({"directions": ["relisted"]}, news(), False),
        ({"categories": ["1100100000"]}, news(), True),
        ({"categories": ["1100100001"]}, news(), False),
        ({"brands": ["水潤"]}, news(), True),
        ({"brands": ["ｌ'ＯＲÉＡＬ  Paris"]}, news(brand="L'oréal Paris"), True),
        ({"brands": ["水"]}, news(), False),
        ({"min_percent": 10}, news(), True),
        ({"min_percent": 10.01}, news(), False),
        ({"min_percent": 10}, news("increase", 1000, 1099), False),
        ({"min_percent": 10}, news("new", None, 1099), True),
        ({"min_percent": 10}, news("delisted", 1099, None), True),
        ({"brands": ["水潤"], "categories": ["1100100001"]}, news(), False),
        # A malformed filter lets everything through.
        ({"brands": "水潤", "categories": 3, "directions": ["up"], "min_percent": "x"}, news(), True),
        (None, news(), True),
        ([], news(), True),
    ],
)
def test_what_a_selection_takes(filters: Any, one: News, takes: bool) -> None:
    assert Selection.of(filters).matches(one) is takes


def test_equal_filters_are_one_selection() -> None:
    first = {"brands": ["水潤", "山田"], "directions": [], "min_percent": 0}
    second = {"brands": ["山田", "水潤"], "directions": sorted(DEFAULT_KINDS)}
    assert Selection.of(first) == Selection.of(second)
    assert hash(Selection.of(first)) == hash(Selection.of(second))


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([0, 0], [0, 0]),
        ([20], [20]),
        ([100, 100], [10, 10]),
        ([1, 100, 2], [1, 17, 2]),
        ([100, 100, 100], [7, 7, 6]),
        ([3, 3, 3], [3, 3, 3]),
    ],
)
def test_lines_are_shared(counts: list[int], shown: list[int]) -> None:
    assert spread(counts, 20) == shown


@given(counts=st.lists(st.integers(0, 50), max_size=7), lines=st.integers(0, 30))
def test_lines_are_used_up_and_no_group_is_starved(counts: list[int], lines: int) -> None:
    shown = spread(counts, lines)
    assert sum(shown) == min(sum(counts), lines)
    assert all(0 <= one <= count for one, count in zip(shown, counts, strict=True))
    cut = [one for one, count in zip(shown, counts, strict=True) if one < count]
    # A group that is cut has as many lines as any other, but for the one line that cannot be halved.
    assert not cut or max(shown) - min(cut) <= 1


def many(count: int) -> list[News]:
    pairs = [News(Kind.DECREASE, goods(f"{n:07}", name=f'=1+1 <b>"精華" {n}'), 1000, 999 - n, AT) for n in range(count)]
    pairs += [News(Kind.NEW, goods(f"9{n:06}"), None, 100 + n, AT) for n in range(count)]
    return all_news(pairs)


def test_a_short_digest_has_no_workbook(settings: Any) -> None:
    settings.DIGEST_MAX_LINES = 20
    digest = Digest(many(10), AT)

    assert digest_files(digest) == []
    assert lines_of(digest) == {"decrease": 10, "new": 10}
    assert rest_of(digest) == 0


def test_a_long_digest_is_cut_and_says_so_and_its_workbook_holds_all(settings: Any) -> None:
    settings.DIGEST_MAX_LINES = 20
    digest = Digest(many(15), AT)

    assert lines_of(digest) == {"decrease": 10, "new": 10}
    assert rest_of(digest) == 10
    (file,) = digest_files(digest)
    assert file.name == "momo_價格通知_20261125_1400.xlsx"
    sheet: Any = load_workbook(BytesIO(file.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 31
    assert sheet.freeze_panes == "A2"
    assert rows[0][:3] == ("事件", "品號", "品名")
    biggest = rows[1]
    assert biggest[:3] == ("降價", "0000014", '\'=1+1 <b>"精華" 14')
    assert biggest[5:9] == (1000, 985, -15, -1.5)
    assert biggest[9] == datetime(2026, 11, 25, 14, 0)
    assert rows[16][0] == "新商品"
    assert rows[16][5:9] == (None, 114, None, None)


def lines_of(digest: Digest) -> dict[str, int]:
    variables = digest.variables()
    names = {**{str(kind): name for kind, (name, _) in NAMED.items()}, "others": "others"}
    return {kind: len(variables[name]) for kind, name in names.items() if variables[name]}


def rest_of(digest: Digest) -> int:
    more: int = digest.variables()["more"]
    return more


def test_what_else_was_asked_for_comes_last_and_has_its_kind(settings: Any) -> None:
    settings.DIGEST_MAX_LINES = 3
    events = (
        News(Kind.OUT_OF_STOCK, goods("1"), 100, 100, AT),
        News(Kind.BACK_IN_STOCK, goods("2"), 100, 100, AT),
        News(Kind.RELISTED, goods("3"), 100, 100, AT),
        News(Kind.INCREASE, goods("4"), 100, 104, AT),
    )

    variables = Digest(all_news(events), AT).variables()

    assert [one["code"] for one in variables["rises"]] == ["4"]
    assert [one["kind"] for one in variables["others"]] == ["relisted", "back_in_stock"]
    assert (variables["rise_count"], variables["other_count"], variables["more"]) == (1, 3, 1)


@given(st.lists(st.sampled_from(Kind), max_size=12))
def test_a_summary_counts_what_there_is_and_nothing_else(kinds: list[Kind]) -> None:
    variables = Digest([News(kind, goods(), 100, 90, AT) for kind in kinds], AT).variables()

    parts = dict(part.split(" ") for part in filter(None, variables["summary"].split("、")))
    assert "0" not in parts.values()
    assert sum(map(int, parts.values())) == variables["total"] == len(kinds)
    stock = sum(kind not in NAMED for kind in kinds)
    assert parts.get("供貨變化") == (str(stock) if stock else None)


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://x.example/a b", "https://u:p@x.example/"])
def test_a_link_that_no_message_could_hold_is_left_out(url: str) -> None:
    (line,) = Digest([news(url=url)], AT).variables()["drops"]
    assert not line.get("url")


def one_of_each(run_id: int = 7) -> Digest:
    pairs = [
        News(kind, goods(f"{number}"), None if kind == Kind.NEW else 1000, prices.get(kind, 900), AT, run_id)
        for prices in [{Kind.INCREASE: 1100, Kind.DELISTED: None}]
        for number, kind in enumerate(Kind)
    ]
    return Digest(all_news(pairs), AT)


def test_it_gives_what_the_template_declares_and_nothing_else() -> None:
    variables = one_of_each().variables()
    declarations = {one.name: one for one in declared(shipped_templates()["price_digest"]["variables"])}

    assert variables.keys() == declarations.keys()
    assert variables["workbook"] is False
    for name, declaration in declarations.items():
        if declaration.type != "list":
            assert variables[name] is not None
            continue
        fields = {one.name for one in declaration.fields}
        (line,) = variables[name][:1]
        missing = {"delisted": {"new_price", "change", "percent"}, "new": {"old_price", "change", "percent"}}
        assert line.keys() == fields - missing.get(name, set())


def test_it_names_the_newest_crawl_of_its_news() -> None:
    happened = [
        News(Kind.DECREASE, goods("1"), 1000, 900, AT, 7),
        News(Kind.DECREASE, goods("2"), 1000, 900, AT, 9),
        News(Kind.DECREASE, goods("1"), 900, 800, AT, 8),
    ]
    assert [one.run_id for one in all_news(happened)] == [8, 9]
    assert Digest(all_news(happened), AT).variables()["run_id"] == 9
    assert Digest(all_news(happened[:1]), AT).variables()["run_id"] == 7


def test_more_lines_than_a_message_holds_are_not_to_be_had(settings: Any) -> None:
    settings.DIGEST_MAX_LINES = 1000
    digest = Digest(many(40), AT)
    assert sum(lines_of(digest).values()) == MAX_LINES
    assert rest_of(digest) == 80 - MAX_LINES
    assert len(digest_files(digest)) == 1


def test_a_workbook_too_big_for_a_message_holds_the_biggest(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DIGEST_MAX_LINES = 5
    (whole,) = digest_files(Digest(many(400), AT))
    monkeypatch.setattr(exports, "MAX_FILES_BYTES", len(whole.content) - 1)

    (file,) = digest_files(Digest(many(400), AT))

    assert len(file.content) < len(whole.content)
    assert file.name == "momo_價格通知_20261125_1400_前400筆.xlsx"
    sheet: Any = load_workbook(BytesIO(file.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 401
    assert {row[0] for row in rows[1:]} == {"降價"}
    assert rows[1][1] == "0000399"


@pytest.mark.parametrize(("code", "mark", "others"), [("price_digest", "▼", 0), ("price_digest_mail", "<tr>", 1)])
@pytest.mark.parametrize("letter", ["&", "好", "𝒳"])
def test_names_of_any_length_leave_room_for_all_lines(
    letter: str, code: str, mark: str, others: int, settings: Any
) -> None:
    """The texts of a digest together are bounded, and so is what its template makes of them."""
    settings.DIGEST_MAX_LINES = MAX_LINES
    name = letter * 5000
    pairs = [
        News(Kind.DECREASE, goods(f"{n}", name=name, brand=name, category=name), 1000, 900, AT)
        for n in range(MAX_LINES + 1)
    ]
    shipped = shipped_templates()[code]
    parts = {part: shipped[part] for part in ("format", "subject", "body", "variables")}
    made = render(**parts, values=Digest(all_news(pairs), AT).variables())
    assert made.body.count(mark) == MAX_LINES + others


@pytest.mark.parametrize("name", ["", "  ", "\x0b", "\u2028\t", "\u3000"])
def test_an_unreadable_name_is_replaced_by_the_goods_code(name: str) -> None:
    (line,) = Digest([news(name=name, product_id="1000009")], AT).variables()["drops"]
    assert line["name"] == "1000009"
