"""`python -m tests.benchmarks.outbox_process WAY CHANNEL`: sends what the outbox holds; seconds as JSON on stdout.

WAY is product (the outbox's own sender, each message marked before and written down after) or floor (the same bytes to
the same server over one connection, nothing remembered).
"""

from __future__ import annotations

import json
import smtplib
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import django


def main(way: str, channel: str) -> None:
    """Send once. What a program loads before it has anything to do is no part of the time."""
    django.setup()
    work = (product if way == "product" else FLOORS[channel])(channel)
    began = time.perf_counter()
    work()
    print(json.dumps({"seconds": time.perf_counter() - began}))


def product(channel: str) -> Callable[[], object]:
    """As a worker does it."""
    from notifications.models import OutboxMessage
    from notifications.services.sending import drain, sender_of

    sender = sender_of(channel)

    def work() -> None:
        counts = drain(channel, sender=sender, seconds=3600, pass_on=False)
        left = OutboxMessage.objects.filter(channel=channel).exclude(status="sent").count()
        sender.close()
        if left:
            raise RuntimeError(f"{left} messages were not sent: {counts}")

    return work


def bare_smtp(channel: str) -> Callable[[], object]:
    """smtplib, one connection, bytes that are there already."""
    from django.conf import settings

    from notifications.channels.mail import build_mail
    from notifications.models import OutboxMessage

    host = urlsplit(settings.EMAIL_URL)
    ready = [
        (message.recipient, build_mail(message, sender=settings.EMAIL_FROM, reply_to="").content)
        for message in OutboxMessage.objects.filter(channel=channel).order_by("pk")
    ]

    def work() -> None:
        with smtplib.SMTP(host.hostname or "", host.port or 25, timeout=30) as server:
            for recipient, content in ready:
                server.sendmail("no-reply@momo.test", [recipient], content)

    return work


def bare_http(channel: str) -> Callable[[], object]:
    """httpx, one connection kept open, bodies that are there already."""
    import httpx
    from django.conf import settings

    from notifications.models import OutboxMessage

    address = f"{settings.TELEGRAM_API_URL}/bot{settings.TELEGRAM_BOT_TOKEN}/sendMessage"
    ready = [
        {"chat_id": message.recipient, "text": message.body, "parse_mode": "HTML"}
        for message in OutboxMessage.objects.filter(channel=channel).order_by("pk")
    ]

    def work() -> None:
        with httpx.Client(timeout=30) as client:
            for body in ready:
                client.post(address, data=body).raise_for_status()

    return work


FLOORS = {"email": bare_smtp, "telegram": bare_http}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
