"""A stand-in for Ollama over real HTTP: `/api/generate`, `/api/chat`, `/api/tags`, with its errors and silent cuts.

It follows Ollama's docs/api.md and knows nothing of our client; the maker's own client works against it.

    with Ollama() as ollama:
        ollama.says("你好", "世界")
        ollama.fail(500, "boom", times=2)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from momo.local.http import Answer, HttpStandIn, Request, json_answer

NDJSON = "application/x-ndjson"
MODEL = "llama3:70b"


@dataclass
class Reply:
    """What the model writes. `fault`: error, no_end, garbage or cut, after the last piece."""

    pieces: tuple[str, ...] = ("清爽保濕，", "每天都想用。")
    thinking: str = ""
    done_reason: str | None = "stop"
    counts: bool = True
    output_tokens: int = 85
    fault: str = ""
    error: str = "an error was encountered while running the model"
    pause: float = 0  # seconds between pieces
    cold: threading.Event = field(default_factory=threading.Event)  # nothing comes until it is set

    def __post_init__(self) -> None:
        self.cold.set()


class Ollama(HttpStandIn):
    """`gone` counts clients that hung up before their answer was whole."""

    def __init__(self) -> None:
        super().__init__()
        self.models = [MODEL]
        self.reply = Reply()
        self.gone = 0
        self._failures: list[tuple[int, str, dict[str, str]]] = []

    def says(self, *pieces: str, **values: Any) -> None:
        """What the next answers are."""
        self.reply = Reply(pieces or Reply.pieces, **values)

    def fail(self, status: int, error: str, *, times: int = 1, **headers: str) -> None:
        """The next `times` generations are refused."""
        self._failures += [(status, error, headers)] * times

    @property
    def prompts(self) -> list[dict[str, Any]]:
        """The bodies of all generations."""
        return [request.json for request in self.requests if request.method == "POST"]

    def respond(self, request: Request) -> Answer:
        if (request.method, request.path) == ("GET", "/api/tags"):
            return json_answer({"models": [{"name": name, "model": name, "size": 1} for name in self.models]})
        if request.method != "POST" or request.path not in {"/api/generate", "/api/chat"}:
            return Answer(b"404 page not found", 404)
        with self.lock:
            if self._failures:
                status, error, headers = self._failures.pop(0)
                refused = json_answer({"error": error}, status)
                refused.headers |= headers
                return refused
        try:
            body = request.json
        except ValueError:
            return json_answer({"error": "invalid character"}, 400)
        if body.get("model") not in self.models:
            return json_answer({"error": f"model '{body.get('model')}' not found"}, 404)
        chat = request.path == "/api/chat"
        events = self._events(body, chat)
        if body.get("stream", True):
            return Answer(headers={"Content-Type": NDJSON}, chunks=self._chunks(events), cut=self.reply.fault == "cut")
        return json_answer(_whole(list(events), chat))

    def _chunks(self, events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        reply = self.reply
        over = False
        try:
            while not reply.cold.wait(0.01):
                yield b""
            for number, event in enumerate(events):
                if number:
                    yield from _paused(reply.pause)
                yield json.dumps(event, ensure_ascii=False).encode() + b"\n"
            if reply.fault == "garbage":
                yield b"<html>\n"
            over = True
        finally:
            if not over:
                with self.lock:
                    self.gone += 1

    def _events(self, body: dict[str, Any], chat: bool) -> Iterator[dict[str, Any]]:
        reply, head = self.reply, {"model": body["model"], "created_at": "2026-11-30T00:00:00Z"}
        for name, pieces in (("thinking", (reply.thinking,) if reply.thinking else ()), ("response", reply.pieces)):
            for piece in pieces:
                message = {"message": {"role": "assistant", "content": "", **_named(name, piece)}}
                yield {**head, **(message if chat else {"response": "", name: piece}), "done": False}
        if reply.fault == "error":
            yield {"error": reply.error}
        if reply.fault:
            return
        given = prompt_of(body)
        window = body.get("options", {}).get("num_ctx", 4096)
        counts = {"prompt_eval_count": min(tokens(given), window), "eval_count": reply.output_tokens}
        yield {
            **head,
            **({"message": {"role": "assistant", "content": ""}} if chat else {"response": ""}),
            "done": True,
            **({"done_reason": reply.done_reason} if reply.done_reason else {}),
            "total_duration": 5_200_000_000,
            "load_duration": 1,
            "eval_duration": 1,
            **(counts if reply.counts else {}),
        }


def prompt_of(body: dict[str, Any]) -> str:
    """All that the model reads."""
    messages = "".join(message["content"] for message in body.get("messages", []))
    return str(body.get("system", "")) + str(body.get("prompt", "")) + messages


def tokens(text: str) -> int:
    """As a vocabulary of today counts: 0.7 a Chinese character, 0.25 another."""
    wide = sum(character > "\u2e7f" for character in text)
    return int(wide * 0.7 + (len(text) - wide) * 0.25) + 12


def _named(name: str, piece: str) -> dict[str, str]:
    return {"content": piece} if name == "response" else {name: piece}


def _whole(events: list[dict[str, Any]], chat: bool) -> dict[str, Any]:
    if chat:
        text = "".join(event["message"]["content"] for event in events)
        return {**events[-1], "message": {"role": "assistant", "content": text}}
    return {**events[-1], "response": "".join(event["response"] for event in events)}


def _paused(seconds: float) -> Iterator[bytes]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield b""
        time.sleep(min(0.1, seconds))
