"""Example bodies of the AI endpoints."""

from __future__ import annotations

from typing import Any

ORDER: dict[str, Any] = {
    "product_name": "水潤玻尿酸精華液 30ml",
    "style": "吸睛",
    "keywords": ["保濕", "清爽"],
    "provider": "ollama",
}
WARNING = {
    "check": "facts",
    "kind": "price",
    "severity": "high",
    "start": 12,
    "end": 16,
    "text": "499元",
    "reason": "資料裡沒有這個價格",
    "suggestion": "",
    "law": "",
}
_TEXT: dict[str, Any] = {
    "id": 1,
    "content": "肌膚想喝水的時候，就給它一滴清爽。499元起。",
    "converted": False,
    "original": "",
    "warnings": [WARNING],
}
GENERATED: dict[str, Any] = {
    **_TEXT,
    "model": "llama3:70b",
    "provider": "ollama",
    "fallback_from": "",
    "style": "吸睛",
    "domain": "cosmetic",
    "duration": 5.2,
    "input_tokens": 120,
    "output_tokens": 85,
    "notices": [],
    "variants": [_TEXT],
}
PROVIDER = {
    "provider": "ollama",
    "label": "Ollama",
    "available": True,
    "reason": "",
    "model": "llama3:70b",
    "models": ["llama3:70b"],
}
GENERATION: dict[str, Any] = {
    "id": 1,
    "kind": "copy",
    "username": "amy",
    "product_id": None,
    "product_name": "水潤玻尿酸精華液 30ml",
    "style": "吸睛",
    "provider": "ollama",
    "model": "llama3:70b",
    "content": _TEXT["content"],
    "original": "",
    "warnings": [WARNING],
    "request": {"keywords": ["保濕", "清爽"]},
    "extra": {},
    "favorite": False,
    "created_at": "2026-01-29T14:00:00+08:00",
    "duration": 5.2,
    "input_tokens": 120,
    "output_tokens": 85,
}
_SUMS: dict[str, Any] = {
    "calls": 3,
    "errors": 0,
    "input_tokens": 360,
    "output_tokens": 255,
    "searches": 0,
    "seconds": 15.6,
    "costs": [{"currency": "USD", "amount": 0.000945}],
}
STATS: dict[str, Any] = {
    "start_date": "2026-01-01",
    "end_date": "2026-01-29",
    "totals": _SUMS,
    "by_day": [{"date": "2026-01-29", **_SUMS}],
    "by_provider": [{"provider": "gemini", **_SUMS}],
    "by_model": [{"provider": "gemini", "model": "gemini-3.8-flash", **_SUMS}],
    "by_user": [{"username": "amy", **_SUMS}],
}
