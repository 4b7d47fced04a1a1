"""Sorts what a mail server answers into verdicts (RFC 5321, enhanced codes of RFC 3463). Pure functions.

Permanent answers fail the message; temporary ones are quick (greylisting, a restart: the sender's own backoff is
right) or slow (quotas, rates: asking again soon makes it worse).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from notifications.channels.base import Outcome, Verdict

WORDS_LIMIT = 500  # characters of an answer that are kept
SLOW = 600.0  # seconds that a slow refusal deserves
LONGEST = 3600.0  # seconds that we wait at most, whatever a server says


class Step(StrEnum):
    """What was answered; the words are for people."""

    MAIL = "郵件伺服器不接受寄件地址"
    RCPT = "郵件伺服器不接受收件者"
    DATA = "郵件伺服器不接受郵件"
    CONTENT = "郵件伺服器不接受郵件內容"


@dataclass(frozen=True)
class Reply:
    """An answer of one or more lines."""

    code: int
    text: bytes = b""

    @property
    def enhanced(self) -> str:
        """`5.1.1` of `550 5.1.1 No such user`, or nothing."""
        match = _ENHANCED.match(self.text)
        return match[1].decode() if match else ""

    @property
    def words(self) -> str:
        """The answer on one line, as people may read it."""
        lines = [clean_words(line) for line in self.text.split(b"\n")]
        code = self.enhanced
        # Servers repeat the enhanced code on each line.
        again = (line.removeprefix(code).strip() if index and code else line for index, line in enumerate(lines))
        return f"{self.code} {' '.join(filter(None, again))}".strip()[:WORDS_LIMIT]


_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_UNIT = {"s": 1, "m": 60, "h": 3600, "秒": 1, "分": 60, "小": 3600, "時": 3600}
# "try again in 300 seconds", "retry after 60s", "greylisted for 5 minutes", "請於 300 秒後再試".
_TOLD = re.compile(
    r"\b(?:again|retry|retrying|wait|after|in|for|within|delay(?:ed)?)\b[^\d\n]{0,30}?(\d{1,6})\s*"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b"
    r"|(\d{1,6})\s*(秒|分鐘?|小時|時)",
    re.IGNORECASE,
)

_SLOW_CODES = frozenset({"4.2.2", "4.3.1", "4.5.3", "4.7.28"})  # box full, storage, too many recipients, rate
_SLOW_WORDS = re.compile(
    r"\b(?:rate|rates|quota|too many|too much|exceed(?:s|ed|ing)?|throttl\w*|insufficient|out of storage"
    r"|(?:mail)?box (?:is )?full|limit(?:s|ed)?)\b",
    re.IGNORECASE,
)
# About who we are, whatever the message: no such code is ever about a recipient.
_OUR_LOGIN = frozenset({530, 534, 535, 538})
# What MAIL FROM refuses because of this message: its size, its UTF-8.
_THIS_MESSAGE = frozenset({"5.2.3", "5.3.4", "5.6.7"})


def clean_words(line: bytes) -> str:
    """What a server says, decoded leniently, fit to be shown."""
    return _UNPRINTABLE.sub(" ", line.decode("utf-8", "replace")).strip()[:WORDS_LIMIT]


def told_wait(text: str) -> float | None:
    """The seconds that an answer asks for, at least 1 and at most an hour; None if it says no time."""
    match = _TOLD.search(text)
    if match is None:
        return None
    number, unit = (match[1], match[2]) if match[1] else (match[3], match[4])
    return min(max(int(number) * _UNIT[unit[0].lower()], 1.0), LONGEST)


def is_slow(reply: Reply) -> bool:
    """Whether a temporary refusal is one of those that last."""
    return reply.code == 452 or reply.enhanced in _SLOW_CODES or _SLOW_WORDS.search(reply.words) is not None


def judge(step: Step, reply: Reply) -> Outcome:
    """The outcome of a refusal (4xx or 5xx) at one step."""
    reason = f"{step}：{reply.words}"
    if reply.code < 500:
        told = told_wait(reply.words)
        return Outcome(Verdict.RETRY, reason, wait=told or (SLOW if is_slow(reply) else None))
    # The sender's address is always our own, so whatever refuses it refuses us, if it is not the message's size.
    ours = step is Step.MAIL and reply.code != 552 and reply.enhanced not in _THIS_MESSAGE
    if ours or reply.code in _OUR_LOGIN:
        return Outcome(Verdict.RETRY, reason, wait=SLOW, everybody=True)
    return Outcome(Verdict.FAILED, reason)
