"""A kind of work for tests of the engine: pieces, in boxes that are open or closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db import connection, models
from django.db.models import QuerySet
from django.utils import timezone

from momo.core.work import Work

LABEL = "core_tests"


class Box(models.Model):
    is_open = models.BooleanField(default=True)

    class Meta:
        app_label = LABEL

    def __str__(self) -> str:
        return f"box {self.pk}"


class Piece(Work):
    task: ClassVar = "tests.piece"
    timeout_setting: ClassVar = "PIECE_TIMEOUT"
    attempts_setting: ClassVar = "PIECE_ATTEMPTS"

    box = models.ForeignKey(Box, models.CASCADE)
    message = models.TextField(blank=True)
    stage = models.CharField(max_length=10, blank=True)
    cancelled = models.BooleanField(default=False)

    class Meta:
        app_label = LABEL

    @property
    def is_unwanted(self) -> bool:
        return self.cancelled

    def claim_values(self) -> dict[str, Any]:
        return {"stage": "claimed"}

    def release_values(self) -> dict[str, Any]:
        return {"stage": "waiting"}


def pieces() -> QuerySet[Piece]:
    """Those that may be worked on."""
    return Piece.objects.filter(box__is_open=True)


def piece(**values: Any) -> Piece:
    return Piece.objects.create(box=Box.objects.create(), **values)


def fall_silent(row: Piece, seconds: float = 61) -> None:
    """As a worker that died so long ago leaves the row."""
    Piece.objects.filter(pk=row.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=seconds))


def create_tables() -> None:
    """Tables of these models, which no migration creates; they stay as long as the test database does."""
    with connection.schema_editor() as editor:
        for model in (Box, Piece):
            editor.create_model(model)
