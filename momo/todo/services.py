"""Changes of the list 待辦: give items to a user, put them off, comment. Items are (key of the source, primary key)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from momo.core.days import start_of_day
from momo.core.errors import Conflict, NotFound, ValidationFailed
from momo.core.texts import one_line
from momo.core.todo import querysets, sources
from momo.todo.events import ASSIGNED
from momo.todo.models import TodoComment, TodoState
from notifications.channels.mail import is_address
from notifications.services.notify import deliver

Ref = tuple[str, int]
MOST = 200  # items of one change
MAILED = 20  # items that a mail names
LONGEST = timedelta(days=365)  # that items may be put off


@transaction.atomic
def assign_items(*, items: Collection[Ref], assignee: User | None, actor: User) -> int:
    """Give items to a user, or to nobody. Returns how many changed hands; a user who is given some gets one mail.

    Raises ValidationFailed for too many items and for a user who may not log in, NotFound if none waits any more.
    """
    if assignee is not None and not assignee.is_active:
        raise ValidationFailed(fields={"assignee": [f"{assignee} 的帳號已停用，不能負責待辦"]})
    titles = _waiting(items)
    changed = [state for state in _states(titles) if state.assignee_id != (assignee.pk if assignee else None)]
    for state in changed:
        state.assignee = assignee
        _save(state, "assignee")
    if assignee is not None and assignee.pk != actor.pk and changed and is_address(assignee.email):
        _mail(assignee, actor, [titles[state.source, state.object_id] for state in changed])
    return len(changed)


@transaction.atomic
def take_item(*, item: Ref, user: User) -> None:
    """Give an item that nobody has to `user`. Raises Conflict if somebody has it, NotFound if it is gone."""
    [state] = _states(_waiting([item]))
    if state.assignee is not None and state.assignee != user:
        raise Conflict(f"{state.assignee} 已經在處理這一項")
    state.assignee = user
    _save(state, "assignee")


@transaction.atomic
def leave_item(*, item: Ref, user: User) -> None:
    """Give back an item that `user` has. Raises Conflict if it is not theirs, NotFound if it is gone."""
    [state] = _states(_waiting([item]))
    if state.assignee != user:
        raise Conflict("這一項不是您在處理")
    state.assignee = None
    _save(state, "assignee")


@transaction.atomic
def snooze_items(*, items: Collection[Ref], until: date | None) -> int:
    """Put items off until the morning of a day; None brings them back now. Returns how many.

    Raises ValidationFailed for too many items and for a day that is not within a year after today, NotFound if none
    waits any more.
    """
    today = timezone.localdate()
    if until is not None and not today < until <= today + LONGEST:
        raise ValidationFailed(fields={"until": ["延後的日期要在明天到一年之內"]})
    states = _states(_waiting(items))
    for state in states:
        state.snoozed_until = None if until is None else start_of_day(until)
        _save(state, "snoozed_until")
    return len(states)


@transaction.atomic
def comment_item(*, item: Ref, text: str, user: User) -> TodoComment:
    """Say something about an item. Raises ValidationFailed for an empty or too long text, NotFound if it is gone."""
    said = one_line(text)
    longest = TodoComment._meta.get_field("text").max_length or 0
    if not 0 < len(said) <= longest:
        raise ValidationFailed(fields={"text": [f"留言要有 1 到 {longest:,} 個字"]})
    [state] = _states(_waiting([item]))
    _save(state)
    return TodoComment.objects.create(state=state, user=user, text=said)


def _waiting(items: Collection[Ref]) -> dict[Ref, str]:
    """The titles of those of `items` that still wait."""
    if len(items) > MOST:
        raise ValidationFailed(f"一次最多 {MOST} 項，沒有變動；請少選一些")
    wanted: dict[str, list[int]] = defaultdict(list)
    for key, pk in items:
        wanted[key].append(pk)
    found: dict[Ref, str] = {}
    for source in sources():
        for rows in querysets(source.rows()) if source.key in wanted else ():
            named = rows.filter(pk__in=wanted[source.key]).order_by().annotate(t_title=source.title)
            found |= {(source.key, pk): f"{source.label}：{title}" for pk, title in named.values_list("pk", "t_title")}
    if not found:
        raise NotFound("選取的項目都已經處理完了" if items else "請先選取項目")
    return found


def _states(items: Collection[Ref]) -> list[TodoState]:
    """The locked states of items, made where there are none, in one order for all."""
    refs = sorted(items)
    TodoState.objects.bulk_create([TodoState(source=key, object_id=pk) for key, pk in refs], ignore_conflicts=True)
    wanted = Q(pk__in=[])
    for key in {key for key, _ in refs}:
        wanted |= Q(source=key, object_id__in=[pk for of, pk in refs if of == key])
    return list(TodoState.objects.filter(wanted).order_by("source", "object_id").select_for_update())


def _save(state: TodoState, *fields: str) -> None:
    state.changed_at = timezone.now()
    state.save(update_fields=[*fields, "changed_at"])


def _mail(assignee: User, actor: User, titles: Sequence[str]) -> None:
    variables: dict[str, Any] = {
        "actor": str(actor),
        "items": [{"title": title[:200]} for title in titles[:MAILED]],
        "item_count": len(titles),
        "more_count": max(0, len(titles) - MAILED),
        "url": f"{settings.PUBLIC_URL}/admin/todo/?mine=1",
    }
    deliver(ASSIGNED, key=f"{ASSIGNED}:{uuid.uuid4()}", variables=variables, to=(), also=[assignee.email])
