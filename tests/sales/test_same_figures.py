"""One ledger in plain Python, and all that says figures of sales: start page, boards, lists, API, bot and reports.

Of sales that were replaced and undone, with targets and campaigns. What the parts say alone, and all keys of the API,
are in test_board, test_targets, test_campaigns, tests/bot and tests/reports; here each says the same as the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from bot.registry import Call, run
from momo.reports.services.files import forms_of
from sales.models import Campaign, Target
from tests.fakes.telegram.html import visible
from tests.kit.users import person, session_client
from tests.reports.test_forms import of_mail, of_message, of_slides, of_workbook, report, without_pictures
from tests.sales.factories import DAY, Row, sale
from tests.sales.test_properties import Book, bring, take_back

NOW = datetime(2026, 3, 12, 10, tzinfo=ZoneInfo("Asia/Taipei"))
TODAY, MONTH = NOW.date(), date(2026, 3, 1)
DIMENSIONS = ("brand", "pm", "category")
HEADINGS = {"brand": "依品牌", "pm": "依 PM", "category": "依分類"}
NAMELESS = "未分類"
CAMPAIGN, LAST_YEAR = (DAY - timedelta(days=1), DAY + timedelta(days=5)), (date(2025, 3, 1), date(2025, 3, 7))
WEEK, WEEK_BEFORE = (date(2026, 3, 2), date(2026, 3, 8)), (date(2026, 2, 23), date(2026, 3, 1))

AMOUNTS = st.decimals("-500", "5000", places=2)
ROWS = st.builds(
    sale,
    # Two weeks, days of the month before and of a year ago.
    days=st.integers(-8, 8) | st.sampled_from((-29, -22, -366, -365, -363, -337)),
    amount=AMOUNTS,
    quantity=st.integers(-3, 30),
    code=st.sampled_from(("1", "2", "0003")),
    brand=st.sampled_from(("甲", "乙 & <b>", "丙", None)),
    pm=st.sampled_from(("甲", "乙", None)),
    category=st.sampled_from(("甲", "美妝", None)),
    vendor_code=st.sampled_from(("01", None)),
    cost=st.none() | AMOUNTS,
)
GOALS = st.fixed_dictionaries(
    {
        ("all", ""): st.none() | st.decimals("0", "20000", places=2),
        ("pm", "甲"): st.none() | st.decimals("0", "9000", places=2),
    }
)


@dataclass(frozen=True)
class Ledger:
    """The rows in force."""

    rows: list[Row]

    @classmethod
    def of(cls, book: Book) -> Ledger:
        return cls([row for day, owner in book.in_force().items() for row in owner.days[day]])

    @property
    def days(self) -> set[date]:
        return {row["date"] for row in self.rows}

    @property
    def last(self) -> date:
        return max(self.days)

    def within(self, first: date, last: date, **keys: str) -> Ledger:
        """Rows of some days with these values; an empty value is none."""
        return Ledger(
            [
                row
                for row in self.rows
                if first <= row["date"] <= last and all((row[name] or "") == key for name, key in keys.items())
            ]
        )

    @property
    def amount(self) -> Decimal:
        return sum((row["amount"] for row in self.rows), Decimal(0))

    @property
    def profit(self) -> Decimal | None:
        """None if there are rows and none has a cost."""
        known = [row["amount"] - row["cost"] for row in self.rows if row["cost"] is not None]
        return sum(known, Decimal(0)) if known or not self.rows else None

    @property
    def quantity(self) -> int:
        return sum(row["quantity"] for row in self.rows)

    def by(self, dimension: str) -> dict[str, Ledger]:
        keys = {row[dimension] or "" for row in self.rows}
        return {key: Ledger([row for row in self.rows if (row[dimension] or "") == key]) for key in keys}

    def amounts(self, dimension: str) -> dict[str, Decimal]:
        return {key or NAMELESS: part.amount for key, part in self.by(dimension).items()}


def dec(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def body(api: Client, path: str, **asked: Any) -> dict[str, Any]:
    answer = api.get(f"/api/{path}", asked).json()
    assert answer["success"], answer
    return dict(answer["data"])


def page(client: Client, name: str, *args: Any, **asked: Any) -> Any:
    answer = client.get(reverse(f"admin:{name}", args=args), asked)
    assert answer.status_code == 200
    return answer


def table(answer: Any, key: str) -> Any:
    (found,) = (one for one in answer.context["tables"] if one.key == key)
    return found


def exported(client: Client, name: str, key: str, **asked: Any) -> list[dict[str, str]]:
    file = page(client, name, **asked, export=key, format="csv")
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))


def listed(client: Client, url: str) -> Decimal:
    """What the list of lines at an address adds up to."""
    answer = client.get(url)
    assert answer.status_code == 200
    return Decimal(answer.context["cl"].sums.amount).scaleb(-2)


def whole(amount: Decimal) -> str:
    return f"{int(amount.quantize(Decimal(1), rounding='ROUND_HALF_UP')):,}"


# --- Checks -----------------------------------------------------------------------------------------------------------


def check_day(client: Client, api: Client, user: User, ledger: Ledger) -> None:
    """The latest day: start page, board with its files and links, API and bot."""
    last = ledger.last
    day, before = ledger.within(last, last), ledger.within(last - timedelta(days=1), last - timedelta(days=1))
    sold = page(client, "index").context["sold"]
    board = page(client, "sales_board", date=f"{last}")
    said = body(api, "daily_sales", date=f"{last}")
    told = run(Call(user, "sales", (f"{last}",), NOW))
    summaries = [said["summary"], told.data["summary"]]

    assert {dec(one["amount"]) for one in summaries} | {sold["day_amount"]} == {day.amount}
    assert {dec(one["gross_profit"]) for one in summaries} | {sold["day_profit"]} == {day.profit}
    assert {one["quantity"] for one in summaries} == {day.quantity}
    assert f"業績 {whole(day.amount)} 元" in visible(told.text)
    earlier = (said["comparison"]["previous_day"], told.data["comparison"][0], sold["day_against"][0])
    assert {dec(one["amount"]) for one in earlier} == {before.amount}
    assert listed(client, sold["day_url"]) == day.amount
    for dimension in DIMENSIONS:
        shown = table(board, dimension)
        rows = {row["key"]: row for row in shown.rows if row.get("amount_url")}
        assert {key: row["amount"] for key, row in rows.items()} == day.amounts(dimension)
        assert {one["key"]: dec(one["amount"]) for one in said[f"by_{dimension}"]} == day.amounts(dimension)
        assert (shown.totals["amount"], shown.totals["gross_profit"]) == (day.amount, day.profit)
        for key, part in day.by(dimension).items():
            assert rows[key or NAMELESS]["gross_profit"] == part.profit
        top = run(Call(user, "top", ("50", dimension, f"{last}"), NOW)).data["items"]
        assert {one["key"]: dec(one["amount"]) for one in top} == day.amounts(dimension)
    *lines, totals = exported(client, "sales_board", "brand", date=f"{last}")
    assert Decimal(totals["業績"]) == sum(Decimal(line["業績"]) for line in lines) == day.amount
    key, part = max(day.by("brand").items())
    (row,) = (row for row in table(board, "brand").rows if row["key"] == (key or NAMELESS))
    assert listed(client, row["amount_url"]) == part.amount


def check_month(client: Client, api: Client, user: User, ledger: Ledger) -> None:
    """The month of the latest day: start page, calendar, trend, API, bot."""
    last = ledger.last
    first = last.replace(day=1)
    end = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    month = ledger.within(first, end)
    sold = page(client, "index").context["sold"]
    days = table(page(client, "sales_board_month", month=f"{first:%Y-%m}"), "days")
    said = body(api, "monthly_summary", year=first.year, month=first.month)
    told = run(Call(user, "month", (f"{first:%Y-%m}",), NOW)).data["summary"]
    amounts = {dec(sold["month_amount"]), days.totals["amount"], dec(said["totals"]["amount"]), dec(told["amount"])}
    assert amounts == {month.amount}
    profits = {dec(sold["month_profit"]), days.totals["gross_profit"], dec(said["totals"]["gross_profit"])}
    assert profits == {month.profit}
    assert {row["date"]: row["amount"] for row in days.rows} == {
        day: month.within(day, day).amount for day in month.days
    }
    assert listed(client, sold["month_url"]) == listed(client, days.totals["amount_url"]) == month.amount
    months = [(first - timedelta(days=1)).replace(day=1), first.replace(year=first.year - 1)]
    for start, shown, told_ in zip(months, sold["month_against"], ("previous_month", "last_year"), strict=True):
        through = min(start + (last - first), (start + timedelta(days=31)).replace(day=1) - timedelta(days=1))
        expected = ledger.within(start, through).amount
        assert dec(shown["amount"]) == dec(said["month_to_date"][told_]["amount"]) == expected
    asked = {"start_date": f"{first}", "end_date": f"{last}", "dimension": "brand", "interval": "week"}
    trend = table(page(client, "sales_board_trend", **asked), "trend")
    labels = {column.name: column.label for column in trend.columns}
    shown = {labels[n]: sum(row[n] for row in trend.rows) for n in labels if n.startswith("key")}
    series = body(api, "sales/trend", **asked)["series"]
    assert shown == {one["key"]: sum(map(Decimal, map(str, one["amount"]))) for one in series}
    assert shown == month.within(first, last).amounts("brand")


def check_changes(client: Client, ledger: Ledger) -> None:
    """Two weeks: contributions add up to the cent on the page and in its files, and movers are the same changes."""
    after, before = ledger.within(*WEEK), ledger.within(*WEEK_BEFORE)
    asked = {"start_date": f"{WEEK[0]}", "end_date": f"{WEEK[1]}", "compared": "before"}
    answer = page(client, "sales_board_contribution", **asked, cross="1")
    names = ("before", "after", "change")
    expected = (before.amount, after.amount, after.amount - before.amount)
    for key in ("level1", "cross"):
        shown = table(answer, key)
        assert tuple(shown.totals[name] for name in names) == expected
        assert tuple(sum(row[name] for row in shown.rows) for name in names) == expected
    *rows, totals = exported(client, "sales_board_contribution", "cross", **asked, cross="1")
    assert sum(Decimal(row["增減"]) for row in rows) == Decimal(totals["增減"]) == expected[2]
    for dimension in DIMENSIONS:
        movers = page(client, "sales_board_movers", **asked, dimension=dimension)
        found = {row["key"]: row["change"] for key in ("rose", "fell") for row in table(movers, key).rows}
        new, old = after.amounts(dimension), before.amounts(dimension)
        changes = {key: new.get(key, Decimal(0)) - old.get(key, Decimal(0)) for key in {*new, *old}}
        assert found == {key: change for key, change in changes.items() if change}


def check_targets(client: Client, api: Client, ledger: Ledger, goals: dict[tuple[str, str], Decimal | None]) -> None:
    """March until today: the page, its file and the API; the start page where the latest day is of March."""
    month = ledger.within(MONTH, TODAY)
    said = body(api, "sales/targets/attainment", month="2026-03", dimension="pm")
    answer = page(client, "sales_target_attainment", month="2026-03", dimension="pm")
    rows = exported(client, "sales_target_attainment", "keys", month="2026-03", dimension="pm")[:-1]
    items = {one["key"] or NAMELESS: one["amount"] for one in said["items"]}
    wanted = {(key or NAMELESS): part.amount for key, part in month.by("pm").items()}
    if goals["pm", "甲"] is not None:
        wanted.setdefault("甲", Decimal(0))
    assert {key: dec(one["actual"]) for key, one in items.items()} == wanted
    shown = {row["label"]: row for row in table(answer, "keys").rows}
    for name in ("target", "actual", "attainment", "expected", "ahead", "projected", "needed"):
        assert {key: dec(row[name]) for key, row in shown.items()} == {k: dec(one[name]) for k, one in items.items()}
    assert {row["PM"]: Decimal(row["實績"]) for row in rows} == wanted
    total = said["whole"]["amount"]
    assert (dec(total["target"]), dec(total["actual"])) == (goals["all", ""], month.amount)
    sold = page(client, "index").context["sold"]
    if ledger.last >= MONTH:
        assert (sold["aim"] and sold["aim"]["progress"].target) == goals["all", ""]
        if sold["aim"]:
            assert sold["aim"]["progress"].attainment == total["attainment"]


def check_campaign(client: Client, ledger: Ledger, campaign: Campaign) -> None:
    """A campaign beside that of the year before, by day and by brand; of some brands only these."""

    def chosen(part: Ledger) -> Ledger:
        rows = [row for row in part.rows if not campaign.brands or row["brand"] in campaign.brands]
        return Ledger(rows)

    tables = {one.key: one for one in page(client, "sales_campaign_report", campaign.pk).context["tables"]}
    days = [day for day in ledger.within(*CAMPAIGN).days if day <= TODAY]
    if not days:
        return
    elapsed = max(days) - CAMPAIGN[0]
    now = chosen(ledger.within(CAMPAIGN[0], max(days)))
    then = chosen(ledger.within(LAST_YEAR[0], LAST_YEAR[0] + elapsed))
    amount, profit = tables["whole"].rows
    assert (amount["now"], amount["then"]) == (now.amount, then.amount)
    assert (profit["now"], profit["then"]) == (now.profit, then.profit)
    rows = {row["name"]: row["now"] for row in tables["brand"].rows if row["now"]}
    assert rows == {key: one for key, one in now.amounts("brand").items() if one}


def check_reports(ledger: Ledger) -> None:
    """Message, mail, workbook and slides of the latest day."""
    day = ledger.within(ledger.last, ledger.last)
    sections = [f"sales_by_{dimension}" for dimension in DIMENSIONS]
    forms = without_pictures(forms_of(report(sections=sections), day=ledger.last))
    for dimension, heading in HEADINGS.items():
        expected = {**day.amounts(dimension), "合計": day.amount}
        for read in (of_message, of_mail, of_workbook, of_slides):
            assert read(forms, heading) == expected, read.__name__


@pytest.mark.django_db
# The start page alone takes half a second of the processor: 2 examples, and 20 in `make test-long`.
@hypothesis_settings(
    max_examples=max(2, hypothesis_settings().max_examples // 10 - 1), suppress_health_check=[HealthCheck.too_slow]
)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=16),
    other=st.lists(ROWS, max_size=5),
    undone=st.lists(ROWS, max_size=5),
    goals=GOALS,
    limited=st.booleans(),
)
def test_all_that_says_figures_says_those_of_the_ledger(
    rows: list[Row],
    other: list[Row],
    undone: list[Row],
    goals: dict[tuple[str, str], Decimal | None],
    limited: bool,
) -> None:
    say_the_same(rows, other, undone, goals, limited)


def say_the_same(
    rows: list[Row],
    other: Iterable[Row],
    undone: Iterable[Row],
    goals: dict[tuple[str, str], Decimal | None],
    limited: bool,
) -> None:
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        cache.clear()
        book = Book()
        for source in (rows, list(other), list(undone)):
            if source:
                bring(book, source)
        if undone:
            take_back(book, book.imports[-1])
        ledger = Ledger.of(book)
        for (dimension, key), amount in goals.items():
            if amount is not None:
                Target.objects.create(month=MONTH, dimension=dimension, key=key, amount=amount)
        brands = ["甲", "丙"] if limited else []
        Campaign.objects.create(kind="other", name="檔", first=LAST_YEAR[0], last=LAST_YEAR[1])
        campaign = Campaign.objects.create(kind="other", name="檔", first=CAMPAIGN[0], last=CAMPAIGN[1], brands=brands)
        user = person("same")
        client = session_client(user)
        client.raise_request_exception = True
        check_day(client, client, user, ledger)
        check_month(client, client, user, ledger)
        check_changes(client, ledger)
        check_targets(client, client, ledger, goals)
        check_campaign(client, ledger, campaign)
        check_reports(ledger)
        transaction.set_rollback(True)
