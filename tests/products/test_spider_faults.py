"""The spider against a shop that refuses, fails, breaks off, redirects or forbids."""

from __future__ import annotations

import time

import pytest

from products.spiders.protocol import CategoryJob, CategoryLine, ErrorLine, ItemLine
from tests.products.children import page_of, run, three_pages
from tests.products.standin import (
    BLOCKED_PAGE,
    Answer,
    Shop,
    listing,
    product_page,
)


def test_403_blocks_and_is_not_repeated(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(status=403))
    shop.category("D", [page_of(0)])
    done = run(shop, CategoryJob("C", known=("P90",)), CategoryJob("D"))

    assert done.category("C").outcome == "blocked"
    assert "403" in done.category("C").message
    assert "第 1 頁" in done.category("C").message
    assert len(shop.asked("list", "C")) == 1
    assert shop.asked("product") == []
    assert done.kinds == ["forbidden"]
    assert done.category("D").outcome == "complete"


def test_403_within_a_category_stops_asking_it(shop: Shop) -> None:
    for number in range(1, 21):
        shop.answer(("list", "C", number), listing(page_of(number * 5), 20, 100))
    shop.answer(("list", "C", 3), Answer(status=403))
    line = run(shop, concurrency=1).category()
    assert (line.outcome, line.pages) == ("blocked", 2)
    assert len(shop.asked("list")) == 3


def test_the_blocked_page_in_place_of_json(shop: Shop) -> None:
    shop.answer(("list", "C", 1), BLOCKED_PAGE)
    done = run(shop)
    assert done.category().outcome == "blocked"
    assert len(shop.asked("list")) == 1


def test_429_waits_for_its_retry_after_and_holds_back_the_others(shop: Shop) -> None:
    pages = [page_of(number * 5) for number in range(6)]
    shop.category("C", pages)
    shop.answer(("list", "C", 2), Answer(status=429, headers={"Retry-After": "1"}), listing(pages[1], 6, 30))
    done = run(shop)

    assert done.category().outcome == "complete"
    told, again = (asked.at for asked in shop.asked("list", "C", 2))
    assert again - told >= 1.0
    # One other request may have been under way already when the shop said to wait.
    assert sum(told < asked.at < told + 0.95 for asked in shop.asked("list")) <= 2
    assert done.lines[-1].retries == 1


def test_503_with_a_date_to_wait_for(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(status=503, until=1), listing(page_of(0)))
    done = run(shop)
    assert done.category().outcome == "complete"
    first, second = (asked.at for asked in shop.asked("list", "C", 1))
    assert second - first >= 0.99


def test_429_that_outlasts_the_retries_is_blocked(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(status=429))
    done = run(shop)
    assert done.category().outcome == "blocked"
    assert "429" in done.category().message
    assert len(shop.asked("list")) == 3


def test_a_wait_beyond_the_cap_ends_all_asking(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(status=429, headers={"Retry-After": "3600"}))
    shop.category("D", [page_of(0)])
    began = time.monotonic()
    done = run(shop, CategoryJob("C"), CategoryJob("D"), concurrency=1)

    assert time.monotonic() - began < 20
    assert [done.category(code).outcome for code in "CD"] == ["blocked", "blocked"]
    assert "3,600" in done.category("C").message
    assert len(shop.asked("list")) == 1


def test_server_errors_pass(shop: Shop) -> None:
    statuses = [500, 502, 503, 504, 522]
    for status in statuses:
        shop.answer(("list", f"C{status}", 1), Answer(status=status), Answer(status=status), listing(page_of(status)))
    done = run(shop, *(CategoryJob(f"C{status}") for status in statuses))
    assert {line.outcome for line in done.of(CategoryLine)} == {"complete"}
    assert done.lines[-1].retries == 10


def test_a_server_error_that_stays_fails(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(status=502))
    done = run(shop)
    assert done.category().outcome == "failed"
    assert "502" in done.category().message
    assert len(shop.asked("list")) == 3


def test_one_unreadable_page_is_partial_and_the_others_are_read(shop: Shop) -> None:
    three_pages(shop)
    shop.answer(("list", "C", 2), Answer(status=500))
    done = run(shop, CategoryJob("C", known=("P5",)))
    line = done.category()
    assert (line.outcome, line.pages, line.seen) == ("partial", 2, 7)
    assert "第 2 頁" in line.message
    assert shop.asked("product") == []


def test_a_shop_that_keeps_failing_is_left_alone(shop: Shop) -> None:
    shop.answer(("list", "C", 1), listing(page_of(0), 50, 250))
    done = run(shop, concurrency=1, retry_times=0)  # the stand-in answers 404 for the other pages
    assert done.category().outcome == "partial"
    assert len(shop.asked("list")) == 4


def test_truncated_json_is_read_again_once(shop: Shop) -> None:
    whole = listing(page_of(0))
    shop.answer(("list", "C", 1), whole[:-200], whole)
    done = run(shop)
    assert done.category().outcome == "complete"
    assert done.lines[-1].retries == 1


