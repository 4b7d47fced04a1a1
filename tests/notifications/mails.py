"""Messages for tests of e-mail that need no database."""

from __future__ import annotations

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from notifications.models import Attachment, OutboxMessage

SENDER = "MOMO Pro <no-reply@momo.test>"


def mail_message(*, files: Sequence[Attachment] = (), **values: Any) -> OutboxMessage:
    """A message that was never written; its attachments count as read already."""
    values = {
        "pk": 1,
        "channel": "email",
        "key": "k1",
        "event": "system_alert",
        "recipient": "wang@example.com",
        "subject": "價格異動",
        "body": "您好",
        "message_id": "<m1@momo.test>",
    } | values
    message = OutboxMessage(**values)
    message._prefetched_objects_cache = {"attachments": list(files)}
    return message


def attachment(name: str, content: bytes = b"1", content_type: str = "application/octet-stream") -> Attachment:
    return Attachment(name=name, content=content, content_type=content_type, size=len(content))


def parsed(data: bytes) -> EmailMessage:
    """As the other side reads it."""
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail
