"""Client of Gemini's REST API (ai.google.dev/api/generate-content): streams of text, and a grounded search."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx

from ai.providers.base import Answer, Chunk, Prompt, State, Usage
from ai.providers.errors import (
    BadAnswer,
    Blocked,
    ContextTooLong,
    CutOff,
    Denied,
    ModelMissing,
    NotSet,
    Overloaded,
    ProviderError,
    Quota,
)
from ai.providers.retries import TryAgain, with_retries
from ai.providers.thinking import ThinkingFilter
from ai.providers.wire import Wire, lines, text_of
from momo.core.texts import storable
from momo.core.waits import retry_after

BLOCKED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY", "MODEL_ARMOR"}
)
RETRIED = frozenset({500, 503, 504})


@dataclass(frozen=True)
class GeminiClient:
    """`url` without a slash at its end. `key` travels in a header only, never in an address, a log or an error."""

    url: str
    model: str
    key: str
    name: str = "gemini"
    label: str = "Gemini"

    def __repr__(self) -> str:
        return f"GeminiClient({self.url!r}, {self.model!r})"

    def generate(self, prompt: Prompt, wire: Wire) -> Iterator[Chunk]:
        """See `Provider.generate`."""
        yield from with_retries(
            lambda: self._attempt("streamGenerateContent?alt=sse", self._body(prompt), prompt, wire), prompt, wire
        )

    def search(self, prompt: Prompt, wire: Wire) -> Answer:
        """An answer that Gemini looked up with Google Search; `grounding` is its `groundingMetadata`.

        Raises ProviderError; `failure` of the answer is set where Gemini has answered, and counted, but not well.
        """
        body = self._body(prompt) | {"tools": [{"google_search": {}}]}
        return next(with_retries(lambda: self._search(body, prompt, wire), prompt, wire))

    def state(self) -> State:
        """See `Provider.state`. Without a request: each would count towards its quota."""
        if not self.key:
            return State(False, f"{self.label}：{NotSet('GEMINI_API_KEY')}", [])
        return State(True, "", [self.model])

    @staticmethod
    def _body(prompt: Prompt) -> dict[str, Any]:
        return {
            "systemInstruction": {"parts": [{"text": prompt.system}]},
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "generationConfig": {"maxOutputTokens": prompt.max_output, "temperature": prompt.temperature},
        }

    def _post(self, method: str, body: dict[str, Any], prompt: Prompt, wire: Wire) -> Any:
        if not self.key:
            raise NotSet("GEMINI_API_KEY")
        url = f"{self.url}/v1beta/models/{self.model}:{method}"
        return wire.stream(url, body, left=prompt.left, headers={"x-goog-api-key": self.key})

    def _attempt(self, method: str, body: dict[str, Any], prompt: Prompt, wire: Wire) -> Iterator[Chunk]:
        with self._post(method, body, prompt, wire) as response:
            if response.status_code != 200:
                raise self._refusal(response.status_code, text_of(response), response.headers.get("Retry-After"))
            yield from self._answer(response, prompt)

    def _answer(self, response: httpx.Response, prompt: Prompt) -> Iterator[Chunk]:
        thinking, usage, model, reason, written = ThinkingFilter(), Usage(), self.model, "", False
        for event in events(response):
            _ = prompt.left
            if "error" in event:
                raise _after_start(self._refusal(_code(event), json.dumps(event), None))
            part = _read(event)
            usage, model = _merged(usage, event), str(event.get("modelVersion") or model)
            if part.blocked:
                yield Chunk(usage=usage, model=model)
                raise Blocked
            reason = part.reason or reason
            text = thinking.feed(part.text)
            written |= bool(text.strip())
            yield Chunk(text, part.received)
        rest = thinking.end()
        yield Chunk(rest, usage=usage, model=model)
        if failure := failure_of(reason):
            raise failure
        if not (written or rest.strip()) or thinking.leaked:
            raise BadAnswer

    def _search(self, body: dict[str, Any], prompt: Prompt, wire: Wire) -> Iterator[Answer]:
        with self._post("generateContent", body, prompt, wire) as response:
            told = "\n".join(lines(response)) if response.status_code == 200 else text_of(response)
            if response.status_code != 200:
                raise self._refusal(response.status_code, told, response.headers.get("Retry-After"))
        event = _object(told)
        part, usage = _read(event), _merged(Usage(), event)
        queries = part.grounding.get("webSearchQueries")
        searches = len(queries) if isinstance(queries, list) and queries else int(bool(part.grounding))
        usage = replace(usage, searches=searches)
        thinking = ThinkingFilter()
        text = thinking.feed(part.text) + thinking.end()
        model = str(event.get("modelVersion") or self.model)
        failure = Blocked() if part.blocked else failure_of(part.reason)
        if failure is None and not text.strip():
            failure = BadAnswer()
        yield Answer(text, usage, model, part.grounding, failure)

    def _refusal(self, status: int, told: str, header: str | None) -> Exception:
        """The error of an answer of failure: `{"error": {"code", "message", "status", "details"}}`."""
        try:
            error = json.loads(told)["error"]
            message, details = str(error.get("message", "")), error.get("details") or []
        except (ValueError, KeyError, TypeError, AttributeError):
            message, details = "", []
        wait = _retry_delay(details)
        wait = retry_after(header) if wait is None else wait
        if status == 429:
            # The quota of a day does not come back within a request.
            daily = "perday" in json.dumps(details).lower()
            return Quota() if daily else TryAgain(Quota(), wait)
        if status in RETRIED:
            return TryAgain(Overloaded(), wait)
        if status == 404:
            return ModelMissing(f"沒有模型 {self.model}，請管理員修改 GEMINI_MODEL")
        if status in {401, 403} or "api key" in message.lower() or "API_KEY" in json.dumps(details):
            return Denied("金鑰無效或沒有權限，請管理員檢查 GEMINI_API_KEY")
        if "exceed" in message.lower() and any(word in message.lower() for word in ("token", "context")):
            return ContextTooLong("要求超過模型一次能讀的長度，請減少商品資料或關鍵字")
        if status >= 500:
            return Overloaded()
        return BadAnswer("服務不接受這個要求，請管理員檢查 GEMINI_MODEL 與 GEMINI_URL")


@dataclass(frozen=True)
class _Part:
    text: str
    received: int
    reason: str
    blocked: bool
    grounding: dict[str, Any]


def failure_of(reason: str) -> ProviderError | None:
    """What a `finishReason` means: None for STOP, BadAnswer for unknown ones and for none."""
    if reason == "STOP":
        return None
    if reason == "MAX_TOKENS":
        return CutOff()
    return Blocked() if reason in BLOCKED else BadAnswer("回答沒有送完就中斷，請再試一次")


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Events of a stream; Gemini writes each on one `data:` line."""
    for line in lines(response):
        if line.startswith("data:"):
            yield _object(line[5:])
        elif not line.startswith((":", "event:", "id:", "retry:")):
            raise BadAnswer


