"""Reads of saved views."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import Role, User
from momo.saved_views.models import SavedView

OFFERED = 50  # views of one list that its menu shows


def views_of(user: User) -> QuerySet[SavedView]:
    """The user's own views; for admins those of everybody, since each address that needs no login is their concern."""
    views = SavedView.objects.select_related("user")
    return views if user.role == Role.ADMIN or user.is_superuser else views.filter(user=user)


def views_of_list(user: User, *, model: str) -> list[SavedView]:
    """The user's views of a list (app_label.model), then those that colleagues share; OFFERED at most."""
    found = SavedView.objects.select_related("user").filter(Q(user=user) | Q(shared=True), model=model)
    return list(found.annotate(own=Q(user=user)).order_by("-own", "name", "id")[:OFFERED])
