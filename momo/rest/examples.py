"""Bodies as they look, for `extend_schema(examples=…)`; answers without their envelope, which the schema adds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample


def sent(name: str, body: Any, media_type: str = "application/json") -> OpenApiExample:
    """The body of a request; of a form, its values and the names of its files."""
    return OpenApiExample(name, body, request_only=True, media_type=media_type)


def answered(name: str, data: Any, status: int = 200) -> OpenApiExample:
    """The data of an answer; of a list, one of its items."""
    return OpenApiExample(name, data, response_only=True, status_codes=[str(status)])
