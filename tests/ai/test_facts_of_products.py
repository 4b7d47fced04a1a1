"""Facts of a product: the catalogue, and over it the fact sheet."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from ai.checks.facts import check_facts
from ai.checks.facts.names import read_name
from ai.models import FactSheet
from ai.services.fact_sheets import fact_as_text, fact_from_text
from ai.services.facts import facts_mapping, facts_of
from momo.core.errors import ValidationFailed
from products.models import Product
from tests.ai.makers import sheet
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
    sheet(product, origin="日本", content=["25ml"], brand="", count=["2入組"], price=1280)
    assert check_facts("日本製，容量25ml", facts_of(product)) == []
    # What the catalogue says as well follows the catalogue.
    assert FactSheet.objects.get().facts == {"origin": "日本", "content": ["25ml"]}
    product.name, product.price = "水漾 精華液 30ml 3入組", 990
    assert facts_mapping(product=product)["count"] == ["3入組"]
    assert [warning.suggestion for warning in check_facts("特價1,280元", facts_of(product))] == ["NT$990"]
    product.price_unread_since = timezone.now()
    assert len(check_facts("特價990元", facts_of(product))) == 1


@pytest.mark.django_db
def test_a_price_of_the_sheet_counts_until_the_price_of_the_shop_changes() -> None:
    product = _product(price_changed_at=timezone.now() - dt.timedelta(days=3))
    sheet(product, price=1180, list_price=2000, origin="日本")
    assert facts_mapping(product=product) | {"price": 1180, "list_price": 2000} == facts_mapping(product=product)
    product.price, product.price_changed_at = 1250, timezone.now()
    now = facts_mapping(product=product)
    assert (now["price"], now["list_price"], now["origin"]) == (1250, 1600, "日本")
    sheet(product, price=1180, origin="日本")  # somebody says that it still holds
    assert facts_mapping(product=product)["price"] == 1180
    sheet(product, origin="日本")
    assert (FactSheet.objects.get().priced_at, facts_mapping(product=product)["price"]) == (None, 1250)


@pytest.mark.django_db
def test_a_promotion_is_no_fact_after_its_last_day() -> None:
    product = _product()
    with time_machine.travel("2026-11-30T15:59:00Z", tick=False):  # the last minute of the day in Taipei
        sheet(product, promotion=[fact_from_text("promotion", "買一送一 2026/11/01-2026/11/30")[0], "滿千折百"])
        assert check_facts("買一送一", facts_of(product)) == []
    with time_machine.travel("2026-11-30T16:00:00Z", tick=False):
        assert [str(warning.kind) for warning in check_facts("買一送一", facts_of(product))] == ["promotion"]
        assert facts_mapping(product=product)["promotion"] == ["滿千折百"]


@pytest.mark.parametrize(
    ("key", "text", "fact"),
    [
        ("price", " NT$1,280 元", 1280),
        ("price", "１２８０", 1280),
        ("price", "99.5", 99.5),
        ("price", "", []),
        ("content", "30ml\r\n\n 2.5g ", ["30ml", "2.5g"]),
        ("origin", "日本\n", "日本"),
        ("promotion", "滿千折百", ["滿千折百"]),
        ("promotion", "買一送一（2026年11月1日～11月30日）", ["買一送一（2026年11月1日～11月30日）"]),
        ("promotion", "特價 2026-11-11", [{"text": "特價", "starts": "2026-11-11", "ends": "2026-11-11"}]),
        ("promotion", "特價（2026／11／1起）", [{"text": "特價", "starts": "2026-11-01", "ends": ""}]),
        ("promotion", "特價 ～2026-11-30", [{"text": "特價", "starts": "", "ends": "2026-11-30"}]),
    ],
)
def test_facts_are_read_as_staff_write_them(key: str, text: str, fact: Any) -> None:
    assert fact_from_text(key, text) == fact
    assert fact_from_text(key, fact_as_text(fact)) == fact


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        ("price", "免費", "不是金額"),
        ("price", "-5", "不是金額"),
        ("list_price", "0", "不是金額"),
        ("price", "1,28", "不是金額"),
        ("price", "999999999", "不是金額"),
        ("origin", "日本\n台灣", "只能有一行"),
        ("other", "一\n" * 101, "最多 100 行"),
        ("other", "長" * 501, "最多 500 字"),
        ("promotion", "特價 2026-02-30", "日期不存在"),
        ("promotion", "特價 2026-11-30～2026-11-01", "晚於"),
        ("promotion", "2026-11-30～2026-12-01", "沒有促銷的內容"),
    ],
)
def test_what_is_no_fact_is_refused_with_its_place(key: str, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fact_from_text(key, text)


@pytest.mark.django_db
def test_a_sheet_of_another_shape_is_refused_with_its_key() -> None:
    product = _product()
    FactSheet.objects.create(product=product, facts={"content": {"ml": 30}})
    with pytest.raises(ValidationFailed, match="content"):
        facts_of(product)
