"""Reads of users and of login attempts. `lookups` has the two reads of every request."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import LoginAttempt, Role, User, UserScope
from momo.core.errors import NotFound
from momo.core.roles import ADMIN, has_role
from momo.core.scope import Scope

KNOWN_DAYS = 30


def users() -> QuerySet[User]:
    """All users, by name."""
    return User.objects.order_by("username")


def user_by_id(*, user_id: int) -> User:
    """The user. Raises NotFound."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("找不到這位使用者")
    return user


def search_users(users: QuerySet[User], *, text: str) -> QuerySet[User]:
    """The users whose name, display name or e-mail address contains `text`."""
    return users.filter(Q(username__icontains=text) | Q(display_name__icontains=text) | Q(email__icontains=text))


def user_by_name(username: str) -> User | None:
    """Id and `is_active` of the user with exactly this name."""
    return User.objects.filter(username=username).only("pk", "is_active").first()


def scope_of(user: Any) -> Scope:
    """The PMs and brands that the user looks after; empty where none are stored."""
    names: dict[str, set[str]] = {kind: set() for kind in UserScope.Kind.values}
    for kind, name in UserScope.objects.filter(user=user.pk).values_list("kind", "name"):
        names[kind].add(name)
    return Scope(pms=frozenset(names[UserScope.Kind.PM]), brands=frozenset(names[UserScope.Kind.BRAND]))


def has_logged_in_from(*, user: User, address: str) -> bool:
    """Whether the user has logged in from this address in the last `KNOWN_DAYS` days."""
    since = timezone.now() - dt.timedelta(days=KNOWN_DAYS)
    return LoginAttempt.objects.filter(user=user, time__gte=since, address=address, success=True).exists()


def has_active_admin() -> bool:
    """Whether an active user may manage the others."""
    return User.objects.filter(Q(role=Role.ADMIN) | Q(is_superuser=True), is_active=True).exists()


def has_colleagues() -> bool:
    """Whether more than one active user may log in."""
    return User.objects.filter(is_active=True)[:2].count() > 1


def login_history(*, viewer: User) -> QuerySet[LoginAttempt]:
    """The attempts that `viewer` may see, newest first: all for admins, their own for other users."""
    attempts = LoginAttempt.objects.order_by("-time", "-id")
    return attempts if has_role(viewer, ADMIN) else attempts.filter(user=viewer)
