"""What the stand-in for Google Drive answers when it refuses, and the faults that spoil an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from momo.local.http import Answer, json_answer
from tests.kit.faults import FaultRule
from tests.kit.http import date_after

# In which domain an error is, where that is not "global".
_DOMAINS = {"rateLimitExceeded": "usageLimits", "userRateLimitExceeded": "usageLimits"}
# What a fault can be: a status, the reason of a 403 (its own, or any as "forbidden"), a 403 without JSON ("page"),
# something with the body or its length, a body of the test's own ("answer"), or a token that is refused.
KINDS = frozenset(
    {
        *("429", "500", "502", "503", "404", "401", "redirect"),
        *("rateLimitExceeded", "userRateLimitExceeded", "exportSizeLimitExceeded", "forbidden", "page"),
        *("slow", "trickle", "drop", "truncated", "longer", "shorter", "broken", "answer", "refused"),
    }
)


@dataclass
class Fault(FaultRule):
    """Strikes requests of `operation`: token, list, get, media, export or * ; with `file` only for that one.

    `retry_after` is the header's text, `until` seconds make it a date; `delay` is what "slow" takes, and "trickle" for
    each byte; `reason` replaces Google's own; `body` is for "answer", a 200 with just that, `location` for "redirect".
    """

    operation: str
    kind: str
    file: str = ""
    retry_after: str | int | None = None
    until: int = 0
    delay: float = 1.0
    reason: str = ""
    body: bytes = b""
    location: str = ""

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind

    def fits(self, operation: str, file: str) -> bool:
        """Whether it may strike this request."""
        return self.operation in ("*", operation) and self.file in ("", file)


class Refusal(Exception):
    """An answer in Google's form of an error."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message

    def answer(self) -> Answer:
        """The answer that says so."""
        detail = {"message": self.message, "domain": _DOMAINS.get(self.reason, "global"), "reason": self.reason}
        body = {"error": {"code": self.status, "message": self.message, "errors": [detail]}}
        return json_answer(body, self.status)


def spoiled(fault: Fault, answer: Answer) -> Answer:
    """What is sent instead of `answer`."""
    made = _spoiled(fault, answer)
    if fault.until:
        made.headers["Retry-After"] = date_after(fault.until)
    elif fault.retry_after is not None:
        made.headers["Retry-After"] = str(fault.retry_after)
    return made


def _spoiled(fault: Fault, answer: Answer) -> Answer:
    match fault.kind:
        case "slow":
            return replace(answer, delay=fault.delay)
        case "trickle":
            return replace(answer, pause=fault.delay)
        case "drop":
            return Answer(drop=True)
        case "truncated":
            return replace(answer, cut=True)
        case "longer":
            return replace(answer, length_error=10)
        case "shorter":
            return replace(answer, length_error=-10)
        case "broken":
            return Answer(answer.body[: len(answer.body) // 2], headers=answer.headers)
        case _:
            return _refused(fault)


def _refused(fault: Fault) -> Answer:
    match fault.kind:
        case "page":
            return Answer(b"<html><body>Forbidden</body></html>", 403, {"Content-Type": "text/html"})
        case "redirect":
            return Answer(b"", 302, {"Location": fault.location})
        case "answer":
            return Answer(fault.body, headers={"Content-Type": "application/json"})
        case "refused":
            description = "Invalid grant: account not found"
            return json_answer({"error": "invalid_grant", "error_description": description}, 400)
        case kind if kind.isdigit():
            return Refusal(int(kind), fault.reason or "backendError", "Trouble").answer()
        case kind:
            reason = fault.reason or ("insufficientFilePermissions" if kind == "forbidden" else kind)
            return Refusal(403, reason, "Refused").answer()
