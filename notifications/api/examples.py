"""Bodies as they look, for the description of the API."""

from __future__ import annotations

from typing import Any

RENDER: dict[str, Any] = {"code": "disk_warning", "variables": {"usage_percent": 85, "host": "momo-web-1"}}
RENDERED: dict[str, Any] = {
    "code": "disk_warning",
    "subject": "磁碟空間警告：momo-web-1 已用 85%",
    "body": "🟡 <b>磁碟空間警告：已用 85%</b>\n主機：momo-web-1\n",
    "format": "telegram_html",
}
_VARIABLES: list[dict[str, Any]] = [
    {
        "name": "usage_percent",
        "type": "number",
        "required": True,
        "example": 85,
        "description": "已使用的百分比",
        "fields": [],
    },
    {
        "name": "disks",
        "type": "list",
        "required": False,
        "example": [{"path": "/"}],
        "description": "各個磁碟",
        "fields": [{"name": "path", "type": "text", "required": False, "example": None, "description": "位置"}],
    },
]
_CONTENT: dict[str, Any] = {
    "title": "磁碟空間警告",
    "description": "n8n 監看主機時使用",
    "format": "telegram_html",
    "subject": "磁碟空間警告：已用 {{ usage_percent | percent }}",
    "body": "<b>已用 {{ usage_percent | percent }}</b>\n{% for disk in disks %}\n・{{ disk.path }}\n{% endfor %}",
    "variables": _VARIABLES,
}
TEMPLATE: dict[str, Any] = {
    "code": "disk_warning",
    **_CONTENT,
    "version": 3,
    "shipped": True,
    "updated_at": "2026-11-25T14:05:00+08:00",
    "updated_by": "王小明",
}
SUMMARY = {name: value for name, value in TEMPLATE.items() if name not in ("subject", "body", "variables")}
CHANGES = {"body": "<b>磁碟已用 {{ usage_percent | percent }}</b>", "note": "改短一點"}
VERSION: dict[str, Any] = {
    "number": 3,
    **_CONTENT,
    "note": "改短一點",
    "created_at": "2026-11-25T14:05:00+08:00",
    "created_by": "王小明",
}
