"""From an event to the messages of everybody who asked for it, in the transaction of what happened.

A text is rendered once for all who get it, and turned into each channel's form once; the number of statements does not
depend on how many subscribe.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import psycopg
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import User
from momo.rest.errors import ValidationFailed
from notifications.events import event_kind
from notifications.markup import is_blank, plain_text, to_mail_html, to_telegram, to_text
from notifications.models import Channel, Chat, Format, OutboxMessage, Subscription, Template
from notifications.services.attachments import File
from notifications.services.chats import require_token
from notifications.services.drafts import MAX_KEY, MAX_SUBJECT
from notifications.services.outbox import ChatText, Mail, enqueue_email, enqueue_many, enqueue_telegram
from notifications.services.templates import render_event, render_template
from notifications.templating.render import Rendered
from notifications.templating.variables import declared, examples

logger = logging.getLogger(__name__)

TEST_EVENT = "test"
MANUAL_EVENT = "manual"  # somebody, or some program, had something to say
TEST_MARK = "［測試］"
# Whoever holds the transaction has to know of these: it is lost, and the same may work in a moment.
_LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


@dataclass(frozen=True)
class Text:
    """A rendered text in the form of each channel."""

    rendered: Rendered
    title: str = ""  # the subject of a mail whose template has none

    @cached_property
    def subject(self) -> str:
        """One line, as mail allows it."""
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
        # A link without words shows nothing there, where text has its address.
        return to_telegram(self.plain, Format.PLAIN) if is_blank(plain_text(whole)) else whole


def quiet_until_after(subscription: Subscription, moment: datetime) -> datetime | None:
    """When the quiet hours that `moment` falls into end; None when it falls into none.

    They are wall times in Taipei, the first inclusive, the second exclusive, over midnight where the second is earlier.
    Twice the same time is no quiet.
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
    """Whether each value is among those that the subscription's filter of that name lists; an empty one lists all."""
    filters = subscription.filters if isinstance(subscription.filters, dict) else {}
    return all(not filters.get(name) or value in filters[name] for name, value in values.items())


def subscriptions_of(event: str) -> list[Subscription]:
    """Those that get `event` now: enabled, to an address or to a chat that takes messages."""
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
    """Write `event` for the subscriptions in `to`, in the caller's transaction. Returns the messages written.

    `also` are chats and addresses that get it without a subscription. What happened at `at` (now by default) waits for
    the end of a subscription's quiet hours. A key that was used before writes nothing. Raises what the database raises,
    and ValidationFailed for files beyond the bounds.
    """
    if not to and not also:
        return 0
    kind = event_kind(event)
    code = kind.template if kind is not None else event
    rendered, version = render_event(code, variables)
    text = Text(rendered, kind.label if kind is not None else event)
    moment = at or timezone.now()
    common: dict[str, Any] = {
        "event": event,
        "files": tuple(files),
        "template_code": code,
        "template_version": version,
    }
    drafts = [
        _draft(
            subscription.chat or subscription.address,
            text,
            key=f"{key}:{subscription.pk}",
            due=quiet_until_after(subscription, moment),
            subscription=subscription,
            **common,
        )
        for subscription in to
    ]
    drafts += [
        _draft(one, text, key=f"{key}:{one.chat_id if isinstance(one, Chat) else one}"[:MAX_KEY], **common)
        for one in also
    ]
    return sum(len(messages) for messages in enqueue_many(drafts))


def _draft(recipient: Chat | str, text: Text, **values: Any) -> Mail | ChatText:
    if isinstance(recipient, Chat):
        return ChatText(chat=recipient, body=text.telegram or text.subject, **values)
    return Mail(to=recipient, subject=text.subject, text=text.plain, html=text.html, **values)


def notify(
    event: str,
    *,
    key: str,
    variables: Mapping[str, Any],
    files: Sequence[File] = (),
    only: Callable[[Subscription], bool] | None = None,
    at: datetime | None = None,
) -> int:
    """Tell everybody who subscribed to `event` and whom `only` lets through. Returns the messages written.

    For a change that must not fail because of its message: a fault of ours is logged and undone up to here. Only what
    means that the caller's transaction is lost is raised (OperationalError, InterfaceError).
    """
    try:
        with transaction.atomic():
            to: Iterable[Subscription] = subscriptions_of(event)
            return deliver(
                event, key=key, variables=variables, files=files, at=at, to=[one for one in to if not only or only(one)]
            )
    except _LOST:
        raise
    except Exception:
        logger.exception("nobody is told of %s (%s)", event, key)
        # The savepoint itself is gone: whatever the caller still writes would be lost without a word.
        if connection.needs_rollback:
            raise
        return 0


def send_to(
    subscription: Subscription,
    *,
    event: str,
    key: str,
    variables: Mapping[str, Any],
    files: Sequence[File] = (),
) -> int:
    """Write `event` for one subscription, whether it is enabled or not. Returns the messages written; see `deliver`."""
    return deliver(event, key=key, variables=variables, files=files, to=[subscription])


def send_test(
    template: Template, *, channel: str, recipient: str, values: Mapping[str, Any] | None, user: User | None
) -> OutboxMessage:
    """Send `template`, marked as a test, to one address or known chat, with `values` or else its examples.

    Returns the (first) message. Raises ValidationFailed for values, channels and recipients that are not acceptable,
    TemplateFailed for a template that runs into a bound, Unavailable when no bot is configured: whoever tests waits for
    the message, and it would stay in the outbox.
    """
    _check_recipient(channel, recipient)
    given = values if values is not None else examples(declared(template.variables))
    rendered = render_template(template, given)
    text = Text(rendered, template.title)
    common: dict[str, Any] = {
        "key": f"{TEST_EVENT}:{uuid.uuid4()}",
        "event": TEST_EVENT,
        "template_code": template.code,
        "template_version": template.version,
        "user": user,
    }
    if channel == Channel.EMAIL:
        subject = f"{TEST_MARK}{text.subject}"[:MAX_SUBJECT]
        message = enqueue_email(to=recipient, subject=subject, text=text.plain, html=text.html, **common)
        assert message is not None  # its key is new
        return message
    body = f"{TEST_MARK}{text.telegram or text.subject}"
    return enqueue_telegram(chat=_chat(recipient), body=body, **common)[0]


def _check_recipient(channel: str, recipient: str) -> None:
    if channel not in Channel.values:
        raise ValidationFailed(fields={"channel": [f"沒有這種管道；可用：{'、'.join(Channel.values)}"]})
    if channel == Channel.EMAIL:
        try:
            validate_email(recipient)
        except ValidationError as error:
            raise ValidationFailed(fields={"recipient": ["請輸入有效的電子郵件地址"]}) from error
    else:
        _chat(recipient)
        require_token()


def _chat(chat_id: str) -> Chat:
    """The chat with this number of Telegram's. Raises ValidationFailed when it is unknown or switched off."""
    chat = Chat.objects.filter(chat_id=chat_id).first()
    if chat is None:
        raise ValidationFailed(fields={"recipient": ["沒有這個聊天室，請先在後台新增"]})
    if not chat.is_active:
        raise ValidationFailed(fields={"recipient": [f"這個聊天室已停用：{chat.note or chat}"]})
    return chat
