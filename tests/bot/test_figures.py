"""/sales, /month, /top and /report: the figures of the API, readable, with their comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Role, User
from bot.registry import Call, Reply, run
from bot.words import understand
from tests.fakes.telegram.html import visible
from tests.kit.users import person
from tests.sales.factories import DAY, publish, sale

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Asia/Taipei"))  # a Monday
OWN = ("sales", "month", "top", "report")


def on(month: int, day: int, amount: Any = 100, year: int = 2026, **values: Any) -> dict[str, Any]:
    """A row of a day."""
    given_ = {"brand": "蘭蔻", "pm": "王小明", "category": "美妝", "cost": 60, **values}
    return sale((date(year, month, day) - DAY).days, amount, **given_)


ROWS_OF_A_YEAR = [
    on(11, 29, 1_234_567, cost=1_000_000, quantity=1200),
    on(11, 29, 345_678.5, brand="雅詩蘭黛", pm="林美玲", quantity=30, category="保養"),
    on(11, 29, 50, brand="", pm="", category="", cost=None),
    on(11, 28, 1_000_000, cost=900_000, quantity=1000),
    on(11, 28, 400_000, brand="雅詩蘭黛", pm="林美玲", category="保養"),
    *(on(11, day, 500_000 + day, cost=400_000) for day in (16, 20, 22, 23, 24)),
    *(on(10, day, 300_000 + day, brand="資生堂") for day in (1, 29, 31)),
    on(11, 29, 200_000, year=2025),
    on(11, 30, 100_000, year=2025),
]


@pytest.fixture
def _year() -> None:
    publish(ROWS_OF_A_YEAR)


def ask(user: User, words: str, now: datetime = NOW) -> Reply:
    """Run `/…` with its arguments."""
    name, *args = words.split(" ")
    return run(Call(user, name, tuple(args), now))


def get(api: Client, path: str, **params: Any) -> dict[str, Any]:
    answer = api.get(f"/api/{path}", params).json()
    assert answer["success"], answer
    return dict(answer["data"])


@pytest.mark.usefixtures("_year")
def test_figures_of_a_day_are_those_of_the_api(user: User, api: Client) -> None:
    for words, filters in (("", {}), (" brand 蘭蔻", {"brand": "蘭蔻"}), (" pm 未分類", {"pm": "未分類"})):
        answer = ask(user, f"sales 2026-11-29{words}")
        expected = get(api, "daily_sales", date="2026-11-29", **filters)
        assert answer.data["summary"] == expected["summary"]
        names = ("previous_day", "same_weekday_last_week")
        for shown, name in zip(answer.data["comparison"], names, strict=True):
            api_ = expected["comparison"][name]
            assert {key: shown[key] for key in ("amount", "gross_profit", "change", "change_percent")} == {
                key: api_[key] for key in ("amount", "gross_profit", "change", "change_percent")
            }
            assert shown["start_date"] == shown["end_date"] == api_["date"]
    day = get(api, "daily_sales", date="2026-11-29")
    ranked = ask(user, "top 50 brand 2026-11-29").data["items"]
    names_ = ("key", "amount", "quantity", "gross_profit", "margin", "share")
    assert [{name: one[name] for name in names_} for one in ranked] == [
        {name: one[name] for name in names_} for one in day["by_brand"]
    ]


@pytest.mark.usefixtures("_year")
def test_figures_of_a_month_and_a_week_are_those_of_the_api(user: User, api: Client) -> None:
    month = get(api, "monthly_summary", year=2026, month=11)
    shown = ask(user, "month").data
    assert shown["summary"] == month["totals"]
    for one, name in zip(shown["comparison"], ("previous_month", "last_year"), strict=True):
        assert one["change_percent"] == month["month_to_date"][name]["change_percent"]
        assert one["end_date"] == month["month_to_date"][name]["end_date"]
    past = get(api, "monthly_summary", year=2026, month=10)
    shown = ask(user, "month 2026-10").data
    assert shown["summary"] == past["totals"]
    changes = [one["change_percent"] for one in shown["comparison"]]
    assert changes == [past["month_on_month"]["change_percent"], past["year_on_year"]["change_percent"]]
    brand = ask(user, "month 2026-11 brand 蘭蔻").data["summary"]
    assert brand["amount"] == next(one["amount"] for one in month["by_brand"] if one["key"] == "蘭蔻")
    week = {"start_date": "2026-11-23", "end_date": "2026-11-29"}
    trend = get(api, "sales/trend", **week, interval="week", dimension="brand", top=5)
    ranked = ask(user, "top brand 2026-11-23~2026-11-29").data["items"]
    assert [(one["key"], one["amount"]) for one in ranked] == [
        (one["key"], one["amount"][0]) for one in trend["series"]
    ]
    total = get(api, "sales/trend", **week, interval="week")["series"][0]
    summary = ask(user, "sales 2026-11-23~2026-11-29").data["summary"]
    assert [summary[name] for name in total if name != "key"] == [total[name][0] for name in total if name != "key"]


@pytest.mark.usefixtures("_year")
def test_longer_periods_have_a_chart(user: User) -> None:
    for words in ("sales 2026-11-23~2026-11-29", "month", "report 2026-11", "month 2026-11 brand 蘭蔻"):
        picture = ask(user, words).picture
        assert picture
        assert picture.png.startswith(b"\x89PNG")
        assert "每日業績：500,0" in picture.alt
    assert ask(user, "sales").picture is None


# What each command shows: pieces of the text.
SHOWN = [
    (
        "sales",
        "2026/11/29（週日）",
        "1,580,296",
        "比前一天 ▲12.9%",
        "比上週同日 ▲216",
        "1. 蘭蔻 1,234,567（78.1%）▲23.5%",
    ),
    ("sales yesterday", "2026/11/29（週日）", "最新資料：2026/11/29（週日）"),
    ("sales today", "2026/11/30（週一）", "還沒有資料；最新資料是 2026/11/29（週日）"),
    ("sales 2026-11-27", "沒有資料（沒有匯入日報）"),
    ("sales 11/29 蘭蔻", "條件：品牌 蘭蔻", "1,234,567"),
    ("sales 蘭 11/29", "是哪一個", "品牌 蘭蔻、品牌 雅詩蘭黛"),
    ("sales 11/28 資生堂", "條件：品牌 資生堂", "沒有符合條件的銷售"),
    ("sales yesterday pm", "PM 排行", "1. 王小明"),
    ("sales 2026-11-23~2026-11-29", "每日業績", "11/25（週三） 沒有資料", "比前一週"),
    ("sales week", "2026/11/30–2026/12/06（週一至週日）", "還沒有資料"),
    ("sales 香奈兒", "看不懂「香奈兒」"),
    ("sales 2/30", "沒有 2026/2/30 這一天；您是說 2026/02/28"),
    ("sales 2026-12-01", "還沒到"),
    ("sales 2026-13-01", "沒有 13 月"),
    ("sales 3000-01-01", "之間"),
    ("sales 2025-01-01~2026-11-30", "比去年同期"),
    ("month", "2026 年 11 月", "資料到 2026/11/29", "比上個月同期"),
    ("month 2026-10", "2026 年 10 月", "比前一個月", "比去年同月 —"),
    ("month 2026-10 brand 資生堂", "條件：品牌 資生堂", "900,061"),
    ("month 2027-01", "還沒到"),
    ("top", "品牌排行，業績前 3 名（共 3）", "1. 蘭蔻", "3. 未分類"),
    ("top 1 pm", "PM 排行，業績前 1 名（共 3）", "1. 王小明"),
    ("top 51", "1 到 50"),
    ("top 0", "1 到 50"),
    ("top brand 今年", "最長 92 天"),
    ("top 蘭蔻", "不能只看 品牌 蘭蔻"),
    ("report", "銷售日報", "本月累計業績", "變化最大的品牌", "▲ 蘭蔻 234,567 元（▲23.5%）", "▼ 雅詩蘭黛"),
    ("report week", "銷售週報", "2026/11/23–2026/11/29"),
    ("report month", "銷售月報", "2026 年 10 月"),
    ("report 2026-11", "銷售月報", "2026 年 11 月"),
    ("report 蘭蔻", "不能只看 品牌 蘭蔻"),
]


@pytest.mark.usefixtures("_year")
def test_each_question_has_its_answer(user: User) -> None:
    for words, *pieces in SHOWN:
        text = visible(ask(user, words).text)
        assert all(piece in text for piece in pieces), f"/{words}: {pieces}\n{text}"


@pytest.mark.usefixtures("_year")
def test_every_role_reads_the_same_figures() -> None:
    for words in ("sales", "month", "top", "report"):
        replies = [ask(person(f"{words}_{role}", role), words) for role in Role.values]
        assert len({reply.text for reply in replies}) == 1


@pytest.mark.usefixtures("_year")
def test_every_button_leads_to_an_answer(user: User) -> None:
    shown = ("sales", "sales today", "sales 蘭 11/29", "sales 2/30", "month", "top 1 pm", "top brand 今年", "report")
    buttons = {button for words in shown for row in ask(user, words).buttons for button in row}
    assert all(0 < len(one.label) <= 40 for one in buttons)
    for command, args in {(one.command, one.args) for one in buttons}:
        assert "看不懂" not in run(Call(user, command, args, NOW)).text, (command, args)


def test_before_the_first_import_and_in_long_rankings(user: User) -> None:
    assert all("還沒有銷售資料" in ask(user, name).text for name in OWN)
    publish([on(11, 29, 1000 - number, brand=f"品牌{number:02}") for number in range(60)])
    first = ask(user, "top 50")
    assert "1. 品牌00" in first.text
    assert "第 1 / 5 頁" in first.text
    ((following,),) = (row for row in first.buttons if row[0].label == "下一頁 ▶")
    second = run(Call(user, following.command, following.args, NOW))
    assert following.replaces
    assert "11. 品牌10" in second.text
    assert "20. 品牌19" in second.text
    assert "21." not in second.text


@pytest.mark.usefixtures("_year")
def test_queries_do_not_grow_with_the_data(user: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for words, number in (("sales", 7), ("sales yesterday brand 蘭蔻", 6), ("top", 4), ("month", 8), ("report", 10)):
        with django_assert_num_queries(number):
            ask(user, words)


ODD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40) | st.sampled_from(
    ("<b>&牛</b>", "a&b", "👩‍👩‍👧", "<" * 120, "牛" * 120, "昨天", "未分類", "brand", "‮x")
)
WORDS = st.text(max_size=30) | st.sampled_from(("<b>", "&amp;", "x" * 10_000, "\0", "昨天\0業績", "\ud800", "11/3<"))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(names=st.lists(ODD, min_size=1, max_size=4), words=st.lists(WORDS, min_size=1, max_size=3))
def test_every_reply_is_valid_whatever_the_data(user: User, names: Sequence[str], words: Sequence[str]) -> None:
    """As Telegram reads it; for names in the data, in arguments and in sentences."""
    with transaction.atomic():
        publish([on(11, 29, 10, brand=one, pm=names[0][:60], category=names[-1]) for one in names])
        calls = [(name, ()) for name in OWN]
        calls += [
            ("sales", ("brand", names[0])),
            ("sales", tuple(words)),
            ("top", tuple(words)),
            ("report", (words[0],)),
        ]
        for name, args in calls:
            visible(run(Call(user, name, args, NOW)).text)
        for sentence in (*words, names[0], f"昨天{names[0]}業績", f"{words[0]}多少錢"):
            answer = understand(sentence, user=user, now=NOW)
            if isinstance(answer, Reply):
                visible(answer.text)
            elif answer[0] in OWN:
                visible(run(Call(user, *answer, NOW)).text)
        transaction.set_rollback(True)
