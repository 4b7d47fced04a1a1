"""Search, remembered counts, lowest prices and histories, and what their lists cost."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from momo.local.processes import free_port
from products.models import PriceSpan, Product
from products.selectors import listing
from products.selectors.counts import count_rows, forget_counts
from products.selectors.lowest import lowest_price_of
from products.selectors.products import MAX_QUERY_LENGTH, VARIANTS, history_of, search, search_words
from tests.kit.users import person, session_client
from tests.products.factories import START, Runs, absent, category, item, lowest_of_spans

pytestmark = pytest.mark.django_db
TAIPEI = ZoneInfo("Asia/Taipei")

NAMES = {
    "1000001": "【沐光】保濕精華液 30ml",
    "1000002": "ＫＩＲＥＩ 美白面膜（ＮＥＷ）5片/盒",
    "TP00012040000352": "Dr.Moon 月博士 100%玻尿酸 精華露",
    "1000004": 'L\'Été a_b 沐浴乳 \\ "加大版" & 旅行組',
    "1000005": "ｶﾞｰﾀﾞｰ 🔥爆款🔥 <限定>",
    "0012345": "İSTANBUL ΣΟΦΟΣ ①②③ ㌔",
}


@pytest.fixture
def goods(db: None) -> None:
    Runs().run({category(): [item(code, name=name, brand="Brand＆Co") for code, name in NAMES.items()]})


def found(q: str) -> set[str]:
    return set(search(Product.objects.all(), search_words(q)).values_list("product_id", flat=True))


# --- Search ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("精華", {"1000001", "TP00012040000352"}),
        ("保濕", {"1000001"}),
        ("濕", {"1000001"}),
        ("華濕", set()),
        ("kirei", {"1000002"}),
        ("ＫｉＲｅＩ", {"1000002"}),
        ("new", {"1000002"}),
        ("(new)", {"1000002"}),
        ("30ML", {"1000001"}),
        ("３０ｍｌ", {"1000001"}),
        ("tp000120", {"TP00012040000352"}),
        ("352", {"TP00012040000352"}),
        ("0012345", {"0012345"}),
        ("精華 保濕", {"1000001"}),
        ("保濕　精華", {"1000001"}),
        ("精華 月博士", {"TP00012040000352"}),
        ("moon 精華 100", {"TP00012040000352"}),
        ("%", {"TP00012040000352"}),
        ("100%", {"TP00012040000352"}),
        ("10%", set()),
        ("_", {"1000004"}),
        ("a_b", {"1000004"}),
        ("a_", {"1000004"}),
        ("axb", set()),
        ("\\", {"1000004"}),
        ("été", {"1000004"}),
        ("'", {"1000004"}),
        ('"', {"1000004"}),
        ("brand&co", set(NAMES)),
        ("ガーダー", {"1000005"}),
        ("ｶﾞｰ", {"1000005"}),
        ("🔥", {"1000005"}),
        ("<限定>", {"1000005"}),
        ("istanbul", {"0012345"}),
        ("İstanbul", {"0012345"}),
        ("σοφοσ", {"0012345"}),
        ("ΣΟΦΟΣ", {"0012345"}),
        ("①", {"1000001", "1000002", "1000005", "1000004", "TP00012040000352", "0012345"}),
        ("123", {"0012345"}),
        ("キロ", {"0012345"}),
        ("不存在", set()),
        ("", set(NAMES)),
        ("　 \t\n", set(NAMES)),
        ("保濕\0精華", {"1000001"}),
        ("\0", set(NAMES)),
    ],
)
def test_search(q: str, wanted: set[str]) -> None:
    assert found(q) == wanted


@pytest.mark.usefixtures("goods")
def test_a_word_does_not_reach_over_a_space_or_into_the_next_field() -> None:
    assert found("液30") == set()
    assert found("mlbrand") == set()


@pytest.mark.parametrize(
    ("written", "asked"), [("臺灣檯燈", "台灣"), ("台灣台燈", "檯燈"), ("恒隆行項鍊", "恆隆 項鏈")]
)
def test_a_variant_of_a_character_finds_it(written: str, asked: str, runs: Runs) -> None:
    runs.run({category(): [item("1000001", name=written), item("1000002", name="別的")]})
    assert found(asked) == {"1000001"}
    assert found(written) == {"1000001"}


def test_searches_and_the_database_agree_on_the_variants() -> None:
    text = "".join(map(chr, range(0x4E00, 0xA000)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT momo_haystack(%s, '', '')", [text])
        assert cursor.fetchone()[0].strip() == text.translate(VARIANTS)
    assert not {VARIANTS[key] for key in VARIANTS} & set(VARIANTS)


@pytest.mark.usefixtures("goods")
def test_a_very_long_search_is_cut() -> None:
    assert found("華" * 5000) == set()
    assert len(search_words("a " * 5000)) == MAX_QUERY_LENGTH // 2
    assert found("精華 " * 5000) == found("精華")


@pytest.mark.usefixtures("goods")
def test_a_new_name_is_found_and_the_old_one_no_longer() -> None:
    runs = Runs()
    runs.at += timedelta(days=1)
    runs.run({category(): [item(code, name=f"全新{code}", brand="") for code in NAMES]})
    forget_counts()
    assert found("全新") == set(NAMES)
    assert found("精華") == set()
    # An empty brand does not wipe out the known one, here as in the product.
    assert Product.objects.filter(brand="Brand＆Co").count() == len(NAMES)
    assert found("brand&co") == set(NAMES)


LETTERS = st.one_of(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
    st.characters(min_codepoint=0x30A1, max_codepoint=0x30FA),
    st.characters(min_codepoint=0xFF01, max_codepoint=0xFF5D),
    st.characters(min_codepoint=0x20, max_codepoint=0x7E),
    st.sampled_from("ÉéÀüßøÑİΣςσŁ㎡™½①Ⅷ🔥✨★°【】、。～　"),
)
CODES = count(2_000_000)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names=st.lists(st.text(LETTERS, min_size=1, max_size=40), min_size=4, max_size=4), data=st.data())
def test_any_piece_of_a_name_finds_it(names: list[str], data: st.DataObject) -> None:
    codes = [str(next(CODES)) for _ in names]
    Runs().run({category(): [item(code, name=name) for code, name in zip(codes, names, strict=True)]})
    forget_counts()
    for code, name in zip(codes, names, strict=True):
        start = data.draw(st.integers(0, len(name) - 1))
        piece = name[start : start + data.draw(st.integers(1, 10))]
        for word in piece.split():
            assert code in found(word), (name, word)
        # All at once, in another order.
        assert code in found(" ".join(reversed(piece.split())))
        # And nothing is found that does not hold it, as Unicode sees it.
        for word in search_words(piece):
            texts = Product.objects.filter(product_id__in=found(word)).values_list("name", "brand", "product_id")
            plain = [folded("\n".join(text)) for text in texts]
            assert all(folded(word) in text for text in plain), (word, plain)


def folded(text: str) -> str:
    """As Unicode compares texts, but for İ, which PostgreSQL makes one character, and for characters' variants."""
    return unicodedata.normalize("NFKC", text.replace("İ", "i")).casefold().translate(VARIANTS)


