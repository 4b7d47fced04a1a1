"""Pages of the sales board: fixed queries, figures that lead to their lines, files with the same rows."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User, UserScope
from momo.admin.kit.figures import FigureTable
from sales.models import Campaign, DayNote
from sales.selectors import from_lines
from tests.admin.makers import brought, sold

PAGES = ("sales_board", "sales_board_month", "sales_board_trend", "sales_board_movers", "sales_board_contribution")
# Two weeks compared with the two before, by what drills down and crosses.
PERIODS = {"start_date": "2026-01-16", "end_date": "2026-01-29", "compared": "before"}
DEEP = {**PERIODS, "path": ["水潤", "王小明"], "cross": "1", "order": "brand,pm,category"}


def report(keys: int) -> list[tuple[Any, ...]]:
    """Every second day of January, `keys` brands, PMs and categories each."""
    rows = []
    for day in range(1, 31, 2):
        rows.append(sold(f"2026-01-{day:02}", amount=990 + day))
        for number in range(keys):
            rows.append(
                sold(
                    f"2026-01-{day:02}",
                    f"{20_000_000 + number}",
                    amount=Decimal(100 * day + number) / 4,
                    brand=f"品牌{number}",
                    pm=f"同事{number % 3}",
                    category="居家",
                )
            )
    return rows


def url_of(name: str) -> str:
    return reverse(f"admin:{name}")


# Session with its user, permissions, one query for all counts of the sidebar, the scope of the user. The latest day;
# the three days that are compared, or days of three months, or one or two queries of a trend, or the two periods, whose
# lines are counted first where they are read; the latest campaign; what is marked,
# and of a day its notes.
QUERIES = {
    "sales_board": ({}, 12),
    "sales_board_month": ({}, 10),
    "sales_board_trend": ({"dimension": "brand"}, 11),
    "sales_board_movers": (PERIODS, 9),
    "sales_board_contribution": (DEEP, 13),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_the_same_queries_however_much_is_sold(
    name: str, as_reader: Client, django_assert_num_queries: Any
) -> None:
    asked, expected = QUERIES[name]
    for keys in (2, 40):
        brought(*report(keys), confirm_loss=True)
        as_reader.get(url_of(name), asked)
        cache.clear()
        with django_assert_num_queries(expected):
            page = as_reader.get(url_of(name), asked)
        assert page.status_code == 200
        assert page.context["problem"] == ""
        assert page.context["tables"][0].rows


def figures(page: Any) -> list[tuple[FigureTable, dict[str, Any], str, str]]:
    """Each linked figure of a page: its table, row, column and address."""
    return [
        (table, row, name, row[f"{name}_url"])
        for table in page.context["tables"]
        for row in [*table.rows, *([table.totals] if table.totals else [])]
        for name in row
        if row.get(f"{name}_url")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_each_figure_leads_to_the_lines_that_add_up_to_it(name: str, as_reader: Client) -> None:
    brought(*report(3))
    page = as_reader.get(url_of(name), QUERIES[name][0])
    amounts = [one for one in figures(page) if one[2] in ("amount", "before", "after") or one[2].startswith("key")]
    followed = [one for one in amounts if "/salesline/" in one[3]]

    for table, row, column, url in followed[:: max(1, len(followed) // 3)]:
        listed = as_reader.get(url).context["cl"]
        assert Decimal(listed.sums.amount).scaleb(-2) == row[column], (table.key, row, url)
    assert len(followed) > 4


def test_changes_are_shown_with_their_signs_and_days_without_a_file_are_unknown(as_reader: Client) -> None:
    brought(
        sold("2026-01-29", amount=1500), sold("2026-01-22", amount=2000), sold("2026-01-22", brand="舊", amount=500)
    )

    page = as_reader.get(url_of("sales_board"), {"date": "2026-01-29"})

    html = page.content.decode()
    (brands,) = (table for table in page.context["tables"] if table.key == "brand")
    assert [(row["key"], row["same_weekday_last_week_change"]) for row in brands.rows] == [("水潤", -500), ("舊", -500)]
    assert "previous_day_change" not in brands.rows[0]
    assert brands.totals is not None
    assert brands.totals["same_weekday_last_week_rate"] == -40.0
    assert "2026-01-29（四）" in html
    assert '<span class="mo-figure__note">前一天 沒有資料</span>' in html
    assert '<span class="mo-figure__note">上週四 <span class="mo-down">▼ 40.0%</span></span>' in html


def test_the_calendar_has_whole_weeks_with_holidays_campaigns_and_notes(as_reader: Client) -> None:
    brought(*(sold(f"2026-02-{day:02}", amount=1000 + day) for day in range(1, 29)))
    Campaign.objects.create(name="情人節檔期", first=date(2026, 2, 10), last=date(2026, 2, 14), warm_up_days=2)
    DayNote.objects.create(date=date(2026, 2, 20), text="直播")

    page = as_reader.get(url_of("sales_board_month"), {"month": "2026-02"})

    weeks = page.context["weeks"]
    assert [len(week) for week in weeks] == [7] * 5
    assert weeks[0][:6] == [None] * 6  # 1 February 2026 is a Sunday
    days = {cell["day"].day: cell for week in weeks for cell in week if cell}
    assert (days[2]["amount"], days[2]["margin"]) == ("$1,002", 40.12)
    assert days[2]["day_before"] == '<span class="mo-up">▲ 0.1%</span>'
    assert days[2]["week_before"] == "－"
    assert [mark.title for mark in days[9]["marks"]] == ["情人節檔期 預熱"]
    assert days[17]["off"]  # New Year's Day of the lunar calendar
    (table,) = page.context["tables"]
    bands = {band["label"]: (band["from"].day, band["to"].day) for band in table.chart["bands"]}
    assert bands == {"情人節檔期 預熱": (8, 9), "情人節檔期": (10, 14)}
    assert "註記：直播" in [mark["text"] for mark in table.chart["marks"]]


def test_a_file_has_every_row_of_the_table_which_the_page_cuts(as_reader: Client) -> None:
    brought(*report(40))
    asked = {"date": "2026-01-29"}

    page = as_reader.get(url_of("sales_board"), asked)
    file = as_reader.get(url_of("sales_board"), {**asked, "export": "brand", "format": "csv"})

    (brands,) = (table for table in page.context["tables"] if table.key == "brand")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert brands.totals is not None
    assert brands.rows[-1]["key"] == "其他 11 個"
    assert sum(row["amount"] for row in brands.rows) == brands.totals["amount"]
    assert len(rows) == 42
    assert sum(Decimal(row["業績"]) for row in rows[:-1]) == Decimal(rows[-1]["業績"]) == brands.totals["amount"]
    assert "attachment" in file["Content-Disposition"]


def test_a_board_can_be_narrowed_to_what_a_user_looks_after(reader: User, as_reader: Client) -> None:
    brought(*report(4))
    UserScope.objects.create(user=reader, kind="pm", name="同事0")
    UserScope.objects.create(user=reader, kind="brand", name="品牌1")

    for name in PAGES:
        page = as_reader.get(url_of(name), {**QUERIES[name][0], "mine": "1", "path": [], "cross": ""})
        assert page.context["problem"] == ""
        linked = [one for one in figures(page) if "/salesline/" in one[3]]
        assert all("mine=1" in url for *_, url in linked)
    # What it shows of a day: the brands of one PM, and one brand of another.
    page = as_reader.get(url_of("sales_board"), {"date": "2026-01-29", "mine": "1"})
    (brands,) = (table for table in page.context["tables"] if table.key == "brand")
    assert sorted(row["key"] for row in brands.rows) == ["品牌0", "品牌1", "品牌3"]
    assert brands.totals is not None
    listed = as_reader.get(brands.totals["amount_url"]).context["cl"]
    assert Decimal(listed.sums.amount).scaleb(-2) == brands.totals["amount"]
    assert "同事0" in page.content.decode()


@pytest.mark.parametrize(
    ("name", "asked", "problem"),
    [
        ("sales_board", {"date": "2026-02-30"}, "請輸入有效的日期"),
        ("sales_board_month", {"month": "9999-12"}, "日期超出可用範圍"),
        ("sales_board_trend", {"start_date": "2026-01-02", "end_date": "2026-01-01"}, "起始日不可晚於結束日"),
        ("sales_board_trend", {"start_date": "2020-01-01", "end_date": "2026-01-01"}, "期間最長 1,095 天，請縮短範圍"),
        ("sales_board_movers", {"before_date": "x"}, "請輸入有效的日期"),
        ("sales_board_movers", {**PERIODS, "dimension": "product_code"}, "列明細要逐列加總，最多能加總"),
        ("sales_board_contribution", DEEP, "列明細要逐列加總，最多能加總"),
    ],
)
def test_a_refused_address_says_why_and_shows_what_it_can(
    name: str, asked: dict[str, Any], problem: str, as_reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought(*report(1))
    monkeypatch.setattr(from_lines, "MAX_LINES", 3)

    page = as_reader.get(url_of(name), asked)

    assert page.status_code == 200
    assert problem in page.context["problem"]
    assert problem in unescape(page.content.decode())
    if name == "sales_board_contribution":
        assert [table.key for table in page.context["tables"]] == ["level1"]


@time_machine.travel("2026-01-29 12:00+08:00", tick=False)
def test_usual_periods_and_the_latest_campaign_are_one_click(as_reader: Client) -> None:
    Campaign.objects.create(name="年貨節", first=date(2026, 1, 20), last=date(2026, 2, 14))

    page = as_reader.get(url_of("sales_board_movers"), {"measure": "quantity"})

    spans = {title: re.findall(r"=(\d{4}-\d\d-\d\d)", url) for title, url, _ in page.context["presets"]}
    assert spans == {
        "今天": ["2026-01-29"] * 2,
        "昨天": ["2026-01-28"] * 2,
        "上週": ["2026-01-19", "2026-01-25"],
        "本月": ["2026-01-01", "2026-01-29"],
        "上月": ["2025-12-01", "2025-12-31"],
        "檔期：年貨節": ["2026-01-20", "2026-01-29"],
    }
    assert all("measure=quantity" in url for _, url, _ in page.context["presets"])
    month = as_reader.get(url_of("sales_board_contribution"), {"start_date": "2025-12-01", "end_date": "2025-12-31"})
    # A whole month is compared with the whole month before.
    assert month.context["periods"].before.label == "2025 年 11 月"
