"""A shop that blocks, fails or lies on some pages: nothing is delisted, and people hear of it once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from momo.local.demo import load_categories, load_day
from momo.local.shop import Catalogue, DemoShop
from products.models import Alert, CategoryResult, Observation, PriceEvent, Product
from tests.contract.conftest import undone
from tests.kit.turns import each_in_turns
from tests.products.factories import START
from tests.products.shopping import QUICK, crawl, missing_on

# Two categories of some ten pages each, and a shop day on which products of both are missing for the third time.
CATALOGUE = (3, 700, 2)
DAY = 3
TROUBLES = {
    "blocked": {"kind": "blocked"},
    "forbidden": {"kind": "403"},
    "too many": {"kind": "429"},
    "too many, wait": {"kind": "429", "retry_after": 3600},
    "error": {"kind": "500"},
    "away": {"kind": "503"},
    "empty": {"kind": "empty"},
    "no such category": {"kind": "40006"},
    "truncated": {"kind": "truncated"},
    "last page again": {"kind": "repeat_last"},
    "dropped": {"kind": "drop"},
}


# The spider's own tests try each trouble in every run.
each_trouble = each_in_turns("kind", TROUBLES, 4)


@pytest.fixture(scope="module")
def stocked(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[DemoShop]:
    """The shop, with the days before DAY in the tables: some products have been missed twice by now."""
    with (
        DemoShop(Catalogue(*CATALOGUE)) as made,
        override_settings(**QUICK, MOMO_SHOP_URL=made.url),
        django_db_blocker.unblock(),
        undone(),
    ):
        load_categories(made.catalogue)
        for day in range(DAY):
            load_day(made.catalogue, day, at=START + timedelta(days=day))
        yield made


@pytest.fixture
def momo(stocked: DemoShop) -> Iterator[DemoShop]:
    """The shop on DAY; what a test does to it and to the tables does not stay."""
    stocked.faults([])
    stocked.set_day(DAY)
    with undone():
        yield stocked


def of(catalogue: Catalogue, code: str, products: set[str]) -> set[str]:
    """Those of `products` whose home in the tables is category `code`."""
    return set(
        Product.objects.filter(product_id__in=products, category__code=code).values_list("product_id", flat=True)
    )


def delisted() -> set[str]:
    return set(Product.objects.filter(status="delisted").values_list("product_id", flat=True))


def misses_of(code: str) -> dict[str, int]:
    return dict(Product.objects.filter(category__code=code).values_list("product_id", "misses"))


@each_trouble
def test_trouble_on_three_pages_in_ten(momo: DemoShop, kind: str) -> None:
    catalogue, trouble = momo.catalogue, TROUBLES[kind]
    bad, good = (row.code for row in catalogue.categories)
    due = missing_on(catalogue, DAY - 2, DAY)
    due_bad, due_good = of(catalogue, bad, due), of(catalogue, good, due)
    assert due_bad
    assert due_good
    gone, misses = delisted(), misses_of(bad)
    pages = -(-len(catalogue.listed(bad, DAY)) // 35)
    assert pages >= 8
    struck = list(range(2, pages + 1, 3))
    momo.fault(**trouble, match={"category": bad}, pages=struck)

    run = crawl()

    assert 0.25 <= len(struck) / pages <= 0.4
    assert (run.status, run.verdict) == ("applied", "suspect")
    result = CategoryResult.objects.get(run=run, category__code=bad)
    assert result.outcome not in ("complete", "empty")
    assert result.suspect
    assert result.message
    # What was on the other pages was seen, whatever is not there was not missed; goods that the other category lists
    # as well keep their home.
    now = misses_of(bad)
    assert {code: now[code] for code in misses} == {
        code: 0 if code in seen_in(run.pk) else count for code, count in misses.items()
    }
    assert not PriceEvent.objects.filter(run=run, kind="delisted", product__category__code=bad).exists()
    # A block ends the whole crawl; any other failure affects its category alone.
    closed = "retry_after" in trouble
    assert delisted() - gone == (set() if closed else due_good)
    alert = Alert.objects.get()
    assert alert.category_codes == [bad, good] if closed else [bad]
    assert alert.run == run
    assert (alert.kind, alert.resolved_at) == ("crawl_suspect", None)

    # The same trouble again is no second alert.
    again = crawl()
    assert again.verdict == "suspect"
    assert not due_bad & delisted()
    assert Alert.objects.count() == 1

    momo.faults([])
    healed = crawl()
    assert (healed.verdict, healed.message) == ("ok", "")
    assert due_bad <= delisted()
    assert Alert.objects.get().resolved_at == healed.finished_at


@each_trouble
def test_trouble_from_the_first_page_on(momo: DemoShop, kind: str) -> None:
    """The first page states how long a category is: three pages in ten, with it among them, may hide the others."""
    catalogue, trouble = momo.catalogue, TROUBLES[kind]
    bad = catalogue.categories[0].code
    assert of(catalogue, bad, missing_on(catalogue, DAY - 2, DAY))
    gone, misses = delisted(), misses_of(bad)
    pages = -(-len(catalogue.listed(bad, DAY)) // 35)
    momo.fault(**trouble, match={"category": bad}, pages=list(range(1, pages + 1, 3)))
    for _ in range(3):
        run = crawl()
        assert run.status == "applied"
        # A block before anything was seen fails the whole run.
        assert run.verdict in ({"suspect", "failed"} if "retry_after" in trouble else {"suspect"})
        assert CategoryResult.objects.get(run=run, category__code=bad).suspect
    now = dict(Product.objects.filter(product_id__in=misses).values_list("product_id", "misses"))
    assert all(now[code] in (0, count) for code, count in misses.items())
    assert not delisted() & misses.keys() - gone
    alert = Alert.objects.get()
    assert bad in alert.category_codes
    assert alert.resolved_at is None


def seen_in(run_id: int) -> set[str]:
    """Goods codes that a run saw; its observations are kept for some runs."""
    return set(Observation.objects.filter(run_id=run_id, absent=False).values_list("code", flat=True))


@each_in_turns("kind", ["blocked", "empty", "403", "500"], 4)
def test_a_shop_that_shuts_us_out_altogether(momo: DemoShop, kind: str) -> None:
    before = list(Product.objects.order_by("pk").values("pk", "status", "price", "misses", "last_seen_at"))
    momo.fault(kind)
    for _ in range(3):
        run = crawl()
        assert (run.status, run.verdict, run.seen) == ("applied", "failed", 0)
    assert list(Product.objects.order_by("pk").values("pk", "status", "price", "misses", "last_seen_at")) == before
    assert Alert.objects.count() == 1


def test_a_block_of_product_pages_alone_delists_nothing_in_one_run(momo: DemoShop) -> None:
    """The page of a blocked address is the page of a product that is gone: one run of them proves nothing."""
    gone = delisted()
    due = missing_on(momo.catalogue, DAY - 2, DAY)
    momo.fault("blocked", {"path": "/product/*"})
    crawl()
    assert delisted() - gone <= due