# --- Counts ---------------------------------------------------------------------------------------------------------


def test_counts_are_remembered_until_forgotten(goods: None, django_assert_num_queries: Callable[..., Any]) -> None:
    everything = Product.objects.all()
    assert count_rows(everything) == len(NAMES)
    with django_assert_num_queries(0):
        assert count_rows(everything.order_by("price")) == len(NAMES)
    with django_assert_num_queries(1):
        assert count_rows(everything.filter(status="delisted")) == 0
    Product.objects.filter(product_id="1000001").delete()
    assert count_rows(everything) == len(NAMES)
    forget_counts()
    assert count_rows(everything) == len(NAMES) - 1


@pytest.mark.django_db(transaction=True)
def test_an_applied_run_makes_counts_new() -> None:
    runs = Runs()
    runs.run({category(): [item("1000001")]})
    assert count_rows(Product.objects.all()) == 1
    assert found("商品") == {"1000001"}
    runs.run({category(): [item("1000001"), item("1000002")]})
    assert count_rows(Product.objects.all()) == 2
    assert found("商品") == {"1000001", "1000002"}


def test_without_a_cache_counts_and_searches_are_right(settings: Any, client: Client) -> None:
    away = settings.CACHES["default"] | {"LOCATION": f"redis://127.0.0.1:{free_port()}/1"}
    settings.CACHES = {"default": away}
    runs = Runs()
    runs.run({category(): [item("1000001")]})
    assert count_rows(Product.objects.all()) == 1
    runs.run({category(): [item("1000001"), item("1000002")]})
    forget_counts()
    assert count_rows(Product.objects.all()) == 2
    assert found("商品") == {"1000001", "1000002"}
    client.force_login(person())
    body = client.get("/api/products", {"q": "商品"}).json()
    assert (body["total"], len(body["items"])) == (2, 2)


