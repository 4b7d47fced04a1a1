"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate

from momo.rest.routes import check_roles


class AccountsConfig(AppConfig):
    """Registers checks, audit, receivers, and how the scope of a user is read."""

    name = "accounts"
    verbose_name = "帳號與權限"

    def ready(self) -> None:
        # Models exist only from here on.
        from accounts import audit, roles, selectors, sessions  # noqa: PLC0415
        from momo.admin.kit import mine  # noqa: PLC0415

        audit.register()
        mine.read_scopes_by(selectors.scope_of)
        register(check_roles, Tags.urls)
        user_logged_in.connect(sessions.mark_login, dispatch_uid="accounts.sessions.mark_login")
        post_migrate.connect(roles.sync_after_migrate, dispatch_uid="accounts.roles.sync")
