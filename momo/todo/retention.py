"""What staff said about items that are gone, for the clean-up of the whole system to count or delete."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from momo.core.retention import Expired, OldRows, register
from momo.core.todo import querysets, sources
from momo.todo.models import TodoState

KEEP = dt.timedelta(days=90)  # since the last change; an item that comes back within them has its comments


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """States whose row does not wait any more, with their comments, by a name in Chinese."""
    waiting = Q(pk__in=[])
    for source in sources():
        for rows in querysets(source.rows()):
            waiting |= Q(source=source.key, object_id__in=rows.order_by().values("pk"))
    return {"待辦的指派與留言": OldRows(TodoState.objects.filter(changed_at__lt=now - KEEP).exclude(waiting))}
