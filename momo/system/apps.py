"""Wires checks, settings, schedules, the clean-up and the audit trail into Django, and counts into Celery."""

from __future__ import annotations

from celery.signals import heartbeat_sent, task_postrun
from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, post_save
from django.utils.module_loading import autodiscover_modules

from momo.core.thresholds import thresholds
from momo.system import queues
from momo.system.checks import check_database, check_queues, check_reachable
from momo.system.deployment import check_deployment


class SystemConfig(AppConfig):
    """Status, metrics and checks, settings that admins change, missed schedules, clean-ups and restarts."""

    name = "momo.system"
    label = "system"
    verbose_name = "系統"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.system import audit  # noqa: PLC0415
        from momo.system.models import Setting  # noqa: PLC0415
        from momo.system.selectors.settings import stored_thresholds  # noqa: PLC0415
        from momo.system.services import schedules, settings  # noqa: PLC0415

        thresholds.source = stored_thresholds
        post_migrate.connect(settings.ensure_settings, sender=self, dispatch_uid="system.settings")
        post_save.connect(settings.use_change, sender=Setting, dispatch_uid="system.settings")
        heartbeat_sent.connect(schedules.start_check, dispatch_uid="system.schedules")
        audit.register()
        # Each registers what its app no longer needs.
        autodiscover_modules("retention")
        register(check_database, Tags.database)
        register(check_reachable, Tags.database)
        register(check_queues, "workers")
        register(check_deployment, deploy=True)
        task_postrun.connect(queues.count_outcome, dispatch_uid="momo.system.queues")
