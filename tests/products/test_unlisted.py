"""Goods that their category no longer lists: known, missing or gone; and how a category that waits comes to an end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from products.models import Alert, CategoryResult, CrawlRun, PriceEvent, Product, Unlisted
from products.services.apply import apply_run
from products.services.closing import NothingToConfirm, confirm_gone
from products.services.notify import notify_alerts
from products.services.runs import start_run
from products.services.shards import build_job
from tests.products.factories import Runs, absent, category, failed, item, on_page
from tests.products.notifying import messages, now_runs, subscribe

pytestmark = pytest.mark.django_db

CODES = [f"20000{number:02}" for number in range(40)]


def listed(codes: list[str]) -> list[dict[str, Any]]:
    return [item(code) for code in codes]


def delisted() -> set[str]:
    return set(Product.objects.filter(status="delisted").values_list("product_id", flat=True))


class Shop:
    """A category of forty goods beside another that is always well."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.home, self.other = category("1100100000"), category("1100200000")
        self.sees(listed(CODES))

    def sees(
        self, goods: list[dict[str, Any]], outcome: str = "complete", *, pages_answer: bool | None = None
    ) -> CrawlRun:
        seen = {self.home: goods, self.other: [item("9000001")]}
        return self.runs.run(seen, {self.home: outcome}, pages_answer={self.home: pages_answer})

    def result(self) -> CategoryResult:
        return CategoryResult.objects.filter(category=self.home).latest("run_id")


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop(now_runs())


def test_goods_that_leave_the_list_one_by_one_lock_nothing(shop: Shop) -> None:
    """Each run one more is sold out or moved away, as its own page says; one of the last is really gone."""
    sold_out: list[str] = []
    for code in CODES[:30]:
        sold_out.append(code)
        pages = [on_page(one, in_stock=number % 2 == 0) for number, one in enumerate(sold_out)]
        run = shop.sees(listed(CODES[len(sold_out) :]) + pages, pages_answer=True)
        assert (run.verdict, shop.result().missing) == ("ok", 0)
    for _ in range(3):
        run = shop.sees([*listed(CODES[30:39]), absent(CODES[39])], pages_answer=True)
        assert run.verdict == "ok"
    assert delisted() == {CODES[39]}
    assert not Alert.objects.exists()


def test_a_third_of_a_category_that_is_gone_is_delisted_after_equal_runs(shop: Shop, settings: Any) -> None:
    gone = [absent(code) for code in CODES[:13]]
    for _ in range(settings.CRAWL_SUSPECT_RUNS - 1):
        run = shop.sees(listed(CODES[13:]) + gone, pages_answer=True)
        assert (run.verdict, shop.result().waits, delisted()) == ("suspect", True, set())
        assert "13" in shop.result().message
    run = shop.sees(listed(CODES[13:]) + gone, pages_answer=True)
    assert (run.verdict, run.delisted, delisted()) == ("ok", 13, set(CODES[:13]))
    assert Alert.objects.get().resolved_at is not None
    assert not Unlisted.objects.exists()


def test_missing_goods_whose_pages_lead_elsewhere_are_in_the_end_the_new_state(shop: Shop, settings: Any) -> None:
    pages = [failed(code) for code in CODES[:13]]
    verdicts = [
        shop.sees(listed(CODES[13:]) + pages, pages_answer=True).verdict for _ in range(settings.CRAWL_SUSPECT_RUNS + 2)
    ]
    assert verdicts == ["suspect"] * (settings.CRAWL_SUSPECT_RUNS - 1) + ["ok"] * 3
    assert delisted() == set()
    for _ in range(3):
        shop.sees([*listed(CODES[13:39]), *pages, absent(CODES[39])], pages_answer=True)
    assert delisted() == {CODES[39]}


