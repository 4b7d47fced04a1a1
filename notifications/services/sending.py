"""Sending what is due: claim, hand over outside any transaction, record the outcome.

A process that dies before it marked a message as sending has harmed nothing: the message is claimed again. One that
dies after the mark leaves a message that the sweep holds for a person. `channels.base` says why the order matters.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.signals import worker_process_shutdown, worker_shutdown
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from momo.core.work import TRANSIENT, retry_transient, start_task
from notifications.channels.base import ChannelSender, Outcome, Verdict
from notifications.channels.email import EmailSender
from notifications.channels.telegram import TelegramSender
from notifications.models import Attachment, Channel, OutboxMessage
from notifications.selectors import answers_wait, next_due
from notifications.services.claims import Claimed, begin, claim_due, give_back
from notifications.services.outbox import SEND_TASK
from notifications.services.recording import PATIENCE, is_troubled, pause, record, resume
from notifications.services.sweep import bring_back, fail_switched_off, set_aside

logger = logging.getLogger(__name__)

# Few enough that a process that dies holds up little, and that the last one is not late for its place in Telegram's
# pace.
BATCH = {Channel.EMAIL.value: 20, Channel.TELEGRAM.value: 10}
NEAR = 5.0  # seconds for which waiting is better than ending: a chat's pace, not a message's backoff
MARK_PATIENCE = 10.0  # seconds that a database may be away before a message is begun
BROKEN = "寄送時發生未預期的錯誤，無法確認對方是否收到；請查看紀錄後決定要不要重新寄送"

# Telegram's library costs a process that sends mails only 0.15 s and 8 MB, once.
_CLASSES: dict[str, Callable[[], ChannelSender]] = {
    Channel.EMAIL.value: EmailSender,
    Channel.TELEGRAM.value: TelegramSender,
}
# Kept between drains, so that connections are used again. With the process in the key: a forked child must not use its
# parent's connection.
_kept: dict[tuple[int, str], ChannelSender] = {}


def sender_of(channel: str) -> ChannelSender:
    """This process's sender of a channel."""
    key = os.getpid(), str(channel)
    if key not in _kept:
        _kept[key] = _CLASSES[channel]()
    return _kept[key]


@worker_shutdown.connect
@worker_process_shutdown.connect
def close_senders(**_: Any) -> None:
    """Close all connections, when the process ends."""
    for key in [key for key in _kept if key[0] == os.getpid()]:
        _kept.pop(key).close()


@dataclass
class Counts:
    """What a drain did: messages by how their attempt ended.

    `skipped` were put off, or another process was quicker.
    """

    sent: int = 0
    retried: int = 0
    failed: int = 0
    held: int = 0
    skipped: int = 0

    def add(self, status: str) -> None:
        """Count a message by its new status."""
        name = {"sent": "sent", "pending": "retried", "failed": "failed", "held": "held"}.get(status, "skipped")
        setattr(self, name, getattr(self, name) + 1)


