"""Example bodies for the OpenAPI description."""

from __future__ import annotations

from typing import Any

VENDOR: dict[str, Any] = {
    "id": 7,
    "code": "012345",
    "name": "水潤生技股份有限公司",
    "contact": "林小姐",
    "phone": "02-2345-6789",
    "escalation_email": "lead@example.com",
    "note": "",
    "is_active": True,
    "merged_into_id": None,
    "needs_address": False,
    "open_stockouts": 3,
    "created_at": "2026-01-02T10:00:00+08:00",
}
NEW_VENDOR = {"code": "012345", "name": "水潤生技股份有限公司", "contact": "林小姐"}
ADDRESS: dict[str, Any] = {
    "id": 11,
    "vendor_id": 7,
    "email": "lin@example.com",
    "kind": "to",
    "name": "林小姐",
    "is_active": True,
    "bounced_at": None,
    "bounce_reason": "",
    "created_at": "2026-01-02T10:00:00+08:00",
}
NEW_ADDRESS = {"email": "lin@example.com", "kind": "to", "name": "林小姐"}
STOCKOUT: dict[str, Any] = {
    "id": 42,
    "batch_id": 3,
    "row": 2,
    "department": "美妝部",
    "section": "保養科",
    "pm": "王小明",
    "product_code": "12345678",
    "product_name": "玻尿酸保濕精華液 30ml",
    "vendor_id": 7,
    "vendor_code": "012345",
    "vendor_name": "水潤生技股份有限公司",
    "monthly_sales": 1320,
    "stock": 0,
    "price": 3280,
    "status": "replied",
    "duplicate_of_id": None,
    "mail_id": 9,
    "mail_status": "sent",
    "reason": "250 2.0.0 Ok",
    "notified_at": "2026-01-29T09:30:00+08:00",
    "answer": "restock",
    "restock_date": "2026-02-05",
    "restock_quantity": 500,
    "substitute": "",
    "answered_at": "2026-01-29T11:12:00+08:00",
    "resolved_at": None,
    "resolved_reason": "",
    "created_at": "2026-01-29T09:00:00+08:00",
}
