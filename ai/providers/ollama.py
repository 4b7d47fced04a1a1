"""Client of Ollama's HTTP API (docs/api.md of its repository): `/api/generate` as a stream, `/api/tags`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from ai.providers.base import Chunk, Prompt, State, Usage
from ai.providers.errors import (
    BadAnswer,
    ContextTooLong,
    CutOff,
    ModelMissing,
    NotRunning,
    Overloaded,
    ProviderError,
    Quota,
)
from ai.providers.retries import TryAgain, with_retries
from ai.providers.thinking import ThinkingFilter
from ai.providers.wire import Wire, client, httpx_errors, lines, text_of, within
from momo.core.texts import storable
from momo.core.waits import retry_after

TAGS_SECONDS = 5.0
KEEP_ALIVE = "10m"


@dataclass(frozen=True)
class OllamaClient:
    """`url` without a slash at its end; `num_ctx` is the model's context in tokens, prompt and answer together."""

    url: str
    model: str
    num_ctx: int
    name: str = "ollama"
    label: str = "Ollama"

    def generate(self, prompt: Prompt, wire: Wire) -> Iterator[Chunk]:
        """See `Provider.generate`."""
        if fewest_tokens(prompt.system + prompt.user) > self.num_ctx:
            raise ContextTooLong
        yield from with_retries(lambda: self._attempt(prompt, wire), prompt, wire)

    def _attempt(self, prompt: Prompt, wire: Wire) -> Iterator[Chunk]:
        body = {
            "model": self.model,
            "system": prompt.system,
            "prompt": prompt.user,
            "stream": True,
            # Thinking would use up the answer's tokens; older servers ignore this, and put <think> into the text.
            "think": False,
            "keep_alive": KEEP_ALIVE,
            "options": {
                "temperature": prompt.temperature,
                "num_predict": prompt.max_output,
                "num_ctx": self.num_ctx,
            },
        }
        with wire.stream(f"{self.url}/api/generate", body, left=prompt.left) as response:
            if response.status_code != 200:
                raise self._refusal(response)
            yield from self._answer(response, prompt)

    def _answer(self, response: httpx.Response, prompt: Prompt) -> Iterator[Chunk]:
        thinking, written = ThinkingFilter(), False
        for line in lines(response):
            _ = prompt.left
            event = _object(line)
            if "error" in event:
                raise self._failure(str(event["error"]))
            raw = _text(event, "response")
            text = thinking.feed(raw)
            done = event.get("done") is True
            if done:
                text += thinking.end()
            written |= bool(text.strip())
            received = len(raw) + len(_text(event, "thinking"))
            if not done:
                yield Chunk(text, received)
                continue
            usage = Usage(_count(event, "prompt_eval_count"), _count(event, "eval_count"))
            yield Chunk(text, received, usage, _text(event, "model") or self.model)
            self._check_end(event, usage, prompt)
            if not written or thinking.leaked:
                raise BadAnswer
            return
        raise BadAnswer("回答沒有送完就中斷，請再試一次")

    def _check_end(self, event: dict[str, Any], usage: Usage, prompt: Prompt) -> None:
        """Ollama cuts the front of a prompt, or of an answer's context, without a word."""
        used = usage.input_tokens
        if used is not None:
            cut = used >= self.num_ctx or used < fewest_tokens(prompt.system + prompt.user)
            if cut or used + (usage.output_tokens or 0) > self.num_ctx:
                raise ContextTooLong
        reason = event.get("done_reason", "stop")
        if reason == "length":
            raise CutOff
        if reason != "stop":
            raise BadAnswer

    def _refusal(self, response: httpx.Response) -> Exception:
        """The error of a status other than 200."""
        status = response.status_code
        try:
            told = str(json.loads(text_of(response)).get("error", ""))
        except (ValueError, AttributeError):
            told = ""
        if status == 429:
            return TryAgain(Quota(), retry_after(response.headers.get("Retry-After")))
        if status >= 500:
            known = self._failure(told)
            return known if isinstance(known, ContextTooLong) else TryAgain(Overloaded())
        if status == 404:
            return self._missing()
        return self._failure(told)

    def _failure(self, told: str) -> ProviderError:
        told = told.lower()
        if "not found" in told and "model" in told:
            return self._missing()
        if "context" in told and any(word in told for word in ("length", "exceed", "size", "window", "long")):
            return ContextTooLong()
        return BadAnswer("模型執行失敗，請再試一次；若持續發生，請管理員查看 Ollama 的紀錄")

    def _missing(self) -> ModelMissing:
        return ModelMissing(f"沒有模型 {self.model}，請管理員執行 ollama pull {self.model}，或修改 OLLAMA_MODEL")

    def state(self) -> State:
        """See `Provider.state`."""
        try:
            models = self._models()
        except ProviderError as error:
            return State(False, f"{self.label}：{error}", [])
        if self.model in models or f"{self.model}:latest" in models:
            return State(True, "", models)
        return State(False, f"{self.label}：{self._missing()}", models)

    def _models(self) -> list[str]:
        with httpx_errors():
            response = client().get(f"{self.url}/api/tags", timeout=within(TAGS_SECONDS))
        if response.status_code != 200:
            raise NotRunning
        try:
            return sorted(str(model["name"]) for model in response.json()["models"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadAnswer from error


def fewest_tokens(text: str) -> int:
    """Tokens that `text` has at the very least, in any model's vocabulary; far fewer mean that the prompt was cut."""
    wide = sum(character > "\u2e7f" for character in text)
    return int(wide * 0.3 + (len(text) - wide) * 0.1)


def _object(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadAnswer from error
    if not isinstance(event, dict):
        raise BadAnswer
    return event


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    return storable(value) if isinstance(value, str) else ""


def _count(event: dict[str, Any], name: str) -> int | None:
    value = event.get(name)
    return value if isinstance(value, int) and 0 <= value < 2**31 else None
