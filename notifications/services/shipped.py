"""The templates that come with the system: written once, and updated only where staff never changed them."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.utils import timezone

from notifications.models import Template, TemplateVersion
from notifications.templating.variables import declared

FOLDER = Path(__file__).resolve().parent.parent / "shipped"
SHIPPED_NOTE = "系統預設"
# The fields that a version keeps.
CONTENT = ("title", "description", "format", "subject", "body", "variables")


@functools.cache
def shipped_templates() -> dict[str, dict[str, Any]]:
    """Title, description, format, subject, body and variables of each shipped template, by its code."""
    made = {}
    for path in sorted(FOLDER.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        content["variables"] = [variable.as_dict() for variable in declared(content["variables"])]
        made[path.stem] = {name: content[name] for name in CONTENT}
    return made


def write_after_migrate(app_config: AppConfig | None = None, using: str = "default", **kwargs: Any) -> None:
    """Receiver of `post_migrate`: writes missing and outdated shipped templates once their tables exist.

    Without signals and checks: no user makes these changes, and a test checks the shipped texts.
    """
    if app_config is None or app_config.name != "notifications":
        return
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {Template._meta.db_table, TemplateVersion._meta.db_table} <= tables:
        return
    with transaction.atomic(using=using):
        with connection.cursor() as cursor:
            # Two releases that migrate at once write one after the other.
            cursor.execute(f'LOCK TABLE "{Template._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')
        present = {template.code: template for template in Template.objects.using(using)}
        for code, content in shipped_templates().items():
            template = present.get(code)
            if template is None:
                [template] = Template.objects.using(using).bulk_create([Template(code=code, version=0, **content)])
            elif content == {name: getattr(template, name) for name in CONTENT} or not _is_ours(template, using):
                continue
            _add_version(template, content, using)


def _is_ours(template: Template, using: str) -> bool:
    """Whether the newest version is a shipped one; versions of staff have another note, or a user."""
    newest = TemplateVersion.objects.using(using).filter(template=template, number=template.version).first()
    return newest is not None and newest.created_by_id is None and newest.note == SHIPPED_NOTE


def _add_version(template: Template, content: dict[str, Any], using: str) -> None:
    number, now = template.version + 1, timezone.now()
    TemplateVersion.objects.using(using).bulk_create(
        [TemplateVersion(template=template, number=number, note=SHIPPED_NOTE, created_at=now, **content)]
    )
    Template.objects.using(using).filter(pk=template.pk).update(
        version=number, updated_at=now, updated_by=None, **content
    )
