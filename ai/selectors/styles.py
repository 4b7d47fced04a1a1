"""Styles of copy."""

from __future__ import annotations

from django.db.models import QuerySet

from ai.models import Style


def enabled_styles() -> QuerySet[Style]:
    """Those that users may choose, in the order in which they are offered; the first is the default."""
    return Style.objects.filter(enabled=True)
