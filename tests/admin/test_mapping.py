"""Headers that nobody knows: named, mapped beside the preview, and remembered."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from momo.jobs.importers import importers
from momo.jobs.models import ColumnAlias, Job
from tests.admin import makers
from tests.admin.makers import ended, sold, waiting, workbook
from tests.admin.test_jobs import PREVIEW, UPLOAD, act, page_of, send, text
from tests.kit.workbooks import xlsx

DAY = "2026-01-29"
COLUMNS = "/admin/jobs/job/columns/"
HEADERS = ("下單日", "料號", "名稱", "收件人", "件", "成交價")
ROW = (DAY, "12345678", "精華液", "王大明", 2, 500)


def learn(client: Client, **columns: str) -> Any:
    given = {f"column:{name}": header for name, header in columns.items()}
    return client.post(COLUMNS, {"job_type": "daily_sales", **given})


def test_what_was_found_is_named_and_can_be_mapped(as_manager: Client) -> None:
    content = xlsx([("每日報表",), HEADERS, ROW])

    page = send(as_manager, PREVIEW, content)

    assert "看到的文字：下單日、料號、名稱、件、成交價" in text(page)
    assert page.context["offered"] == ["下單日", "料號", "名稱", "件", "成交價"], "no personal data"
    assert [label for _, label, required in page.context["mapped"] if required] == ["日期", "品號", "數量"]

    assert learn(as_manager, date="下單日").status_code == 200
    page = send(as_manager, PREVIEW, content)
    assert page.context["offered"] == ["料號", "名稱", "件", "成交價"], "one header alone finds no row of headers"
    assert [label for _, label, required in page.context["mapped"] if required] == ["品號", "數量"]

    assert learn(as_manager, product_code="料號", quantity="件").status_code == 200
    page = send(as_manager, PREVIEW, content)
    assert "檔案沒有金額欄位" in text(page)
    assert page.context["offered"] == ["名稱", "成交價"]

    assert learn(as_manager, unit_price="成交價").status_code == 200
    assert [row["amount"] for row in send(as_manager, PREVIEW, content).context["days"]] == ["$1,000"]
    assert ended(waiting(content)).status == Job.Status.SUCCEEDED


def test_the_headers_of_an_import_that_failed_can_be_mapped_on_its_page(as_manager: Client, as_reader: Client) -> None:
    job = ended(waiting(xlsx([("每日報表",), (*HEADERS[:5], "業績"), ROW])))
    assert (job.status, job.result["headers"][0]) == (Job.Status.FAILED, "下單日")
    assert "data-mapping" not in page_of(as_reader, job).content.decode()
    assert f'data-mapping="{COLUMNS}"' in page_of(as_manager, job).content.decode()

    learn(as_manager, date="下單日", product_code="料號")
    page = page_of(as_manager, job)
    assert (page.context["mapped"][0][1], page.context["offered"]) == ("數量", ["名稱", "件"])
    learn(as_manager, quantity="件")

    assert "必要的欄位都對應好了" in page_of(as_manager, job).content.decode()
    act(as_manager, "retry", job)
    assert ended(Job.objects.latest("pk")).status == Job.Status.SUCCEEDED


def test_missing_columns_name_the_headers_that_would_do(as_manager: Client) -> None:
    seen = text(send(as_manager, PREVIEW, workbook(sold(DAY)[:2], headers=("日期", "品號"))))
    assert "數量可用 數量、銷量、銷售數量" in seen


def test_a_column_that_is_not_needed_can_be_mapped_too(as_manager: Client) -> None:
    page = send(as_manager, PREVIEW, workbook((*sold(DAY), "永昌"), headers=(*makers.HEADERS, "供貨商")))
    assert page.context["offered"] == ["供貨商"]
    assert ("column:vendor_name", "廠商名稱", False) in page.context["mapped"]
    assert "column:date" not in [name for name, *_ in page.context["mapped"]]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"date": "下單日", "cost": "業績"}, "成本：「業績」這個標題原本是「業績」，不能改作「成本」"),
        ({"date": "下單日", "quantity": "下單日"}, "數量：「下單日」這個標題已經是其他欄位的別名"),
        ({"pm": "收件人"}, "個人資料"),
        ({"shelf": "櫃位"}, "沒有「shelf」這個欄位"),
        ({"date": "日" * 101}, "100"),
    ],
)
def test_what_cannot_be_mapped_is_said_and_nothing_is_remembered(
    columns: dict[str, str], why: str, as_manager: Client
) -> None:
    answer = learn(as_manager, **columns)
    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert not ColumnAlias.objects.exists()


def test_only_who_may_import_maps(as_reader: Client, as_manager: Client) -> None:
    assert learn(as_reader, date="下單日").status_code == 403
    assert as_manager.get(COLUMNS).status_code == 405
    assert not ColumnAlias.objects.exists()


def test_the_upload_page_says_which_columns_it_wants(as_manager: Client) -> None:
    learn(as_manager, date="下單日")
    seen = text(as_manager.get(reverse(UPLOAD)))
    assert "日期 是 訂單日期、日期、銷售日期、轉單日 下單日" in seen
    assert "品牌 － 品牌 －" in seen
    assert "「業績」與「售價」至少要有一欄" in seen


def test_the_example_workbook_can_be_imported(as_manager: Client, as_reader: Client) -> None:
    url = reverse("admin:jobs_job_example", args=["daily_sales"])
    assert url in as_manager.get(reverse(UPLOAD)).content.decode()

    answer: Any = as_manager.get(url)

    content = b"".join(answer.streaming_content)
    file = SimpleUploadedFile("範例.xlsx", content)
    page = as_manager.post(reverse(PREVIEW), {"file": file, "job_type": "daily_sales"})
    (day,) = page.context["days"]
    assert (day["lines"], day["amount"], page.context["seen"].error_count) == ("2", "$2,570", 0)
    assert len(page.context["seen"].matched) == len(importers()["daily_sales"].example_rows()[0])
    assert io.BytesIO(content).read(2) == b"PK"
    assert as_reader.get(url).status_code == 404
    assert as_manager.get(reverse("admin:jobs_job_example", args=["other"])).status_code == 404


def test_a_header_is_kept_as_the_database_stores_it(as_manager: Client) -> None:
    assert learn(as_manager, amount="成交\0額").status_code == 200
    assert ColumnAlias.objects.get().alias == "成交額"
