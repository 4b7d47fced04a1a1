"""Changes of what was generated: favourites, and deleting."""

from __future__ import annotations

from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone

from ai.models import Generation


def toggle_favorite(*, generation: Generation) -> bool:
    """The new state. In one statement, so that two clicks at once are two."""
    Generation.objects.filter(pk=generation.pk).update(
        favorite=Case(When(favorite=True, then=Value(False)), default=Value(True))
    )
    generation.refresh_from_db(fields=["favorite"])
    return generation.favorite


def set_favorites(*, generations: QuerySet[Generation], favorite: bool) -> int:
    """Mark texts as favourites, or not; returns how many changed."""
    chosen = Generation.objects.filter(pk__in=generations.order_by().values("pk"))
    return chosen.exclude(favorite=favorite).update(favorite=favorite)


def delete_generation(*, generation: Generation) -> None:
    """Hide it for good; what it cost stays."""
    Generation.objects.filter(pk=generation.pk).update(deleted_at=timezone.now())
