"""Notifies the subscribers of an event: enqueues their messages in the transaction of the change.

A template is rendered once for all recipients, and converted once for each channel; the number of statements does
not depend on the number of subscriptions.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import ValidationFailed
from momo.core.work import TRANSIENT
from notifications.channels.mail import is_address
from notifications.events import TEST_EVENT, event_kind
from notifications.markup import is_blank, plain_text, to_mail_html, to_telegram, to_text
from notifications.models import Channel, Chat, Format, OutboxMessage, Subscription, Template
from notifications.services.chats import require_token
from notifications.services.drafts import MAX_KEY, MAX_SUBJECT, File
from notifications.services.outbox import ChatText, Mail, enqueue, enqueue_many
from notifications.services.templates import EventTemplates, render_template
from notifications.templating.render import Rendered
from notifications.templating.variables import examples, stored

logger = logging.getLogger(__name__)

TEST_MARK = "［測試］"


@dataclass(frozen=True)
class Text:
    """A rendered template, converted for each channel."""

    rendered: Rendered
    title: str = ""  # the subject of a mail whose template has none

    @cached_property
    def subject(self) -> str:
        """The subject on one line, as mail requires."""
        return " ".join((self.rendered.subject or self.title).split())[:MAX_SUBJECT]

    @cached_property
    def plain(self) -> str:
        return to_text(self.rendered.body, self.rendered.format)

    @cached_property
    def html(self) -> str:
        return to_mail_html(self.rendered.body, self.rendered.format)

    @cached_property
    def telegram(self) -> str:
        whole = to_telegram(self.rendered.body, self.rendered.format)
        # Telegram shows nothing of a link without a text; plain text shows its address.
        return to_telegram(self.plain, Format.PLAIN) if is_blank(plain_text(whole)) else whole


def quiet_until_after(subscription: Subscription, moment: datetime) -> datetime | None:
    """Return the end of the quiet hours that hold `moment`, or None outside of quiet hours.

    Quiet hours are Taipei times, from the first (inclusive) to the second (exclusive), over midnight if the second is
    earlier; two equal times are no quiet hours.
    """
    start, end = subscription.quiet_from, subscription.quiet_until
    if start is None or end is None or start == end:
        return None
    local = timezone.localtime(moment)
    now = local.time()
    quiet = start <= now < end if start < end else now >= start or now < end
    if not quiet:
        return None
    day = local.date() if now < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, local.tzinfo)


def lets_through(subscription: Subscription, **values: str) -> bool:
    """Whether each value is listed by the subscription's filter of the same name; an empty filter lists all values."""
    filters = subscription.filters if isinstance(subscription.filters, dict) else {}
    return all(not filters.get(name) or value in filters[name] for name, value in values.items())


def subscriptions_of(event: str) -> list[Subscription]:
    """Return the enabled subscriptions to `event`, without those to a chat that is switched off."""
    enabled = Subscription.objects.filter(event=event, enabled=True).exclude(chat__is_active=False)
    return list(enabled.select_related("chat").order_by("pk"))


def deliver(
    event: str,
    *,
    key: str,
    variables: Mapping[str, Any],
    to: Collection[Subscription],
    also: Collection[Chat | str] = (),
    files: Sequence[File] = (),
    at: datetime | None = None,
) -> int:
    """Enqueue the messages of `event` to the subscriptions in `to`, in the caller's transaction.

    `also` are chats and addresses without a subscription. A message waits until the quiet hours of its subscription
    end, if `at` (now by default) is within them. A key that was used before enqueues nothing. Returns how many messages
    were enqueued. Raises errors of the database, and ValidationFailed for files beyond the bounds.
    """
    if not to and not also:
        return 0
    texts = _Texts(event, variables)
    moment = at or timezone.now()
    common: dict[str, Any] = {"event": event, "files": tuple(files)}
    drafts = [
        texts.draft(
            subscription.chat or subscription.address,
            key=f"{key}:{subscription.pk}",
            due=quiet_until_after(subscription, moment),
            subscription=subscription,
            **common,
        )
        for subscription in to
    ]
    for recipient in also:
        name = recipient.chat_id if isinstance(recipient, Chat) else recipient
        drafts.append(texts.draft(recipient, key=f"{key}:{name}"[:MAX_KEY], **common))
    return sum(len(messages) for messages in enqueue_many(drafts))


