"""What a run makes of products, prices and events."""

from __future__ import annotations

from collections import Counter

import pytest

from products.models import Alert, Category, CategoryResult, CrawlRun, PriceEvent, PriceSpan, Product, QuarantinedPrice
from products.selectors.products import history_of
from products.services.apply import apply_run
from products.services.quarantine import AlreadyDecided, accept_price, reject_price
from tests.products.factories import Runs, absent, category, item

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs() -> Runs:
    return Runs()


def events(run: CrawlRun) -> Counter[str]:
    return Counter(PriceEvent.objects.filter(run=run).values_list("kind", flat=True))


def prices(product_id: str) -> list[int]:
    product = Product.objects.get(product_id=product_id)
    return [price for _, price, _ in reversed(history_of(product))]


def test_first_walk_is_a_baseline_without_news(runs: Runs) -> None:
    home = category()
    first = runs.run({home: [item("1000001"), item("1000002")]})
    assert events(first) == {}
    second = runs.run({home: [item("1000001"), item("1000002"), item("1000003")]})
    assert events(second) == {"new": 1}
    assert second.new == 1
    assert second.verdict == "ok"


def test_price_moves_are_events_spans_and_columns(runs: Runs) -> None:
    home = category()
    runs.run({home: [item("1000001", 1000), item("1000002", 500)]})
    run = runs.run({home: [item("1000001", 1100), item("1000002", 400)]})
    assert events(run) == {"increase": 1, "decrease": 1}
    up = Product.objects.get(product_id="1000001")
    assert (up.price, up.previous_price, up.change, float(up.change_percent)) == (1100, 1000, 100, 10.0)
    assert up.price_changed_at == runs.at
    runs.run({home: [item("1000001", 1100), item("1000002", 400)]})
    up.refresh_from_db()
    assert (up.change, up.last_seen_at) == (100, runs.at)
    assert prices("1000001") == [1000, 1100]
    assert PriceSpan.objects.filter(product=up, last_seen_at=None).count() == 1


def test_applying_twice_changes_nothing(runs: Runs) -> None:
    home = category()
    runs.run({home: [item("1000001", 1000)]})
    run = runs.crawled({home: [item("1000001", 900)]})
    assert apply_run(run.pk)
    before = (list(Product.objects.values()), list(PriceSpan.objects.values()), list(PriceEvent.objects.values()))
    assert not apply_run(run.pk)
    after = (list(Product.objects.values()), list(PriceSpan.objects.values()), list(PriceEvent.objects.values()))
    assert before == after


def test_a_run_with_unfinished_shards_is_not_applied(runs: Runs) -> None:
    run = runs.crawled({category(): [item("1000001")]})
    run.shards.update(status="running")
    assert not apply_run(run.pk)
    assert not Product.objects.exists()


def test_delisted_after_three_misses_and_relisted_with_its_history(runs: Runs) -> None:
    home = category()
    others = [item(f"20000{n:02}") for n in range(10)]
    runs.run({home: [item("1000001", 700), *others]})
    for number in (1, 2):
        run = runs.run({home: [absent("1000001"), *others]})
        assert events(run) == {}, number
    run = runs.run({home: [absent("1000001"), *others]})
    assert events(run) == {"delisted": 1}
    gone = Product.objects.get(product_id="1000001")
    assert (gone.status, gone.delisted_at) == ("delisted", runs.at)
    run = runs.run({home: others})
    assert events(run) == {}
    run = runs.run({home: [item("1000001", 700), *others]})
    assert events(run) == {"relisted": 1}
    gone.refresh_from_db()
    assert (gone.status, gone.delisted_at, gone.misses) == ("active", None, 0)
    assert prices("1000001") == [700, 700]


def test_a_sight_between_misses_starts_the_count_again(runs: Runs) -> None:
    home = category()
    others = [item(f"20000{n:02}") for n in range(10)]
    runs.run({home: [item("1000001"), *others]})
    for seen in (absent, absent, item, absent, absent):
        run = runs.run({home: [seen("1000001"), *others]})
        assert events(run)["delisted"] == 0