def _read(event: dict[str, Any]) -> _Part:
    """The first candidate; any member may be missing."""
    feedback = event.get("promptFeedback")
    blocked = isinstance(feedback, dict) and bool(feedback.get("blockReason"))
    candidates = event.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else {}
    if not isinstance(first, dict):
        raise BadAnswer
    content = first.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    known = [part for part in parts or [] if isinstance(part, dict) and isinstance(part.get("text"), str)]
    grounding = first.get("groundingMetadata")
    return _Part(
        storable("".join(part["text"] for part in known if not part.get("thought"))),
        sum(len(part["text"]) for part in known),
        str(first.get("finishReason") or ""),
        blocked,
        grounding if isinstance(grounding, dict) else {},
    )


def _merged(usage: Usage, event: dict[str, Any]) -> Usage:
    """The counts of the latest event that has some; thinking is billed as output."""
    told = event.get("usageMetadata")
    if not isinstance(told, dict):
        return usage
    count = {name: value for name, value in told.items() if isinstance(value, int) and 0 <= value < 2**31}
    outputs = [count[name] for name in ("candidatesTokenCount", "thoughtsTokenCount") if name in count]
    return Usage(count.get("promptTokenCount", usage.input_tokens), sum(outputs) if outputs else usage.output_tokens)


def _retry_delay(details: Any) -> float | None:
    for detail in details if isinstance(details, list) else []:
        found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)s", str(detail.get("retryDelay", ""))) if detail else None
        if found:
            return float(found[1])
    return None


def _after_start(error: Exception) -> ProviderError:
    """An error in mid-stream is not repeated."""
    known = error.failure if isinstance(error, TryAgain) else error
    return known if isinstance(known, ProviderError) else BadAnswer()


def _code(event: dict[str, Any]) -> int:
    error = event["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else 500


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAnswer from error
    if not isinstance(value, dict):
        raise BadAnswer
    return value
