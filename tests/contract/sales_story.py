"""Imports and sales as the contract documents them; part of the story of the documented calls."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import quote

import openpyxl

from momo.jobs.models import Job
from tests.admin.makers import ended, workbook
from tests.contract.caller import Caller
from tests.contract.world import DRIVEN, SOLD, WRONG

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JOB = {
    "id",
    "job_type",
    "source",
    "file_name",
    "status",
    "stage",
    "progress",
    "total_rows",
    "processed_rows",
    "created",
    "updated",
    "skipped",
    "error_count",
    "errors",
    "errors_url",
    "result",
    "started_at",
    "finished_at",
}
FIGURES = {"quantity", "amount", "cost", "gross_profit", "margin", "lines"}


def upload(caller: Caller, content: bytes, **more: str) -> dict[str, Any]:
    """A file that was sent, as its import ended; the worker is this process."""
    file = {"file": ("每日銷售.xlsx", content, XLSX)}
    started = caller.data("POST", "/api/import/upload", 202, files=file, data={"job_type": "daily_sales", **more})
    assert set(started) == {"job_id"}
    path = f"/api/import/jobs/{started['job_id']}"
    waiting = caller.data("GET", path)
    assert (waiting["status"], waiting["source"], waiting["file_name"]) == ("pending", "upload", "每日銷售.xlsx")
    ended(Job.objects.get(pk=started["job_id"]))
    job: dict[str, Any] = caller.data("GET", path)
    assert set(job) >= JOB
    return job


def imports(caller: Caller) -> int:
    """Brings three days of sales, and again; and a file with errors. Returns the first import."""
    job = upload(caller, workbook(*SOLD))
    assert (job["status"], job["stage"], job["progress"]) == ("succeeded", "done", 100)
    assert (job["total_rows"], job["processed_rows"], job["created"], job["skipped"]) == (5, 5, 5, 0)
    assert (job["error_count"], job["errors"], job["errors_url"]) == (0, [], None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+08:00", job["finished_at"])
    day = caller.data("GET", "/api/daily_sales")
    again = upload(caller, workbook(*SOLD))
    assert (again["status"], again["created"], again["skipped"]) == ("succeeded", 0, 5)
    assert {one["status"] for one in again["result"]["days"]} == {"unchanged"}
    assert caller.data("GET", "/api/daily_sales")["summary"] == day["summary"]

    wrong = upload(caller, workbook(WRONG))
    assert (wrong["status"], wrong["error_count"]) == ("failed", 1)
    assert wrong["errors"][0].items() >= {"row": 2, "column": "數量", "value": "三"}.items()
    assert wrong["errors"][0]["message"]
    marked = caller.ask("GET", wrong["errors_url"])
    assert openpyxl.load_workbook(io.BytesIO(marked.content))["Sheet"]["G2"].comment
    partly = upload(caller, workbook(WRONG, *SOLD), on_error="skip")
    assert (partly["status"], partly["error_count"], partly["skipped"]) == ("succeeded", 1, 6)

    listed = caller.data("GET", "/api/import/jobs?status=failed&job_type=daily_sales")
    assert [one["id"] for one in listed["items"]] == [wrong["id"]]
    assert "errors" not in listed["items"][0]
    retried = caller.data("POST", f"/api/import/jobs/{wrong['id']}/retry", 202)["job_id"]
    assert caller.data("POST", f"/api/import/jobs/{retried}/cancel")["status"] == "cancelled"
    caller.refused("POST", f"/api/import/jobs/{retried}/cancel", 409, "CONFLICT")
    kind = {"job_type": "no_such_type"}
    refused = caller.refused(
        "POST", "/api/import/upload", 400, "VALIDATION_ERROR", files={"file": ("a.xlsx", b"x")}, data=kind
    )
    assert "job_type" in refused["fields"]
    caller.refused("GET", "/api/import/jobs/999999", 404, "NOT_FOUND")
    first: int = job["id"]
    return first


def sales(caller: Caller) -> None:
    day = caller.data("GET", "/api/daily_sales")
    assert day["date"] == "2026-01-29"
    assert day["summary"] == {
        "quantity": 5,
        "amount": 4259.5,
        "cost": 2400,
        "gross_profit": 1560.5,
        "margin": 39.4,
        "lines": 3,
    }
    assert day["comparison"]["previous_day"].items() >= {"date": "2026-01-28", "amount": 2970}.items()
    assert day["comparison"]["same_weekday_last_week"].items() >= {"date": "2026-01-22", "amount": 1980}.items()
    assert [(one["key"], one["amount"]) for one in day["by_pm"]] == [("王小明", 3960.5), ("李小華", 299)]
    assert [one["key"] for one in day["by_brand"]] == ["水潤", "未分類"]
    assert [one["key"] for one in day["by_category"]] == ["美妝", "居家"]
    assert (len(day["items"]), day["total"], day["page"], day["total_pages"]) == (3, 3, 1, 1)
    assert {item["product_id"] for item in day["items"]} == {"12345678", "00087654"}
    one = caller.data("GET", f"/api/daily_sales?date=2026-01-29&pm={quote('王小明')}&brand={quote('水潤')}&per_page=1")
    assert (one["summary"]["amount"], len(one["items"]), one["total_pages"]) == (3960.5, 1, 2)

    month = caller.data("GET", "/api/monthly_summary?year=2026&month=1")
    assert month["totals"]["amount"] == 1980 + 2970 + 4259.5
    assert set(month["totals"]) == FIGURES
    assert [row["date"] for row in month["days"]] == [f"2026-01-{number:02}" for number in range(1, 32)]
    assert sum(row["amount"] for row in month["days"]) == month["totals"]["amount"]
    assert month["month_to_date"]["days"] == 29
    assert {"by_pm", "by_brand", "by_category", "month_on_month", "year_on_year"} <= set(month)

    query = "start_date=2026-01-27&end_date=2026-01-29"
    total = caller.data("GET", f"/api/sales/trend?{query}")
    assert total["dates"] == ["2026-01-27", "2026-01-28", "2026-01-29"]
    assert [series["amount"] for series in total["series"]] == [[0, 2970, 4259.5]]
    brands = caller.data("GET", f"/api/sales/trend?{query}&dimension=brand&top=1")["series"]
    assert [(one["key"], one["amount"], one["quantity"]) for one in brands] == [
        ("水潤", [0, 2970, 3960.5], [0, 3, 4]),
        ("其他", [0, 0, 299], [0, 0, 1]),
    ]
    assert all(set(one) == {"key", "amount", "quantity", "gross_profit"} for one in brands)
    months = caller.data("GET", f"/api/sales/trend?{query}&dimension=category&interval=month")
    assert months["dates"] == ["2026-01-01"]

    book = caller.ask("GET", "/api/export/daily_sales?date=2026-01-29&format=excel")
    assert book.headers["Content-Type"] == XLSX
    assert "20260129.xlsx" in book.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    assert (sheet.max_row, sheet.freeze_panes) == (4, "A2")
    text = caller.ask("GET", "/api/export/daily_sales?date=2026-01-29&format=csv")
    assert text.headers["Content-Type"].startswith("text/csv")
    assert text.content.startswith(b"\xef\xbb\xbf")
    assert len(text.content.decode("utf-8-sig").splitlines()) == 4
    for path in ("daily_sales?date=x", "monthly_summary?year=2026&month=0", "sales/trend?dimension=x"):
        caller.refused("GET", f"/api/{path}", 400, "VALIDATION_ERROR")
    caller.refused("GET", "/api/export/daily_sales?format=pdf", 400, "VALIDATION_ERROR")


def drive(caller: Caller) -> None:
    def listed(query: str = "") -> Any:
        return caller.data("GET", f"/api/import/drive/files{query}")

    files = listed()
    assert [file["id"] for file in files["items"]] == ["sales-2", "sales-1"]
    assert files["next_page_token"] is None
    assert set(files["items"][0]) == {"id", "name", "mime_type", "modified_at", "size", "imported"}
    page = listed("?page_size=1")
    assert [file["id"] for file in listed(f"?page_token={quote(page['next_page_token'])}")["items"]] == ["sales-1"]
    asked = {"file_id": "sales-1", "job_type": "daily_sales"}
    started = caller.data("POST", "/api/import/drive/import", 202, json=asked)["job_id"]
    assert not any(file["imported"] for file in listed()["items"])
    job = ended(Job.objects.get(pk=started))
    assert (job.status, job.source) == ("succeeded", "drive")
    assert {file["id"]: file["imported"] for file in listed()["items"]} == {"sales-1": True, "sales-2": False}
    assert caller.data("GET", "/api/daily_sales")["date"] == DRIVEN[0]
    caller.refused("POST", "/api/import/drive/import", 400, "VALIDATION_ERROR", json={**asked, "job_type": "x"})
    caller.refused("POST", "/api/import/drive/import", 404, "NOT_FOUND", json={**asked, "file_id": "gone"})
    assert caller.data("POST", f"/api/import/jobs/{started}/undo")["status"] == "undone"
    assert not any(file["imported"] for file in listed()["items"])


def changes(caller: Caller, first: int) -> None:
    """A corrected file takes its day over; undone, the day is as it was."""
    before = caller.data("GET", "/api/daily_sales?date=2026-01-29")
    less = workbook(("2026-01-29", "12345678", "精華液", "水潤", "美妝", "王小明", 1, 1000, 600))
    held = upload(caller, less)
    assert (held["status"], held["held"], held["result"]["days"][0]["loss"]) == ("failed", True, True)
    corrected = upload(caller, less, confirm_loss="true")
    [day] = corrected["result"]["days"]
    assert (day["date"], day["status"]) == ("2026-01-29", "changed")
    assert caller.data("GET", "/api/daily_sales?date=2026-01-29")["summary"]["amount"] == 1000
    undone = caller.data("POST", f"/api/import/jobs/{corrected['id']}/undo")
    assert (undone["id"], undone["status"]) == (corrected["id"], "undone")
    caller.refused("POST", f"/api/import/jobs/{corrected['id']}/undo", 409, "CONFLICT")
    assert caller.data("GET", "/api/daily_sales?date=2026-01-29") == before
    caller.data("POST", f"/api/import/jobs/{first}/undo")
