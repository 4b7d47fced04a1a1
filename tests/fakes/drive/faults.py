"""What the stand-in for Google Drive answers, and the troubles that spoil it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

# In which domain an error is, where that is not "global".
_DOMAINS = {"rateLimitExceeded": "usageLimits", "userRateLimitExceeded": "usageLimits"}
# What a trouble can be: a status, the reason of a 403 (its own, or any as "forbidden"), a 403 without JSON ("page"),
# something with the body or its length, a body of the test's own ("answer"), or a token that is refused.
KINDS = frozenset(
    {
        *("429", "500", "502", "503", "404", "401", "redirect"),
        *("rateLimitExceeded", "userRateLimitExceeded", "exportSizeLimitExceeded", "forbidden", "page"),
        *("slow", "trickle", "drop", "truncated", "longer", "shorter", "broken", "answer", "refused"),
    }
)


@dataclass
class Fault:
    """A trouble: strikes `times` requests of an operation, after `skip` of them; None is for ever."""

    operation: str
    kind: str
    file: str
    times: int | None
    skip: int
    retry_after: str | int | None
    until: int
    delay: float
    reason: str
    body: bytes
    location: str


@dataclass
class Answer:
    """What is sent, before a fault spoils it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer in Google's form of an error."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message

    def answer(self) -> Answer:
        detail = {"message": self.message, "domain": _DOMAINS.get(self.reason, "global"), "reason": self.reason}
        return json_answer(self.status, {"error": {"code": self.status, "message": self.message, "errors": [detail]}})


def json_answer(status: int, body: Any) -> Answer:
    content = json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, content, {"Content-Type": "application/json; charset=UTF-8"})


def spoiled(fault: Fault, answer: Answer) -> Answer:
    """What is sent instead, for troubles that are an answer."""
    kind = fault.kind
    if kind in ("429", "500", "502", "503", "404", "401"):
        answer = Refusal(int(kind), fault.reason or "backendError", "Trouble").answer()
    elif kind in ("rateLimitExceeded", "userRateLimitExceeded", "exportSizeLimitExceeded", "forbidden"):
        reason = fault.reason or ("insufficientFilePermissions" if kind == "forbidden" else kind)
        answer = Refusal(403, reason, "Refused").answer()
    elif kind == "page":
        answer = Answer(403, b"<html><body>Forbidden</body></html>", {"Content-Type": "text/html"})
    elif kind == "redirect":
        answer = Answer(302, b"", {"Location": fault.location})
    elif kind == "broken":
        answer = Answer(200, answer.body[: len(answer.body) // 2], answer.headers)
    elif kind == "answer":
        answer = Answer(200, fault.body, {"Content-Type": "application/json"})
    elif kind == "refused":
        answer = json_answer(400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"})
    if fault.until:
        when = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=fault.until + 1)
        answer.headers["Retry-After"] = format_datetime(when, usegmt=True)
    elif fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer
