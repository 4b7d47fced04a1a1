"""Days and their versions, and the lines behind them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from momo.admin.kit.display import difference, money
from momo.jobs.models import Job
from sales.models import DayOwner, SalesLine
from tests.admin.makers import brought, sold
from tests.admin.test_jobs import act, text

DAY = "2026-01-29"


def test_a_days_page_shows_its_versions_and_what_changed(as_reader: Client, as_manager: Client) -> None:
    first = brought(sold(DAY, amount=1000), sold(DAY, quantity=2, amount=500))
    second = brought(sold(DAY, amount=1250.5), name="更正.xlsx", confirm_loss=True)
    third = brought(sold(DAY, amount=1), confirm_loss=True)
    act(as_manager, "undo", third)
    url = reverse("admin:sales_dayowner_change", args=[DayOwner.objects.get().pk])

    page = as_reader.get(url)

    rows = page.content.decode().split('<td data-label="狀態">')[1:]
    states = [re.sub("<[^>]+>", "", row.partition("</td>")[0]) for row in rows]
    figures = [re.findall(r'<td class="mo-num" data-label="[^"]*">([^<]*)<', row) for row in rows]
    assert states == ["已復原", "採用中", "已被取代"]
    # Lines, quantity and amount, each with its difference.
    assert figures[1:] == [["1", "-1", "1", "-2", "$1,250.50", "-249.50"], ["2", "－", "3", "－", "$1,500", "－"]]
    seen = text(page)
    assert f"#{second.pk} 更正.xlsx" in seen
    assert f"#{first.pk}" in seen
    assert "2026-01-29（四）" in seen


def test_the_margin_is_of_the_lines_whose_gross_profit_is_known(as_reader: Client) -> None:
    """As in the API: of 1,000 with a cost of 600, and 9,000 of unknown cost."""
    brought(sold(DAY, amount=1000), sold(DAY, amount=9000, cost=None), sold("2026-01-28", cost=None))

    page = as_reader.get(reverse("admin:sales_dayowner_changelist"))

    margins = re.findall(r'class="field-margin[^"]*"[^>]*>\s*([^<]*?)\s*<', page.content.decode())
    assert margins == ["40.0%", "－"]
    assert as_reader.get("/api/daily_sales", {"date": DAY}).json()["data"]["summary"]["margin"] == 40.0


def test_losses_and_small_differences_are_written_to_the_cent() -> None:
    written = [money(amount) for amount in (None, 0, 1234, Decimal("-1234.50"), Decimal("0.05"), -3)]
    assert written == ["－", "$0", "$1,234", "-$1,234.50", "$0.05", "-$3"]
    pairs = [(1, None), (None, 1), (5, 5), (1250.5, 1500), (0.3, 0.1), (Decimal("2000.00"), 1), (1, 2)]
    assert [difference(now, then) for now, then in pairs] == ["－", "－", "0", "-249.50", "+0.20", "+1,999", "-1"]


def test_the_days_have_a_chart(as_reader: Client) -> None:
    brought(sold(DAY, amount=1000), sold("2026-01-28", amount=500, cost=None))

    page = as_reader.get(reverse("admin:sales_dayowner_changelist"))

    assert page.context["sales_chart"] == {
        "dates": ["2026-01-28", "2026-01-29"],
        "amount": [500.0, 1000.0],
        "gross_profit": [None, 400.0],
    }
    assert '<script id="momo-sales-chart" type="application/json">' in page.content.decode()
    assert [row.date.isoformat() for row in page.context["cl"].result_list] == ["2026-01-29", "2026-01-28"]


@pytest.fixture
def lines(db: None) -> None:
    """In force; the older version of the day says something else."""
    brought(sold(DAY, code="99999999", brand="舊"))
    brought(
        sold(DAY, code="11111111"),
        sold(DAY, code="22222222", brand="其他牌", pm="李小華", category="居家"),
        sold("2026-01-28", code="00033333", brand="", amount=12.5),
        sold("2026-01-28", code="00044444", brand="-", amount=11),
    )


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["22222222", "11111111", "00044444", "00033333"]),
        ("date_from=2026-01-29", ["22222222", "11111111"]),
        ("date_to=2026-01-28", ["00044444", "00033333"]),
        ("date_from=2026-01-28&date_to=2026-01-28", ["00044444", "00033333"]),
        ("date_from=nonsense", ["22222222", "11111111", "00044444", "00033333"]),
        ("brand=其他牌", ["22222222"]),
        ("brand=未分類", ["00033333"]),
        ("brand=-", ["00044444"]),
        ("brand=舊", []),
        ("pm=李小華", ["22222222"]),
        ("category=美妝&date_from=2026-01-29", ["11111111"]),
        ("product_code__icontains=3333", ["00033333"]),
    ],
)
def test_lines_can_be_filtered(query: str, codes: list[str], lines: None, as_reader: Client) -> None:
    page = as_reader.get(f"{reverse('admin:sales_salesline_changelist')}?{query}")

    assert page.status_code == 200
    assert [line.product_code for line in page.context["cl"].result_list] == codes


def test_the_names_to_choose_are_those_of_the_last_days(lines: None, as_reader: Client) -> None:
    page = as_reader.get(reverse("admin:sales_salesline_changelist"))

    filters = {spec.title: [name for _, name in spec.lookup_choices] for spec in page.context["cl"].filter_specs[1:4]}
    assert filters == {
        "PM": ["王小明", "李小華"],
        "品牌": ["其他牌", "水潤", "（未填）", "-"],
        "分類": ["美妝", "居家"],
    }


def test_lines_are_read_from_their_index(lines: None, as_reader: Client) -> None:
    """They are millions; sorting them would take minutes."""
    page = as_reader.get(reverse("admin:sales_salesline_changelist"))
    with connection.cursor() as cursor:
        # A table of three rows would be read and sorted at once; the question is whether it must be.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")

    plan = page.context["cl"].queryset[:50].explain()

    assert "salesline_day" in plan
    assert not re.search("(?<!Incremental )Sort  ", plan)


def test_a_lines_page_shows_all_of_it(lines: None, as_reader: Client) -> None:
    line = SalesLine.objects.get(product_code="00033333")

    seen = text(as_reader.get(reverse("admin:sales_salesline_change", args=[line.pk])))

    assert "00033333" in seen
    assert "$12.50" in seen


def test_a_line_that_does_not_count_has_no_page(lines: None, as_reader: Client) -> None:
    """It is not among those that are listed."""
    line = SalesLine.objects.get(product_code="99999999")

    assert as_reader.get(reverse("admin:sales_salesline_change", args=[line.pk])).status_code == 302


def test_nobody_writes_days_lines_or_imports(as_boss: Client) -> None:
    brought(sold(DAY))
    line, day, job = SalesLine.objects.get(), DayOwner.objects.get(), Job.objects.get()
    for name, one in (("sales_salesline", line), ("sales_dayowner", day), ("jobs_job", job)):
        assert as_boss.post(reverse(f"admin:{name}_change", args=[one.pk]), {"amount": "1"}).status_code == 403
        assert as_boss.post(reverse(f"admin:{name}_delete", args=[one.pk]), {"post": "yes"}).status_code == 403
