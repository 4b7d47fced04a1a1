"""Roles: each view states the lowest role for each of its methods, and what it does not state is refused."""

from __future__ import annotations

import logging
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from momo.rest.errors import AuthRequired, Forbidden, MethodNotAllowed

logger = logging.getLogger("momo.rest")

USER, MANAGER, ADMIN = "user", "manager", "admin"
# For the few addresses that check their callers themselves (a webhook's secret).
PUBLIC = "public"
LEVELS = {USER: 1, MANAGER: 2, ADMIN: 3}
LABELS = {USER: "使用者", MANAGER: "主管", ADMIN: "管理員"}


def role_of(user: Any) -> str | None:
    """The role that `user` acts with, None for nobody. A superuser is an admin whatever the role says."""
    if not getattr(user, "is_authenticated", False):
        return None
    return ADMIN if user.is_superuser else user.role


def has_role(user: Any, role: str) -> bool:
    """Whether `user` may do what `role` may; roles are a ladder."""
    return LEVELS.get(role_of(user) or "", 0) >= LEVELS[role]


def stated_role(view: Any, method: str) -> str | None:
    """The role `view` states for `method`, None when it states none. HEAD is GET without a body."""
    role: str | None = getattr(view, "roles", {}).get("GET" if method == "HEAD" else method)
    return role


class RolePermission(BasePermission):
    """Holds the `roles` of a view. Raises instead of answering False, so that the message says what is missing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        method = request.method or ""
        if method == "OPTIONS":
            return True
        if method not in view.allowed_methods:
            raise MethodNotAllowed
        role = stated_role(view, method)
        if role == PUBLIC:
            return True
        if role_of(request.user) is None:
            raise AuthRequired
        if getattr(request.user, "must_change_password", False) and not getattr(view, "allow_password_change", False):
            raise Forbidden("請先變更密碼，才能使用其他功能")
        if role is None:
            logger.error("%s states no role for %s", type(view).__name__, method)
            raise Forbidden
        if not has_role(request.user, role):
            raise Forbidden(f"這個操作需要「{LABELS[role]}」以上的角色")
        return True
