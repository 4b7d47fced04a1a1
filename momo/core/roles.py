"""The roles of users, and their order."""

from __future__ import annotations

from typing import Any

USER, MANAGER, ADMIN = "user", "manager", "admin"
LEVELS = {USER: 1, MANAGER: 2, ADMIN: 3}
LABELS = {USER: "使用者", MANAGER: "主管", ADMIN: "管理員"}


def role_of(user: Any) -> str | None:
    """The role of `user`, None if not logged in. A superuser is always an admin."""
    if not getattr(user, "is_authenticated", False):
        return None
    return ADMIN if user.is_superuser else user.role


def has_role(user: Any, role: str) -> bool:
    """Whether the role of `user` is `role` or a higher one."""
    return LEVELS.get(role_of(user) or "", 0) >= LEVELS[role]
