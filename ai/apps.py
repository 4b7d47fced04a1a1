"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save


class AiConfig(AppConfig):
    """The app of copywriting, its checks, search and trends; registers its audited fields."""

    name = "ai"
    verbose_name = "AI 文案"

    def ready(self) -> None:
        # Models exist only from here on.
        from ai import audit  # noqa: PLC0415
        from ai.models import Phrase  # noqa: PLC0415
        from ai.services.phrases import changed_on_commit, write_after_migrate  # noqa: PLC0415

        post_migrate.connect(write_after_migrate, dispatch_uid="ai.phrases")
        for signal in (post_save, post_delete):
            signal.connect(changed_on_commit, sender=Phrase, dispatch_uid="ai.phrases")

        audit.register()
