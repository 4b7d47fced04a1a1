"""Facts of a product: the catalogue, and over it the fact sheet."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from ai.checks.facts import check_facts
from ai.checks.facts.names import read_name
from ai.models import FactSheet
from ai.services.facts import facts_mapping, facts_of, open_fact_sheet
from momo.core.errors import ValidationFailed
from products.models import Product
from tests.products.factories import category


def _product(**values: Any) -> Product:
    now = timezone.now()
    given = {
        "product_id": "1",
        "name": "水漾 精華液 30ml 2入組",
        "brand": "水漾",
        "price": 1280,
        "list_price": 1600,
        **values,
    }
    return Product.objects.create(category=category(), first_seen_at=now, last_seen_at=now, **given)


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("【水漾】B5玻尿酸精華液 30ml×2入組", ["30ml"], ["2入組"]),
        ("雪肌堂 Q10面膜 5片/盒 3盒組", None, ["5片", "3盒"]),
        ("山霧 高山茶（１５０ｇ）四罐禮盒", ["１５０ｇ"], ["四罐"]),
        ("Apple iPhone 15 Pro 手機", None, None),
        ("礦泉水 1.5L*12瓶/箱", ["1.5L"], ["12瓶"]),
        ("", None, None),
    ],
)
def test_reads_content_and_count_from_a_name(name: str, content: list[str] | None, count: list[str] | None) -> None:
    found = read_name(name)
    assert found.get("content") == content
    assert found.get("count") == count


@pytest.mark.django_db
def test_facts_come_from_the_catalogue_and_the_sheet_wins() -> None:
    product = _product()
    assert check_facts("30ml兩入只要$1,280，現省320元", facts_of(product)) == []
    sheet = open_fact_sheet(product=product)
    assert sheet.facts == {"content": ["30ml"], "count": ["2入組"]}
    sheet.facts |= {"origin": "日本", "content": "25ml", "brand": ""}
    sheet.save()
    assert check_facts("日本製，容量25ml", facts_of(product)) == []
    assert facts_mapping(product=product)["brand"] == "水漾"
    assert open_fact_sheet(product=product) == sheet


@pytest.mark.django_db
def test_a_new_price_of_the_catalogue_is_the_fact_although_a_sheet_exists() -> None:
    product = _product()
    open_fact_sheet(product=product)
    product.price = 990
    assert [warning.suggestion for warning in check_facts("特價1,280元", facts_of(product))] == ["NT$990"]
    product.price_unread_since = timezone.now()
    assert len(check_facts("特價990元", facts_of(product))) == 1


@pytest.mark.django_db
def test_a_sheet_of_another_shape_is_refused_with_its_key() -> None:
    product = _product()
    FactSheet.objects.create(product=product, facts={"content": {"ml": 30}})
    with pytest.raises(ValidationFailed, match="content"):
        facts_of(product)
