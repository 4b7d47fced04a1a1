"""Admin pages of trends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from ai.models import TrendCategory, TrendList
from momo.celery import app
from tests.ai.trending import listed, trend
from tests.kit.users import session_client
from tests.kit.workbooks import xlsx

HEADINGS = ("名次", "品名", "品牌", "售價", "評分", "網址")


@pytest.fixture
def browser(manager: User) -> Client:
    return session_client(manager)


@pytest.fixture
def row(db: None) -> TrendCategory:
    TrendCategory.objects.all().delete()
    row = trend(error="網站拒絕存取（403）", attempted_at=timezone.now())
    listed(row, "甲<script>", fetched_at=timezone.now() - timedelta(days=3))
    return row


def page(browser: Client, name: str, *args: Any) -> str:
    return browser.get(reverse(f"admin:ai_{name}", args=args)).content.decode()


def upload(browser: Client, row: TrendCategory, content: bytes, name: str = "清單.xlsx") -> Any:
    address = reverse("admin:ai_trendcategory_import_list", args=[row.pk])
    return browser.post(address, {"file": SimpleUploadedFile(name, content)})


def test_lists_show_their_age_and_the_last_error(browser: Client, row: TrendCategory) -> None:
    categories = page(browser, "trendcategory_changelist")
    assert "過舊" in categories
    assert "3 天" in categories
    assert "網站拒絕存取（403）" in categories

    assert "過舊" in page(browser, "trendlist_changelist")
    one = page(browser, "trendlist_change", TrendList.objects.get().pk)
    assert "甲&lt;script&gt;" in one
    assert "最近一次更新失敗" in one
    assert 'href="https://example.com/1"' in one


def test_a_key_that_names_no_list_is_refused(browser: Client, row: TrendCategory) -> None:
    address = reverse("admin:ai_trendcategory_add")

    answer = browser.post(address, {"source": "cosme", "key": "newhot-99", "category": "新品", "enabled": "on"})
    assert "newhot-0 到 newhot-12" in answer.content.decode()
    assert TrendCategory.objects.count() == 1

    browser.post(address, {"source": "cosme", "key": "newhot-9", "category": "新品", "enabled": "on"})
    assert TrendCategory.objects.filter(source="cosme", key="newhot-9").exists()


def test_a_category_is_deleted_with_its_list(browser: Client, row: TrendCategory) -> None:
    address = reverse("admin:ai_trendcategory_delete", args=[row.pk])

    assert "無法刪除" not in browser.get(address).content.decode()
    browser.post(address, {"post": "yes"})
    assert not TrendList.objects.exists()
    assert not TrendCategory.objects.exists()


def test_a_refresh_is_started_for_all_or_for_one(browser: Client, row: TrendCategory, monkeypatch: Any) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(app, "send_task", lambda name, **options: sent.append((name, options["kwargs"])))

    browser.post(reverse("admin:ai_trendcategory_refresh_all"), {"_form_submitted": "1"})
    browser.post(reverse("admin:ai_trendcategory_refresh_one", args=[row.pk]), {"_form_submitted": "1"})

    assert sent == [("ai.refresh_trends", {}), ("ai.refresh_trends", {"trend_id": row.pk})]


def test_a_workbook_replaces_the_list(browser: Client, row: TrendCategory) -> None:
    rows = [HEADINGS, (2, "乙", "牌", "NT$1,280", 4.85, "https://e.example/2"), (1, "甲", "", None, None, "")]

    answer = upload(browser, row, xlsx(rows))

    stored = TrendList.objects.get()
    assert answer.url == reverse("admin:ai_trendlist_change", args=[stored.pk])
    assert stored.by_hand
    assert stored.fetched_at > timezone.now() - timedelta(minutes=10)
    assert [(item["rank"], item["name"], item["price"], item["score"]) for item in stored.items] == [
        (1, "甲", None, None),
        (2, "乙", 1280, 4.85),
    ]
    assert stored.items[1]["url"] == "https://e.example/2"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([HEADINGS, (1, "", "牌", 5, 5, "")], ["第 2 列沒有「名稱」"]),
        (
            [HEADINGS, (1, "甲", "", "便宜", 5, ""), (0, "乙", "", -1, 5, "javascript:alert(1)")],
            ["第 2 列「價格」是「便宜」", "第 3 列「排名」不可以", "第 3 列「價格」不可以", "第 3 列「網址」不是 http"],
        ),
        ([HEADINGS], ["沒有資料"]),
        ([("甲", "乙"), (1, 2)], ["找不到"]),
    ],
)
def test_a_workbook_with_a_bad_cell_changes_nothing(
    browser: Client, row: TrendCategory, rows: list[Any], told: list[str]
) -> None:
    answer = upload(browser, row, xlsx(rows)).content.decode()

    for text in told:
        assert text in answer
    assert TrendList.objects.get().items[0]["name"] == "甲<script>"


def test_what_is_no_workbook_is_refused(browser: Client, row: TrendCategory) -> None:
    assert 'role="alert"' in upload(browser, row, b"%PDF-1.7 not a sheet").content.decode()
    assert TrendList.objects.get().by_hand is False


def test_users_read_but_do_not_change(user: User, row: TrendCategory) -> None:
    browser = session_client(user)

    assert "過舊" in page(browser, "trendlist_changelist")
    for name in ("refresh_all", "add"):
        assert browser.post(reverse(f"admin:ai_trendcategory_{name}")).status_code == 403
    assert upload(browser, row, xlsx([HEADINGS, (1, "甲", "", 5, 5, "")])).status_code == 403
