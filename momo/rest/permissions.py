"""Roles: each view states the lowest role for each of its methods; a method without a role is refused."""

from __future__ import annotations

import logging
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from momo.core.errors import AuthRequired, Forbidden, MethodNotAllowed
from momo.core.roles import ADMIN, LABELS, LEVELS, MANAGER, USER, has_role, role_of

__all__ = ["ADMIN", "LEVELS", "MANAGER", "PUBLIC", "USER", "RolePermission", "stated_role"]

logger = logging.getLogger("momo.rest")

# For the few views that authenticate the client themselves (a webhook with a secret).
PUBLIC = "public"


def stated_role(view: Any, method: str) -> str | None:
    """The role that `view` states for `method`, None if it states none. HEAD counts as GET."""
    role: str | None = getattr(view, "roles", {}).get("GET" if method == "HEAD" else method)
    return role


class RolePermission(BasePermission):
    """Enforces the `roles` of a view. Raises instead of returning False, so that the message names the missing role."""

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