# --- Lowest prices --------------------------------------------------------------------------------------------------


def product_with(*spans: tuple[float, int, float | None], code: str = "1000001") -> Product:
    """A product with spans (days ago, price, days ago of the last sight or None), as of START."""
    moment = {days: START - timedelta(days=days) for begun, _, ended in spans for days in (begun, ended or 0)}
    product = Product.objects.create(
        product_id=code,
        name="品",
        category=category(),
        url="https://www.momoshop.com.tw/product/1000001",
        price=spans[-1][1],
        first_seen_at=moment[spans[0][0]],
        last_seen_at=START,
    )
    for begun, price, ended in spans:
        PriceSpan.objects.create(
            product=product,
            price=price,
            observed_at=moment[begun],
            last_seen_at=None if ended is None else moment[ended],
        )
    return product


@pytest.mark.parametrize(
    ("spans", "lowest"),
    [
        ([(90, 500, None)], 500),
        ([(90, 300, 40), (40, 500, None)], 500),
        ([(90, 300, 30.001), (30, 500, None)], 500),
        ([(90, 300, 30), (29, 500, None)], 300),
        ([(90, 300, 29), (29, 500, None)], 300),
        ([(10, 500, 5), (5, 200, 4), (4, 600, None)], 200),
        ([(90, 300, 40)], None),
        ([(90, 300, 10)], 300),
    ],
)
def test_lowest_price_of_thirty_days(spans: list[tuple[float, int, float | None]], lowest: int | None) -> None:
    product = product_with(*spans)
    assert lowest_price_of(product, now=START) == lowest


@pytest.mark.parametrize("prices", [(900,), (900, 1000), (600, 900, 1000, 900), (1000, 900, 800), (700, 900, 700, 950)])
def test_the_list_has_the_lowest_price_of_any_day(prices: tuple[int, ...], settings: Any) -> None:
    """What is kept with the product holds exactly as long as the spans agree."""
    runs, clerk = Runs(), person()
    for price in prices:
        runs.at += timedelta(days=9)
        runs.run({category(): [item("1000001", price), item("1000002")]})
    product = Product.objects.get(product_id="1000001")
    seen_until = runs.at
    for days in (0, 1, 20, 28, 29, 30, 31, 60):
        expect_lowest(product, clerk, seen_until + timedelta(days=days))
    # Nor does its end, or a return, leave an old figure behind.
    for _ in range(3):
        runs.run({category(): [absent("1000001"), item("1000002")]})
    assert Product.objects.get(pk=product.pk).status == "delisted"
    for days in (0, 10, 31, 45):
        expect_lowest(product, clerk, runs.at + timedelta(days=days))
    runs.at += timedelta(days=40)
    runs.run({category(): [item("1000001", prices[-1] + 100), item("1000002")]})
    assert expect_lowest(product, clerk, runs.at) == prices[-1] + 100


