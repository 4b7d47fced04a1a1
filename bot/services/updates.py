"""Updates of Telegram: each is handled once.

What a command writes, its answer and the end of the update commit together. An update whose worker died before that is
handled by the next worker, and nothing of it had happened.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from typing import Any

from auditlog.context import set_actor
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bot.linking import unlink_gone
from bot.models import Update
from bot.registry import Reply, find
from bot.services.answers import FAILED, enqueue_answer, refusal, use_up
from bot.services.asking import Ask, Notice, ask_of_message, ask_of_press
from bot.services.incoming import Malformed, Membership, Message, Press, read_update
from bot.services.menus import sync_menus
from bot.services.perform import perform, read
from bot.services.telegram import download, show_toast
from momo.core.errors import ServiceError, ValidationFailed
from momo.core.texts import is_storable
from momo.core.work import TRANSIENT, Heartbeat, reconnect, run_work, start_task
from momo.core.work import sweep as sweep_work
from notifications.models import Chat
from notifications.services.chats import bot_joined, bot_left, chat_of_person, move_chat, switch_on_again
from notifications.services.sending import send_answers

logger = logging.getLogger(__name__)

Status = Update.Status
_LARGEST_ID = 2**63 - 1
_KINDS = tuple(Update.Kind.values)

# Starts tasks while Telegram has its answer already, also when the broker is slow. What a process that ends has not
# started is started by the sweep. Its thread begins with the first update, so a fork before that does no harm.
_starter = ThreadPoolExecutor(1, thread_name_prefix="bot-start")
# Telegram repeats an update until it is answered; the second one finds the first.
# Numbers begin anew with another bot, and after a week without updates: an old row that is over gives its place away.
_INSERT = """
INSERT INTO bot_update AS known (update_id, kind, body, status, attempt, heartbeat_at, message, received_at)
VALUES (%(update_id)s, %(kind)s, %(body)s, 'pending', 0, %(now)s, '', %(now)s)
ON CONFLICT (update_id) DO UPDATE
SET kind = excluded.kind, body = excluded.body, status = 'pending', attempt = 0, heartbeat_at = excluded.heartbeat_at,
    message = '', received_at = excluded.received_at
WHERE known.status IN ('done', 'failed') AND known.received_at < %(old)s
RETURNING id
"""
REPEATED = dt.timedelta(days=2)  # Telegram repeats an update for one day


def receive(body: Any) -> bool:
    """Store an update and start its task after commit. False for one that is known, or of a kind that is ignored.

    One statement, since Telegram waits. Raises ValidationFailed for what is no update.
    """
    update_id = body.get("update_id") if isinstance(body, dict) else None
    if type(update_id) is not int or not 0 <= update_id <= _LARGEST_ID:
        raise ValidationFailed(fields={"update_id": ["請送出 Telegram 的更新：缺少正整數的 update_id"]})
    kind = next((kind for kind in _KINDS if isinstance(body.get(kind), dict)), None)
    if kind is None:
        return False
    if not is_storable(body):
        raise ValidationFailed(fields={kind: ["含有無法儲存的字元"]})
    now = timezone.now()
    values = {"update_id": update_id, "kind": kind, "body": json.dumps(body), "now": now, "old": now - REPEATED}
    row = _insert(values)
    if row is None:
        return False
    update = Update(pk=row[0])
    transaction.on_commit(partial(_starter.submit, start_task, Update.task, update.pk, task_id=update.task_id))
    return True


def _insert(values: Mapping[str, Any]) -> tuple[int] | None:
    """Run `_INSERT`, once more over a new connection if this one is gone.

    So Django's check of the connection, a second round trip in each request, is not needed.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]  # not in django-stubs
    try:
        return _inserted(values)
    except TRANSIENT:
        if connection.in_atomic_block:
            raise
        reconnect()
        return _inserted(values)


def _inserted(values: Mapping[str, Any]) -> tuple[int] | None:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        row: tuple[int] | None = cursor.fetchone()
        return row


def run_update(update_id: int) -> None:
    """Handle one update, and send the answers that may leave now."""
    toasts: list[tuple[str, str]] = []
    run_work(Update.objects.all(), update_id, attempt=partial(_attempt, toasts=toasts), end=_give_up)
    send_answers()
    for query, text in toasts:
        show_toast(query, text)


def sweep_updates() -> None:
    """Release the updates of silent workers and enqueue those that wait; end links of users who are gone; set menus."""
    sweep_work(Update.objects.all(), end=_give_up)
    unlink_gone()
    sync_menus()


