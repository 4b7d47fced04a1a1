"""Pages of stockouts: each figure of the board and of the scores is the number of rows that its link lists."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin import makers_vendors as makers
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.admin import stockouts as pages
from vendors.models import Stockout, Submission, SubmittedLine

LIST = "/admin/vendors/stockout/"
BOARD = f"{LIST}board/"
SCORE = f"{LIST}score/"
# Links of a page whose text is a number, perhaps a card with a name above it.
FIGURE = re.compile(
    r'<a class="(?:mo-link|mo-card mo-figure)" href="(/admin/vendors/stockout/\?[^"]+)">(.*?)</a>', re.S
)


def listed(client: Client, url: str = LIST, **query: Any) -> list[int]:
    answer = client.get(url, query) if query else client.get(url)
    assert answer.status_code == 200
    found = answer.context["cl"]
    assert found.result_count == len(found.result_list)
    return [row.pk for row in found.result_list]


def figures(page: Any) -> list[tuple[str, int]]:
    """Address and number of each figure of a page that leads to rows."""
    found = []
    for url, inner in FIGURE.findall(page.content.decode()):
        (number,) = re.findall(r">([\d,]+)<|^([\d,]+)$", inner.strip()) or [("", "")]
        text = "".join(number)
        assert text, inner
        found.append((unescape(url), int(text.replace(",", ""))))
    return found


@pytest.fixture
def story(db: None) -> list[Stockout]:
    """Rows of every status, age, PM and vendor, with duplicates, and an older report."""
    rows = makers.stockouts(30)
    old = make_batch(line_count=2, published_at=timezone.now() - timedelta(days=60))
    vendor = rows[1].vendor
    for status in ("sent", "resolved"):
        made = make_stockout(vendor, old, status=status, created_at=old.published_at, price=10)
        rows.append(made)
    return rows


@pytest.fixture
def count(reader: User) -> Callable[[str], int]:
    """Number of rows that the list of an address shows."""

    def rows(url: str) -> int:
        request = RequestFactory().get(url)
        request.user = reader
        found: int = admin.site.get_model_admin(Stockout).get_changelist_instance(request).queryset.count()
        return found

    return rows


@pytest.mark.parametrize("query", ["", "?pm=王小明", "?pm=（未填）"])
def test_every_figure_of_the_board_leads_to_the_rows_that_it_counts(
    query: str, story: list[Stockout], as_reader: Client, count: Callable[[str], int]
) -> None:
    page = as_reader.get(f"{BOARD}{query}")

    found = figures(page)

    assert len(found) > 10
    assert {url: count(url) for url, _ in found} == dict(found)
    total = sum(row.status != "resolved" and row.duplicate_of is None for row in story)
    assert query or page.context["cards"]["rows"] == total


@pytest.mark.parametrize("window", [30, 90, 365])
def test_every_figure_of_the_scores_leads_to_the_rows_that_it_counts(
    window: int, story: list[Stockout], as_reader: Client, count: Callable[[str], int]
) -> None:
    page = as_reader.get(f"{SCORE}?window={window}")

    found = figures(page)

    assert page.context["window"] == window
    assert {url: count(url) for url, _ in found} == dict(found)
    assert sum(number for url, number in found if "waits" not in url) == (24 if window == 30 else 26)


@pytest.mark.parametrize("url", [BOARD, SCORE, LIST, f"{LIST}?waits=open&pm=王小明&age=3-6&q=商品"])
def test_pages_take_the_same_queries_however_many_rows(url: str, as_reader: Client) -> None:
    counts = []
    for rows in (10, 40):
        makers.stockouts(rows)
        as_reader.get(url)
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert as_reader.get(url).status_code == 200
        counts.append(len(captured))

    # Session, permissions, the counts of the sidebar; then the page's own.
    expected = {BOARD: 7, SCORE: 5, LIST: 9}
    assert counts[0] == counts[1]
    assert counts[0] == expected.get(url, counts[0])


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({"waits": "us"}, lambda row: row.status in ("pending", "failed", "no_email") and not row.duplicate_of_id),
        ({"waits": "nonsense"}, lambda row: False),
        ({"status__exact": "resolved"}, lambda row: row.status == "resolved"),
        ({"pm": "王小明"}, lambda row: row.pm == "王小明"),
        ({"pm": "（未填）"}, lambda row: row.pm == ""),
        ({"department": "美妝部"}, lambda row: row.department == "美妝部"),
        ({"duplicate": "yes"}, lambda row: row.duplicate_of_id is not None),
        ({"lost": "unknown"}, lambda row: row.price is None and not row.duplicate_of_id and row.status != "resolved"),
        ({"q": "10000"}, lambda row: "10000" in row.product_code),
    ],
)
def test_the_list_is_filtered(query: dict[str, str], kept: Any, story: list[Stockout], as_reader: Client) -> None:
    assert listed(as_reader, **query) == [row.pk for row in reversed(story) if kept(row)]


def test_the_list_of_one_vendor_or_report(story: list[Stockout], as_reader: Client) -> None:
    vendor, batch = story[0].vendor, story[-1].batch
    again = make_batch(same_as=batch)

    assert listed(as_reader, vendor__id__exact=vendor.pk) == [row.pk for row in story[::-1] if row.vendor == vendor]
    for chosen in (batch, again):
        assert listed(as_reader, batch__id__exact=chosen.pk) == [row.pk for row in story[::-1] if row.batch == batch]


def test_all_rows_are_counted_by_their_reports(story: list[Stockout], as_reader: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        count = as_reader.get(LIST).context["cl"].result_count

    assert count == len(story)
    asked = [one["sql"] or "" for one in captured]
    assert not [sql for sql in asked if re.search(r'COUNT\(\*\) AS "__count" FROM "vendors_stockout"$', sql)]
    assert [sql for sql in asked if 'SUM("vendors_stockoutbatch"."line_count")' in sql]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_rows_that_the_list_finds_as_a_file(kind: str, story: list[Stockout], as_reader: Client) -> None:
    page = as_reader.get(LIST, {"waits": "us"})
    (url,) = (url for _, url in page.context["cl"].exports if f"/{kind}/" in url)

    content = b"".join(as_reader.get(url).streaming_content)

    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert [row["品號"] for row in rows] == [row.product_code for row in page.context["cl"].result_list]
        assert {row["狀態"] for row in rows} == {"待通知", "寄送失敗", "沒有信箱"}
    else:
        assert content.startswith(b"PK")
    assert as_reader.get(f"{LIST}export/pdf/").status_code == 404


def test_more_rows_than_a_file_holds_are_refused(story: list[Stockout], as_reader: Client, settings: Any) -> None:
    settings.EXPORT_MAX_ROWS = 5

    answer = as_reader.get(f"{LIST}export/csv/?waits=open", follow=True)

    assert "一個檔案最多 5 列" in str([str(message) for message in answer.context["messages"]])
    assert answer.redirect_chain[0][0].endswith("?waits=open")


def test_a_row_shows_its_mails_answers_and_duplicates(as_reader: Client) -> None:
    (mail,) = makers.mails(1)
    row = mail.lines.get()
    make_stockout(row.vendor, product_code=row.product_code, duplicate_of=row)
    submission = Submission.objects.create(
        mail=mail, number=1, based_on=0, token="0" * 32, person="林小姐", remark="<b>急</b>", address="203.0.113.9"
    )
    draft = Submission.objects.create(mail=mail, number=2, based_on=1, token="1" * 32, is_draft=True, person="草稿人")
    for one in (submission, draft):
        SubmittedLine.objects.create(submission=one, line=row, answer="restock", restock_quantity=500)
    url = reverse("admin:vendors_stockout_change", args=[row.pk])

    with CaptureQueriesContext(connection) as captured:
        page = as_reader.get(url)

    text = page.content.decode()
    assert len(captured) <= 11
    for shown in (
        f"/vendors/vendormail/{mail.pk}/",
        "預計到貨 500 件",
        "林小姐",
        "203.0.113.9",
        "&lt;b&gt;急",
        "重複的列",
    ):
        assert shown in text, shown
    assert "草稿人" not in text


def test_rows_are_resolved_and_opened_by_hand(as_manager: Client) -> None:
    row = make_stockout(make_vendor(), status="sent")
    repeat = make_stockout(row.vendor, product_code=row.product_code, duplicate_of=row)

    def run(action: str) -> list[tuple[str, str]]:
        as_manager.post(LIST, {"action": action, "_selected_action": [repeat.pk]})
        return list(Stockout.objects.order_by("pk").values_list("status", "resolved_reason"))

    assert run("resolve_selected") == [("resolved", "manual")] * 2
    assert run("reopen_selected") == [("sent", ""), ("pending", "")]
    as_manager.post(reverse("admin:vendors_stockout_resolve_one", args=[row.pk]), {"_form_submitted": "True"})
    row.refresh_from_db()
    assert row.resolved_by is not None
    assert row.resolved_by.username == "max"


def test_too_many_rows_at_once_are_refused(as_manager: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(pages, "MAX_IDS", 2)
    rows = [make_stockout(make_vendor()) for _ in range(3)]

    values = {"action": "resolve_selected", "_selected_action": [row.pk for row in rows]}
    answer = as_manager.post(LIST, values, follow=True)

    assert "一次最多處理 2 筆" in str([str(message) for message in answer.context["messages"]])
    assert not Stockout.objects.filter(status="resolved").exists()


def test_a_user_reads_the_pages_and_closes_nothing(as_reader: Client) -> None:
    row = make_stockout(make_vendor("A", "a@example.com"))
    as_reader.post(LIST, {"action": "resolve_selected", "_selected_action": [row.pk]})
    page = reverse("admin:vendors_stockout_change", args=[row.pk])

    refused = [
        as_reader.post(
            reverse(f"admin:vendors_stockout_{name}", args=[row.pk]), {"_form_submitted": "True"}
        ).status_code
        for name in ("resolve_one", "reopen_one", "send_one")
    ]

    row.refresh_from_db()
    assert refused == [403, 403, 403]
    assert row.status == "pending"
    assert [as_reader.get(url).status_code for url in (BOARD, SCORE, page)] == [200] * 3


def test_a_row_is_sent_from_its_page(as_manager: Client) -> None:
    row = make_stockout(make_vendor("A", "a@example.com"))

    page = as_manager.get(reverse("admin:vendors_stockout_send_one", args=[row.pk]))

    assert [group.vendor.code for group in page.context["groups"]] == ["A"]


def test_an_empty_system_says_what_brings_the_first_rows(as_manager: Client) -> None:
    assert "匯入缺貨報表之後" in as_manager.get(LIST).content.decode()
    assert "沒有未結案的缺貨" in as_manager.get(BOARD).content.decode()
    assert "沒有缺貨" in as_manager.get(f"{SCORE}?window=abc").content.decode()


def test_the_sidebar_marks_the_page_itself(story: list[Stockout], as_reader: Client) -> None:
    def active(url: str) -> list[str]:
        sections = as_reader.get(url).context["sidebar_navigation"]
        return [item["title"] for section in sections for item in section["items"] if item["active"]]

    assert (active(BOARD), active(SCORE), active(LIST)) == (["缺貨看板"], ["廠商評分"], ["缺貨"])
