"""Telling the senders that something is due. Who is not told finds out from the watch, half a minute later."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from notifications.models import Channel

logger = logging.getLogger(__name__)

SEND_TASK = "notifications.send"


def tell(channel: str) -> bool:
    """Hand the channel to a sender. False when the broker is away, which is no failure."""
    try:
        current_app.send_task(SEND_TASK, args=[str(channel)])
    except (BrokerError, RedisError, OSError) as error:
        logger.warning("messages by %s wait for the watch, the broker is away: %s", channel, error)
        return False
    return True


_TELLERS = {channel.value: partial(tell, channel.value) for channel in Channel}


def tell_on_commit(channel: str) -> None:
    """Tell the senders when the transaction commits, once, however many messages it writes."""
    teller = _TELLERS[channel]
    # What a rolled back savepoint had planned is no longer in the list, so that it is planned anew.
    if not any(entry[1] is teller for entry in connection.run_on_commit):
        transaction.on_commit(teller)
