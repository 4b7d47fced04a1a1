"""Example bodies of targets, campaigns and notes for the OpenAPI schema."""

from __future__ import annotations

from typing import Any

NEW_TARGET: dict[str, Any] = {"month": "2026-11", "dimension": "pm", "key": "王小明", "amount": 3000000}
TARGET: dict[str, Any] = {"id": 5, **NEW_TARGET, "gross_profit": None}
_PROGRESS = {
    "target": 3000000,
    "actual": 2250000,
    "attainment": 75.0,
    "expected": 2400000,
    "ahead": -150000,
    "projected": 2812500,
    "needed": 125000,
}
_NONE = {**dict.fromkeys(_PROGRESS), "actual": 675000, "projected": 843750}
_KEY = {"key": "王小明", "amount": _PROGRESS, "gross_profit": _NONE}
ATTAINMENT: dict[str, Any] = {
    "month": "2026-11",
    "dimension": "pm",
    "until": "2026-11-24",
    "days_left": 6,
    "shape": "last_year",
    "whole": {**_KEY, "key": ""},
    "difference": {"amount": 0, "gross_profit": None},
    "items": [_KEY],
    "total": 1,
    "page": 1,
    "per_page": 50,
    "total_pages": 1,
}
NEW_CAMPAIGN: dict[str, Any] = {
    "kind": "double_11",
    "name": "2026 雙11",
    "first": "2026-11-01",
    "last": "2026-11-11",
    "warm_up_days": 7,
}
CAMPAIGN: dict[str, Any] = {
    "id": 9,
    **NEW_CAMPAIGN,
    "brands": [],
    "products": [],
    "note": "",
    "from_rule": "double_11:2026",
}
NEW_NOTE = {"date": "2026-11-24", "text": "直播加碼，精華液買一送一"}
NOTE: dict[str, Any] = {"id": 3, **NEW_NOTE, "author": "amy", "created_at": "2026-11-25T09:10:00+08:00"}