def _attempt(update: Update, *, toasts: list[tuple[str, str]]) -> None:
    try:
        incoming = read_update(update.body)
    except Malformed as error:
        logger.warning("update %s cannot be read: %s", update.update_id, error)
        update.finish(status=Status.DONE, message=f"讀不懂：{error}")
        return
    with Heartbeat(update, seconds=settings.BOT_HEARTBEAT_TIMEOUT / 4):
        match incoming:
            case Message():
                _message(update, incoming)
            case Press():
                toasts.append((incoming.query, _press(update, incoming)))
            case Membership():
                _membership(update, incoming)
            case None:
                update.finish(status=Status.DONE, message="不需要處理")


def _membership(update: Update, change: Membership) -> None:
    place = change.place
    with transaction.atomic():
        if not change.inside:
            bot_left(str(place.id))
        elif not place.is_private:
            bot_joined(str(place.id), title=place.title, by=change.sender.name)
        elif (chat := Chat.objects.filter(chat_id=str(place.id)).first()) is not None:
            switch_on_again(chat)
        update.finish(status=Status.DONE)


def _message(update: Update, message: Message) -> None:
    if message.moved_to:
        with transaction.atomic():
            _move(str(message.place.id), message.moved_to)
            update.finish(status=Status.DONE, message=f"升級為 {message.moved_to}")
        return
    with transaction.atomic():
        found = ask_of_message(message)
        if found is None or isinstance(found, Notice):
            if found is not None:
                enqueue_answer(found.reply, chat=found.chat, user=found.user, update=update)
            update.finish(status=Status.DONE, message="" if found else "不需要回覆")
            return
    _answer(update, found)


def _press(update: Update, press: Press) -> str:
    """Handle a press. Returns what its presser is shown at once, empty for nothing."""
    try:
        with transaction.atomic():
            ask = ask_of_press(press)
    except ServiceError as error:
        update.finish(status=Status.DONE, message=error.message)
        return error.message
    _answer(update, ask)
    return ""


def _answer(update: Update, ask: Ask) -> None:
    """Run what is asked; write the answer, and the end of the update, with what the command writes."""
    now = timezone.now()
    try:
        asked = read(ask.command, ask.args, user=ask.user, now=now)
        # A command that the user may not give is refused before its file is fetched.
        atomic = isinstance(asked, Reply) or find(asked[0], ask.user).atomic
        upload = download(ask.document) if ask.document is not None else None
    except ServiceError as error:
        _end(update, ask, refusal(error), status=Status.DONE)
        return
    with transaction.atomic() if atomic else nullcontext():
        try:
            # What a refused command has written is undone; its answer is written all the same.
            with transaction.atomic() if atomic else nullcontext(), set_actor(ask.user):
                if ask.button is not None and ask.button.once:
                    use_up(ask.button, user=ask.user)
                given = {"upload": upload, "chat_id": ask.chat.chat_id, "confirmed": ask.is_confirmed}
                reply = perform(asked, user=ask.user, now=now, **given)
        except TRANSIENT:
            raise
        except ServiceError as error:
            _end(update, ask, refusal(error), status=Status.DONE)
        except Exception:
            logger.exception("update %s: %s failed", update.update_id, ask.command)
            _end(update, ask, FAILED, status=Status.FAILED)
        else:
            _end(update, ask, reply, status=Status.DONE, edits=ask.edits)


@transaction.atomic
def _end(update: Update, ask: Ask, reply: Reply, *, status: str, edits: int | None = None) -> None:
    enqueue_answer(reply, chat=ask.chat, user=ask.user, update=update, edits=edits, topic=ask.topic)
    update.finish(status=status, message=ask.command[:100])


def _move(old_id: str, new_id: str) -> None:
    chat = Chat.objects.filter(chat_id=old_id).first()
    if chat is not None:
        switch_on_again(move_chat(chat, new_id=new_id))


def _give_up(update: Update, attempts: int) -> None:
    """End an update whose workers died, and notify the user who asked in private."""
    with transaction.atomic():
        person = _private_sender(update.body)
        if person is not None:
            enqueue_answer(FAILED, chat=chat_of_person(person, title="", is_guest=True), user=None, update=update)
        update.finish(status=Status.FAILED, message=f"試了 {attempts} 次都沒有完成")


def _private_sender(body: Mapping[str, Any]) -> int | None:
    try:
        incoming = read_update(body)
    except Malformed:
        return None
    return incoming.sender.id if incoming is not None and incoming.place.is_private else None
