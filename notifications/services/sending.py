"""Sending what is due: claim, hand over outside any transaction, write down what became of it.

Who dies before a message is marked as sending has harmed nothing: it is claimed again. Who dies after it leaves a
message that the sweep holds for a person. See `channels.base` for why the order matters.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import InterfaceError, OperationalError
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.models import Attachment, Channel, OutboxMessage
from notifications.selectors import next_due
from notifications.services.claims import Claimed, begin, claim_due, give_back
from notifications.services.pace import is_troubled, pause, resume
from notifications.services.recording import persistently, record
from notifications.services.senders import sender_of
from notifications.services.sweep import fail_switched_off
from notifications.services.telling import tell

logger = logging.getLogger(__name__)

# Few enough that who dies holds up little, and that the last of them is not late for its place in Telegram's pace.
BATCH = {Channel.EMAIL.value: 20, Channel.TELEGRAM.value: 10}
NEAR = 5.0  # seconds for which waiting is better than ending: a chat's pace, not a message's backoff
MARK_PATIENCE = 10.0  # seconds that a database may be away before a message is begun
BROKEN = "寄送時發生未預期的錯誤，無法確認對方是否收到；請查看紀錄後決定要不要重新寄送"


@dataclass
class Counts:
    """What a drain did: messages by how their attempt ended, and those put off, or that others were quicker with."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    held: int = 0
    skipped: int = 0

    @property
    def attempts(self) -> int:
        """Messages that were handed over, or almost."""
        return self.sent + self.retried + self.failed + self.held

    def add(self, status: str) -> None:
        """Count a message by its new status."""
        name = {"sent": "sent", "pending": "retried", "failed": "failed", "held": "held"}.get(status, "skipped")
        setattr(self, name, getattr(self, name) + 1)


