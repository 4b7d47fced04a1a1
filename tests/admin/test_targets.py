"""Pages of targets, campaigns and notes: who may edit, what is stored together, and the same figures as the API."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from auditlog.models import LogEntry
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from momo.admin.kit.figures import FigureTable
from sales.models import Campaign, DayNote, DayOwner, Target
from sales.services.campaigns import save_campaign
from tests.admin.makers import brought, sold
from tests.admin.test_transfer import XLSX, confirm, reasons, upload
from tests.admin.test_vendors import said

JANUARY = date(2026, 1, 1)
GRID, PAGE = "/admin/sales/target/grid/", "/admin/sales/target/attainment/"
OF_PM = "?year=2026&dimension=pm&measure=amount"


def form_of(page: Any) -> dict[str, str]:
    """What the form of a grid posts, as it is shown."""
    fields = {"before": page.context["before"]}
    for place, row in enumerate(page.context["rows"]):
        fields[f"key-{place}"] = row.key
        fields |= {f"new-{place}": "1"} if row.is_new else {}
        fields |= {f"cell-{place}-{cell.month.month}": cell.text for cell in row.cells}
    return fields


def stored() -> dict[tuple[str, int], Decimal | None]:
    return {(one.key, one.month.month): one.amount for one in Target.objects.all()}


def plain(row: Any, names: Any) -> dict[str, Any]:
    """Figures of a row as JSON has them."""
    return {name: None if row[name] is None else float(row[name]) for name in names}


def table_of(page: Any, key: str) -> FigureTable:
    found: FigureTable = next(table for table in page.context["tables"] if table.key == key)
    return found


# --- The grid --------------------------------------------------------------------------------------------------------


def test_the_grid_stores_what_was_typed_and_says_by_how_much_sums_differ(as_manager: Client, manager: User) -> None:
    brought(sold("2026-01-29"))
    Target.objects.create(month=JANUARY, amount=1_000_000)
    shown = as_manager.get(GRID + OF_PM)
    fields = form_of(shown) | {"cell-0-1": "NT$600,000", "key-1": "新同事", "cell-1-1": "300,000.50", "cell-1-2": "5"}

    done = as_manager.post(GRID + OF_PM, fields, follow=True)

    assert [row.label for row in shown.context["rows"]] == ["王小明", "", "", ""]
    assert "已儲存 3 格" in said(done)
    assert stored() == {
        ("", 1): 1_000_000,
        ("王小明", 1): 600_000,
        ("新同事", 1): Decimal("300000.50"),
        ("新同事", 2): 5,
    }
    assert [(title, values[0]) for title, values in done.context["sums"]] == [
        ("各 PM 相加", "900,000.50"),
        ("合計目標", "1,000,000"),
        ("相差", "-99,999.50"),
    ]
    assert LogEntry.objects.get_for_model(Target).filter(actor=manager).count() == 3


def test_nothing_is_stored_while_a_cell_is_wrong_and_nothing_typed_is_lost(as_manager: Client) -> None:
    Target.objects.create(month=JANUARY, dimension="pm", key="王小明", amount=5)
    Target.objects.create(month=date(2026, 2, 1), dimension="pm", key="在別頁", amount=5)
    shown = as_manager.get(f"{GRID}{OF_PM}&q=王小")
    fields = form_of(shown) | {
        "cell-0-1": "六十萬",
        "cell-0-2": "-5",
        "cell-0-3": "7",
        "key-1": "未分類",
        "cell-1-1": "1",
        "key-2": "在別頁",
        "cell-2-1": "1",
        "cell-3-1": "9",
    }

    answer = as_manager.post(f"{GRID}{OF_PM}&q=王小", fields)

    rows = answer.context["rows"]
    assert answer.status_code == 200
    assert stored() == {("王小明", 1): 5, ("在別頁", 2): 5}
    assert "什麼都還沒有存" in said(answer)
    assert [cell.text for cell in rows[0].cells[:3]] == ["六十萬", "-5", "7"]
    assert "不是數字" in rows[0].cells[0].error
    assert rows[0].cells[1].error == "目標不可小於 0"
    assert [row.error for row in rows[1:]] == [
        "「未分類」是報表沒有填的資料，不能設定目標",
        "這個名稱已經在表裡，請用上面的搜尋找到它",
        "請填 PM 的名稱",
    ]


def test_what_another_user_changed_meanwhile_is_not_overwritten_unseen(as_manager: Client) -> None:
    one = Target.objects.create(month=JANUARY, dimension="pm", key="王小明", amount=5)
    fields = form_of(as_manager.get(GRID + OF_PM)) | {"cell-0-1": "7", "cell-0-2": "8"}
    Target.objects.filter(pk=one.pk).update(amount=6)

    refused = as_manager.post(GRID + OF_PM, fields)

    assert "另一位使用者已把王小明 2026-01 改為 $6" in said(refused)
    assert stored() == {("王小明", 1): 6}
    again = as_manager.post(GRID + OF_PM, form_of(refused), follow=True)
    assert "已儲存 2 格" in said(again)
    assert stored() == {("王小明", 1): 7, ("王小明", 2): 8}


def test_users_read_the_grid_and_only_managers_store_it(as_reader: Client, as_manager: Client) -> None:
    Target.objects.create(month=JANUARY, amount=5)
    page = as_reader.get(f"{GRID}?year=2026&dimension=all")

    assert "readonly" in page.content.decode()
    assert as_reader.post(GRID, form_of(page)).status_code == 403
    assert as_reader.get(reverse("admin:sales_target_import")).status_code == 403
    for before in ("", "[]]", "1", "[[1]]", json.dumps([[""] * 12] * 54), "[" * 5000):
        assert as_manager.post(GRID, {"before": before}).status_code == 400
    assert as_manager.get(f"{GRID}?year=%00&page=x").status_code == 400
    assert as_manager.get(f"{GRID}?year=1&dimension=x&measure=y&page=99999&q={'x' * 300}").status_code == 200


# --- Import and export -----------------------------------------------------------------------------------------------


def test_targets_are_imported_and_what_is_exported_changes_nothing(as_manager: Client) -> None:
    Target.objects.create(month=JANUARY, dimension="brand", key="水潤", amount=5, gross_profit=1)
    text = (
        '月份,維度,名稱,業績目標,毛利目標\n2026/1,合計,,"1,000,000",\n2026-01,brand,水潤,600000.5,\n'
        "2026年2月,PM,王小明,,30元\n"
    )

    done = confirm(as_manager, upload(as_manager, text.encode(), of="sales_target"), of="sales_target")

    assert "新增 2、更新 1" in done.content.decode()
    assert set(Target.objects.values_list("month", "dimension", "key", "amount", "gross_profit")) == {
        (JANUARY, "all", "", Decimal(1_000_000), None),
        (JANUARY, "brand", "水潤", Decimal("600000.50"), Decimal(1)),
        (date(2026, 2, 1), "pm", "王小明", None, Decimal(30)),
    }
    file = as_manager.post(reverse("admin:sales_target_export"), {"format": XLSX, "resource": "0"})
    preview = upload(as_manager, file.content, of="sales_target", form=XLSX, name="a.xlsx")
    assert [row.import_type for row in preview.context["result"].rows] == ["skip"] * 3


def test_rows_of_targets_that_are_wrong_are_named(as_manager: Client) -> None:
    text = (
        "月份,維度,名稱,業績目標\n2026-13,PM,王小明,1\n2026-01,供應商,王小明,1\n2026-01,PM,,1\n2026-01,PM,未分類,1\n"
        "2026-01,PM,王小明,很多\n2026-01,合計,王小明,1\n2026-01,合計,,1\n2026-01,合計,合計,2\n2026-02,PM,王小明,\n"
    )

    found = reasons(upload(as_manager, text.encode(), of="sales_target"))

    assert [row for row, _ in found] == [2, 3, 4, 5, 6, 7, 9, 10]
    assert Target.objects.count() == 0


# --- Attainment ------------------------------------------------------------------------------------------------------


@time_machine.travel("2026-01-30 09:00+08:00")
def test_the_page_says_what_the_api_says(as_reader: Client, django_assert_num_queries: Any) -> None:
    brought(sold("2026-01-29", amount=990), sold("2026-01-28", amount=10, pm="陳大文"))
    Target.objects.create(month=JANUARY, amount=3_100, gross_profit=310)
    Target.objects.create(month=JANUARY, dimension="pm", key="王小明", amount=3_000)
    as_reader.get(PAGE)
    cache.clear()

    with django_assert_num_queries(12):
        page = as_reader.get(PAGE)
    answer = as_reader.get("/api/sales/targets/attainment?month=2026-01&dimension=pm").json()["data"]

    whole, keys = table_of(page, "whole"), table_of(page, "keys")
    amount, items = answer["whole"]["amount"], answer["items"]
    assert plain(whole.rows[0], amount) == amount
    assert [plain(row, amount) for row in keys.rows] == [one["amount"] for one in items]
    assert [row["label"] for row in keys.rows] == ["王小明", "陳大文"]
    # 29 of 31 equal days: 1,000 of 3,100 dollars, 2,900 expected.
    assert (amount["attainment"], amount["expected"], amount["ahead"], amount["needed"]) == (32.26, 2900, -1900, 1050)
    assert keys.note == "各 PM 目標相加，業績比合計目標少 $100。"
    assert "平均分配到每一天" in whole.note
    lines = as_reader.get(keys.rows[0]["label_url"]).context["cl"]
    assert lines.sums.amount == 99_000
    file = as_reader.get(f"{PAGE}?export=keys&format=csv")
    assert "王小明,3000.0,990.0" in file.content.decode("utf-8-sig")


@time_machine.travel("2026-02-01 09:00+08:00")
def test_on_the_first_of_a_month_page_and_api_begin_with_the_month_that_has_sales(as_reader: Client) -> None:
    def months() -> tuple[str, str]:
        shown = next(name for name, _, chosen in as_reader.get(PAGE).context["months"] if chosen)
        return shown, as_reader.get("/api/sales/targets/attainment").json()["data"]["month"]

    assert months() == ("2026-02", "2026-02")
    brought(sold("2026-01-31"))
    assert months() == ("2026-01", "2026-01")


def test_without_targets_the_page_says_what_to_do(as_reader: Client, as_manager: Client) -> None:
    assert "在表格裡填" in as_manager.get(PAGE).content.decode()
    page = as_reader.get(f"{PAGE}?month=1800-13&dimension=nonsense")
    assert page.status_code == 200
    assert "在表格裡填" not in page.content.decode()


# --- Campaigns and notes ---------------------------------------------------------------------------------------------


def test_a_campaign_is_edited_through_the_service(as_manager: Client, as_reader: Client) -> None:
    fields = {"kind": "other", "name": "品牌日", "first": "2026-01-28", "last": "2026-01-29", "warm_up_days": "1"}
    late = as_manager.post(reverse("admin:sales_campaign_add"), fields | {"last": "2026-01-27"})
    done = as_manager.post(reverse("admin:sales_campaign_add"), fields | {"brands": "水潤\r\n\r\n 沐光 \r\n水潤"})

    one = Campaign.objects.get()
    assert "末日不可早於首日" in late.content.decode()
    assert done.status_code == 302
    assert (one.brands, one.products) == (["水潤", "沐光"], [])
    page = reverse("admin:sales_campaign_change", args=[one.pk])
    assert as_manager.post(page, fields | {"brands": "水潤", "name": "新名"}).status_code == 302
    one.refresh_from_db()
    assert (one.name, one.brands) == ("新名", ["水潤"])
    assert as_reader.post(page, fields).status_code == 403
    assert as_manager.post(reverse("admin:sales_campaign_delete", args=[one.pk]), {"post": "yes"}).status_code == 302
    assert not Campaign.objects.exists()


def test_the_defaults_can_be_written_at_once(as_manager: Client) -> None:
    url = reverse("admin:sales_campaign_write_defaults")
    first = as_manager.post(url, {"_form_submitted": "True"}, follow=True)
    again = as_manager.post(url, {"_form_submitted": "True"}, follow=True)

    assert "已建立 27 個檔期" in said(first)
    assert "都已經建立過了" in said(again)


@pytest.mark.parametrize("limits", [{}, {"brands": ["水潤"]}])
def test_a_campaigns_page_adds_up(limits: dict[str, Any], as_reader: Client, django_assert_num_queries: Any) -> None:
    brought(
        sold("2026-01-29", amount=990),
        sold("2026-01-29", "20000001", amount=10, brand="沐光"),
        sold("2025-02-01", amount=500),
        sold("2026-01-10", amount=90),
    )
    save_campaign(kind="new_year", name="去年", first=date(2025, 1, 31), last=date(2025, 2, 1))
    one = save_campaign(kind="new_year", name="年貨節", first=date(2026, 1, 28), last=date(2026, 1, 29), **limits)
    DayNote.objects.create(date=date(2026, 1, 29), text="直播加碼")
    url = reverse("admin:sales_campaign_report", args=[one.pk])
    as_reader.get(url)
    cache.clear()

    with django_assert_num_queries(12 if limits else 14):
        page = as_reader.get(url)

    amount = 990 if limits else 1000
    whole, days, brands = (table_of(page, key) for key in ("whole", "days", "brand"))
    assert {name: whole.rows[0][name] for name in ("now", "then", "change", "per_day", "base")} == {
        "now": amount,
        "then": 500,
        "change": amount - 500,
        "per_day": amount / 2,
        "base": 90,
    }
    assert sum(row["now"] for row in brands.rows) == amount
    assert [(row["now"], row["now_sum"], row["then_sum"]) for row in days.rows] == [(None, 0, 0), (amount, amount, 500)]
    assert days.rows[1]["notes"] == "註記：直播加碼"
    assert as_reader.get(f"{url}?export=days&format=xlsx").status_code == 200


def test_a_note_is_written_on_the_page_of_a_day_and_kept_when_it_is_refused(
    as_manager: Client, as_reader: Client, manager: User
) -> None:
    brought(sold("2026-01-29"))
    day = reverse("admin:sales_dayowner_change", args=[DayOwner.objects.get().pk])
    write = reverse("admin:sales_daynote_write")
    given = {"date": "2026-01-29", "text": "網站當機", "next": day}
    assert write in as_manager.get(day).content.decode()
    assert write not in as_reader.get(day).content.decode()

    done = as_manager.post(write, given)
    twice = as_manager.post(write, given, follow=True)
    outside = as_manager.post(write, given | {"text": "別的", "next": "https://evil.example"})

    note = DayNote.objects.earliest("pk")
    assert (note.text, note.author, done.url) == ("網站當機", manager, day)
    assert outside.url == reverse("admin:sales_daynote_changelist")
    assert "這天已有相同的註記" in said(twice)
    assert 'value="網站當機"' in twice.content.decode()
    assert "網站當機" in as_reader.get(day).content.decode()
    assert as_reader.post(write, given).status_code == 403
    assert as_manager.get(write).status_code == 405
    page = reverse("admin:sales_daynote_change", args=[note.pk])
    assert as_manager.post(page, {"date": "2026-01-29", "text": "網站當機兩小時"}).status_code == 302
    note.refresh_from_db()
    assert (note.text, note.author) == ("網站當機兩小時", manager)
