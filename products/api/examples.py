"""Example bodies for the OpenAPI description."""

from __future__ import annotations

from typing import Any

PRODUCT: dict[str, Any] = {
    "id": 42,
    "product_id": "12345678",
    "name": "玻尿酸保濕精華液 30ml",
    "brand": "水潤",
    "category": "臉部保養",
    "price": 3280,
    "previous_price": 3180,
    "change": 100,
    "change_percent": 3.14,
    "status": "active",
    "url": "https://www.momoshop.com.tw/goods/GoodsDetail.jsp?i_code=12345678",
    "image_url": "https://i3.momoshop.com.tw/goodsimg/0012/345/678/12345678_B.jpg",
    "price_changed_at": "2026-01-29T14:00:00+08:00",
    "first_seen_at": "2026-01-02T10:00:00+08:00",
    "last_seen_at": "2026-01-29T16:00:00+08:00",
    "price_unread_since": None,
    "held_price": {"price": 328, "since": "2026-01-29T16:00:00+08:00"},
    "lowest_price_30d": 2980,
}
NEW_WATCH = {"product_id": "12345678", "kind": "absolute", "value": 900}
WATCH: dict[str, Any] = {
    "id": 7,
    "product_id": "12345678",
    "name": "玻尿酸保濕精華液 30ml",
    "price": 3280,
    "kind": "absolute",
    "value": 900,
    "active": True,
    "base_price": 3280,
    "notified_price": None,
    "notified_at": None,
    "created_at": "2026-01-29T16:00:00+08:00",
}
POINT = {"t": "2026-01-29 14:00", "p": 3280, "until": "2026-01-29 16:00"}
STARTED = {"run_id": 42, "task_id": "crawl-42-1-1", "already_running": False}
NOTIFIED = {"events": 57, "messages": 3}
NOTHING_NOTIFIED = {"events": 0, "messages": 0}
_COUNTS = {
    "categories": 4,
    "seen": 5576,
    "new": 3,
    "increase": 12,
    "decrease": 40,
    "delisted": 1,
    "relisted": 0,
    "out_of_stock": 5,
    "back_in_stock": 2,
    "quarantined": 1,
    "errors": 0,
}
STATUS: dict[str, Any] = {
    "running": None,
    "last": {
        "run_id": 42,
        "status": "applied",
        "verdict": "ok",
        "message": "",
        "trigger": "schedule",
        "started_at": "2026-01-29T14:00:00+08:00",
        "finished_at": "2026-01-29T14:06:30+08:00",
        "duration": 390.0,
        "progress": {"pages": 186, "pages_expected": 186, "items": 5576, "percent": 100},
        "counts": _COUNTS,
    },
    "next_run_at": "2026-01-29T16:00:00+08:00",
    "workers": ["celery@shop-1"],
    "workers_alive": 1,
}