def test_a_closed_category_whose_goods_live_on_is_believed_after_equal_runs(shop: Shop, settings: Any) -> None:
    pages = [on_page(code) for code in CODES]
    verdicts = [shop.sees(pages, "empty").verdict for _ in range(settings.CRAWL_SUSPECT_RUNS + 1)]
    assert verdicts == ["suspect"] * (settings.CRAWL_SUSPECT_RUNS - 1) + ["ok"] * 2
    assert delisted() == set()
    assert Alert.objects.get().resolved_at is not None


def test_one_empty_answer_delists_nothing_and_is_forgotten(shop: Shop) -> None:
    for code in CODES[:2]:
        shop.sees([*listed(CODES[2:]), absent(code)])
    assert shop.sees([absent(code) for code in CODES], "empty", pages_answer=True).verdict == "suspect"
    assert (shop.sees(listed(CODES)).verdict, delisted()) == ("ok", set())
    assert not Unlisted.objects.exists()


def test_a_run_that_saw_nothing_proves_nothing_however_often(shop: Shop, settings: Any) -> None:
    for _ in range(settings.CRAWL_SUSPECT_RUNS + 4):
        goods = {shop.home: [absent(code) for code in CODES], shop.other: [absent("9000001")]}
        run = shop.runs.run(goods, {shop.home: "empty", shop.other: "empty"})
        assert run.verdict == "failed"
    assert delisted() == set()


class TestPagesThatDoNotAnswer:
    """Lists are open, product pages are not: prices go on, delistings wait for the pages or for a person."""

    @pytest.fixture
    def waiting(self, shop: Shop) -> Shop:
        for code in ("blocked page", "403", "403"):
            pages = [absent(CODES[0]), failed(CODES[1])] if code == "blocked page" else [failed(CODES[0])]
            run = shop.sees([*listed(CODES[2:39]), item(CODES[39], 900), *pages], pages_answer=False)
            assert run.verdict == "suspect"
        return shop

    def test_lists_are_applied_nothing_is_delisted_and_one_alert_says_so(self, waiting: Shop) -> None:
        assert Product.objects.get(product_id=CODES[39]).price == 900
        assert Product.objects.filter(misses__gt=0).count() == 0
        alert = Alert.objects.get()
        assert alert.category_codes == [waiting.home.code]
        assert "商品頁" in alert.message
        for _ in range(3):
            waiting.sees([*listed(CODES[2:]), absent(CODES[0]), absent(CODES[1])], pages_answer=True)
        assert delisted() == set(CODES[:2])
        alert.refresh_from_db()
        assert alert.resolved_at is not None

    def test_a_person_decides_and_it_is_told_once(self, waiting: Shop) -> None:
        assert confirm_gone(category=waiting.home) == 2
        assert delisted() == set(CODES[:2])
        assert PriceEvent.objects.filter(kind="delisted").count() == 2
        assert Alert.objects.get().resolved_at is not None
        assert waiting.result().run.delisted == 2
        with pytest.raises(NothingToConfirm):
            confirm_gone(category=waiting.other)
        run = waiting.sees(listed(CODES[2:]))
        assert (run.verdict, run.delisted) == ("ok", 0)
        with pytest.raises(NothingToConfirm):
            confirm_gone(category=waiting.home)


def test_a_person_confirms_that_a_category_is_closed(shop: Shop) -> None:
    pages = [on_page(code) for code in CODES[:5]] + [absent(code) for code in CODES[5:]]
    assert shop.sees(pages, "empty", pages_answer=True).verdict == "suspect"
    assert confirm_gone(category=shop.home) == 35
    assert shop.sees(pages[:5], "empty").verdict == "ok"
    assert Product.objects.exclude(status="delisted").count() == 6


