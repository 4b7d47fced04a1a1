"""Goods that two categories list belong to one of them."""

from __future__ import annotations

import pytest

from products.models import Product
from tests.products.factories import Runs, absent, category, item

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("outcome", ["partial", "blocked", "failed"])
def test_a_blocked_one_keeps_its_goods(outcome: str) -> None:
    runs, home, other = Runs(), category("1100100000"), category("1100200000")
    runs.run({home: [item("1000001")], other: []})
    runs.run({home: [], other: [item("1000001")]}, {home: outcome})
    assert Product.objects.get().category == home


def test_one_that_is_no_part_of_the_run_keeps_its_goods() -> None:
    runs, home, other = Runs(), category("1100100000"), category("1100200000")
    runs.run({home: [item("1000001")], other: [item("1000001")]})
    run = runs.run({other: [item("1000001", 900)]})
    product = Product.objects.get()
    assert (product.category, product.price, run.decreased) == (home, 900, 1)


def test_goods_move_when_it_no_longer_lists_them() -> None:
    runs, home, other = Runs(), category("1100100000"), category("1100200000")
    runs.run({home: [item("1000001")], other: [item("1000001")]})
    runs.run({home: [absent("1000001")], other: [item("1000001")]})
    assert Product.objects.get().category == other


def test_goods_move_when_it_is_switched_off() -> None:
    runs, home, other = Runs(), category("1100100000"), category("1100200000")
    runs.run({home: [item("1000001")], other: [item("1000001")]})
    type(home).objects.filter(pk=home.pk).update(enabled=False)
    runs.run({other: [item("1000001")]})
    assert Product.objects.get().category == other
