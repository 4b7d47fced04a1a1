"""Rows of AI, made by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import User
from ai.models import Budget, Call, FactSheet, Generation, ModelPrice, Style
from ai.services.fact_sheets import save_fact_sheet
from products.models import Product
from tests.admin import makers
from tests.kit.users import person


def call(user: User, **values: Any) -> Call:
    return Call.objects.create(
        **{
            "kind": "copy",
            "user": user,
            "username": user.username,
            "provider": "gemini",
            "model": "gemini-3.8-flash",
            "status": "succeeded",
            "month": timezone.localdate().replace(day=1),
            "currency": "USD",
            "cost": Decimal("0.25"),
            "input_tokens": 100,
            "output_tokens": 85,
            "seconds": 1.5,
            **values,
        }
    )


def generation(user: User, content: str = "清爽保濕", *, kind: str = "copy", **values: Any) -> Generation:
    return Generation.objects.create(kind=kind, user=user, call=call(user, kind=kind), content=content, **values)


def calls(number: int) -> None:
    user = person("caller")
    for _ in range(number):
        call(user)


def styles(number: int) -> None:
    Style.objects.bulk_create(Style(name=f"風格{n}", prompt="寫") for n in range(number))


def prices(number: int) -> None:
    day = timezone.localdate()
    ModelPrice.objects.bulk_create(
        ModelPrice(provider="gemini", model=f"m{n}", input_per_million=1, output_per_million=1, valid_from=day)
        for n in range(number)
    )


def budgets(number: int) -> None:
    people = User.objects.bulk_create(User(username=f"spender{n}", email=f"s{n}@example.com") for n in range(number))
    Budget.objects.bulk_create(Budget(user=user, amount=1) for user in people)


def searches(number: int) -> None:
    user = person("searcher")
    for one in range(number):
        extra = {
            "sources": [{"title": "來源", "url": "https://example.com/1"}],
            "search_entry_point": "<p>Google</p>",
        }
        generation(user, "答案", kind="search", request={"query": f"問題 {one}"}, extra=extra)


WARNINGS: list[dict[str, Any]] = [
    {
        "check": "claims",
        "kind": "醫療效能",
        "severity": "high",
        "start": 5,
        "end": 9,
        "text": "治療痘痘",
        "reason": "涉及醫療效能",
        "suggestion": "調理肌膚",
        "law": "化粧品衛生安全管理法第10條第2項",
    },
    {
        "check": "facts",
        "kind": "價格",
        "severity": "medium",
        "start": 10,
        "end": 15,
        "text": "只要99元",
        "reason": "商品資料沒有這個價格",
        "suggestion": "NT$1,280",
        "law": "",
    },
]
COPY = "晨露一般，治療痘痘，只要99元！"


def texts(number: int) -> list[Generation]:
    """Copy, every second one with warnings."""
    user = person("writer")
    return [
        generation(
            user,
            COPY if one % 2 else "清爽保濕",
            product_name=f"水漾 保濕精華液 30ml {one}",
            style="吸睛",
            favorite=one % 3 == 0,
            warnings=WARNINGS if one % 2 else [],
            request={"keywords": ["保濕", "抗老"], "domain": "cosmetic"},
        )
        for one in range(number)
    ]


def sheet(product: Product, user: User | None = None, **facts: Any) -> FactSheet:
    return save_fact_sheet(product=product, domain="", facts=facts, user=user)


def sheets(number: int) -> list[FactSheet]:
    """Sheets of new products, each written by another user."""
    writers = makers.users(number)
    return [
        sheet(product, writer, price=399, origin="日本")
        for product, writer in zip(makers.products(number), writers, strict=True)
    ]
