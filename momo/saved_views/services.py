"""Saving, sharing and deleting views, and the tokens of their CSV addresses. Raises errors of `momo.core`."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from momo.core.texts import one_line
from momo.saved_views.models import NAME_LENGTH, SavedView

MOST = 200  # views of one user
QUERY_LENGTH = 2000  # characters
MOST_CONDITIONS = 200
TOKEN_BYTES = 30  # 40 URL-safe characters
PREFIX_LENGTH = 8
USE_STEP = dt.timedelta(minutes=1)  # the last use is stored at most this often
# Parameters of an address that are no conditions: page, error, all rows, popups.
_NO_CONDITIONS = frozenset({"p", "e", "all", "_popup", "_to_field", "_facets"})
UNKNOWN = "找不到這個網址；它可能已經撤銷"


def clean_query(text: str) -> str:
    """The conditions of a query string, in one order, without the page. Raises ValidationFailed."""
    try:
        asked = parse_qsl(text.removeprefix("?"), max_num_fields=MOST_CONDITIONS)
    except ValueError as error:
        raise ValidationFailed("條件太多，無法儲存；請少選幾個值") from error
    if any("\0" in part for pair in asked for part in pair):
        raise ValidationFailed("條件裡有無法儲存的字元")
    query = urlencode(sorted(pair for pair in asked if pair[0] not in _NO_CONDITIONS))
    if len(query) > QUERY_LENGTH:
        raise ValidationFailed("條件太長，無法儲存；請少選幾個值")
    return query


@transaction.atomic
def save_view(
    *, user: User, model: str, name: str, query: str, shared: bool = False, replace: bool = False
) -> SavedView:
    """Save what a list (app_label.model) is asked under a name.

    Raises ValidationFailed, and Conflict if the user has MOST views, or one of this list and name and not `replace`:
    then its conditions change, and its CSV address stays.
    """
    name = one_line(name)
    if not name or len(name) > NAME_LENGTH:
        raise ValidationFailed(f"請輸入名稱，最多 {NAME_LENGTH} 個字")
    conditions = clean_query(query)
    # Two saves of one user at once wait for each other.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    known = SavedView.objects.filter(user=user, model=model, name=name).first()
    if known is None:
        if SavedView.objects.filter(user=user).count() >= MOST:
            raise Conflict(f"一個人最多存 {MOST} 個篩選，請先刪除不用的")
        return SavedView.objects.create(user=user, model=model, name=name, query=conditions, shared=shared)
    if not replace:
        raise Conflict(f"已經有「{name}」；要換成現在的條件，請勾選「取代同名的」")
    known.query, known.shared = conditions, shared
    known.save(update_fields=["query", "shared"])
    return known


def change_view(*, view: SavedView, name: str, shared: bool) -> SavedView:
    """Rename or share a view. Raises ValidationFailed and Conflict."""
    name = one_line(name)
    if not name:
        raise ValidationFailed("請輸入名稱")
    if SavedView.objects.filter(user_id=view.user_id, model=view.model, name=name).exclude(pk=view.pk).exists():
        raise Conflict(f"已經有「{name}」")
    view.name, view.shared = name, shared
    view.save(update_fields=["name", "shared"])
    return view


def issue_token(*, view: SavedView, user: User) -> str:
    """The text of a new token, which is known only now; an earlier one no longer works.

    Raises Forbidden for another user than the owner, since the address has the owner's permissions.
    """
    if view.user_id != user.pk:
        raise Forbidden("只有建立者可以建立這個網址")
    text = secrets.token_urlsafe(TOKEN_BYTES)
    view.prefix, view.digest = text[:PREFIX_LENGTH], _digest(text)
    view.issued_at, view.used_at = timezone.now(), None
    view.save(update_fields=["prefix", "digest", "issued_at", "used_at"])
    return text


def revoke_token(*, view: SavedView) -> None:
    """From now on the address of the view is unknown. Raises Conflict if it has none."""
    if not view.digest:
        raise Conflict(f"「{view}」沒有 CSV 網址")
    view.prefix = view.digest = ""
    view.issued_at = None
    view.save(update_fields=["prefix", "digest", "issued_at"])


def view_of_token(text: str) -> SavedView:
    """The view with its user; its last use is stored at most once a minute.

    Raises NotFound for an unknown or revoked token and an inactive user, in the same words, and Forbidden for a user
    who must first change the password.
    """
    view = SavedView.objects.select_related("user").filter(digest=_digest(text)).first()
    if view is None or not view.user.is_active:
        raise NotFound(UNKNOWN)
    if view.user.must_change_password:
        raise Forbidden("建立者要先變更密碼，這個網址才能使用")
    now = timezone.now()
    if view.used_at is None or view.used_at <= now - USE_STEP:
        SavedView.objects.filter(pk=view.pk).update(used_at=now)
    return view


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
