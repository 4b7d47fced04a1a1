"""Writing messages into the outbox, in the transaction of what causes them.

Whoever calls holds a transaction, or gets one for the call: either all of what was asked is written, or nothing is.
A key that is there already writes nothing, so that a cause which happens twice tells once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from notifications.markup import split_telegram
from notifications.models import Channel, Chat, OutboxMessage, Subscription
from notifications.services.attachments import File, attach, keep_files
from notifications.services.drafts import ChatText, Draft, Mail, check_draft
from notifications.services.telling import tell_on_commit

__all__ = ["ChatText", "File", "Mail", "enqueue_email", "enqueue_many", "enqueue_telegram"]

_ROWS = 500  # of one INSERT
Status = OutboxMessage.Status


def enqueue_email(
    *,
    key: str,
    event: str,
    to: str,
    subject: str,
    text: str,
    html: str = "",
    files: Sequence[File] = (),
    reply_to: str = "",
    due: datetime | None = None,
    template_code: str = "",
    template_version: int | None = None,
    subscription: Subscription | None = None,
    user: User | None = None,
) -> OutboxMessage | None:
    """Write one mail; None when the key is there already. Raises ValidationFailed for what is beyond the bounds."""
    draft = Mail(
        key=key,
        event=event,
        to=to,
        subject=subject,
        text=text,
        html=html,
        files=files,
        reply_to=reply_to,
        due=due,
        template_code=template_code,
        template_version=template_version,
        subscription=subscription,
        user=user,
    )
    (written,) = enqueue_many([draft])
    return written[0] if written else None


def enqueue_telegram(
    *,
    key: str,
    event: str,
    chat: Chat,
    body: str,
    files: Sequence[File] = (),
    due: datetime | None = None,
    template_code: str = "",
    template_version: int | None = None,
    subscription: Subscription | None = None,
    user: User | None = None,
) -> list[OutboxMessage]:
    """Write one text as as many messages as it takes, the files as documents after it, each sent after the other.

    Nothing when the key is there already. Raises ValidationFailed for what is beyond the bounds.
    """
    draft = ChatText(
        key=key,
        event=event,
        chat=chat,
        body=body,
        files=files,
        due=due,
        template_code=template_code,
        template_version=template_version,
        subscription=subscription,
        user=user,
    )
    (written,) = enqueue_many([draft])
    return written


def enqueue_many(drafts: Sequence[Mail | ChatText]) -> list[list[OutboxMessage]]:
    """Write many texts with few statements. Returns the messages of each, none where its key was there already.

    Raises ValidationFailed, before anything is written, when one of them is beyond the bounds.
    """
    for draft in drafts:
        check_draft(draft)
    now = timezone.now()
    with transaction.atomic():
        chains = [_messages(draft, now) for draft in drafts]
        ids = iter(_reserve(sum(map(len, chains))))
        for chain in chains:
            _number(chain, ids)
        new = _insert([chain[0] for chain in chains], or_nothing=True)
        written = [chain if chain[0].pk in new else [] for chain in chains]
        _insert([message for chain in written for message in chain[1:]])
        _attach(drafts, written, now)
        for channel in sorted({chain[0].channel for chain in written if chain and chain[0].next_attempt_at <= now}):
            tell_on_commit(channel)
    return written


def _messages(draft: Mail | ChatText, now: datetime) -> list[OutboxMessage]:
    """The messages that a draft becomes, without their numbers."""
    if isinstance(draft, Mail):
        mail = _message(draft, now, channel=Channel.EMAIL, recipient=draft.to)
        mail.subject, mail.body, mail.body_html, mail.reply_to = draft.subject, draft.text, draft.html, draft.reply_to
        return [mail]
    parts = split_telegram(draft.body) if draft.body.strip() else []
    bodies = [*parts, *("" for _ in draft.files)]
    of_chat = {"channel": Channel.TELEGRAM, "recipient": draft.chat.chat_id, "chat": draft.chat}
    return [_message(draft, now, **of_chat, body=body) for body in bodies]


def _message(draft: Draft, now: datetime, **values: Any) -> OutboxMessage:
    due = draft.due or now
    return OutboxMessage(
        key=draft.key,
        event=draft.event,
        next_attempt_at=due,
        due_at=due,
        created_at=now,
        template_code=draft.template_code,
        template_version=draft.template_version,
        subscription=draft.subscription,
        created_by=draft.user,
        **values,
    )


def _reserve(count: int) -> list[int]:
    """Numbers for so many messages. Known beforehand, so that a chain's links are written with its rows."""
    with connection.cursor() as cursor:
        sequence = "pg_get_serial_sequence('notifications_outboxmessage', 'id')"
        cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])  # noqa: S608 - our own name
        return sorted(pk for (pk,) in cursor.fetchall())


def _number(chain: Sequence[OutboxMessage], ids: Iterable[int]) -> None:
    before: OutboxMessage | None = None
    for place, (message, pk) in enumerate(zip(chain, ids, strict=False), start=1):
        message.pk = pk
        if message.channel == Channel.EMAIL:
            message.message_id = _message_id(message)
        if before is not None:
            message.key = f"{message.key}#{place}"
            message.after = before
            message.status = Status.WAITING
        before = message


def _message_id(message: OutboxMessage) -> str:
    """The mail's Message-ID: of this message alone, and the same however often it is tried."""
    host = parseaddr(settings.EMAIL_FROM)[1].rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(message.key.encode()).hexdigest()[:24]}.{message.pk}@{host}>"


def _insert(messages: Sequence[OutboxMessage], *, or_nothing: bool = False) -> set[int]:
    """Write them with the numbers that they have. Returns the numbers of those written.

    With `or_nothing` a key that is there already is passed over, else it raises IntegrityError.
    """
    fields = OutboxMessage._meta.concrete_fields
    names = ", ".join(connection.ops.quote_name(field.column or "") for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    conflict = "ON CONFLICT (key) DO NOTHING" if or_nothing else ""
    written: set[int] = set()
    with connection.cursor() as cursor:
        for start in range(0, len(messages), _ROWS):
            some = messages[start : start + _ROWS]
            values = [
                field.get_db_prep_save(getattr(one, field.attname), connection) for one in some for field in fields
            ]
            rows = ", ".join([row] * len(some))
            table = OutboxMessage._meta.db_table
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES {rows} {conflict} RETURNING id", values)  # noqa: S608
            written |= {pk for (pk,) in cursor.fetchall()}
    for message in messages:
        message._state.adding = message.pk not in written
        message._state.db = connection.alias
    return written


def _attach(drafts: Sequence[Draft], written: Sequence[Sequence[OutboxMessage]], now: datetime) -> None:
    fresh = [(draft, chain) for draft, chain in zip(drafts, written, strict=True) if chain and draft.files]
    kept = keep_files((file for draft, _ in fresh for file in draft.files), now)
    pairs = []
    for draft, chain in fresh:
        ids = [kept[file.identity] for file in draft.files]
        if isinstance(draft, Mail):
            # The same file twice in one mail is sent once.
            pairs += [(chain[0].pk, pk) for pk in dict.fromkeys(ids)]
        else:
            pairs += [(message.pk, pk) for message, pk in zip(chain[-len(ids) :], ids, strict=True)]
    attach(pairs)
