"""The admin page 待辦: one list of everything that waits, with who has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from momo.admin.kit.mine import PARAMETER, own_scope
from momo.admin.kit.refusals import show_refusal
from momo.core.errors import NotFound, ServiceError, ValidationFailed
from momo.core.todo import sources
from momo.todo.models import TodoComment
from momo.todo.selectors import FREE, SHOWN, SNOOZED, Asked, Item, assignees, counts, items
from momo.todo.services import Ref, assign_items, comment_item, leave_item, snooze_items, take_item

PAGE = 50
PEOPLE = 200  # users that a list of names offers
SHOWS = {"": "待處理", FREE: "沒有人處理", SNOOZED: "延後的"}
CHANGE, SAY = "todo.change_todostate", "todo.add_todocomment"


def todo_page(request: HttpRequest) -> HttpResponse:
    """GET lists, POST changes what is chosen and comes back to the same list."""
    if request.method == "POST":
        try:
            messages.success(request, _change(request))
        except ServiceError as refusal:
            show_refusal(request, refusal)
        return HttpResponseRedirect(request.get_full_path())
    return TemplateResponse(request, "admin/todo/page.html", _context(request))


def asked_by(request: HttpRequest) -> Asked:
    """The items that the page's address asks for: `show` is a key of SHOWS, `mine=1` the user's own."""
    show = request.GET.get("show", "")
    if request.GET.get(PARAMETER) != "1":
        return Asked(show if show in SHOWS else "")
    return Asked(show if show in SHOWS else "", cast(User, request.user), own_scope(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    asked, found = asked_by(request), sources()
    counted = counts(asked)
    source = request.GET.get("source", "")
    source = source if source in counted else ""
    number = counted[source] if source else sum(counted.values())
    # Beyond SHOWN items a source lists no more; its own list does.
    listed = min(SHOWN, counted[source]) if source else sum(min(SHOWN, count) for count in counted.values())
    page = Paginator(range(listed), PAGE).get_page(request.GET.get("p"))
    shown = items(asked, source=source, start=max(0, page.start_index() - 1), size=PAGE)
    return {
        **admin.site.each_context(request),
        "title": "待辦",
        "number": number,
        "left_out": number - listed,
        "page": page,
        "page_urls": {
            "before": _address(request, p=page.previous_page_number()) if page.has_previous() else "",
            "after": _address(request, p=page.next_page_number()) if page.has_next() else "",
        },
        "rows": [(item, _row_url(item), timezone.now() - item.since) for item in shown],
        "kinds": [
            (one.label, counted[one.key], _address(request, source=one.key, p=""), one.key == source)
            for one in found
            if counted[one.key] or one.key == source
        ],
        "every_kind": (sum(counted.values()), _address(request, source="", p=""), not source),
        "shows": [(label, _address(request, show=key, p=""), asked.show == key) for key, label in SHOWS.items()],
        "mine": [
            ("我的", _address(request, mine="1", p=""), asked.user is not None),
            ("全部", _address(request, mine="", p=""), asked.user is None),
        ],
        "list_url": next((f"{reverse(f'admin:{one.listed}')}{one.query}" for one in found if one.key == source), ""),
        "may_change": request.user.has_perm(CHANGE),
        "may_say": request.user.has_perm(SAY),
        "people": assignees()[:PEOPLE] if request.user.has_perm(CHANGE) else (),
        "now": timezone.now(),
        "tomorrow": timezone.localdate() + timedelta(days=1),
        "longest": TodoComment._meta.get_field("text").max_length,
    }


def _row_url(item: Item) -> str:
    return reverse(f"admin:{item.source.page}", args=[item.object_id])


def _address(request: HttpRequest, **changes: object) -> str:
    """The page's address with other parameters; an empty one is left out."""
    query = request.GET.copy()
    for name, value in changes.items():
        query[name] = str(value)
        if value == "":
            del query[name]
    return f"?{query.urlencode()}"


# --- Changes --------------------------------------------------------------------------------------------------------


def _change(request: HttpRequest) -> str:
    """What the pressed button says. Raises errors of the services, and PermissionDenied."""
    for name, (permission, work) in _CHANGES.items():
        if name in request.POST:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return work(request)
    raise ValidationFailed("請按一個按鈕")


def _assign(request: HttpRequest) -> str:
    chosen = request.POST.get("assignee", "")
    assignee = assignees().filter(pk=int(chosen)).first() if _is_number(chosen) else None
    if chosen and assignee is None:
        raise NotFound("找不到這位使用者")
    number = assign_items(items=_chosen(request), assignee=assignee, actor=cast(User, request.user))
    return f"已將 {number} 項交給 {assignee}" if assignee else f"已將 {number} 項改為沒有人處理"


def _snooze(request: HttpRequest) -> str:
    until = _morning_of(request.POST.get("until", ""), request.POST.get("until_day", ""))
    number = snooze_items(items=_chosen(request), until=until)
    return f"已將 {number} 項延後到 {until:%Y-%m-%d}" if until else f"已將 {number} 項移回待處理"


def _take(request: HttpRequest) -> str:
    take_item(item=_ref(request.POST["take"]), user=cast(User, request.user))
    return "這一項由您處理"


def _leave(request: HttpRequest) -> str:
    leave_item(item=_ref(request.POST["leave"]), user=cast(User, request.user))
    return "這一項不再由您處理"


def _comment(request: HttpRequest) -> str:
    comment_item(item=_ref(request.POST["comment"]), text=request.POST.get("text", ""), user=cast(User, request.user))
    return "已留言"


# The buttons by name: the permission that each takes, and what it does.
_CHANGES: dict[str, tuple[str, Callable[[HttpRequest], str]]] = {
    "assign": (CHANGE, _assign),
    "snooze": (CHANGE, _snooze),
    "take": (SAY, _take),
    "leave": (SAY, _leave),
    "comment": (SAY, _comment),
}


def _chosen(request: HttpRequest) -> list[Ref]:
    return [_ref(text) for text in dict.fromkeys(request.POST.getlist("item"))]


def _ref(text: str) -> Ref:
    """`import:42` as source and key. Raises NotFound for anything else."""
    key, _, number = text.partition(":")
    if not _is_number(number):
        raise NotFound("找不到這一項")
    return key, int(number)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _morning_of(choice: str, day: str) -> date | None:
    """The day that a choice names: now (None), tomorrow, the next Monday, or the date in `day`."""
    today = timezone.localdate()
    days = {"now": None, "tomorrow": today + timedelta(days=1), "monday": today + timedelta(days=7 - today.weekday())}
    if choice in days:
        return days[choice]
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise ValidationFailed("請選擇延後到哪一天") from error