def test_look_ups_take_turns(shop: Shop, settings: Any) -> None:
    shop.sees([*listed(CODES[4:]), on_page(CODES[2]), failed(CODES[3])])
    shop.sees([*listed(CODES[4:]), absent(CODES[0])])
    run = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False).run
    jobs = [build_job(shard) for shard in run.shards.order_by("number")]
    (job,) = [job for job in jobs if any(one.code == shop.home.code for one in job.categories)]
    known = next(one.known for one in job.categories if one.code == shop.home.code)
    assert [code for code in known if code in CODES[:4]] == [CODES[1], CODES[2], CODES[3], CODES[0]]
    assert job.max_lookups == settings.CRAWL_MAX_LOOKUPS
    assert job.controls == ("9000001",)


def test_goods_that_move_between_shards_move_home(shop: Shop) -> None:
    """One shard lists what another, not knowing that, has looked up."""
    goods = {shop.home: [*listed(CODES[1:]), on_page(CODES[0])], shop.other: [item("9000001"), item(CODES[0])]}
    shop.runs.run(goods)
    assert Product.objects.get(product_id=CODES[0]).category == shop.other
    assert not Unlisted.objects.exists()


def test_an_open_alert_is_notified_again_after_days(shop: Shop, settings: Any) -> None:
    subscribe("crawl_suspect")
    shop.sees([], "blocked")
    now = timezone.now()
    assert notify_alerts(now=now) == 1
    shop.sees(listed(CODES[20:]))
    later = now + timedelta(days=settings.CRAWL_REMIND_DAYS)
    assert notify_alerts(now=later - timedelta(minutes=1)) == 0
    assert (notify_alerts(now=later), notify_alerts(now=later)) == (1, 0)
    assert "提醒（第 1 次）" in messages()[-1].body
    assert "40 件商品中有 20 件未見" in messages()[-1].body
    assert notify_alerts(now=later + timedelta(days=settings.CRAWL_REMIND_DAYS)) == 1
    Alert.objects.update(resolved_at=now)
    assert notify_alerts(now=later + timedelta(days=99)) == 0
    assert len(messages()) == 3


class TestUnreadPrices:
    """Prices that cannot be read are told of where they are many."""

    def unread(self, shop: Shop, number: int, text: str = "NT 1.000.-") -> CrawlRun:
        goods = [item(code, None) for code in CODES[:number]] + listed(CODES[number:])
        run = shop.runs.crawled({shop.home: goods, shop.other: [item("9000001")]})
        run.errors.create(category_code=shop.home.code, kind="price", code=CODES[0], value=text, message="價格無法確定")
        assert apply_run(run.pk, now=shop.runs.at)
        run.refresh_from_db()
        return run

    @pytest.mark.parametrize(("number", "verdict"), [(8, "ok"), (9, "suspect"), (40, "suspect")])
    def test_above_the_bound_the_run_is_suspect_and_names_them(self, shop: Shop, number: int, verdict: str) -> None:
        run = self.unread(shop, number)
        assert (run.verdict, shop.result().unread, shop.result().waits) == (verdict, number, False)
        assert Alert.objects.count() == (verdict == "suspect")
        if verdict == "suspect":
            assert f"40 件商品中有 {number} 件的售價讀不到，例如「NT 1.000.-」" in Alert.objects.get().message
            shop.sees(listed(CODES))
            assert Alert.objects.get().resolved_at is not None

    def test_a_new_category_without_one_readable_price_is_suspect_and_no_baseline(self, shop: Shop) -> None:
        new = category("1100300000")
        run = shop.runs.run({new: [item("7000001", None)], shop.other: [item("9000001")]})
        assert (run.verdict, Alert.objects.get().category_codes) == ("suspect", [new.code])
        run = shop.runs.run({new: [item("7000001")], shop.other: [item("9000001")]})
        assert (run.verdict, run.new) == ("ok", 0)

    def test_delistings_go_on(self, shop: Shop) -> None:
        goods = [item(code, None) for code in CODES[1:]]
        for _ in range(3):
            run = shop.sees([*goods, absent(CODES[0])])
        assert (run.verdict, delisted()) == ("suspect", {CODES[0]})
