"""``manage.py send_messages``: sends what is due in this process, with a progress bar."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from momo.core.work import TRANSIENT, reconnect
from notifications.models import Channel, OutboxMessage
from notifications.selectors import channel_pause, outbox_counts
from notifications.services.sending import Counts, close_senders, drain
from notifications.services.sweep import sweep

TURN = 5.0  # seconds that one channel may take before the other has its turn
IDLE = 0.5  # seconds between two looks when nothing is due
SWEEP_EVERY = 15.0  # seconds
AWAY = 2.0  # seconds before the next attempt to reach a database that is away


class Command(BaseCommand):
    """See the module."""

    help = "寄出到期的郵件與 Telegram 訊息，寄完才結束；--watch 則持續寄送，直到按 Ctrl-C。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", choices=Channel.values, help="只寄這個管道，預設全部")
        parser.add_argument("--watch", action="store_true", help="持續寄送，直到按 Ctrl-C 或收到 SIGTERM")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 100)  # type: ignore[arg-type]
        channels = [options["channel"]] if options["channel"] else list(Channel.values)
        totals = {channel: Counts() for channel in channels}
        stop = threading.Event()
        try:
            with stopping(stop), progress(console, channels, totals) as bar:
                (keep_sending if options["watch"] else once)(channels, stop, bar)
        finally:
            close_senders()
        console.print(summary(totals))
        if not options["watch"]:
            pauses = {channel: channel_pause(channel) for channel in channels}
            reasons = [f"{Channel(channel).label}：{pause.reason}" for channel, pause in pauses.items() if pause]
            if Channel.EMAIL in channels and (unsent := outbox_counts()[Channel.EMAIL]["unsent"]):
                reasons.append(f"{unsent:,} 封郵件{OutboxMessage.Status.UNSENT.label}（EMAIL_URL）")
            if reasons:
                raise CommandError("；".join(reasons))


OnMessage = Callable[[str, str], None]  # channel, new status


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the work after the message in hand. A second one ends it at once."""

    def stop_soon(number: int, frame: object) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()

    before = {number: signal.signal(number, stop_soon) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress(console: Console, channels: list[str], totals: dict[str, Counts]) -> Iterator[OnMessage]:
    """A bar for each channel; yields the function that counts a message."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    waiting = outbox_counts()
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        for channel in channels:
            due = waiting[channel]["pending"] + waiting[channel]["waiting"]
            bar.add_task(Channel(channel).label, total=due)

        def count(channel: str, status: str) -> None:
            totals[channel].add(status)
            task = bar.tasks[channels.index(channel)]
            done = totals[channel].sent + totals[channel].failed + totals[channel].held
            bar.update(task.id, completed=done, total=max(done, int(task.total or 0)))

        yield count


def once(channels: list[str], stop: threading.Event, on_message: OnMessage) -> None:
    """Send until nothing is due."""
    sweep()
    while not stop.is_set() and turns(channels, stop, on_message):
        pass


def keep_sending(channels: list[str], stop: threading.Event, on_message: OnMessage) -> None:
    """Send whatever becomes due, and sweep, until a stop is requested; waits for a database that is away."""
    swept = -SWEEP_EVERY
    while not stop.is_set():
        try:
            if time.monotonic() - swept >= SWEEP_EVERY:
                sweep()
                swept = time.monotonic()
            busy = turns(channels, stop, on_message)
        except TRANSIENT:
            reconnect()
            stop.wait(AWAY)
            continue
        if not busy:
            stop.wait(IDLE)


def turns(channels: list[str], stop: threading.Event, on_message: OnMessage) -> bool:
    """One turn of each channel. Whether any of them did something."""
    busy = False
    for channel in channels:
        counts = drain(channel, seconds=TURN, stop=stop.is_set, on_message=partial(on_message, channel), pass_on=False)
        busy |= counts != Counts()
    return busy


def summary(totals: dict[str, Counts]) -> Table:
    """What was done, as a table."""
    table = Table(title="寄送結果")
    table.add_column("管道")
    for heading in ("已寄出", "稍後再試", "失敗", "待人工確認"):
        table.add_column(heading, justify="right")
    for channel, counts in totals.items():
        figures = (counts.sent, counts.retried, counts.failed, counts.held)
        table.add_row(Channel(channel).label, *(f"{figure:,}" for figure in figures))
    return table
