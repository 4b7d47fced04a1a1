"""Lines are millions: what is asked for is looked for in the days that can have it, not in all that was ever sold."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs

import openpyxl
import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sales.admin.lines import DAYS_SEARCHED
from sales.models import DayOwner
from tests.admin.makers import brought, sold

URL = "/admin/sales/salesline/"
LAST = date(2026, 1, 29)
DAYS = 60
OLD = LAST - timedelta(days=DAYS - 1)


def ago(days: int) -> str:
    return f"{LAST - timedelta(days=days):%Y-%m-%d}"


@pytest.fixture
def history(db: None) -> None:
    """Sixty days. The oldest alone has one thing, every second one another, and some names are never together."""
    rows = [sold(ago(days), code="11111111") for days in range(DAYS)]
    rows += [sold(ago(days), code="22222222", brand="隔日") for days in range(0, DAYS, 2)]
    rows += [sold(ago(days), code="44444444", pm="李小華", category="居家") for days in range(1, DAYS, 2)]
    rows.append(sold(ago(DAYS - 1), code="33333333", brand="很久以前"))
    brought(*rows)


def listed(client: Client, **query: Any) -> list[tuple[str, str]]:
    page = client.get(URL, query)
    assert page.status_code == 200
    return [(f"{line.date:%Y-%m-%d}", line.product_code) for line in page.context["cl"].result_list]


def dates_read(client: Client, **query: Any) -> set[str]:
    """The days that the queries of the list name: that of its page, and of its sums where these read lines."""
    with CaptureQueriesContext(connection) as captured:
        listed(client, **query)
    read = [one["sql"] for one in captured if 'FROM "sales_salesline"' in (one["sql"] or "")]
    named = [re.findall(r'"date" IN \(([^)]+)\)', sql) for sql in read]
    (days,) = {frozenset(re.findall(r"\d{4}-\d\d-\d\d", " ".join(each))) for each in named}
    return set(days)


def messages_of(client: Client, **query: Any) -> list[str]:
    return [str(message) for message in client.get(URL, query).context["messages"]]


def test_a_rare_name_is_looked_for_in_its_days_only(history: None, as_reader: Client) -> None:
    assert listed(as_reader, brand="很久以前") == [(ago(DAYS - 1), "33333333")]
    assert dates_read(as_reader, brand="很久以前") == {ago(DAYS - 1)}
    assert dates_read(as_reader, pm="李小華") == {ago(days) for days in range(1, DAYS, 2)}


def test_a_name_needs_no_more_days_than_lines_are_shown(history: None, as_reader: Client) -> None:
    assert dates_read(as_reader, brand="水潤") == {ago(days) for days in range(51)}
    first, second = listed(as_reader, brand="水潤"), listed(as_reader, brand="水潤", p="2")
    codes = ("44444444", "11111111")
    every = [(ago(days), code) for days in range(DAYS) for code in (codes if days % 2 else codes[1:])]
    assert first + second == every


def test_a_name_of_some_days_that_were_chosen(history: None, as_reader: Client) -> None:
    query = {"brand": "隔日", "date_from": ago(9), "date_to": ago(3)}
    assert listed(as_reader, **query) == [(ago(days), "22222222") for days in (4, 6, 8)]
    assert dates_read(as_reader, **query) == {ago(4), ago(6), ago(8)}
    assert messages_of(as_reader, **query) == []


def test_a_name_that_nobody_has_reads_no_line(history: None, as_reader: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert listed(as_reader, brand="沒有") == []
    assert not [one["sql"] for one in captured if 'FROM "sales_salesline"' in (one["sql"] or "")]


def test_a_code_is_looked_for_in_the_last_days_and_the_page_says_so(history: None, as_reader: Client) -> None:
    assert listed(as_reader, product_code__icontains="3333") == []
    assert dates_read(as_reader, product_code__icontains="3333") == {ago(days) for days in range(DAYS_SEARCHED)}
    (message,) = messages_of(as_reader, product_code__icontains="3333")
    assert f"{ago(DAYS_SEARCHED - 1)} 到 {ago(0)}" in message
    assert f"迄日設為 {ago(DAYS_SEARCHED)} 或更早" in message
    assert message in as_reader.get(URL, {"product_code__icontains": "3333"}).content.decode()


def test_a_code_of_long_ago_is_found_in_the_days_that_were_chosen(history: None, as_reader: Client) -> None:
    query = {"product_code__icontains": "3333", "date_to": ago(DAYS_SEARCHED)}
    assert listed(as_reader, **query) == [(f"{OLD:%Y-%m-%d}", "33333333")]
    assert messages_of(as_reader, **query) == []


def test_a_code_with_a_name_is_looked_for_in_the_days_of_the_name(history: None, as_reader: Client) -> None:
    assert listed(as_reader, product_code__icontains="3333", brand="很久以前") == [(ago(DAYS - 1), "33333333")]
    assert messages_of(as_reader, product_code__icontains="3333", brand="很久以前") == []
    assert listed(as_reader, product_code__icontains="1111", pm="李小華") == []
    assert dates_read(as_reader, product_code__icontains="1", pm="李小華") == {ago(n) for n in range(1, DAYS, 2)}


def test_names_together_are_looked_for_in_the_days_that_have_all_of_them(history: None, as_reader: Client) -> None:
    assert listed(as_reader, brand="很久以前", pm="李小華") == [], "that day has both, no line has"
    assert dates_read(as_reader, brand="很久以前", pm="李小華") == {ago(DAYS - 1)}
    assert len(listed(as_reader, pm="李小華", category="居家", brand="水潤")) == 30
    assert listed(as_reader, brand="隔日", pm="李小華") == [], "no day has both"


def test_names_together_that_many_days_have_are_looked_for_in_the_last(history: None, as_reader: Client) -> None:
    query = {"brand": "水潤", "pm": "王小明"}
    assert len(listed(as_reader, **query)) == DAYS_SEARCHED
    (message,) = messages_of(as_reader, **query)
    assert f"{DAYS_SEARCHED} 天" in message
    assert messages_of(as_reader, **query, date_from=ago(DAYS_SEARCHED - 1)) == []


def test_the_filter_says_how_far_it_looks(history: None, as_reader: Client) -> None:
    assert f"品號（{DAYS_SEARCHED} 天內）" in as_reader.get(URL).content.decode()


@pytest.mark.parametrize("page", ["0", "-3", "x", "99", "99999999999999999999"])
def test_pages_that_are_none(page: str, history: None, as_reader: Client) -> None:
    for query in ({"brand": "水潤"}, {}, {"product_code__icontains": "1"}):
        assert as_reader.get(URL, {**query, "p": page}).status_code in (200, 302)


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ({}, 10),
        ({"brand": "水潤"}, 11),  # and the days
        ({"brand": ["水潤", "沒有"]}, 11),
        ({"brand": "沒有"}, 10),  # and the days; without any no line is read
        ({"product_code__icontains": "1111"}, 11),
        ({"brand": "水潤", "pm": "王小明", "product_code__icontains": "1"}, 11),
    ],
)
@pytest.mark.parametrize("days", [3, 60])
def test_a_filter_takes_as_many_queries_however_many_days(
    query: dict[str, Any], queries: int, days: int, as_boss: Client, django_assert_num_queries: Any
) -> None:
    brought(*(sold(ago(day), code="11111111") for day in range(days)))
    as_boss.get(URL, query)
    cache.clear()
    with django_assert_num_queries(queries):
        assert as_boss.get(URL, query).status_code == 200


@pytest.mark.parametrize(
    "query", [{"brand": "隔日"}, {"product_code__icontains": "2222"}, {"brand": "水潤", "pm": "王小明"}]
)
def test_the_days_are_read_from_their_index_in_order(query: dict[str, str], history: None, as_reader: Client) -> None:
    page = as_reader.get(URL, query)
    with connection.cursor() as cursor:
        # A table of some rows would be read and sorted at once; the question is whether it must be.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    plan = page.context["cl"].queryset[:50].explain()
    assert re.search(r"salesline_day.*\n\s+Index Cond: \(date = ANY", plan)
    assert not re.search("(?<!Incremental )Sort  ", plan)


def test_the_address_is_that_of_the_list() -> None:
    assert reverse("admin:sales_salesline_changelist") == URL


def offered(client: Client, dimension: str, **query: Any) -> list[str]:
    specs = client.get(URL, query).context["cl"].filter_specs
    (names,) = ([name for name, _ in one.lookup_choices] for one in specs if getattr(one, "dimension", "") == dimension)
    return names


def test_names_of_the_days_that_are_looked_at_can_be_chosen(history: None, as_reader: Client) -> None:
    assert "很久以前" not in offered(as_reader, "brand")
    assert "很久以前" in offered(as_reader, "brand", date_from=ago(DAYS - 1), date_to=ago(DAYS - 2))


def test_the_name_that_is_chosen_is_shown_as_chosen(history: None, as_reader: Client) -> None:
    assert offered(as_reader, "brand", brand="很久以前")[-1] == "很久以前"
    page = as_reader.get(URL, {"brand": "很久以前"}).content.decode()
    assert '<option value="很久以前" selected' in page
    assert "請選擇有效的選項" not in page


def sums(client: Client, **query: Any) -> list[str]:
    return [value for _, value in client.get(URL, query).context["cl"].figures]


def test_the_list_sums_all_that_it_finds_on_whichever_page(history: None, as_reader: Client) -> None:
    """Of 990 each with a cost of 600; the totals, or the lines where there are none."""
    assert sums(as_reader) == ["121", "121", "$119,790", "$72,600", "$47,190", "39.4%"]
    assert sums(as_reader, p="2") == sums(as_reader)
    assert sums(as_reader, brand="隔日")[:3] == ["30", "30", "$29,700"]
    assert sums(as_reader, brand="隔日", date_from=ago(9), date_to=ago(3))[:3] == ["3", "3", "$2,970"]
    assert sums(as_reader, brand=["隔日", "很久以前"])[:3] == ["31", "31", "$30,690"]
    assert sums(as_reader, pm="李小華", category="居家", brand="水潤", date_to=ago(40))[:3] == ["10", "10", "$9,900"]
    assert sums(as_reader, product_code__icontains="1111")[:2] == [str(DAYS_SEARCHED)] * 2
    assert sums(as_reader, brand="沒有") == ["0", "0", "$0", "－", "－", "－"]


def test_several_names_can_be_chosen(history: None, as_reader: Client) -> None:
    found = listed(as_reader, brand=["很久以前", "隔日"])
    assert found == [*((ago(days), "22222222") for days in range(0, DAYS, 2)), (ago(DAYS - 1), "33333333")]
    page = as_reader.get(URL, {"brand": ["很久以前", "隔日"]}).content.decode()
    assert page.count('" selected') == 2
    assert "請選擇有效的選項" not in page


def exported(client: Client, kind: str, **query: Any) -> bytes:
    answer: Any = client.get(f"{URL}export/{kind}/", query)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def test_what_is_listed_can_be_exported(history: None, as_reader: Client) -> None:
    query = {"brand": ["很久以前", "水潤"], "date_to": ago(0)}
    rows = list(csv.DictReader(io.StringIO(exported(as_reader, "csv", **query).decode("utf-8-sig"))))
    assert len(rows) == 91, "not only the fifty of the page"
    assert {row["品牌"] for row in rows} == {"很久以前", "水潤"}
    assert (rows[0]["日期"], rows[0]["品號"], rows[0]["業績"]) == (ago(0), "11111111", "990.0")
    sheet = openpyxl.load_workbook(io.BytesIO(exported(as_reader, "xlsx", pm="李小華", category="居家"))).active
    assert sheet is not None
    assert sheet.max_row == 31
    page = as_reader.get(URL, query).content.decode()
    assert f'href="{URL}export/csv/?brand=' in page
    for title, url in as_reader.get(URL, {"pm": "李小華", "p": "2"}).context["cl"].exports:
        assert parse_qs(url.partition("?")[2]) == {"pm": ["李小華"]}, title
    assert as_reader.get(f"{URL}export/pdf/").status_code == 404


def test_more_than_a_file_holds_is_refused(history: None, as_reader: Client, settings: Any) -> None:
    settings.EXPORT_MAX_ROWS = 100
    answer = as_reader.get(f"{URL}export/csv/", {"date_to": ago(0)}, follow=True)
    assert answer.redirect_chain[0][0] == f"{URL}?date_to={ago(0)}"
    assert "有 121 列，一個檔案最多 100 列" in answer.content.decode()
    assert exported(as_reader, "csv", brand="隔日")


def test_spans_of_days_can_be_chosen(as_reader: Client) -> None:
    with time_machine.travel("2026-03-01T04:00:00Z", tick=False):
        page = as_reader.get(
            URL, {"brand": "水潤", "pm": "王小明", "date_from": "2026-02-28", "date_to": "2026-02-28", "p": "3"}
        )
        spans = {title: (parse_qs(url[1:]), chosen) for title, url, chosen in page.context["cl"].presets}
    assert {
        title: (*(query[f"date_{end}"][0] for end in ("from", "to")), on) for title, (query, on) in spans.items()
    } == {
        "今天": ("2026-03-01", "2026-03-01", False),
        "昨天": ("2026-02-28", "2026-02-28", True),
        "近 7 天": ("2026-02-23", "2026-03-01", False),
        "近 30 天": ("2026-01-31", "2026-03-01", False),
        "本月": ("2026-03-01", "2026-03-01", False),
        "上月": ("2026-02-01", "2026-02-28", False),
    }
    assert all(query["brand"] == ["水潤"] and query["pm"] == ["王小明"] for query, _ in spans.values())
    assert not any("p" in query for query, _ in spans.values())


def test_the_days_have_sums_and_files_too(history: None, as_reader: Client) -> None:
    days = "/admin/sales/dayowner/"
    found = as_reader.get(days, {"date_from": ago(1), "date_to": ago(0)}).context["cl"]
    assert [value for _, value in found.figures][:3] == ["4", "4", "$3,960"]
    assert [title for title, _ in found.line_exports] == ["明細 Excel", "明細 CSV"]
    page = as_reader.get(f"{days}{DayOwner.objects.get(date=LAST).pk}/change/").content.decode()
    assert f"/api/export/daily_sales?date={LAST}&amp;format=csv" in page
