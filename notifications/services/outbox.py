"""Writing messages into the outbox, in the transaction of what causes them.

Each call runs in the caller's transaction, or in one of its own: either all of its messages are written, or none is.
A key that is there already writes nothing, so that a cause which happens twice notifies once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from momo.core.work import start_task_on_commit
from notifications.channels.mail import BadAddress, read_address
from notifications.markup import CAPTION_LIMIT, TEXT_LIMIT, split_telegram, visible_length
from notifications.models import Channel, OutboxMessage
from notifications.services.drafts import ChatText, Draft, File, Mail, check_draft

__all__ = ["ChatText", "File", "Mail", "enqueue", "enqueue_many"]

SEND_TASK = "notifications.send"  # with a channel; if the broker is down, the periodic sweep starts it
_ROWS = 500  # of one INSERT
LATE_LINE = 64  # UTF-16 units kept free for the line above an answer that leaves late
Status = OutboxMessage.Status

# A file that is found is as good as new, so that the clean-up does not take it before its message is committed.
_FIND = """
UPDATE notifications_attachment a SET created_at = %s
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS given (sha256, name)) given
WHERE a.sha256 = given.sha256 AND a.name = given.name
RETURNING a.sha256, a.name, a.id
"""
# Another process may write the same file at this moment.
_WRITE = """
INSERT INTO notifications_attachment (sha256, name, content_type, size, content, created_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (sha256, name) DO UPDATE SET created_at = excluded.created_at
RETURNING id
"""


def enqueue(draft: Mail | ChatText) -> list[OutboxMessage]:
    """Write one mail, or one text to a chat. Returns the messages, none when the key is there already.

    A text becomes as many messages as it takes, the files documents after it, each sent after the other. Raises
    ValidationFailed for what is beyond the bounds.
    """
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
        first = [chain[0] for chain in chains]
        OutboxMessage.objects.bulk_create(first, batch_size=_ROWS, ignore_conflicts=True)
        # By their numbers: a key that was there already kept its own.
        new = set(OutboxMessage.objects.filter(pk__in=[one.pk for one in first]).values_list("pk", flat=True))
        written = [chain if chain[0].pk in new else [] for chain in chains]
        OutboxMessage.objects.bulk_create([one for chain in written for one in chain[1:]], batch_size=_ROWS)
        _attach(drafts, written, now)
        # Answers are sent by the task that writes them (`sending.send_answers`).
        ready = [chain[0] for chain in written if chain and not chain[0].is_answer]
        due = {str(message.channel) for message in ready if message.next_attempt_at <= now}
        for channel in sorted(due):
            start_task_on_commit(SEND_TASK, channel)
    return written


def _messages(draft: Mail | ChatText, now: datetime) -> list[OutboxMessage]:
    """The messages that a draft becomes, without their numbers."""
    if isinstance(draft, Mail):
        mail = _message(draft, now, channel=Channel.EMAIL, recipient=draft.to)
        mail.subject, mail.body, mail.body_html, mail.reply_to = draft.subject, draft.text, draft.html, draft.reply_to
        mail.others, mail.cc = list(draft.others), list(draft.cc)
        return [mail]
    return _answers(draft, now) if draft.is_answer else _texts(draft, now, _parts(draft.body))


def _parts(body: str, limit: int = TEXT_LIMIT) -> list[str]:
    return split_telegram(body, limit) if body.strip() else []


def _texts(draft: ChatText, now: datetime, parts: Sequence[str]) -> list[OutboxMessage]:
    """The texts, then a message without a text for each file."""
    of_chat = {"channel": Channel.TELEGRAM, "recipient": draft.chat.chat_id, "chat": draft.chat}
    bodies = [*parts, *("" for _ in draft.files)]
    return [_message(draft, now, **of_chat, body=body, is_answer=draft.is_answer) for body in bodies]


def _answers(draft: ChatText, now: datetime) -> list[OutboxMessage]:
    """The messages of an answer. A text that fits below its picture is one message with it."""
    text = draft.body
    if len(draft.files) == 1 and visible_length(text) <= CAPTION_LIMIT - LATE_LINE:
        (message,) = _texts(draft, now, [])
        message.body = text
        written = [message]
    else:
        written = _texts(draft, now, _parts(text, TEXT_LIMIT - LATE_LINE))
    texts = [message for message in written if message.body] or written
    texts[-1].buttons = [[list(button) for button in row] for row in draft.buttons] or None
    if len(written) == 1 and not draft.files:
        written[0].edits = draft.edits
    for message in written:
        message.created_at, message.topic = draft.asked_at or now, draft.topic
    return written


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
    try:
        host = read_address(settings.EMAIL_FROM).mailbox.rpartition("@")[2].strip("[]")
    except BadAddress:
        host = "localhost"
    return f"<{hashlib.sha256(message.key.encode()).hexdigest()[:24]}.{message.pk}@{host}>"


def _attach(drafts: Sequence[Draft], written: Sequence[Sequence[OutboxMessage]], now: datetime) -> None:
    fresh = [(draft, chain) for draft, chain in zip(drafts, written, strict=True) if chain and draft.files]
    kept = _store_files((file for draft, _ in fresh for file in draft.files), now)
    pairs = []
    for draft, chain in fresh:
        ids = [kept[file.identity] for file in draft.files]
        if isinstance(draft, Mail):
            # The same file twice in one mail is sent once.
            pairs += [(chain[0].pk, pk) for pk in dict.fromkeys(ids)]
        else:
            pairs += [(message.pk, pk) for message, pk in zip(chain[-len(ids) :], ids, strict=True)]
    through = OutboxMessage.attachments.through
    through.objects.bulk_create(
        [through(outboxmessage_id=message, attachment_id=attachment) for message, attachment in pairs], batch_size=5000
    )


def _store_files(files: Iterable[File], now: datetime) -> dict[tuple[str, str], int]:
    """Write the files that are not stored yet. Returns the ids of all, by `File.identity`."""
    # In one order in every process, so that two callers wait for each other and never in a circle.
    given = dict(sorted({file.identity: file for file in files}.items()))
    if not given:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [now, [sha for sha, _ in given], [name for _, name in given]])
        known = {(sha, name): pk for sha, name, pk in cursor.fetchall()}
        for (sha, name), file in given.items():
            if (sha, name) in known:
                continue
            cursor.execute(_WRITE, [sha, name, file.content_type, len(file.content), file.content, now])
            known[sha, name] = cursor.fetchone()[0]
    return known
