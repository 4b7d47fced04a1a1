"""The spider's child process over real HTTP: how it walks categories and looks up what they no longer list."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from products.spiders.protocol import CategoryJob, ErrorLine, ItemLine, ProgressLine
from tests.products.children import AGENT, page_of, run, three_pages
from tests.products.standin import (
    BLOCKED_PAGE,
    EMPTY,
    Answer,
    Shop,
    goods,
    listing,
    product_page,
)


def test_a_complete_category(shop: Shop) -> None:
    three_pages(shop)
    done = run(shop)

    line = done.category()
    assert line.outcome == "complete"
    assert (line.pages, line.max_page, line.total, line.seen) == (3, 3, 12, 12)
    assert line.message
    items = {item.product_id: item for item in done.of(ItemLine)}
    assert list(items) == list(dict.fromkeys(items))
    assert sorted(items) == sorted(f"P{number}" for number in range(12))
    item = items["P0"]
    assert datetime.now(UTC) - datetime.fromisoformat(item.observed_at) < timedelta(minutes=1)
    assert item._replace(observed_at="") == ItemLine(
        category="C",
        product_id="P0",
        name="【測試牌】商品 P0",
        brand="測試牌",
        price=1280,
        list_price=1990,
        url="https://www.momoshop.com.tw/product/P0",
        image_url="https://i1.momoshop.com.tw/goodsimg/P0_OR_m.webp",
        in_stock=True,
        upcoming=False,
        source="list",
        observed_at="",
    )


def test_the_request_is_the_documented_one_and_honest(shop: Shop) -> None:
    three_pages(shop)
    run(shop, CategoryJob("C", level="2"), page_size=35)

    assert [asked.key for asked in shop.log][:2] == [("robots",), ("list", "C", 1)]
    asked = shop.asked("list", "C", 2)[0]
    assert asked.body == {
        "host": "momoshop",
        "data": {
            "cateCode": "C",
            "cateLevel": "2",
            "curPage": "2",
            "sortType": "",
            "dispCnt": "35",
            "brandCode": [],
            "brandName": [],
        },
    }
    assert asked.headers["user-agent"] == AGENT
    assert asked.headers["content-type"] == "application/json"
    assert "gzip" in asked.headers["accept-encoding"]
    assert "Cookie" not in asked.headers


def test_counts_progress_and_end(shop: Shop) -> None:
    three_pages(shop)
    shop.answer(("list", "C", 2), Answer(status=500), listing(page_of(5), 3, 12))
    done = run(shop, fresh=True)

    end = done.lines[-1]
    assert (end.requests, end.retries) == (5, 1)  # robots.txt, three pages, one of them twice
    assert end.seconds > 0
    assert 20_000_000 < end.peak_rss_bytes < 300 * 1024 * 1024
    assert done.of(ProgressLine)[0].pages_expected == 1
    last = done.of(ProgressLine)[-1]
    assert (last.requests, last.items, last.pages, last.pages_expected) == (5, 12, 3, 3)
    assert done.raw.isascii()


def test_a_long_crawl_reports_its_progress_at_most_twice_a_second(shop: Shop) -> None:
    pages = [page_of(number * 5) for number in range(14)]
    for number, entries in enumerate(pages, 1):
        shop.answer(("list", "C", number), Answer(listing(entries, 14, 70), delay=0.1))
    done = run(shop, concurrency=1)
    assert 3 <= len(done.of(ProgressLine)) <= 6
    assert done.category().seen == 70


def test_delay_and_autothrottle_space_the_requests(shop: Shop) -> None:
    three_pages(shop)
    run(shop, delay=0.4, autothrottle=True)
    times = [asked.at for asked in shop.log]
    # Scrapy varies the delay by half, so that requests do not come to a beat.
    assert all(later - earlier >= 0.19 for earlier, later in itertools.pairwise(times))


def test_one_product_in_two_pages_and_two_categories_is_reported_once_for_each_category(shop: Shop) -> None:
    shop.category("A", [[goods("X"), goods("X"), goods("Y")], [goods("X"), goods("Z")]], total=3)
    shop.category("B", [[goods("X")]])
    done = run(shop, CategoryJob("A"), CategoryJob("B"))

    items = sorted((item.category, item.product_id) for item in done.of(ItemLine))
    assert items == [("A", "X"), ("A", "Y"), ("A", "Z"), ("B", "X")]
    assert [done.category(code).outcome for code in "AB"] == ["complete", "complete"]


def test_sold_out_upcoming_and_unreadable_prices(shop: Shop) -> None:
    odd = goods("ODD", goodsPrice="599~899", SALE_PRICE=None, goodsPriceModel=None)
    shop.category("C", [[goods("OUT", goodsStock="0"), goods("SOON", onSaleDescription="12/01 開賣"), odd]])
    done = run(shop)

    items = {item.product_id: item for item in done.of(ItemLine)}
    assert items["OUT"].in_stock is False
    assert items["SOON"].upcoming is True
    assert items["ODD"].price is None
    (error,) = done.of(ErrorLine)
    assert (error.kind, error.product_id, error.value) == ("price", "ODD", "599~899")
    assert "範圍" in error.message
    assert done.category().outcome == "complete"


def test_an_empty_category(shop: Shop) -> None:
    shop.answer(("list", "C", 1), EMPTY)
    shop.answer(("list", "D", 1), listing([]))
    done = run(shop, CategoryJob("C"), CategoryJob("D"))
    assert [done.category(code).outcome for code in "CD"] == ["empty", "empty"]
    assert done.of(ErrorLine) == []


def test_no_goods_although_the_shop_counts_some_is_partial(shop: Shop) -> None:
    shop.answer(("list", "C", 1), listing([], max_page=1, total=40))
    assert run(shop).category().outcome == "partial"


def test_a_repeated_page_ends_the_walk_as_partial(shop: Shop) -> None:
    for number in range(1, 21):
        shop.answer(("list", "C", number), listing(page_of(0 if number == 1 else 5), 20, 100))
    done = run(shop, CategoryJob("C", known=("GONE",)))

    line = done.category()
    assert (line.outcome, line.seen) == ("partial", 10)
    assert "相同" in line.message
    assert len(shop.asked("list")) <= 5  # not all twenty
    assert shop.asked("product") == []


def test_a_repeat_after_all_goods_were_shown_is_complete(shop: Shop) -> None:
    shop.category("C", [page_of(0), page_of(5), page_of(5)], total=10)
    assert run(shop).category().outcome == "complete"


def test_fewer_goods_than_the_total_is_partial(shop: Shop) -> None:
    shop.category("C", [page_of(0), page_of(5)], total=11)
    line = run(shop).category()
    assert line.outcome == "partial"
    assert "11" in line.message


def test_two_percent_fewer_is_complete(shop: Shop) -> None:
    shop.category("C", [page_of(0, 98)], total=100)
    assert run(shop).category().outcome == "complete"


def test_entries_without_goods_and_goods_listed_twice_leave_a_walk_complete(shop: Shop) -> None:
    shop.category("C", [[*page_of(0, 18), goods("", goodsName="廣告")]], total=19)
    shop.category("D", [page_of(0), [*page_of(5), goods("P0")]], total=11)
    shop.category("E", [page_of(0), [*page_of(5, 2), *page_of(0, 4)]], total=11)
    done = run(shop, CategoryJob("C"), CategoryJob("D"), CategoryJob("E"))
    assert [done.category(code).outcome for code in "CDE"] == ["complete", "complete", "partial"]


def test_a_category_longer_than_the_bound_is_partial(shop: Shop) -> None:
    three_pages(shop)
    for number in (1, 2):
        shop.answer(("list", "D", number), listing(page_of(5 * number - 5), 0, 12))
    done = run(shop, CategoryJob("C"), CategoryJob("D"), max_pages=2)
    for line in (done.category("C"), done.category("D")):
        assert (line.outcome, line.pages) == ("partial", 2)
        assert "上限" in line.message
        assert "CRAWL_MAX_PAGES" in line.message


def test_a_list_that_does_not_say_how_long_it_is(shop: Shop) -> None:
    three_pages(shop)
    body = listing(page_of(0), 3, 12).replace(b'"maxPage": 3', b'"maxPage": null')
    shop.answer(("list", "C", 1), body)
    done = run(shop)
    assert (done.category().outcome, done.category().seen) == ("complete", 12)
    assert done.kinds == ["count"]


def test_unlisted_products_are_looked_up_one_by_one(shop: Shop) -> None:
    three_pages(shop)
    answers: dict[str, Answer | bytes] = {
        "K1": product_page("K1", price="1,299"),
        "K2": product_page("K2", availability="out of stock"),
        "K3": BLOCKED_PAGE,
        "K4": b"<html><title>?</title></html>",
        "K5": Answer(status=500),
        "K6": Answer(status=404),
        "K7": product_page("OTHER"),
    }
    for code, answer in answers.items():
        shop.answer(("product", code), answer)
    done = run(shop, CategoryJob("C", known=("P0", "P1", *answers)), retry_times=1)

    assert done.category().outcome == "complete"
    pages = {item.product_id: item for item in done.of(ItemLine) if item.source == "page"}
    assert {code: (item.in_stock, item.price) for code, item in pages.items()} == {
        "K1": (True, 1299),
        "K2": (False, 1299),
    }
    assert pages["K1"].url == f"{shop.url}/product/K1"
    assert done.absent == {"K3": "missing", "K4": "error", "K5": "error", "K6": "missing", "K7": "error"}
    assert {error.product_id: error.kind for error in done.of(ErrorLine)} == {
        "K4": "unreadable",
        "K5": "http",
        "K7": "mismatch",
    }
    assert shop.asked("product", "P1") == []


def test_a_product_listed_in_another_category_is_not_missing(shop: Shop) -> None:
    shop.category("A", [page_of(0)])
    shop.answer(("list", "B", 1), Answer(listing([goods("MOVED")]), delay=0.3))
    done = run(shop, CategoryJob("A", known=("P0", "MOVED")), CategoryJob("B"))
    assert shop.asked("product") == []
    assert done.absent == {}


def test_an_entry_without_a_name_is_not_missing(shop: Shop) -> None:
    shop.category("C", [[goods("P0"), goods("P1", goodsName="")]])
    done = run(shop, CategoryJob("C", known=("P0", "P1")))
    assert shop.asked("product") == []
    assert done.kinds == ["item"]


def test_however_many_are_missing_they_are_looked_up_in_their_order_within_the_bound(shop: Shop) -> None:
    three_pages(shop)
    known = ("P0", "P1", "P2", "P3", "P4", "P5", "P6", "K3", "K1", "K2")
    for code in ("K1", "K2", "K3"):
        shop.answer(("product", code), product_page(code, availability="out of stock"))
    done = run(shop, CategoryJob("C", known=known), max_lookups=2)
    assert done.category().outcome == "complete"
    assert "共 3 件" in done.category().message
    assert {asked.key[1] for asked in shop.asked("product")} == {"K3", "K1"}
    assert done.absent == {}


CONTROLS: dict[str, tuple[dict[str, Answer | bytes], bool]] = {
    "one of three is gone": ({"P0": BLOCKED_PAGE, "P5": product_page("P5"), "P10": product_page("P10")}, True),
    "the shop blocks us": ({"P0": BLOCKED_PAGE, "P5": BLOCKED_PAGE}, False),
    "another page comes": ({"P0": product_page("P1"), "P5": product_page("P1")}, False),
}


@pytest.mark.parametrize(("pages", "answer"), CONTROLS.values(), ids=CONTROLS)
def test_a_missing_page_proves_something_if_pages_of_goods_on_sale_open(
    shop: Shop, pages: dict[str, Answer | bytes], answer: bool
) -> None:
    three_pages(shop)
    for code, page in (pages | {"K1": BLOCKED_PAGE}).items():
        shop.answer(("product", code), page)
    done = run(shop, CategoryJob("C", known=("P0", "K1")), retry_times=0)
    assert done.absent == {"K1": "missing"}
    assert done.category().pages_answer is answer
    assert done.kinds == []


def test_goods_of_other_categories_show_whether_pages_open_when_nothing_is_listed(shop: Shop) -> None:
    shop.answer(("list", "C", 1), EMPTY)
    for code, page in {"K1": BLOCKED_PAGE, "X1": product_page("X1"), "X2": product_page("X2")}.items():
        shop.answer(("product", code), page)
    job = CategoryJob("C", known=("K1",))
    assert run(shop, job, controls=("X1", "X2")).category().pages_answer is True
    assert run(shop, job).category().pages_answer is None


def test_a_refused_page_needs_no_control(shop: Shop) -> None:
    three_pages(shop)
    shop.answer(("product", "K1"), Answer(status=403))
    done = run(shop, CategoryJob("C", known=("K1",)))
    assert done.category().pages_answer is False
    assert "403" in done.category().message
    assert len(shop.asked("product")) == 1


def test_a_product_page_that_leads_elsewhere_is_not_believed(shop: Shop) -> None:
    three_pages(shop)
    shop.answer(("product", "K1"), Answer(status=302, headers={"Location": "/"}))
    shop.answer(("product", "K2"), Answer(status=301, headers={"Location": "/product/OTHER"}))
    shop.answer(("product", ""), "<meta property='og:title' content='momo購物網'/><body>已售完</body>".encode())
    shop.answer(("product", "OTHER"), product_page("OTHER"))
    for code in ("P0", "P5"):
        shop.answer(("product", code), product_page(code))
    done = run(shop, CategoryJob("C", known=("K1", "K2")))
    assert done.absent == {"K1": "error", "K2": "error"}
    assert {error.product_id: error.kind for error in done.of(ErrorLine)} == {"K1": "redirect", "K2": "mismatch"}
    assert done.category().pages_answer is True
    assert all(item.source == "list" for item in done.of(ItemLine))


def test_few_missing_products_are_looked_up_whatever_their_share(shop: Shop) -> None:
    three_pages(shop)
    for code in ("K1", "K2"):
        shop.answer(("product", code), BLOCKED_PAGE)
    done = run(shop, CategoryJob("C", known=("P0", "K1", "K2")))
    assert done.absent == {"K1": "missing", "K2": "missing"}


def test_a_known_id_that_is_no_goods_code_is_not_asked_for(shop: Shop) -> None:
    three_pages(shop)
    done = run(shop, CategoryJob("C", known=("P0", "../admin", "")))
    assert done.absent == {"../admin": "error", "": "error"}
    assert done.kinds == ["product_id", "product_id"]
    assert shop.asked("product") == []


def test_a_block_ends_the_looking_up(shop: Shop) -> None:
    three_pages(shop)
    known = [f"K{number}" for number in range(10)]
    for code in known:
        shop.answer(("product", code), Answer(status=403))
    done = run(shop, CategoryJob("C", known=tuple(known)), concurrency=1)
    assert done.absent == dict.fromkeys(known, "blocked")
    assert len(shop.asked("product")) == 1