@pytest.mark.parametrize("outcome", ["partial", "blocked", "failed"])
def test_a_broken_walk_delists_nothing_and_alerts_once(runs: Runs, outcome: str) -> None:
    home = category()
    goods = [item(f"20000{n:02}") for n in range(10)]
    runs.run({home: goods})
    for _ in range(5):
        run = runs.run({home: [*goods[:7], *(absent(one["code"]) for one in goods[7:])]}, {home: outcome})
        assert run.verdict == "suspect"
        assert events(run) == {}
    assert Alert.objects.count() == 1
    assert Product.objects.filter(misses__gt=0).count() == 0
    run = runs.run({home: goods})
    assert run.verdict == "ok"
    assert Alert.objects.get().resolved_at == runs.at


def test_too_many_missing_is_suspect(runs: Runs) -> None:
    home = category()
    goods = [item(f"20000{n:02}") for n in range(20)]
    runs.run({home: goods})
    for missing, verdict in ((4, "ok"), (5, "suspect")):
        seen = goods[missing:] + [absent(one["code"]) for one in goods[:missing]]
        run = runs.run({home: seen})
        result = CategoryResult.objects.get(run=run)
        assert (run.verdict, result.suspect, result.missing) == (verdict, verdict == "suspect", missing)
    assert Product.objects.filter(misses=1).count() == 4


def test_an_empty_answer_for_a_full_category_is_suspect(runs: Runs) -> None:
    home = category()
    runs.run({home: [item(f"20000{n:02}") for n in range(10)]})
    run = runs.run({home: []}, {home: "empty"})
    assert run.verdict == "failed"
    assert Alert.objects.filter(run=run).count() == 1


def test_a_second_category_in_trouble_raises_its_own_alert(runs: Runs) -> None:
    one, two = category("1100100000"), category("1100200000")
    goods = {one: [item(f"20000{n:02}") for n in range(5)], two: [item(f"30000{n:02}") for n in range(5)]}
    runs.run(goods)
    runs.run(goods, {one: "blocked"})
    runs.run(goods, {one: "blocked", two: "blocked"})
    assert [alert.category_codes for alert in Alert.objects.order_by("id")] == [["1100100000"], ["1100200000"]]


def test_stock_transitions(runs: Runs) -> None:
    home = category()
    runs.run({home: [item("1000001")]})
    assert events(runs.run({home: [item("1000001", in_stock=False)]})) == {"out_of_stock": 1}
    assert events(runs.run({home: [item("1000001", in_stock=False)]})) == {}
    assert events(runs.run({home: [item("1000001")]})) == {"back_in_stock": 1}


def test_an_unreadable_price_keeps_the_product_and_its_price(runs: Runs) -> None:
    home = category()
    runs.run({home: [item("1000001", 1280)]})
    run = runs.run({home: [item("1000001", None), item("1000002", None)]})
    assert events(run) == {}
    assert Product.objects.get(product_id="1000001").last_seen_at == runs.at
    assert prices("1000001") == [1280]
    assert not Product.objects.filter(product_id="1000002").exists()


def test_goods_in_two_categories_are_one_product(runs: Runs) -> None:
    one, two = category("1100100000"), category("1100200000")
    runs.run({one: [item("1000001")], two: [item("1000001")]})
    run = runs.run({one: [absent("1000001")], two: [item("1000001")]})
    product = Product.objects.get()
    assert (product.category, product.misses, events(run)) == (two, 0, {})


