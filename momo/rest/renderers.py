"""JSON answers in the envelope of the API contract, or bare for the views with `bare`, for every client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from momo.rest.encoding import dumps
from momo.rest.errors import body_of, failure_of

DONE = "操作成功"


def is_bare(view: Any, method: str) -> bool:
    """Whether `view` answers `method` without the envelope (`bare` is True or contains the method)."""
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
            return dumps(body_of(failure_of(response.status_code)))
        if is_bare(view, request.method if request is not None else "GET"):
            return dumps(data)
        message = getattr(response, "message", None) or getattr(view, "message", None) or DONE
        return dumps({"success": True, "data": data, "message": message})


class LenientNegotiation(DefaultContentNegotiation):
    """A browser that opens an API address gets JSON instead of 406."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        choices: list[Any] = list(renderers)
        try:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, choices, format_suffix)
            return chosen
        except NotAcceptable:
            return choices[0], choices[0].media_type
