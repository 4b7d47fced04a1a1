"""The audit trail's actor, set when an entry is written, not when the request begins.

django-auditlog's own middleware reads the session's user before REST framework has checked the token, and believes the
first entry of `X-Forwarded-For`. Here the current request is read when an entry is written: then `request.user` is the
authenticated user, by cookie or by token. Outside of requests (commands, tasks) auditlog's `set_actor` works as usual.
"""

from __future__ import annotations

from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db.models.signals import pre_save

from accounts.models import ApiToken, User, UserScope
from momo.core.address import client_address
from momo.core.context import current_request

# Stored beside the reference, which is lost when the user is deleted, and the e-mail address, which may be empty.
ACTOR_NAME = "actor"


def _add_actor(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    request = current_request.get()
    if request is None:
        return
    user = getattr(request, "user", None)
    if instance.actor_id is None and isinstance(getattr(user, "pk", None), int):
        instance.actor_id = user.pk  # type: ignore[union-attr]
        instance.actor_email = user.email  # type: ignore[union-attr]
        instance.additional_data = {**(instance.additional_data or {}), ACTOR_NAME: user.username}  # type: ignore[union-attr]
    instance.remote_addr = client_address(request)


def register() -> None:
    """Record changes of users, scopes and tokens, without passwords, digests and fields that change with each use."""
    auditlog.register(
        User,
        include_fields=[
            "username",
            "email",
            "display_name",
            "first_name",
            "last_name",
            "role",
            "is_active",
            "is_superuser",
            "must_change_password",
            "password_changed_at",
        ],
    )
    auditlog.register(UserScope, include_fields=["user", "kind", "name"])
    auditlog.register(ApiToken, include_fields=["user", "name", "prefix", "expires_at", "revoked_at"])
    pre_save.connect(_add_actor, sender=LogEntry, dispatch_uid="accounts.audit.actor")