class TestQuarantine:
    @pytest.mark.parametrize(("old", "new"), [(1000, 1601), (1000, 399), (1280, 1)])
    def test_a_jump_is_held_until_seen_again(self, runs: Runs, old: int, new: int) -> None:
        home = category()
        runs.run({home: [item("1000001", old)]})
        run = runs.run({home: [item("1000001", new)]})
        assert (events(run), run.quarantined) == ({}, 1)
        assert Product.objects.get().price == old
        run = runs.run({home: [item("1000001", new)]})
        assert events(run) == {"increase" if new > old else "decrease": 1}
        assert Product.objects.get().price == new
        assert QuarantinedPrice.objects.get().status == "confirmed"

    @pytest.mark.parametrize("new", [1600, 400])
    def test_sixty_percent_is_believed(self, runs: Runs, new: int) -> None:
        home = category()
        runs.run({home: [item("1000001", 1000)]})
        assert runs.run({home: [item("1000001", new)]}).quarantined == 0
        assert Product.objects.get().price == new

    def test_a_glitch_goes_away_silently(self, runs: Runs) -> None:
        home = category()
        runs.run({home: [item("1000001", 1000)]})
        runs.run({home: [item("1000001", 10)]})
        assert events(runs.run({home: [item("1000001", 1000)]})) == {}
        assert QuarantinedPrice.objects.get().status == "gone"
        # Two spans: at the moment of the glitch the shop did not show 1000.
        assert prices("1000001") == [1000, 1000]

    def test_another_implausible_price_is_held_anew(self, runs: Runs) -> None:
        home = category()
        for price in (1000, 10, 11):
            run = runs.run({home: [item("1000001", price)]})
        assert events(run) == {}
        assert list(QuarantinedPrice.objects.order_by("id").values_list("price", "status")) == [
            (10, "gone"),
            (11, "held"),
        ]

    def test_a_first_price_far_below_the_list_price_waits(self, runs: Runs) -> None:
        home = category()
        runs.run({home: []}, {home: "empty"})
        runs.run({home: [item("1000001", 49, list_price=1000)]})
        assert not Product.objects.exists()
        assert events(runs.run({home: [item("1000001", 49, list_price=1000)]})) == {"new": 1}

    def test_a_person_accepts(self, runs: Runs) -> None:
        home = category()
        runs.run({home: [item("1000001", 1000)]})
        run = runs.run({home: [item("1000001", 100)]})
        accept_price(held=QuarantinedPrice.objects.get(), user=None)
        product = Product.objects.get()
        assert (product.price, product.previous_price) == (100, 1000)
        assert events(run) == {"decrease": 1}
        assert prices("1000001") == [1000, 100]
        assert events(runs.run({home: [item("1000001", 100)]})) == {}

    def test_a_person_rejects_for_good(self, runs: Runs) -> None:
        home = category()
        runs.run({home: [item("1000001", 1000)]})
        runs.run({home: [item("1000001", 100)]})
        reject_price(held=QuarantinedPrice.objects.get(), user=None)
        for _ in range(3):
            assert events(runs.run({home: [item("1000001", 100)]})) == {}
        assert Product.objects.get().price == 1000
        assert QuarantinedPrice.objects.filter(status="held").count() == 0

    def test_deciding_twice_is_refused(self, runs: Runs) -> None:
        home = category()
        runs.run({home: [item("1000001", 1000)]})
        runs.run({home: [item("1000001", 100)]})
        held = QuarantinedPrice.objects.get()
        reject_price(held=held, user=None)
        with pytest.raises(AlreadyDecided, match="已經"):
            accept_price(held=held, user=None)


# --- Alerts and categories that change meanwhile --------------------------------------------------------------------


def test_an_alert_ends_category_by_category() -> None:
    runs = Runs()
    first, second, third = category("1100100001"), category("1100100002"), category("1100100003")
    goods = {row: [item(f"100000{number}")] for number, row in enumerate((first, second, third))}
    runs.run(goods)
    runs.run({row: [] for row in goods}, dict.fromkeys(goods, "blocked"))
    (alert,) = Alert.objects.all()
    assert alert.category_codes == [first.code, second.code, third.code]
    runs.run({first: goods[first], second: []}, {second: "blocked"})
    alert.refresh_from_db()
    assert (alert.category_codes, alert.resolved_at) == ([second.code, third.code], None)
    # Bad again after it was good is news; a category that is crawled no more keeps no alert open.
    runs.run({first: []}, {first: "blocked"})
    assert [row.category_codes for row in Alert.objects.order_by("id")] == [[second.code, third.code], [first.code]]
    Category.objects.filter(pk=third.pk).update(enabled=False)
    runs.run({first: goods[first], second: goods[second]})
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_a_category_deleted_during_a_run_takes_only_itself_away() -> None:
    runs = Runs()
    kept, gone = category("1100100001"), category("1100100002")
    run = runs.crawled({kept: [item("1000001")], gone: [item("1000002")]})
    gone.delete()
    assert apply_run(run.pk, now=runs.at)
    assert list(Product.objects.values_list("product_id", flat=True)) == ["1000001"]
