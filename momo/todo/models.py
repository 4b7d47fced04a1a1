"""What staff say about items of the list 待辦: who has one, until when it is put off, and comments."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from momo.core.todo import sources


class TodoState(models.Model):
    """Who has an item, and until when it is put off. Most items have no row here: nobody said anything about them.

    An item is a row of another app, by the key of its `Source` and its primary key.
    """

    source = models.CharField("種類", max_length=30)
    object_id = models.BigIntegerField("編號")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="負責人"
    )
    snoozed_until = models.DateTimeField("延後到", null=True, blank=True)
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    changed_at = models.DateTimeField("變更時間", default=timezone.now)

    class Meta:
        verbose_name = "待辦"
        verbose_name_plural = "待辦"
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "object_id"], name="todostate_once")]

    def __str__(self) -> str:
        kind = next((source.label for source in sources() if source.key == self.source), self.source)
        return f"{kind} #{self.object_id}"


class TodoComment(models.Model):
    """What a user says about an item."""

    state = models.ForeignKey(TodoState, models.CASCADE, related_name="comments", verbose_name="待辦")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="使用者"
    )
    text = models.CharField("留言", max_length=1000)
    created_at = models.DateTimeField("時間", default=timezone.now)

    class Meta:
        verbose_name = "待辦的留言"
        verbose_name_plural = "待辦的留言"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text[:60]
