"""A stand-in for Gemini's REST API over real HTTP: `generateContent` and `streamGenerateContent?alt=sse`.

It follows ai.google.dev/api/generate-content and knows nothing of our client; the maker's own client works against it.

    with Gemini() as gemini:
        gemini.says("你好", finish="MAX_TOKENS")
        gemini.fail(429, "RESOURCE_EXHAUSTED", retry_delay="0.05s")
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from momo.local.http import Answer, HttpStandIn, Request, json_answer

MODEL = "gemini-3.8-flash"
KEY = "AIza-stand-in-key"
SSE = "text/event-stream"


@dataclass
class Reply:
    """What the model answers. `fault`: error, garbage or cut, after the last piece."""

    pieces: tuple[str, ...] = ("清爽保濕，", "每天都想用。")
    thoughts: str = ""
    finish: str | None = "STOP"
    block: str = ""  # blockReason: the prompt is refused, there are no candidates
    counts: dict[str, int] | None = field(
        default_factory=lambda: {"promptTokenCount": 100, "candidatesTokenCount": 60, "thoughtsTokenCount": 25}
    )
    grounding: dict[str, Any] | None = None
    fault: str = ""
    cold: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.cold.set()


class Gemini(HttpStandIn):
    """`gone` counts clients that hung up before their answer was whole."""

    def __init__(self) -> None:
        super().__init__()
        self.models = [MODEL]
        self.reply = Reply()
        self.gone = 0
        self._failures: list[Answer] = []

    def says(self, *pieces: str, **values: Any) -> None:
        """What the next answers are."""
        self.reply = Reply(pieces, **values) if pieces else Reply(**values)

    def fail(
        self, code: int, status: str, *, message: str = "No.", retry_delay: str = "", times: int = 1, **detail: Any
    ) -> None:
        """The next `times` requests are refused."""
        details: list[dict[str, Any]] = [{"@type": "google.rpc.ErrorInfo", **detail}] if detail else []
        if retry_delay:
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay})
        self._failures += [error(code, status, message, details)] * times

    @property
    def prompts(self) -> list[dict[str, Any]]:
        """The bodies of all requests."""
        return [request.json for request in self.requests]

    def respond(self, request: Request) -> Answer:
        version, _, rest = request.path.removeprefix("/").partition("/models/")
        model, _, method = rest.partition(":")
        if version not in {"v1", "v1beta"} or method not in {"generateContent", "streamGenerateContent"}:
            return error(404, "NOT_FOUND", "Not found.")
        if request.headers.get("x-goog-api-key") != KEY:
            detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            return error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [detail])
        with self.lock:
            if self._failures:
                return self._failures.pop(0)
        if model not in self.models:
            return error(404, "NOT_FOUND", f"models/{model} is not found for API version v1beta.")
        if not request.json.get("contents"):
            return error(400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified")
        if method == "generateContent":
            return json_answer(self._whole())
        assert request.params.get("alt") == "sse"
        return Answer(headers={"Content-Type": SSE}, chunks=self._chunks(), cut=self.reply.fault == "cut")

    def _chunks(self) -> Iterator[bytes]:
        reply, over = self.reply, False
        try:
            while not reply.cold.wait(0.01):
                yield b""
            for event in self._events():
                yield b"data: %s\r\n\r\n" % json.dumps(event, ensure_ascii=False).encode()
            if reply.fault == "garbage":
                yield b"data: {\r\n\r\n"
            if reply.fault == "error":
                yield b"data: %s\r\n\r\n" % error(503, "UNAVAILABLE", "The model is overloaded.").body
            over = True
        finally:
            if not over:
                with self.lock:
                    self.gone += 1

    def _events(self) -> Iterator[dict[str, Any]]:
        """The last one has a reason and counts, and no parts."""
        reply = self.reply
        if reply.block:
            yield {"promptFeedback": {"blockReason": reply.block}, "usageMetadata": {"promptTokenCount": 100}}
            return
        if reply.thoughts:
            yield {"candidates": [{"content": {"role": "model", "parts": [{"text": reply.thoughts, "thought": True}]}}]}
        for piece in reply.pieces:
            yield {"candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}}], "modelVersion": MODEL}
        if not reply.fault and reply.finish:
            yield {"candidates": [{"finishReason": reply.finish}], **self._counts(), "modelVersion": MODEL}

    def _counts(self) -> dict[str, Any]:
        return {"usageMetadata": self.reply.counts} if self.reply.counts is not None else {}

    def _whole(self) -> dict[str, Any]:
        reply = self.reply
        if reply.block:
            return {"promptFeedback": {"blockReason": reply.block}, **self._counts()}
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": [{"text": "".join(reply.pieces)}]},
            **({"finishReason": reply.finish} if reply.finish else {}),
            **({"groundingMetadata": reply.grounding} if reply.grounding is not None else {}),
        }
        return {"candidates": [candidate], **self._counts(), "modelVersion": MODEL}


def error(code: int, status: str, message: str, details: list[dict[str, Any]] | None = None) -> Answer:
    """A failure as Google's APIs say it."""
    body = {"error": {"code": code, "message": message, "status": status, "details": details or []}}
    return json_answer(body, code)
