"""Example bodies for the description of the API."""

from __future__ import annotations

from typing import Any

from notifications.services.shipped import CONTENT, shipped_templates

RENDER: dict[str, Any] = {"code": "disk_warning", "variables": {"usage_percent": 85, "host": "momo-web-1"}}
RENDERED: dict[str, Any] = {
    "code": "disk_warning",
    "subject": "磁碟空間警告：momo-web-1 已用 85%",
    "body": "🟡 <b>磁碟空間警告：已用 85%</b>\n主機：momo-web-1\n",
    "format": "telegram_html",
}
_CONTENT = shipped_templates()["disk_warning"]
TEMPLATE: dict[str, Any] = {
    "code": "disk_warning",
    **_CONTENT,
    "version": 3,
    "shipped": True,
    "updated_at": "2026-11-25T14:05:00+08:00",
    "updated_by": "王小明",
}
SUMMARY = {name: value for name, value in TEMPLATE.items() if name not in CONTENT[3:]}
CHANGES = {"body": "<b>磁碟已用 {{ usage_percent | percent }}</b>", "note": "改短一點"}
VERSION: dict[str, Any] = {
    "number": 3,
    **_CONTENT,
    "note": "改短一點",
    "created_at": "2026-11-25T14:05:00+08:00",
    "created_by": "王小明",
}
