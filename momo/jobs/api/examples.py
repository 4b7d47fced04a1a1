"""Example bodies for the OpenAPI schema."""

from __future__ import annotations

from typing import Any

from momo.sheets.write import XLSX

DRIVE_FILES: dict[str, Any] = {
    "items": [
        {
            "id": "1AbCdEfGhIjKlMnOp",
            "name": "每日銷售_20260129.xlsx",
            "mime_type": XLSX,
            "modified_at": "2026-01-30T08:15:00+08:00",
            "size": 482133,
            "imported": True,
        }
    ],
    "next_page_token": None,
}
DRIVE_IMPORT = {"file_id": "1AbCdEfGhIjKlMnOp", "job_type": "daily_sales"}
UPLOAD = {"file": "每日銷售_20260129.xlsx", "job_type": "daily_sales", "on_error": "reject"}
STARTED = {"job_id": 42}
RETRY: dict[str, Any] = {"on_error": "skip", "confirm_loss": True}
SUMMARY: dict[str, Any] = {
    "id": 42,
    "job_type": "daily_sales",
    "source": "upload",
    "file_name": "每日銷售_20260129.xlsx",
    "status": "succeeded",
    "stage": "done",
    "progress": 100,
    "total_rows": 3120,
    "processed_rows": 3120,
    "created": 3119,
    "updated": 0,
    "skipped": 1,
    "error_count": 1,
    "errors_url": "/api/import/jobs/42/errors",
    "result": {"days": [{"date": "2026-01-29", "lines": 3119}]},
    "message": "匯入 3119 列，略過 1 列有錯的資料",
    "started_at": "2026-01-30T08:20:00+08:00",
    "finished_at": "2026-01-30T08:20:02+08:00",
    "created_at": "2026-01-30T08:19:59+08:00",
    "held": False,
    "confirm_loss": False,
}
JOB: dict[str, Any] = SUMMARY | {
    "errors": [{"row": 18, "column": "數量", "value": "三", "message": "不是整數", "sheet": ""}],
    "error_groups": [
        {"sheet": "", "rows": "18", "column": "數量", "message": "不是整數", "values": ["三"], "count": 1}
    ],
}
