"""POST /api/ai/check."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from ai.models import FactSheet, Phrase
from tests.admin import makers

TEXT = "每天一杯減 肥茶"


@pytest.fixture
def check(api: Client) -> Any:
    def post(**body: Any) -> Any:
        response = api.post("/api/ai/check", body, content_type="application/json")
        assert response.status_code == 200, response.content
        return response.json()

    return post


def test_warnings_with_place_reason_and_law(check: Any) -> None:
    body = check(text=f"🔥{TEXT}", domain="food")

    assert body["message"] == "發現 1 個問題"
    [warning] = body["data"]["warnings"]
    assert (warning["check"], warning["kind"], warning["severity"]) == ("claims", "誇大不實", "high")
    assert f"🔥{TEXT}"[warning["start"] : warning["end"]] == warning["text"] == "減 肥"
    assert all(warning[name] for name in ("reason", "suggestion", "law"))


def test_a_clean_text_is_called_nothing_found(check: Any) -> None:
    body = check(text="保濕滋潤，觸感柔嫩", domain="cosmetic")

    assert (body["message"], body["data"]) == ("沒有發現問題", {"warnings": [], "domain": "cosmetic"})


def test_the_domain_is_that_of_the_product(check: Any) -> None:
    where = makers.category("1100100077", path="食品 > 保健食品")
    product = makers.product(name="綜合維他命", category=where)

    assert check(text=TEXT, product_id=product.product_id)["data"]["domain"] == "food"
    FactSheet.objects.create(product=product, domain="supplement")
    assert check(text=TEXT, product_id=product.product_id)["data"]["domain"] == "supplement"
    assert check(text=TEXT, product_id=product.product_id, domain="general")["data"]["domain"] == "general"


def test_the_domain_is_guessed_from_the_name_among_the_facts(check: Any) -> None:
    assert check(text=TEXT, facts={"name": "保濕面膜 10 片"})["data"]["domain"] == "cosmetic"
    assert check(text=TEXT)["data"]["domain"] == "general"


def test_both_checks_by_place(check: Any) -> None:
    facts = {"name": "草本茶", "price": 299}

    warnings = check(text="特價199元，減肥好幫手", domain="food", facts=facts)["data"]["warnings"]

    assert [(one["check"], one["text"]) for one in warnings] == [("facts", "199元"), ("claims", "減肥")]


def test_the_facts_are_those_of_the_product(check: Any) -> None:
    product = makers.product(name="草本茶 20包", price=299)
    FactSheet.objects.create(product=product, domain="food", facts={"origin": "台灣"})

    warnings = check(text="台灣製造，只要299元，買一送一", product_id=product.product_id)["data"]["warnings"]

    assert [one["text"] for one in warnings] == ["買一送一"]
    facts = {"promotion": "買一送一"}
    body = check(text="台灣製造，買一送一", product_id=product.product_id, facts=facts)
    assert body["message"] == "沒有發現問題"


def test_phrases_of_staff_count(check: Any) -> None:
    Phrase.objects.create(text="特別的話", domain="food", category="自訂", severity="low", reason="不要這樣寫")

    assert [one["kind"] for one in check(text="這是特別的話", domain="food")["data"]["warnings"]] == ["自訂"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": "字" * 20_001}, "text"),
        ({"text": "字", "domain": "magic"}, "domain"),
        ({"text": "字", "facts": {"other": "字" * 8000}}, "facts"),
        ({"text": "字", "facts": {"name": "a\0"}}, "facts"),
        ({"text": "字", "fact": {}}, "fact"),
        ({"text": "字", "facts": {"price": {"amount": 1}}}, "facts"),
    ],
)
def test_bad_bodies_name_the_field(body: dict[str, Any], field: str, api: Client) -> None:
    response = api.post("/api/ai/check", body, content_type="application/json")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]


def test_an_unknown_product(api: Client) -> None:
    response = api.post("/api/ai/check", {"text": "字", "product_id": "404"}, content_type="application/json")

    assert (response.status_code, response.json()["error"]) == (404, "找不到品號 404")