def expect_lowest(product: Product, clerk: User, now: datetime) -> int | None:
    """At `now` the list, the expression of exports and the product's page all have the lowest price of the spans."""
    expected = lowest_of_spans(product, now)
    with time_machine.travel(now, tick=False):
        (found,) = session_client(clerk).get("/api/products", {"q": product.product_id}).json()["items"]
        assert found["lowest_price_30d"] == expected, now
        assert lowest_price_of(product) == expected, now
    return expected


# --- Histories ------------------------------------------------------------------------------------------------------


def taipei(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=TAIPEI)


@pytest.fixture
def storied(db: None) -> Product:
    """100 from the 1st 23:59:59 on, 200 from midnight of the 3rd on, 300 from the 5th at noon until the 7th."""
    product = product_with((0, 1, None))
    PriceSpan.objects.all().delete()
    for begun, price, ended in (
        (taipei(1, 23, 59, 59), 100, taipei(2, 23, 59, 59)),
        (taipei(3), 200, taipei(5, 10)),
        (taipei(5, 12), 300, None),
    ):
        PriceSpan.objects.create(product=product, price=price, observed_at=begun, last_seen_at=ended)
    Product.objects.filter(pk=product.pk).update(last_seen_at=taipei(7, 8))
    product.refresh_from_db()
    return product


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (None, None, [300, 200, 100]),
        (1, 1, [100]),
        (2, 2, [100]),
        (None, 2, [100]),
        (3, 3, [200]),
        (3, None, [300, 200]),
        (4, 4, [200]),
        (5, 5, [300, 200]),
        (6, 6, [300]),
        (7, 7, [300]),
        (8, 8, []),
        (8, None, []),
        (2, 3, [200, 100]),
    ],
)
def test_days_of_a_history_are_taipeis(storied: Product, start: int | None, end: int | None, wanted: list[int]) -> None:
    rows = history_of(
        storied,
        start_date=date(2026, 3, start) if start else None,
        end_date=date(2026, 3, end) if end else None,
    )
    assert [price for _, price, _ in rows] == wanted
    if start:
        assert all(begun >= taipei(start) for begun, _, _ in rows)


def test_a_price_from_before_the_first_day_begins_with_it(storied: Product) -> None:
    ((begun, price, until),) = history_of(storied, start_date=date(2026, 3, 4), end_date=date(2026, 3, 4))
    assert (begun, price, until) == (taipei(4), 200, taipei(5, 10))


def test_the_api_has_it_in_taipei_time(storied: Product, client: Client) -> None:
    client.force_login(person())
    rows = client.get(f"/api/history/{storied.product_id}").json()
    assert [(row["t"], row["p"]) for row in rows] == [
        ("2026-03-05 12:00", 300),
        ("2026-03-03 00:00", 200),
        ("2026-03-01 23:59", 100),
    ]
    # 16:00 in Greenwich is midnight here.
    assert taipei(3) == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert client.get("/api/history/1000001", {"start_date": "2026-03-08"}).json() == []
    assert client.get("/api/history/7654321").status_code == 404


# --- What they cost -------------------------------------------------------------------------------------------------

SESSION = 1  # the session with its user
LIST_READS = 2  # the page with its lowest prices, and how many there are


@pytest.fixture
def many(db: None) -> Client:
    """A person, and 210 products with two prices each."""
    runs, codes = Runs(), [str(number) for number in range(3_000_000, 3_000_210)]
    runs.at = timezone.now() - timedelta(hours=6)
    for price in (1000, 900):
        runs.run({category(): [item(code, price) for code in codes]})
    asker = session_client(person())
    asker.get("/api/products")  # the session's time is written once a while
    return asker


