"""Permissions of each role in the admin: one table, from which the three groups are made.

API views state a role for each method (`momo.rest.permissions`); this table is only about the admin.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db import connections

from momo.core.roles import ADMIN, LABELS, MANAGER, USER

# `app_label.model:action`, with shell wildcards. The action is Django's (add, change, delete, view) or the codename of
# a permission that the model declares. Each role also has those of the roles below it.
_READ = (
    "products.*:view",
    "sales.*:view",
    "vendors.*:view",
    "jobs.*:view",
    "notifications.*:view",
    "ai.*:view",
    "bot.telegramaccount:view",
    "todo.*:view",
    "todo.todocomment:add",
    "saved_views.*:*",  # one's own rows, which are made from the lists
    "reports.*:view",
)
_OWN = ("products.watch:*",)  # rows of one's own
_RUN = (
    "products.category:*",
    "products.product:change",
    "products.crawlrun:*",
    "products.quarantinedprice:change",
    "products.alert:change",
    "sales.target:*",
    "sales.campaign:*",
    "sales.daynote:*",
    "sales.alarm:change",
    "vendors.*:*",
    "notifications.*:change",
    "notifications.*template*:add",
    "notifications.subscription:*",
    "notifications.chat:*",
    "jobs.*:add",
    "jobs.*:change",
    "*.*alias*:*",
    "todo.todostate:change",
    "ai.trend*:*",
    "ai.phrase:*",
    "ai.style:*",
    "ai.factsheet:*",
    "reports.report:*",
)
PERMISSIONS: dict[str, tuple[str, ...]] = {
    USER: _READ + _OWN,
    MANAGER: _READ + _OWN + _RUN,
    ADMIN: ("*.*:*",),
}


def _matches(patterns: Iterable[str], *, app_label: str, model: str, codename: str) -> bool:
    action = codename.removesuffix(f"_{model}")
    name = f"{app_label}.{model}:{action}"
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def permission_ids(role: str) -> set[int]:
    """Ids of the existing permissions that the table gives to `role`."""
    rows = Permission.objects.values_list("id", "content_type__app_label", "content_type__model", "codename")
    patterns = PERMISSIONS[role]
    return {
        pk
        for pk, app_label, model, codename in rows
        if _matches(patterns, app_label=app_label, model=model, codename=codename)
    }


def sync_groups() -> None:
    """Give the three groups exactly the permissions of the table."""
    for role, label in LABELS.items():
        group, _ = Group.objects.get_or_create(name=label)
        group.permissions.set(permission_ids(role))


def sync_after_migrate(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: syncs once, after the last app, when all permissions exist."""
    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    if app_config.label != last.label:
        return
    # After a migration back to before auth there are no groups.
    if Group._meta.db_table in connections[using].introspection.table_names():
        sync_groups()


def assign_group(user: Any) -> None:
    """Put `user` into the group of their role, and out of the other two; groups that staff made are not changed."""
    wanted, _ = Group.objects.get_or_create(name=LABELS[user.role])
    others = [label for role, label in LABELS.items() if role != user.role]
    user.groups.remove(*user.groups.filter(name__in=others))
    user.groups.add(wanted)
