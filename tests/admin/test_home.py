"""The start page: sales that lead to their lines, running imports, the AI budget, what can still be set up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.test import Client

from accounts.models import User, UserScope
from ai.models import Budget
from sales.models import Target
from tests.admin import makers

HOME = "/admin/"


def sold_on(client: Client, query: str = "") -> dict[str, Any]:
    sold: dict[str, Any] = client.get(f"{HOME}{query}").context["sold"]
    return sold


def test_sales_lead_to_the_lines_that_they_add_up(as_reader: Client, reader: User) -> None:
    makers.brought(
        makers.sold("2026-01-30", amount=1_000, pm="王小明"),
        makers.sold("2026-01-31", amount="250.50", pm="王小明"),
        makers.sold("2026-01-31", amount=4_000, pm="李小華"),
        makers.sold("2025-12-31", amount=500, pm="李小華"),
    )
    Target.objects.create(month=date(2026, 1, 1), dimension="all", key="", amount=Decimal(10_000))
    Target.objects.create(month=date(2026, 1, 1), dimension="pm", key="王小明", amount=Decimal(1_000))
    UserScope.objects.create(user=reader, kind="pm", name="王小明")

    for query, day, month, attained in (("", "4250.50", "5250.50", 52.51), ("?mine=1", "250.50", "1250.50", 125.05)):
        sold = sold_on(as_reader, query)
        assert (sold["day_amount"], Decimal(str(sold["month_amount"]))) == (Decimal(day), Decimal(month))
        for url, amount in ((sold["day_url"], day), (sold["month_url"], month)):
            assert as_reader.get(url).context["cl"].sums.amount == Decimal(amount) * 100
        assert sold["aim"]["progress"].attainment == attained
    assert [one["amount"] for one in sold_on(as_reader)["month_against"]] == [500, 0]


def test_imports_that_run_and_the_budget_of_ai_are_shown(as_boss: Client, as_reader: Client) -> None:
    makers.jobs(4)
    Budget.objects.create(amount=Decimal(100))

    page = as_boss.get(HOME)

    assert page.content.decode().count("data-job=") == 2
    assert [card.text for card in page.context["cards"] if card.name == "AI 預算已用"] == ["0%"]
    # Of what is left to set up, what the user may.
    text = page.content.decode()
    assert "還可以設定" not in text  # category and first crawl come first
    assert "選用" in text
    assert "加入同事" not in as_reader.get(HOME).content.decode()
