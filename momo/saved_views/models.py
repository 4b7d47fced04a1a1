"""Saved views: what a user asks a list, by a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

NAME_LENGTH = 60  # characters


class SavedView(models.Model):
    """A list with its conditions, and the token of its CSV address if it has one; only the token's digest is stored."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", verbose_name="建立者", editable=False
    )
    model = models.CharField("清單", max_length=100, editable=False)  # app_label.model
    name = models.CharField("名稱", max_length=NAME_LENGTH)
    query = models.CharField("條件", max_length=2000, blank=True, editable=False)  # a query string
    shared = models.BooleanField("同事也看得到", default=False)
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)
    prefix = models.CharField("網址開頭", max_length=16, blank=True, editable=False)  # of the token
    digest = models.CharField("SHA-256", max_length=64, blank=True, editable=False)
    issued_at = models.DateTimeField("網址建立時間", null=True, blank=True, editable=False)
    used_at = models.DateTimeField("最後讀取", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "已存篩選"
        verbose_name_plural = "已存篩選"
        ordering = ("model", "name", "id")
        constraints = [
            models.UniqueConstraint(fields=["user", "model", "name"], name="savedview_name_once"),
            models.UniqueConstraint(fields=["digest"], condition=~models.Q(digest=""), name="savedview_digest_once"),
        ]

    def __str__(self) -> str:
        return self.name
