"""The lists of the admin that a saved view may name."""

from __future__ import annotations

from typing import cast

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered

from momo.admin.kit.exports import Listed
from momo.admin.kit.nav import entry_of
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import NotFound


def list_of(model: str) -> Listed:
    """The admin of a list (app_label.model). Raises NotFound for one that there is not, or not any more."""
    try:
        found = admin.site.get_model_admin(apps.get_model(model))
    except (LookupError, ValueError, NotRegistered):
        found = None
    if not isinstance(found, BaseAdmin):
        raise NotFound("找不到這個清單")
    return cast(Listed, found)


def list_title(model: str) -> str:
    """The name of a list in the menu, or of its rows; the name of its model where there is no such list any more."""
    entry = entry_of(model)
    if entry is not None:
        return entry.title
    try:
        return str(apps.get_model(model)._meta.verbose_name_plural)
    except (LookupError, ValueError):
        return model
