"""Prices that are held or cannot be read: shown where a product is shown, and named where they are decided."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from products.models import Product, QuarantinedPrice
from products.selectors.pages import chart_points, last_spans
from tests.admin import makers

LIST = "admin:products_product_changelist"


def page_of(client: Client, product: Product) -> str:
    return client.get(reverse("admin:products_product_change", args=[product.pk])).content.decode()


def test_a_products_page_says_that_its_price_cannot_be_read_and_for_how_long(as_reader: Client) -> None:
    one = makers.product(price=1280, price_unread_since=timezone.now() - timedelta(days=1, hours=3, minutes=1))
    text = page_of(as_reader, one)
    assert "現在顯示的售價讀不到" in text
    assert "1 天 3 時" in text
    assert "最後讀到的售價" in text
    assert "目前售價" not in text
    certain = page_of(as_reader, makers.product(2))
    assert "讀不到" not in certain
    assert "目前售價" in certain


def test_a_products_page_shows_the_held_price_and_lets_those_decide_who_may(
    as_reader: Client, as_manager: Client
) -> None:
    (held,) = makers.held(1)
    assert held.product is not None
    accept = reverse("admin:products_quarantinedprice_accept", args=[held.pk])
    read, managed = page_of(as_reader, held.product), page_of(as_manager, held.product)
    for text in (read, managed):
        assert "<strong>$90</strong>（漲跌幅過大）" in text
        assert reverse("admin:products_quarantinedprice_change", args=[held.pk]) in text
    assert accept not in read
    assert accept in managed
    QuarantinedPrice.objects.update(status="rejected")
    assert "<strong>$90</strong>" not in page_of(as_manager, held.product)


def test_the_list_marks_and_finds_prices_that_are_not_certain(as_reader: Client) -> None:
    (held,) = makers.held(1)
    unread = makers.product(7, price_unread_since=timezone.now())
    makers.product(8)
    text = as_reader.get(reverse(LIST)).content.decode()
    assert text.count("待確認 $90") == 1
    assert text.count(">售價讀不到</span>") == 1
    for state, product in (("held", held.product), ("unread", unread)):
        found = as_reader.get(f"{reverse(LIST)}?price_state={state}").context["cl"].result_list
        assert list(found) == [product]


@pytest.mark.parametrize("action", ["accept", "reject"])
def test_the_dialog_of_a_decision_names_the_product_and_its_prices(action: str, as_manager: Client) -> None:
    (held,) = makers.held(1)
    assert held.product is not None
    asked = as_manager.get(reverse(f"admin:products_quarantinedprice_{action}", args=[held.pk])).content.decode()
    for named in (held.name, held.code, "$90", f"${held.known_price:,}", "$1,500", "漲跌幅過大", held.product.url):
        assert named in asked
    held.refresh_from_db()
    assert held.status == "held"


def test_held_prices_link_to_the_product_and_to_the_shop(as_manager: Client) -> None:
    (held,) = makers.held(1)
    assert held.product is not None
    QuarantinedPrice.objects.create(
        code="TP0001", name="還沒有的商品", price=9, reason="below_list", run=held.run, observed_at=timezone.now()
    )
    text = as_manager.get(reverse("admin:products_quarantinedprice_changelist")).content.decode()
    assert reverse("admin:products_product_change", args=[held.product_id]) in text
    assert f'href="{held.product.url}" target="_blank"' in text
    assert f'href="{settings.MOMO_SHOP_URL}/product/TP0001" target="_blank"' in text


@pytest.mark.django_db
def test_a_product_seen_once_has_a_point_and_a_crawl_a_day_breaks_no_line() -> None:
    once, daily = makers.product(1), makers.product(2)
    now = timezone.now()
    once.spans.create(price=100, observed_at=now)
    daily.spans.create(price=100, observed_at=now - timedelta(hours=50), last_seen_at=now - timedelta(hours=25))
    daily.spans.create(price=90, observed_at=now)
    Product.objects.update(last_seen_at=now)
    (first, second) = chart_points(last_spans(once))
    assert first == second
    assert first["y"] == 100
    assert [point["y"] for point in chart_points(last_spans(daily))] == [100, 100, 90, 90]
