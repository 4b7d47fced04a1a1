"""A sender of e-mail and the server that it is led to; a pace that keeps no test waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notifications.channels.email import EmailSender
from tests.fakes.smtp import SmtpStandIn, running_smtp
from tests.notifications.mails import SENDER


@pytest.fixture
def sender(settings: Any) -> Iterator[EmailSender]:
    settings.EMAIL_FROM = SENDER
    settings.EMAIL_REPLY_TO = ""
    settings.EMAIL_TIMEOUT = 10
    settings.PUBLIC_URL = "https://momo.test"
    made = EmailSender()
    yield made
    made.close()


@pytest.fixture
def smtp(tmp_path: Path, settings: Any) -> Iterator[SmtpStandIn]:
    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = server.url
        yield server


@pytest.fixture
def quick_pace(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 1000
    settings.TELEGRAM_CHAT_SECONDS = settings.TELEGRAM_GROUP_SECONDS = 0
    settings.OUTBOX_BACKOFF = 10