@pytest.mark.parametrize("per_page", [1, 50, 200])
@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ({}, 0),
        ({"filter": "decrease"}, 0),
        ({"filter": "delisted"}, 0),
        ({"q": "商品"}, 2),
        ({"category": "1100100000"}, 1),
        ({"sort_by": "change_percent", "order": "asc"}, 0),
    ],
    ids=["all", "changed", "none", "search", "category", "order"],
)
def test_a_list_takes_as_many_queries_whatever_its_size(
    many: Client, django_assert_num_queries: Callable[..., Any], per_page: int, query: dict[str, str], reads: int
) -> None:
    listing.TOTALS.clear()
    listing.KEYS.clear()
    answers = []
    # Who was found and how many there are holds while nothing changes; which categories are meant is asked each time.
    for remembered in (0, LIST_READS - 1 + (reads if "q" in query else 0)):
        with django_assert_num_queries(SESSION + LIST_READS + reads - remembered):
            answers.append(many.get("/api/products", query | {"per_page": per_page}).json())
    assert answers[0] == answers[1]
    assert len(answers[0]["items"]) == (0 if "delisted" in query.values() else per_page)


def test_a_list_remembers_nothing_that_is_no_longer_true(many: Client) -> None:
    def asked(**query: str) -> tuple[int, int]:
        body = many.get("/api/products", query).json()
        return body["total"], len(body["items"])

    assert (asked(), asked(q="3000007"), asked(filter="delisted")) == ((210, 50), (1, 1), (0, 0))
    Product.objects.filter(product_id="3000007").update(status="delisted")
    assert (asked(), asked(q="3000007"), asked(filter="delisted")) == ((210, 50), (1, 1), (1, 1))
    Product.objects.filter(product_id="3000007").delete()
    assert (asked(), asked(q="3000007"), asked(filter="delisted")) == ((209, 50), (0, 0), (0, 0))


@pytest.mark.parametrize("kind", ["all", "delisted"])
def test_the_order_by_last_sight_is_exact_and_sorted_once_for_each_state_of_the_catalogue(
    many: Client, kind: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    now = timezone.now()
    products = list(Product.objects.order_by("?"))
    for number, product in enumerate(products):
        # Three of each hour, so that the id decides among them.
        product.last_seen_at = now - timedelta(hours=number // 3)
        product.status = "delisted" if number % 2 else "active"
    Product.objects.bulk_update(products, ["last_seen_at", "status"])

    def asked(order: str) -> list[str]:
        codes: list[str] = []
        for page in (1, 2, 3):
            query = {"filter": kind, "sort_by": "last_seen_at", "order": order, "page": page, "per_page": 100}
            codes += [row["product_id"] for row in many.get("/api/products", query).json()["items"]]
        return codes

    def wanted(order: str) -> list[str]:
        rows = Product.objects.filter(status="delisted") if kind == "delisted" else Product.objects.all()
        sign = "-" if order == "desc" else ""
        return list(rows.order_by(f"{sign}last_seen_at", f"{sign}pk").values_list("product_id", flat=True))

    assert asked("asc") == wanted("asc")
    with django_assert_num_queries(3 * (SESSION + 1)):
        newest = asked("desc")
    assert newest == wanted("desc")
    # Seen by the next crawl: nothing but the time changes.
    Product.objects.filter(product_id=newest[-1]).update(last_seen_at=now + timedelta(hours=1))
    assert asked("desc") == wanted("desc") == [newest[-1], *newest[:-1]]


def test_a_history_takes_as_many_queries_whatever_its_length(
    many: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    product = Product.objects.get(product_id="3000000")
    for spans in (2, 301):
        with django_assert_num_queries(SESSION + 2):
            assert len(many.get("/api/history/3000000").json()) == spans
        PriceSpan.objects.bulk_create(
            PriceSpan(product=product, price=n, observed_at=START - timedelta(hours=n), last_seen_at=START)
            for n in range(1, 300)
            if spans == 2
        )


def test_the_status_of_crawling_takes_as_many_queries_whatever_was_crawled(
    many: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    # The running run, the last one and its progress, the schedule.
    for _ in range(2):
        with django_assert_num_queries(SESSION + 4):
            body = many.get("/api/system/crawler/status").json()["data"]
        runs = Runs()
        runs.at = timezone.now() - timedelta(hours=1)
        for _ in range(3):
            runs.run({category(): [item("3000000")]})
    assert body["running"] is None
    assert body["last"]["counts"]["decrease"] == 0
