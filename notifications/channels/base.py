"""What every channel promises to the sender.

The order of things is the promise: `open` does all that can be done before a message is touched (connect, log in);
then the sender writes `sending`; then `send` hands the message over. So a crash before that mark leaves a message
that can be sent again, and one after it a message that only a person can judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from notifications.models import OutboxMessage


class Verdict(StrEnum):
    """What became of one attempt."""

    SENT = "sent"  # the server accepted it
    RETRY = "retry"  # it certainly did not, and may do so later
    FAILED = "failed"  # it never will
    UNKNOWN = "unknown"  # the connection broke when it might have: for a person to judge


@dataclass(frozen=True)
class Outcome:
    """`reason` is the server's words, or ours, fit for people; never a password or a token.

    `wait` is the seconds that the server asked for, or that a slow refusal deserves; None leaves it to the sender's
    own backoff. `message_id` is what the server calls the message. `everybody`: the trouble is the channel's and not
    this message's (no connection, login refused): it does not count as an attempt of the message, and the sender gives
    the others back too. `chat_off`: this chat takes nothing more. `moved_to`: the chat's new number.
    """

    verdict: Verdict
    reason: str = ""
    wait: float | None = None
    message_id: str = ""
    everybody: bool = False
    chat_off: bool = False
    moved_to: str = ""


class ChannelSender(Protocol):
    """One process's way to a server, used by one thread. Closed and opened again as it likes between messages."""

    def open(self) -> Outcome | None:
        """Be ready to hand something over: None. When that cannot be, why not: RETRY with `everybody`."""

    def send(self, message: OutboxMessage) -> Outcome:
        """Hand one message over. Raises nothing that the outside world can cause."""

    def close(self) -> None:
        """Say goodbye; never raises."""
