"""What a channel promises to the drain (`services.sending`).

The order of the steps is the promise: `open` does all that can be done before a message is touched (connect, log in);
then the drain marks the message as sending; then `send` hands it over. So a process that dies before that mark leaves a
message that can be sent again, and one that dies after it leaves a message that only a person can judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from notifications.models import OutboxMessage


class Verdict(StrEnum):
    """What became of one attempt."""

    SENT = "sent"  # the server accepted the message
    RETRY = "retry"  # the server certainly did not accept it, and may do so later
    FAILED = "failed"  # the server never will
    UNKNOWN = "unknown"  # the connection broke when the server might have accepted it: for a person to judge


@dataclass(frozen=True)
class Outcome:
    """`reason` is the server's text, or ours, fit for people; never a password or a token.

    `wait` is the seconds that the server demands, or that a slow refusal deserves; None leaves it to the back-off.
    `message_id` is what the server calls the message. `of_channel`: the trouble is the channel's and not this message's
    (no connection, login refused): it does not count as an attempt of the message, the other claimed messages are given
    back, and the channel pauses. `chat_off`: this chat takes nothing more. `moved_to`: the chat's new number.
    `refused`: recipients that the server refused for good, each with its reason; SENT went to the others.
    `no_server`: the channel has no pause, since its server is not configured; its messages become unsent instead.
    """

    verdict: Verdict
    reason: str = ""
    wait: float | None = None
    message_id: str = ""
    of_channel: bool = False
    chat_off: bool = False
    moved_to: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    no_server: bool = False


class ChannelSender(Protocol):
    """One process's way to a server, used by one thread. May close and open its connection between messages."""

    def open(self) -> Outcome | None:
        """Be ready to hand a message over: None. Where that cannot be, why not: RETRY with `of_channel`."""

    def send(self, message: OutboxMessage) -> Outcome:
        """Hand one message over. Raises nothing that the outside world can cause."""

    def close(self) -> None:
        """Close the connection; never raises."""
