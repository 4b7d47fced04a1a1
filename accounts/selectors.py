"""Reads about people: lists for the API and the admin."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import LoginAttempt, Role, User
from momo.rest.errors import NotFound
from momo.rest.permissions import ADMIN, has_role


def users() -> QuerySet[User]:
    """Everybody, by name."""
    return User.objects.order_by("username")


def user_by_id(*, user_id: int) -> User:
    """Raises NotFound."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("找不到這位使用者")
    return user


def has_active_admin() -> bool:
    """Whether somebody can manage the others."""
    return User.objects.filter(Q(role=Role.ADMIN) | Q(is_superuser=True), is_active=True).exists()


def login_history(*, viewer: User) -> QuerySet[LoginAttempt]:
    """What `viewer` may see, newest first: admins everything, others their own."""
    attempts = LoginAttempt.objects.order_by("-time", "-id")
    return attempts if has_role(viewer, ADMIN) else attempts.filter(user=viewer)
