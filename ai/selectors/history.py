"""What was generated: of oneself, for admins of everybody."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from ai.models import Generation
from momo.core.roles import ADMIN, has_role


def generations_of(user: Any) -> QuerySet[Generation]:
    """Newest first, with their calls; without deleted ones."""
    rows = Generation.objects.filter(deleted_at=None).select_related("call", "user", "product").order_by("-pk")
    return rows if has_role(user, ADMIN) else rows.filter(user=user)


def matching(rows: QuerySet[Generation], text: str) -> QuerySet[Generation]:
    """Those whose content, product's name, or, of a search, question contains `text`."""
    return rows.filter(Q(content__icontains=text) | Q(product_name__icontains=text) | Q(request__query__icontains=text))