def test_truncated_json_to_the_end_fails(shop: Shop) -> None:
    shop.answer(("list", "C", 1), listing(page_of(0))[:-200])
    done = run(shop)
    assert done.category().outcome == "failed"
    assert "不完整" in done.category().message
    assert done.kinds == ["truncated"]
    assert len(shop.asked("list")) == 2


def test_dropped_connections_pass_or_fail(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(drop=True), listing(page_of(0)))
    shop.answer(("list", "D", 1), Answer(drop=True))
    done = run(shop, CategoryJob("C"), CategoryJob("D"))
    assert [done.category(code).outcome for code in "CD"] == ["complete", "failed"]


def test_a_shop_that_does_not_answer_in_time(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(listing(page_of(0)), delay=1.5))
    done = run(shop, timeout=0.3, retry_times=1)
    assert done.category().outcome == "failed"
    assert done.kinds == ["timeout"]
    assert len(shop.asked("list")) == 2


def test_a_shop_that_is_not_there() -> None:
    with Shop() as gone:
        pass
    done = run(gone)
    assert done.category().outcome == "failed"
    assert done.kinds == ["network"]


def test_an_answer_that_is_too_large_is_not_taken(shop: Shop) -> None:
    shop.answer(("list", "C", 1), b'{"x":"' + b"a" * (9 * 1024 * 1024) + b'"}')
    done = run(shop, fresh=True)
    assert done.category().outcome == "failed"
    assert done.lines[-1].peak_rss_bytes < 120 * 1024 * 1024


def test_no_redirect_leads_to_another_host(shop: Shop) -> None:
    statuses = [301, 302, 303, 307, 308]
    with Shop() as other:
        away = {"Location": f"{other.url}/api/moecapp/getCategoryGoodsV3"}
        for status in statuses:
            other.answer(("list", f"C{status}", 1), listing(page_of(0)))
            shop.answer(("list", f"C{status}", 1), Answer(status=status, headers=away))
        shop.category("D", [page_of(0)])
        shop.answer(("product", "AWAY"), Answer(status=301, headers=away))
        done = run(shop, CategoryJob("D", known=("AWAY",)), *(CategoryJob(f"C{status}") for status in statuses))
        assert other.log == []
    assert {done.category(f"C{status}").outcome for status in statuses} == {"failed"}
    assert set(done.kinds) == {"redirect"}
    assert done.absent == {"AWAY": "error"}


def test_redirects_on_the_same_host_are_followed_within_bounds(shop: Shop) -> None:
    shop.category("C", [page_of(0)])
    shop.answer(("product", "OLD"), Answer(status=301, headers={"Location": "/goods/NEW"}))
    shop.answer(("product", "NEW"), product_page("OLD"))
    shop.answer(("product", "LOOP"), Answer(status=302, headers={"Location": "/product/LOOP"}))
    done = run(shop, CategoryJob("C", known=("OLD", "LOOP")))
    assert done.absent == {"LOOP": "error"}
    assert [item.product_id for item in done.of(ItemLine) if item.source == "page"] == ["OLD"]
    assert len(shop.asked("product", "LOOP")) == 4


def test_a_redirect_to_something_else_says_nothing_about_the_product(shop: Shop) -> None:
    shop.category("C", [page_of(0)])
    shop.answer(("product", ""), "<meta property='og:title' content='momo購物網'>今日熱銷 已售完".encode())
    shop.answer(("product", "NEW"), product_page("NEW"))
    for code, target in {"HOME": "/", "MOVED": "/product/NEW", "AGAIN": "/product/AGAIN?x=1"}.items():
        shop.answer(("product", code), Answer(status=302, headers={"Location": target}), product_page(code))
    done = run(shop, CategoryJob("C", known=("P0", "P1", "HOME", "MOVED", "AGAIN")))
    assert done.absent == {"HOME": "error", "MOVED": "error"}
    assert {error.product_id: error.kind for error in done.of(ErrorLine)} == {"HOME": "redirect", "MOVED": "mismatch"}
    assert [item.product_id for item in done.of(ItemLine) if item.source == "page"] == ["AGAIN"]


def test_robots_txt_is_obeyed(shop: Shop) -> None:
    shop.answer(("robots",), b"User-agent: *\nDisallow: /api/\n")
    shop.category("C", [page_of(0)])
    done = run(shop)
    assert done.category().outcome == "blocked"
    assert "robots.txt" in done.category().message
    assert shop.asked("list") == []


def test_robots_txt_is_not_asked_for_when_the_job_says_so(shop: Shop) -> None:
    shop.answer(("robots",), b"User-agent: *\nDisallow: /\n")
    shop.category("C", [page_of(0)])
    assert run(shop, robots=False).category().outcome == "complete"
    assert shop.asked("robots") == []


@pytest.mark.parametrize(
    "answer", [Answer(status=500), Answer(status=403), Answer(drop=True), Answer(b"\xff\x00<html>")]
)
def test_a_robots_txt_that_fails_does_not_end_the_crawl(shop: Shop, answer: Answer) -> None:
    shop.answer(("robots",), answer)
    shop.category("C", [page_of(0)])
    assert run(shop).category().outcome == "complete"