class _Texts:
    """The texts of one event by channel, each rendered and converted once."""

    def __init__(self, event: str, variables: Mapping[str, Any]) -> None:
        kind = event_kind(event)
        self.title = kind.label if kind is not None else event
        self.variables, self.templates = variables, EventTemplates(event)
        self.known: dict[str, Text] = {}

    def draft(self, recipient: Chat | str, **values: Any) -> Mail | ChatText:
        """The message to one recipient, by the template of its channel."""
        channel = Channel.TELEGRAM if isinstance(recipient, Chat) else Channel.EMAIL
        rendered, version = self.templates.render(channel, self.variables)
        code = self.templates.code(channel)
        text = self.known.setdefault(code, Text(rendered, self.title))
        return _draft(recipient, text, template_code=code, template_version=version, **values)


def _draft(recipient: Chat | str, text: Text, *, mark: str = "", **values: Any) -> Mail | ChatText:
    if isinstance(recipient, Chat):
        return ChatText(chat=recipient, body=f"{mark}{text.telegram or text.subject}", **values)
    subject = f"{mark}{text.subject}"[:MAX_SUBJECT]
    return Mail(to=recipient, subject=subject, text=text.plain, html=text.html, **values)


def notify(
    event: str,
    *,
    key: str,
    variables: Mapping[str, Any],
    files: Sequence[File] = (),
    only: Callable[[Subscription], bool] | None = None,
    at: datetime | None = None,
) -> int:
    """Enqueue the messages of `event` to its subscriptions, or those for which `only` is true.

    A change does not fail because of its notification: an error in here is logged, and what was written in here is
    rolled back. Only errors of TRANSIENT are raised, after which the caller's transaction is lost. Returns how many
    messages were enqueued.
    """
    try:
        with transaction.atomic():
            to = [subscription for subscription in subscriptions_of(event) if not only or only(subscription)]
            return deliver(event, key=key, variables=variables, files=files, at=at, to=to)
    except TRANSIENT:
        raise
    except Exception:
        logger.exception("failed to notify subscribers of %s (%s)", event, key)
        # Without its savepoint the transaction cannot commit, and the caller's later writes would be lost unnoticed.
        if connection.needs_rollback:
            raise
        return 0


def send_test(
    template: Template, *, channel: str, recipient: str, values: Mapping[str, Any] | None, user: User | None
) -> OutboxMessage:
    """Enqueue `template`, marked as a test, to an address or a known chat, with `values` or else its examples.

    Returns the first message. Raises ValidationFailed for values, channels and recipients that are not acceptable,
    TemplateFailed for a template that exceeds a bound, and Unavailable when no bot is configured, since a person waits
    for the test and the message would stay in the outbox.
    """
    to = _test_recipient(channel, recipient)
    given = values if values is not None else examples(stored(template.variables))
    draft = _draft(
        to,
        Text(render_template(template, given), template.title),
        mark=TEST_MARK,
        key=f"{TEST_EVENT}:{uuid.uuid4()}",
        event=TEST_EVENT,
        template_code=template.code,
        template_version=template.version,
        user=user,
    )
    return enqueue(draft)[0]


def _test_recipient(channel: str, recipient: str) -> Chat | str:
    if channel not in Channel.values:
        raise ValidationFailed(fields={"channel": [f"沒有這種管道；可用：{'、'.join(Channel.values)}"]})
    if channel == Channel.EMAIL:
        if not is_address(recipient):
            raise ValidationFailed(fields={"recipient": ["請輸入有效的電子郵件地址"]})
        return recipient
    chat = Chat.objects.filter(chat_id=recipient).first()
    if chat is None:
        raise ValidationFailed(fields={"recipient": ["沒有這個聊天室，請先在後台新增"]})
    if not chat.is_active:
        raise ValidationFailed(fields={"recipient": [f"這個聊天室已停用：{chat.note or chat}"]})
    require_token()
    return chat