@dataclass
class Drain:
    """One sender at work on one channel."""

    channel: str
    sender: ChannelSender
    ends: float  # as time.monotonic() counts
    stop: Callable[[], bool]
    on_message: Callable[[str], None]

    def __post_init__(self) -> None:
        self.counts = Counts()
        self.troubled = is_troubled(self.channel)

    def over(self) -> bool:
        """Whether no further message is to be begun."""
        return self.stop() or time.monotonic() >= self.ends

    def run(self) -> None:
        """Send until nothing is due, the time is over, or the channel does not work."""
        if self.channel == Channel.TELEGRAM:
            fail_switched_off()
        soon = self.wait_for_due()
        while soon and not self.over():
            if not self.is_open():
                return
            with self.claimed() as batch:
                empty = not batch
                while batch and not self.over():
                    if not self.send(batch.popleft()):
                        return
            if empty:
                # Somebody else has it in hand at this moment, or the pace of all is used up.
                soon = self.wait_for_due(least=0.1)

    def wait_for_due(self, *, least: float = 0) -> bool:
        """Wait for the next message if it is near, `least` seconds. False when there is none that is worth it."""
        at = next_due(self.channel)
        if at is None:
            return False
        seconds = (at - timezone.now()).total_seconds()
        if seconds > min(NEAR, self.ends - time.monotonic()):
            return False
        self.sleep(max(seconds, least))
        return True

    def sleep(self, seconds: float) -> None:
        """Wait, but not when told to stop."""
        until = time.monotonic() + seconds
        while not self.stop() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.25))

    def is_open(self) -> bool:
        """Make sure that the channel works; when it does not, it rests for everybody."""
        trouble = self.sender.open()
        if trouble is not None:
            self.rest(trouble)
        return trouble is None

    def rest(self, trouble: Outcome) -> None:
        """The trouble is the channel's."""
        until = persistently(lambda: pause(self.channel, trouble.reason, wait=trouble.wait))
        logger.warning("%s rests until %s: %s", self.channel, until.isoformat(timespec="seconds"), trouble.reason)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[deque[Claimed]]:
        """Messages to send; however this ends, those that were not begun are given back."""
        claim = uuid.uuid4()
        try:
            batch = deque(claim_due(self.channel, BATCH[self.channel], claim=claim))
            # The subscription is asked for its quiet hours. The bytes of a file are read for its message alone, before
            # that is marked.
            files = Prefetch("attachments", Attachment.objects.defer("content"))
            prefetch_related_objects([claimed.message for claimed in batch], "chat", "subscription", files)
            yield batch
        finally:
            self.return_rest(claim)

    @staticmethod
    def return_rest(claim: uuid.UUID) -> None:
        try:
            persistently(lambda: give_back(claim), seconds=MARK_PATIENCE)
        except (OperationalError, InterfaceError) as error:
            logger.warning("claim %s is left to the sweep, the database is away: %s", claim, error)

    def send(self, claimed: Claimed) -> bool:
        """Send one message. False when the channel does not work; then it, and all others, are free again."""
        message = claimed.message
        self.sleep((claimed.leaves_at - timezone.now()).total_seconds())
        for file in message.attachments.all():
            _ = file.content
        if self.stop() or not self.is_open():
            return False
        if not self.begin(message):
            self.count("")
            return True
        outcome = self.hand_over(message)
        status = self.record(message, outcome)
        if outcome.everybody:
            if status == "failed":  # it was its last attempt
                self.count(status)
            self.rest(outcome)
            return False
        if outcome.verdict is not Verdict.UNKNOWN and self.troubled:
            over = outcome.verdict is not Verdict.RETRY
            resume(self.channel, over=over)
            self.troubled = not over
        self.count(status)
        return True

    def begin(self, message: OutboxMessage) -> bool:
        """Mark it. A mark that cannot be written leaves the message to others: nobody has handed it over."""
        try:
            return persistently(lambda: begin(message), seconds=MARK_PATIENCE)
        except (OperationalError, InterfaceError):
            claim = message.claim
            if claim is not None:
                persistently(lambda: give_back(claim, also=[message.pk]), seconds=MARK_PATIENCE)
            raise

    def hand_over(self, message: OutboxMessage) -> Outcome:
        """What the sender says; what it should not have raised leaves the message for a person."""
        try:
            return self.sender.send(message)
        except Exception:
            logger.exception("message %s broke its sender", message.pk)
            return Outcome(Verdict.UNKNOWN, BROKEN)

    def record(self, message: OutboxMessage, outcome: Outcome) -> str:
        """Write the outcome down."""
        try:
            status = record(message, outcome)
        except (OperationalError, InterfaceError):
            logger.critical("message %s is %s, but cannot be recorded", message.pk, outcome.verdict.value)
            raise
        if not status:
            logger.warning("message %s is %s, but a person decided meanwhile", message.pk, outcome.verdict.value)
        return status

    def count(self, status: str) -> None:
        """Keep and tell how a message ended."""
        self.counts.add(status)
        self.on_message(status)


def drain(
    channel: str,
    *,
    sender: ChannelSender | None = None,
    seconds: float = 50,
    stop: Callable[[], bool] = lambda: False,
    on_message: Callable[[str], None] = lambda status: None,
    pass_on: bool = True,
) -> Counts:
    """Send what is due by a channel, for at most about `seconds`; what is then still due is passed on to a task.

    `stop` is asked between messages; `on_message` is told each message's new status. When this is ended by an
    exception (SIGTERM, Ctrl-C), the message in hand stays marked as sending, and the others are free again.

    Raises OperationalError or InterfaceError when the database stays away.
    """
    own = sender or sender_of(channel)
    work = Drain(str(channel), own, time.monotonic() + seconds, stop, on_message)
    work.run()
    if pass_on and is_due(channel):
        tell(channel)
    return work.counts


def is_due(channel: str) -> bool:
    """Whether something of the channel can be sent now or in a moment."""
    at = next_due(channel)
    return at is not None and at <= timezone.now() + timedelta(seconds=NEAR)


def pass_on_due() -> list[str]:
    """Tell the senders of each channel that has something to send. Returns the channels."""
    due = [channel for channel in Channel.values if is_due(channel)]
    for channel in due:
        tell(channel)
    return due
