"""Example bodies for the OpenAPI schema."""

from __future__ import annotations

from typing import Any

FIGURES = {"quantity": 320, "amount": 512000, "cost": 358400, "gross_profit": 153600, "margin": 30.0, "lines": 210}
_BEFORE = {"quantity": 300, "amount": 480000, "cost": 336000, "gross_profit": 144000, "margin": 30.0, "lines": 198}
_AGAINST = {
    **_BEFORE,
    "change": {"quantity": 20, "amount": 32000, "gross_profit": 9600},
    "change_percent": {"quantity": 6.67, "amount": 6.67, "gross_profit": 6.67},
}


def _by(key: str) -> list[dict[str, Any]]:
    return [{"key": key, **FIGURES, "share": 100.0}]


_GROUPS = {"by_pm": _by("王小明"), "by_brand": _by("水潤"), "by_category": _by("美妝")}
DAY: dict[str, Any] = {
    "date": "2026-11-24",
    "summary": FIGURES,
    "comparison": {
        "previous_day": {"date": "2026-11-23", **_AGAINST},
        "same_weekday_last_week": {"date": "2026-11-17", **_AGAINST},
    },
    **_GROUPS,
    "items": [
        {
            "id": 4211,
            "product_id": "12345678",
            "product_name": "玻尿酸保濕精華液 30ml",
            "brand": "水潤",
            "category": "美妝",
            "pm": "王小明",
            "vendor_code": "012345",
            "vendor_name": "水潤生技股份有限公司",
            "quantity": 2,
            "amount": 3200,
            "cost": 2240,
            "gross_profit": 960,
            "margin": 30.0,
        }
    ],
    "total": 210,
    "page": 1,
    "per_page": 50,
    "total_pages": 5,
}
MONTH: dict[str, Any] = {
    "year": 2026,
    "month": 11,
    "totals": FIGURES,
    "days": [{"date": "2026-11-01", **FIGURES}],
    **_GROUPS,
    "month_on_month": {"year": 2026, "month": 10, **_AGAINST},
    "year_on_year": {"year": 2025, "month": 11, **_AGAINST},
    "month_to_date": {
        "days": 24,
        "current": {"start_date": "2026-11-01", "end_date": "2026-11-24", **FIGURES},
        "previous_month": {"start_date": "2026-10-01", "end_date": "2026-10-24", **_AGAINST},
        "last_year": {"start_date": "2025-11-01", "end_date": "2025-11-24", **_AGAINST},
    },
}
TREND: dict[str, Any] = {
    "start_date": "2026-11-22",
    "end_date": "2026-11-24",
    "dimension": "brand",
    "interval": "day",
    "dates": ["2026-11-22", "2026-11-23", "2026-11-24"],
    "series": [
        {
            "key": "水潤",
            "amount": [12800, 0, 25600.5],
            "quantity": [8, 0, 16],
            "gross_profit": [3840, 0, 7680.5],
        },
        {"key": "其他", "amount": [1200, 900, 0], "quantity": [3, 2, 0], "gross_profit": [300, 200, 0]},
    ],
}