@dataclass
class Drain:
    """One run of a sender on one channel."""

    channel: str
    sender: ChannelSender
    ends: float  # as time.monotonic() counts
    stop: Callable[[], bool]
    on_message: Callable[[str], None]
    answers_only: bool = False

    def __post_init__(self) -> None:
        self.counts = Counts()
        self.troubled = is_troubled(self.channel)

    def over(self) -> bool:
        """Whether no further message is to be begun."""
        return self.stop() or time.monotonic() >= self.ends

    def run_answers(self) -> None:
        """Send the answers that may leave now, without waiting for a chat's pace."""
        while answers_wait() and not self.over() and self.is_open():
            with self.claimed() as batch:
                if not batch:
                    return
                while batch and not self.over():
                    if not self.send(batch.popleft()):
                        return

    def run(self) -> None:
        """Send until nothing is due, the time is over, or the channel does not work."""
        if self.channel == Channel.TELEGRAM:
            fail_switched_off()
        else:
            bring_back()
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
                # Another process has it in hand at this moment, or the pace of all is used up.
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
        """Wait, at most until a stop is requested."""
        until = time.monotonic() + seconds
        while not self.stop() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.25))

    def is_open(self) -> bool:
        """Make sure that the channel works; when it does not, it pauses for all processes."""
        trouble = self.sender.open()
        if trouble is not None and trouble.no_server:
            retry_transient(set_aside, seconds=PATIENCE)
        elif trouble is not None:
            self.pause(trouble)
        return trouble is None

    def pause(self, trouble: Outcome) -> None:
        """Let no process try the channel for a while."""
        until = retry_transient(lambda: pause(self.channel, trouble.reason, wait=trouble.wait), seconds=PATIENCE)
        logger.warning("%s pauses until %s: %s", self.channel, until.isoformat(timespec="seconds"), trouble.reason)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[deque[Claimed]]:
        """Messages to send; however this ends, those that were not begun are given back."""
        claim = uuid.uuid4()
        try:
            batch = deque(claim_due(self.channel, BATCH[self.channel], claim=claim, answers_only=self.answers_only))
            # The subscription has the quiet hours. The bytes of a file are read for its message alone, before
            # that is marked.
            files = Prefetch("attachments", Attachment.objects.order_by("pk").defer("content"))
            prefetch_related_objects([claimed.message for claimed in batch], "chat", "subscription", files)
            yield batch
        finally:
            try:
                retry_transient(lambda: give_back(claim), seconds=MARK_PATIENCE)
            except TRANSIENT as error:
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
        if outcome.of_channel:
            if status == "failed":  # it was its last attempt
                self.count(status)
            self.pause(outcome)
            return False
        if outcome.verdict is not Verdict.UNKNOWN and self.troubled:
            over = outcome.verdict is not Verdict.RETRY
            resume(self.channel, over=over)
            self.troubled = not over
        self.count(status)
        return True

    def begin(self, message: OutboxMessage) -> bool:
        """Mark it. A mark that cannot be written leaves the message to other processes: it was not handed over."""
        try:
            return retry_transient(lambda: begin(message), seconds=MARK_PATIENCE)
        except TRANSIENT:
            claim = message.claim
            if claim is not None:
                retry_transient(lambda: give_back(claim, also=[message.pk]), seconds=MARK_PATIENCE)
            raise

    def hand_over(self, message: OutboxMessage) -> Outcome:
        """The sender's outcome; an exception that it should not have raised leaves the message for a person."""
        try:
            return self.sender.send(message)
        except Exception:
            logger.exception("message %s broke its sender", message.pk)
            return Outcome(Verdict.UNKNOWN, BROKEN)

    def record(self, message: OutboxMessage, outcome: Outcome) -> str:
        """Record the outcome. Returns the new status, empty when a person decided meanwhile."""
        try:
            status = record(message, outcome)
        except TRANSIENT:
            logger.critical("message %s is %s, but cannot be recorded", message.pk, outcome.verdict.value)
            raise
        if not status:
            logger.warning("message %s is %s, but a person decided meanwhile", message.pk, outcome.verdict.value)
        return status

    def count(self, status: str) -> None:
        """Count and report how a message ended."""
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

    `stop` is called between messages; `on_message` gets each message's new status. When this is ended by an
    exception (SIGTERM, Ctrl-C), the message in hand stays marked as sending, and the others are free again.

    Raises errors of TRANSIENT when the database stays away.
    """
    own = sender or sender_of(channel)
    work = Drain(str(channel), own, time.monotonic() + seconds, stop, on_message)
    work.run()
    if pass_on and is_due(channel):
        start_task(SEND_TASK, str(channel))
    return work.counts


def send_answers(*, sender: ChannelSender | None = None, seconds: float = 10) -> Counts:
    """Send the bot's answers that may leave now, in this process. What has to wait is left to the send task.

    Raises errors of TRANSIENT when the database stays away.
    """
    channel = Channel.TELEGRAM.value
    own = sender or sender_of(channel)
    ends = time.monotonic() + seconds
    work = Drain(channel, own, ends, stop=lambda: False, on_message=lambda status: None, answers_only=True)
    work.run_answers()
    if answers_wait():
        start_task(SEND_TASK, channel)
    return work.counts


def is_due(channel: str) -> bool:
    """Whether something of the channel can be sent now or in a moment."""
    at = next_due(channel)
    return at is not None and at <= timezone.now() + timedelta(seconds=NEAR)


def pass_on_due() -> list[str]:
    """Start a send task for each channel that has something to send. Returns the channels."""
    bring_back()
    due = [channel for channel in Channel.values if is_due(channel)]
    for channel in due:
        start_task(SEND_TASK, str(channel))
    return due
