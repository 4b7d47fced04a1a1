"""The workbench as the server makes it; what its scripts do is in tests/browser/test_workbench.py."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from ai.models import FactSheet, Style
from tests.admin import makers
from tests.kit.users import session_client

PAGE, PRODUCT = reverse("admin:ai_style_workbench"), reverse("admin:ai_style_workbench_product")


def test_every_role_writes_with_the_enabled_styles(user: User) -> None:
    Style.objects.create(name="停用", prompt="寫", enabled=False)

    page = session_client(user).get(PAGE).content.decode()

    assert '<option value="吸睛"' in page
    assert "停用" not in page
    assert PAGE in session_client(user).get(reverse("admin:index")).content.decode()
    assert Client().get(PRODUCT).status_code == 302


def test_a_product_brings_the_facts_that_a_generation_takes(user: User) -> None:
    product = makers.product(1, name="玻尿酸精華液 30ml", price=1280)
    FactSheet.objects.create(product=product, domain="cosmetic", facts={"origin": "日本"})
    browser = session_client(user)

    found = browser.get(PRODUCT, {"product_id": product.product_id}).json()

    assert (found["name"], found["domain"]) == ("玻尿酸精華液 30ml", "化粧品")
    facts = {"brand": "山田", "price": 1280, "content": ["30ml"], "origin": "日本"}
    assert facts.items() <= found["facts"].items()
    missing = browser.get(PRODUCT, {"product_id": "404"})
    assert (missing.status_code, missing.json()) == (404, {"error": "找不到品號 404"})
    assert browser.get(PRODUCT).status_code == 404


def test_checks_take_no_generations_away(api: Client, settings: Any) -> None:
    rates = {"DEFAULT_THROTTLE_RATES": {"ai": "1/h", "check": "2/h"}}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **rates}
    asked = [("check", {"text": "保濕"})] * 3 + [("generate", {"product_name": "精華液", "style": "沒有這個風格"})]

    statuses = [api.post(f"/api/ai/{path}", body, content_type="application/json").status_code for path, body in asked]

    assert statuses == [200, 200, 429, 400]
