"""Example bodies for `extend_schema(examples=…)`. Answers have no envelope here; the schema adds it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample


def sent(name: str, body: Any, media_type: str = "application/json") -> OpenApiExample:
    """An example of a request body; for a form, its values and the names of its files."""
    return OpenApiExample(name, body, request_only=True, media_type=media_type)


def answered(name: str, data: Any, status: int = 200) -> OpenApiExample:
    """An example of an answer's `data`; for a list, one item."""
    return OpenApiExample(name, data, response_only=True, status_codes=[str(status)])
