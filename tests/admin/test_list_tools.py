"""What stands above every list: tabs, filters of several values, and files; and what the search of the menu finds."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

import openpyxl
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from momo.jobs.models import Job
from products.models import Product
from sales.models import Campaign
from tests.admin import makers, makers_vendors
from tests.admin.test_lists import LISTS

JOBS = "/admin/jobs/job/"
PRODUCTS = "/admin/products/product/"


def content(client: Client, url: str) -> bytes:
    answer: Any = client.get(url)
    assert answer.status_code == 200, url
    return b"".join(answer.streaming_content)


def rows_of(client: Client, url: str) -> list[list[str]]:
    """Headings and rows of a CSV file."""
    return list(csv.reader(io.StringIO(content(client, url).decode("utf-8-sig"))))


# --- Files ----------------------------------------------------------------


def test_every_list_as_a_file_has_its_rows_as_plain_values(as_boss: Client) -> None:
    for make in dict.fromkeys(make for make, _ in LISTS.values()):
        make(2)

    wrong = {}
    for name in LISTS:
        headings, *rows = rows_of(as_boss, reverse(f"admin:{name}_export_file", args=["csv"]))
        text = "".join(map("".join, rows))
        if len(rows) < 2 or len(set(headings)) < len(headings) or "<" in text:
            wrong[name] = (headings, rows[:1])

    assert wrong == {}


def test_a_workbook_has_numbers_times_and_a_sheet_that_says_what_was_asked(as_reader: Client) -> None:
    makers.product(1, name="=1+1", price=1_290, previous_price=1_490)
    makers.product(2, status="delisted")
    url = f"{PRODUCTS}export/xlsx/?status__exact=active&status__exact=out_of_stock&q=1000&p=7"

    book = openpyxl.load_workbook(io.BytesIO(content(as_reader, url)))
    headings, row = ([cell.value for cell in line] for line in book.worksheets[0].iter_rows())
    record: dict[str, Any] = dict(zip(headings, row, strict=True))
    facts = {str(name.value): str(text.value) for name, text in book["說明"].iter_rows(min_row=2)}

    assert (record["品號"], record["品名"], record["售價"], record["漲跌"]) == ("10000001", "'=1+1", 1290, -200)
    assert isinstance(record["最近看到"], datetime)
    assert facts["狀態"] == "販售中、缺貨"
    assert (facts["清單"], facts["搜尋"], facts["匯出者"]) == ("商品", "1000", "小美")
    assert {"匯出時間", "來源"} <= set(facts)
    assert f"{PRODUCTS}?" in facts["來源"]
    assert book.worksheets[0].freeze_panes == "A2"


def test_a_list_without_rows_is_a_file_with_headings(as_reader: Client) -> None:
    book = openpyxl.load_workbook(io.BytesIO(content(as_reader, f"{JOBS}export/xlsx/?q=nothing")))

    assert book.sheetnames == ["匯入", "說明"]
    assert [cell.value for cell in next(book.worksheets[0].iter_rows())][:2] == ["編號", "檔案"]


@pytest.mark.parametrize("name", ["products_product", "products_priceevent"], ids=["counted", "uncounted"])
def test_more_rows_than_a_file_holds_are_refused(name: str, as_reader: Client, settings: Any) -> None:
    settings.EXPORT_MAX_ROWS = 2
    LISTS[name][0](3)

    answer = as_reader.get(reverse(f"admin:{name}_export_file", args=["csv"]), {"o": "1"}, follow=True)

    assert answer.redirect_chain[0][0] == f"{reverse(f'admin:{name}_changelist')}?o=1"
    assert "請縮小範圍" in answer.content.decode()


def test_a_file_takes_the_same_queries_however_many_rows(as_reader: Client) -> None:
    counts = []
    for rows in (10, 60):
        makers.products(rows)
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            content(as_reader, f"{PRODUCTS}export/csv/")
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_a_file_is_for_those_who_see_the_list(as_reader: Client, as_boss: Client) -> None:
    url = reverse("admin:accounts_user_export_file", args=["csv"])

    assert [client.get(url).status_code for client in (as_reader, as_boss)] == [403, 200]
    assert as_boss.get(reverse("admin:jobs_job_export_file", args=["csv"]).replace("csv", "pdf")).status_code == 404
    assert Client().get(f"{JOBS}export/csv/").status_code == 302


# --- Tabs and filters ----------------------------------------------------------------


def test_tabs_ask_what_they_say_mark_themselves_and_keep_other_conditions(as_reader: Client) -> None:
    makers.jobs(4)
    Job.objects.filter(status="failed").update(file_name="別的.xlsx")

    seen = {}
    for title, url, _ in as_reader.get(f"{JOBS}?q=每日").context["cl"].tabs:
        page = as_reader.get(JOBS + url)
        found = page.context["cl"]
        seen[title] = ([row.status for row in found.result_list], [tab for tab, _, chosen in found.tabs if chosen])
        assert parse_qs(url[1:])["q"] == ["每日"]
        assert 'aria-current="page"' in page.content.decode()

    assert seen == {
        "全部": (["running", "running"], ["全部"]),
        "待處理": ([], ["待處理"]),
        "進行中": (["running", "running"], ["進行中"]),
        "完成": ([], ["完成"]),
        "失敗": ([], ["失敗"]),
        "已復原": ([], ["已復原"]),
    }


@pytest.mark.parametrize(
    "name", ["products_crawlrun", "vendors_stockout", "notifications_outboxmessage", "ai_generation"]
)
def test_each_tab_is_a_list_of_its_own(name: str, as_boss: Client) -> None:
    LISTS[name][0](3)
    url = reverse(f"admin:{name}_changelist")
    tabs = as_boss.get(url).context["cl"].tabs

    chosen = [[tab for tab, _, chosen in as_boss.get(url + asked).context["cl"].tabs if chosen] for _, asked, _ in tabs]

    assert chosen == [[title] for title, _, _ in tabs]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status__exact=running", 2),
        ("status__exact=running&status__exact=failed", 4),
        ("status__exact=", 4),
        ("job_type=daily_sales&job_type=vendor_stockout", 4),
        ("job_type=vendor_stockout", 0),
        ("job_type=nonsense", 0),
        ("job_type=nonsense&job_type=daily_sales", 4),
        ("job_type=", 4),
    ],
)
def test_a_filter_takes_several_values(query: str, found: int, as_reader: Client) -> None:
    makers.jobs(4)

    assert as_reader.get(f"{JOBS}?{query}").context["cl"].result_count == found


def test_products_of_several_categories(as_reader: Client) -> None:
    keys = [one.category_id for one in makers.products(4)]
    query = "&".join(f"category__id__exact={key}" for key in keys[:2])

    page = as_reader.get(f"{PRODUCTS}?{query}")

    assert [row.category_id for row in page.context["cl"].result_list] == [keys[1], keys[0]]
    chosen = [key for key in set(keys) if f'value="{key}" selected' in page.content.decode()]
    assert sorted(chosen) == sorted(keys[:2])


def test_products_of_several_brands_in_list_and_file(as_reader: Client) -> None:
    for number, brand in enumerate(("植萃師", "山田", "植萃師", "")):
        makers.product(number, brand=brand)
    query = "brand=植萃師&brand=沒有這個品牌&brand="

    (shown,) = (one for one in as_reader.get(f"{PRODUCTS}?{query}").context["cl"].filter_specs if one.title == "品牌")
    book = openpyxl.load_workbook(io.BytesIO(content(as_reader, f"{PRODUCTS}export/xlsx/?{query}")))
    _, *rows = book.worksheets[0].iter_rows(values_only=True)

    assert [name for name, _ in shown.lookup_choices] == ["山田", "植萃師", "沒有這個品牌"]
    assert [row[1] for row in rows] == ["10000002", "10000000"]
    assert ("品牌", "植萃師、沒有這個品牌") in list(book["說明"].iter_rows(values_only=True))


# --- The search of the menu ----------------------------------------------------------------


def found(client: Client, text: str) -> dict[str, str]:
    """Title and address of what the search finds."""
    page = client.get(reverse("admin:search"), {"s": text, "extended": "1"})
    return {result.title: result.link for result in page.context["results"]}


def test_the_search_of_the_menu_finds_rows(as_reader: Client) -> None:
    product = makers.product(1, name="胺基酸洗面乳", brand="植萃師")
    (vendor,) = makers_vendors.vendors(1)[:1]
    job = makers.brought(makers.sold("2026-01-29"), name="一月報表.xlsx")
    campaign = Campaign.objects.create(name="春季保養節", first=date(2026, 3, 1), last=date(2026, 3, 7))
    page = reverse("admin:products_product_change", args=[product.pk])

    assert [found(as_reader, text).get("胺基酸洗面乳") for text in ("洗面", "植萃師", "10000001")] == [page] * 3
    assert reverse("admin:vendors_vendor_change", args=[vendor.pk]) in found(as_reader, vendor.code).values()
    assert found(as_reader, "一月報表") == {"一月報表.xlsx": reverse("admin:jobs_job_change", args=[job.pk])}
    assert found(as_reader, "保養節") == {"春季保養節": reverse("admin:sales_campaign_change", args=[campaign.pk])}
    assert any("/notifications/template/" in url for url in found(as_reader, "disk_warning").values())
    assert not any("/product/" in url and "change" in url for url in found(as_reader, "洗").values())
    assert found(as_reader, "長" * 5_000) == {}


def test_a_search_takes_the_same_queries_however_much_there_is(as_reader: Client) -> None:
    counts, hits = [], []
    for rows in (2, 40):
        makers.products(rows)
        makers.jobs(rows)
        with CaptureQueriesContext(connection) as captured:
            hits.append(len(found(as_reader, "保濕")))
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert hits == [2, 5]
    assert Product.objects.count() > 5
