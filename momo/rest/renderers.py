"""Answers as JSON in the envelope of the contract, or bare where the contract says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from momo.rest.encoding import dumps
from momo.rest.errors import BY_STATUS, ServerError, ValidationFailed

DONE = "操作成功"


def is_bare(view: Any, method: str) -> bool:
    """Whether `view` answers `method` without the envelope (`bare = True`, or the methods that do)."""
    bare = getattr(view, "bare", False)
    return bare if isinstance(bare, bool) else ("GET" if method == "HEAD" else method) in bare


class EnvelopeRenderer(BaseRenderer):
    """The only JSON renderer. The message is the response's, else the view's, else `操作成功`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        context = renderer_context or {}
        response, view, request = context.get("response"), context.get("view"), context.get("request")
        if response is None or getattr(response, "is_failure", False):
            return dumps(data)
        if response.status_code == 204:
            return b""
        if response.status_code >= 400:
            kind = BY_STATUS.get(response.status_code, ServerError if response.status_code >= 500 else ValidationFailed)
            return dumps(kind().body())
        if is_bare(view, request.method if request is not None else "GET"):
            return dumps(data)
        message = getattr(response, "message", None) or getattr(view, "message", None) or DONE
        return dumps({"success": True, "data": data, "message": message})
