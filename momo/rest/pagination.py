"""Pagination of every list: `page`, `per_page` → `items, total, page, per_page, total_pages`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.plumbing import build_parameter_type
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from momo.core.errors import ValidationFailed

# No list has a page number with more digits; int() need not parse them.
MAX_DIGITS = 12


def positive(params: Mapping[str, str], name: str, default: int, highest: int | None = None) -> int:
    """An integer of at least 1 from a query string. Raises ValidationFailed with the parameter's name."""
    text = params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS or int(text) < 1:
        raise ValidationFailed(fields={name: ["請輸入 1 以上的整數"]})
    if highest is not None and int(text) > highest:
        raise ValidationFailed(fields={name: [f"最多 {highest} 筆"]})
    return int(text)


class Pagination(BasePagination):
    """Pages of a queryset or a list. A page past the end is empty and costs no query for its rows.

    A view may define `get_total(queryset)` if counting its table would cost too much, and `get_rows(page)` if the rows
    of a page are cheaper to read by their numbers than in the query that sorts.
    """

    per_page = 50
    max_per_page = 200

    def window(self, request: Request) -> tuple[int, int]:
        """Offset and number of rows that the query string names. Raises ValidationFailed."""
        self.page = positive(request.query_params, "page", 1)
        self.size = positive(request.query_params, "per_page", self.per_page, self.max_per_page)
        return (self.page - 1) * self.size, self.size

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        start, _ = self.window(request)
        get_total = getattr(view, "get_total", None)
        if get_total is not None:
            self.total: int = get_total(queryset)
        else:
            self.total = len(queryset) if isinstance(queryset, (list, tuple)) else queryset.count()
        if start >= self.total:
            return []
        page = queryset[start : start + self.size]
        get_rows = getattr(view, "get_rows", list)
        return list(get_rows(page))

    def body(self, items: Any) -> dict[str, Any]:
        """The documented body around `items`; call after `paginate_queryset`, or after `window` with `total` set."""
        return {
            "items": items,
            "total": self.total,
            "page": self.page,
            "per_page": self.size,
            "total_pages": -(-self.total // self.size),
        }

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        numbers = {
            name: {"type": "integer", "minimum": low, "example": example}
            for name, low, example in (("total", 0, 5576), ("page", 1, 1), ("per_page", 1, 50), ("total_pages", 0, 112))
        }
        return {
            "type": "object",
            "required": ["items", *numbers],
            "properties": {"items": schema, **numbers},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            build_parameter_type(
                name="page",
                location="query",
                description="第幾頁，由 1 起算",
                schema={"type": "integer", "minimum": 1, "maximum": 10**MAX_DIGITS - 1, "default": 1},
            ),
            build_parameter_type(
                name="per_page",
                location="query",
                description=f"每頁筆數，最多 {self.max_per_page}",
                schema={"type": "integer", "minimum": 1, "maximum": self.max_per_page, "default": self.per_page},
            ),
        ]
