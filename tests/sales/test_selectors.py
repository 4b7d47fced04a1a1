"""A day, a month and a trend, against plain Python over the same rows; and what they cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from momo.core.errors import ValidationFailed
from momo.core.formats import percent_of
from sales.figures import Figures, dollars
from sales.selectors.daily import daily_sales
from sales.selectors.lines import latest_date, latest_or_today, lines_of
from sales.selectors.monthly import monthly_summary
from sales.selectors.trend import span, trend
from tests.kit.users import person, session_client
from tests.sales.factories import DAY, Row, added_up, against, by_key, publish, sale

pytestmark = pytest.mark.django_db
BRANDS = ["水潤", "沐光", "其他", "", *[f"品牌{n}" for n in range(12)]]
FIGURES = ("quantity", "amount", "cost", "gross_profit", "margin", "lines")


def report(days: range, *, seed: int = 1, rows: int = 12) -> list[Row]:
    """Some rows for each of `days`, with cents, returns, and lines without brand or cost."""
    rnd = random.Random(seed)
    made = []
    for day in days:
        for _ in range(rnd.randint(1, rows)):
            quantity = rnd.choice((1, 1, 2, 3, -1))
            made.append(
                sale(
                    day,
                    Decimal(rnd.randint(1000, 99999) * quantity) / 100,
                    quantity,
                    str(1_000_000 + rnd.randrange(40)),
                    brand=rnd.choice(BRANDS),
                    pm=rnd.choice(("王小明", "陳大文", None)),
                    category=rnd.choice(("美妝", "家電", "食品")),
                    cost=rnd.choice((None, Decimal(rnd.randint(100, 9999)) / 100)),
                )
            )
    return made


def of(rows: list[Row], first: date, last: date | None = None) -> list[Row]:
    return [row for row in rows if first <= row["date"] <= (last or first)]


@pytest.fixture
def rows(db: None) -> list[Row]:
    """Three months around DAY and the same of the year before, with gaps; DAY was wrong at first."""
    made = report(range(-400, -300)) + report(range(-60, 20), seed=2)
    made = [row for row in made if row["date"].weekday() != 6]
    publish([row | {"amount": row["amount"] * 2} for row in of(made, DAY)] + [sale(-30, 1)])
    publish(made)
    return made


# --- Figures --------------------------------------------------------------------------------------------------------


def test_numbers() -> None:
    assert [dollars(cents) for cents in (None, 0, 100, 12345, -50, -12300)] == [None, 0, 1, 123.45, -0.5, -123]
    assert isinstance(dollars(100), int)
    assert [percent_of(*pair) for pair in ((1, 3), (-1, 3), (1, -3), (2, 3), (1, 8000), (0, 5), (1, 0))] == [
        33.33,
        -33.33,
        -33.33,
        66.67,
        0.01,
        0.0,
        None,
    ]


def test_unknown_is_not_zero() -> None:
    unknown, known = Figures(1, 1, 100), Figures(1, 1, 300, 200, 100, 300)
    assert unknown.as_dict()["gross_profit"] is None
    assert known.against(unknown)["change"]["gross_profit"] is None
    assert known.against(Figures())["change"]["gross_profit"] == 1
    both = unknown + known
    assert (both.amount, both.cost, both.margin) == (400, 200, 33.33)
    assert Figures().as_dict() == {name: None if name == "margin" else 0 for name in FIGURES}


# --- A day ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-60, -7, 0, 1, 6, 7, 19])
def test_a_day(rows: list[Row], days: int) -> None:
    day = DAY + timedelta(days=days)
    answer = daily_sales(day=day)
    now = added_up(of(rows, day))
    assert answer["date"] == day
    assert answer["summary"] == now
    for name, back in (("previous_day", 1), ("same_weekday_last_week", 7)):
        then = day - timedelta(days=back)
        assert answer["comparison"][name] == {"date": then, **against(now, added_up(of(rows, then)))}
    for column in ("pm", "brand", "category"):
        assert answer[f"by_{column}"] == by_key(of(rows, day), column)
    assert answer["total"] == now["lines"] == len(answer["items"])
    wanted = [(row["product_code"], row["amount"], row["cost"]) for row in of(rows, day)]
    assert [(item["product_id"], item["amount"], item["cost"]) for item in answer["items"]] == wanted


@pytest.mark.parametrize(
    "filters",
    [{"pm": "王小明"}, {"brand": "水潤"}, {"pm": "未分類"}, {"pm": "陳大文", "brand": "沐光"}, {"brand": "未分類"}],
)
@pytest.mark.parametrize("days", [0, 3, 14])
def test_a_day_of_some(rows: list[Row], filters: dict[str, str], days: int) -> None:
    day = DAY + timedelta(days=days)

    def chosen(when: date) -> list[Row]:
        keys = {name: "" if value == "未分類" else value for name, value in filters.items()}
        return [row for row in of(rows, when) if all((row[name] or "") == key for name, key in keys.items())]

    answer = daily_sales(day=day, **filters)
    now = added_up(chosen(day))
    assert answer["summary"] == now
    assert answer["total"] == len(answer["items"]) == now["lines"]
    for name, back in (("previous_day", 1), ("same_weekday_last_week", 7)):
        then = day - timedelta(days=back)
        assert answer["comparison"][name] == {"date": then, **against(now, added_up(chosen(then)))}
    for column in ("pm", "brand", "category"):
        assert answer[f"by_{column}"] == by_key(chosen(day), column)


def test_a_lines_margin_is_rounded_as_all_margins_are() -> None:
    """Half up, as in the totals and the exports; 0.125 would be 0.12 to the nearest even."""
    amounts = [(8, "0.01"), (8, "-0.01"), (0, 1), (-8, "-20")]
    publish([sale(place, amount, gross_profit=profit) for place, (amount, profit) in enumerate(amounts)])
    answer = [daily_sales(day=DAY + timedelta(days=n)) for n in range(4)]
    # A loss on goods that came back is no gain of 250 %.
    assert [one["items"][0]["margin"] for one in answer] == [0.13, -0.13, None, None]
    assert [one["summary"]["margin"] for one in answer] == [0.13, -0.13, None, None]


def test_pages_of_a_day(rows: list[Row]) -> None:
    codes = [row["product_code"] for row in of(rows, DAY)]
    pages = [daily_sales(day=DAY, start=start, size=2)["items"] for start in range(0, len(codes) + 2, 2)]
    assert [item["product_id"] for page in pages for item in page] == codes
    assert pages[-1] == []


def test_without_a_date_it_is_the_latest_day_with_data(rows: list[Row]) -> None:
    latest = max(row["date"] for row in rows)
    assert latest_date() == latest
    assert daily_sales()["date"] == latest
    assert (monthly_summary()["year"], monthly_summary()["month"]) == (latest.year, latest.month)


def test_before_the_first_import() -> None:
    assert latest_date() is None
    answer = daily_sales()
    assert answer["date"] == latest_or_today()
    assert answer["summary"] == {name: None if name == "margin" else 0 for name in FIGURES}
    assert (answer["items"], answer["total"], answer["by_brand"]) == ([], 0, [])
    assert monthly_summary()["month_to_date"]["current"]["start_date"] is None
    start, end = span()
    assert trend(start=start, end=end, dimension="brand")["series"] == []
    assert trend(start=start, end=end)["series"][0]["amount"] == [0] * 30


@pytest.mark.parametrize("filters", [{"pm": "沒有人"}, {"brand": "沒有這種"}])
def test_a_key_that_no_day_knows_is_refused(rows: list[Row], filters: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        daily_sales(day=DAY, **filters)
    assert list(refused.value.fields) == list(filters)


def test_a_key_of_another_day_is_an_empty_day(rows: list[Row]) -> None:
    publish([sale(21, brand="一天的品牌")])
    answer = daily_sales(day=DAY, brand="一天的品牌")
    assert (answer["summary"]["lines"], answer["summary"]["amount"]) == (0, 0)
    # The sum of no data has no margin, and an empty day is no failure.
    assert answer["by_brand"] == []


def test_only_lines_in_force(rows: list[Row]) -> None:
    assert lines_of(DAY).count() == len(of(rows, DAY))


# --- A month --------------------------------------------------------------------------------------------------------


def month_rows(rows: list[Row], year: int, month: int, until: int = 31) -> list[Row]:
    return [row for row in rows if (row["date"].year, row["date"].month) == (year, month) and row["date"].day <= until]


@pytest.mark.parametrize(("year", "month"), [(2026, 3), (2026, 2), (2026, 1), (2025, 2), (2025, 3), (2027, 3)])
def test_a_month(rows: list[Row], year: int, month: int) -> None:
    answer = monthly_summary(year=year, month=month)
    mine = month_rows(rows, year, month)
    now = added_up(mine)
    assert answer["totals"] == now
    before = (year, month - 1) if month > 1 else (year - 1, 12)
    for name, (then_year, then_month) in (("month_on_month", before), ("year_on_year", (year - 1, month))):
        then = added_up(month_rows(rows, then_year, then_month))
        assert answer[name] == {"year": then_year, "month": then_month, **against(now, then)}
    for column in ("pm", "brand", "category"):
        assert answer[f"by_{column}"] == by_key(mine, column)
    first = date(year, month, 1)
    length = ((first + timedelta(days=31)).replace(day=1) - first).days
    assert answer["days"] == [
        {"date": day, **added_up(of(rows, day))} for day in (first + timedelta(days=n) for n in range(length))
    ]
    until = max((row["date"].day for row in mine), default=0)
    to_date = answer["month_to_date"]
    assert to_date["days"] == until
    for name, (then_year, then_month) in (("previous_month", before), ("last_year", (year - 1, month))):
        then = added_up(month_rows(rows, then_year, then_month, until))
        assert {key: to_date[name][key] for key in FIGURES} == then
        assert to_date[name]["change"] == against(added_up(mine), then)["change"]


def test_month_to_date_goes_to_the_last_day_with_data(rows: list[Row]) -> None:
    answer = monthly_summary(year=2026, month=3)["month_to_date"]
    assert answer["current"]["end_date"] == date(2026, 3, 21)
    assert answer["previous_month"]["end_date"] == date(2026, 2, 21)
    assert answer["last_year"]["start_date"] == date(2025, 3, 1)


def test_a_longer_month_is_held_against_all_of_a_shorter_one() -> None:
    publish([sale() | {"date": day} for day in (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31))])
    answer = monthly_summary(year=2026, month=3)["month_to_date"]
    assert answer["days"] == 31
    assert answer["previous_month"]["end_date"] == date(2026, 2, 28)
    assert answer["previous_month"]["amount"] == 100


# --- A trend --------------------------------------------------------------------------------------------------------


def label_of(day: date, interval: str) -> date:
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def series_of(rows: list[Row], labels: list[date], interval: str) -> dict[str, list[Any]]:
    answer: dict[str, list[Any]] = {"amount": [], "quantity": [], "gross_profit": []}
    for label in labels:
        figures = added_up(row for row in rows if label_of(row["date"], interval) == label)
        for name, values in answer.items():
            values.append(figures[name])
    return answer


SPANS = [(-60, 19), (-45, 3), (0, 0), (-31, -1), (-420, 60), (-1, 29), (-10, 10)]


@pytest.mark.parametrize(("first", "last"), SPANS)
def test_the_whole_over_time(rows: list[Row], first: int, last: int) -> None:
    start, end = DAY + timedelta(days=first), DAY + timedelta(days=last)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    for interval in ("day", "week", "month"):
        answer = trend(start=start, end=end, interval=interval)
        labels = list(dict.fromkeys(label_of(day, interval) for day in days))
        assert answer["dates"] == [label.isoformat() for label in labels]
        assert answer["series"] == [{"key": "合計", **series_of(of(rows, start, end), labels, interval)}]


@pytest.mark.parametrize("dimension", ["brand", "pm", "category"])
@pytest.mark.parametrize(("first", "last"), SPANS)
def test_keys_over_time(rows: list[Row], dimension: str, first: int, last: int) -> None:
    start, end = DAY + timedelta(days=first), DAY + timedelta(days=last)
    for top in (1, 3, 10, 50):
        check_keys(rows, dimension, start, end, top)


def check_keys(rows: list[Row], dimension: str, start: date, end: date, top: int) -> None:
    answer = trend(start=start, end=end, dimension=dimension, top=top)
    mine = of(rows, start, end)
    sums = {one["key"]: one["amount"] for one in by_key(mine, dimension)}
    # A key named 其他 counts as one of the others.
    named = [key for key in sums if key != "其他"][:top]
    others = [row for row in mine if (row[dimension] or "未分類") not in named]
    labels = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert [one["key"] for one in answer["series"]] == [*named, *(["其他"] if others else [])]
    for one in answer["series"][: len(named)]:
        those = [row for row in mine if (row[dimension] or "未分類") == one["key"]]
        assert one == {"key": one["key"], **series_of(those, labels, "day")}
    if others:
        assert answer["series"][-1] == {"key": "其他", **series_of(others, labels, "day")}
    whole = trend(start=start, end=end)["series"][0]
    for place in range(len(labels)):
        parts = sum(Decimal(str(one["amount"][place])) for one in answer["series"])
        assert parts == Decimal(str(whole["amount"][place]))


def test_weeks_begin_on_monday(rows: list[Row]) -> None:
    answer = trend(start=DAY + timedelta(days=3), end=DAY + timedelta(days=8), interval="week")
    assert answer["dates"] == ["2026-03-02", "2026-03-09"]


def test_spans(rows: list[Row]) -> None:
    latest = max(row["date"] for row in rows)
    assert span() == (latest - timedelta(days=29), latest)
    assert span(start=DAY) == (DAY, latest)
    assert span(end=DAY) == (DAY - timedelta(days=29), DAY)
    assert span(start=date(2030, 1, 1)) == (date(2030, 1, 1), date(2030, 1, 1))
    assert span(start=DAY, end=DAY + timedelta(days=3 * 365))
    with pytest.raises(ValidationFailed, match="3 年"):
        span(start=DAY, end=DAY + timedelta(days=3 * 365 + 1))
    with pytest.raises(ValidationFailed, match="不可晚於"):
        span(start=DAY, end=DAY - timedelta(days=1))


def test_three_calendar_years_fit() -> None:
    for year in range(2023, 2029):
        assert span(start=date(year, 1, 1), end=date(year + 2, 12, 31))


# --- What they cost -------------------------------------------------------------------------------------------------

SESSION = 1  # the session with its user


@pytest.fixture
def asker(db: None) -> Client:
    made = session_client(_user())
    made.get("/api/daily_sales")  # the session's time is written once a while
    return made


def _user() -> User:
    return person()


@pytest.mark.parametrize(
    ("path", "query", "reads"),
    [
        ("daily_sales", {}, 4),  # the latest day, totals, its imports, lines
        ("daily_sales", {"date": "2026-03-02"}, 3),
        ("daily_sales", {"date": "2026-03-02", "per_page": "1"}, 3),
        ("daily_sales", {"date": "2026-03-02", "page": "99"}, 2),
        ("daily_sales", {"date": "2026-03-02", "pm": "王小明"}, 4),  # and whether there is such a person
        ("daily_sales", {"date": "2026-03-02", "pm": "王小明", "brand": "水潤"}, 5),
        ("monthly_summary", {}, 3),  # the latest day, months, days
        ("monthly_summary", {"year": "2026", "month": "3"}, 2),
        ("sales/trend", {}, 2),  # the latest day, courses
        ("sales/trend", {"start_date": "2026-01-01", "end_date": "2026-03-31"}, 1),
        ("sales/trend", {"start_date": "2026-01-01", "end_date": "2026-03-31", "dimension": "brand"}, 2),
        (
            "sales/trend",
            {"start_date": "2026-01-01", "end_date": "2026-03-31", "dimension": "pm", "interval": "month"},
            2,
        ),
        ("export/daily_sales", {"date": "2026-03-02"}, 3),  # its imports, and a savepoint around the cursor
        ("export/daily_sales", {"date": "2026-03-02", "format": "csv"}, 3),
    ],
)
def test_an_answer_takes_as_many_queries_whatever_its_size(
    asker: Client, django_assert_num_queries: Callable[..., Any], path: str, query: dict[str, str], reads: int
) -> None:
    keys = {"pm": "王小明", "brand": "水潤"}
    for rows in (1, 60):
        publish([sale(n % 3, n + 1, code=str(n), **keys) for n in range(rows)])
        with django_assert_num_queries(SESSION + reads):
            answer = asker.get(f"/api/{path}", query)
            assert answer.status_code == 200, answer.content
            if answer.streaming:
                b"".join(answer.streaming_content)
