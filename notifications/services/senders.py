"""The senders of this process: one for each channel, kept between drains, so that connections are used again."""

from __future__ import annotations

import os
from typing import Any

from celery.signals import worker_process_shutdown, worker_shutdown
from django.utils.module_loading import import_string

from notifications.channels.base import ChannelSender
from notifications.models import Channel

# Loaded when it is first needed: who sends mails only does not load all of Telegram's library.
_CLASSES = {
    Channel.EMAIL.value: "notifications.channels.email.EmailSender",
    Channel.TELEGRAM.value: "notifications.channels.telegram.TelegramSender",
}
# With the process in the key: a forked child must not talk on its parent's connection.
_kept: dict[tuple[int, str], ChannelSender] = {}


def sender_of(channel: str) -> ChannelSender:
    """This process's sender of a channel."""
    key = os.getpid(), str(channel)
    if key not in _kept:
        _kept[key] = import_string(_CLASSES[channel])()
    return _kept[key]


@worker_shutdown.connect
@worker_process_shutdown.connect
def close_senders(**_: Any) -> None:
    """Say goodbye to all servers, when the process ends."""
    for key in [key for key in _kept if key[0] == os.getpid()]:
        _kept.pop(key).close()
