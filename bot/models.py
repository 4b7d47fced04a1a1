"""Linked Telegram accounts, their one-time codes, updates, buttons, and the menus that Telegram shows."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from momo.core.work import Work

NAME_LENGTH = 200


class TelegramAccount(models.Model):
    """The Telegram account of a user. Messages from it run with the user's role."""

    # Empty once the user is deleted, until the sweep has ended the chat's subscriptions as well.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="telegram_account",
        verbose_name="使用者",
    )
    telegram_id = models.BigIntegerField("Telegram 編號", unique=True)
    name = models.CharField("Telegram 名稱", max_length=NAME_LENGTH, blank=True)
    linked_at = models.DateTimeField("連結時間", default=timezone.now)

    class Meta:
        verbose_name = "Telegram 帳號"
        verbose_name_plural = "Telegram 帳號"
        ordering = ("-linked_at", "-id")

    def __str__(self) -> str:
        return self.name or str(self.telegram_id)


class LinkCode(models.Model):
    """A code that links the Telegram account that sends it first. Only its digest is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="使用者")
    digest = models.CharField("SHA-256", max_length=64, unique=True)
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    expires_at = models.DateTimeField("到期時間")
    used_at = models.DateTimeField("使用時間", null=True)

    class Meta:
        verbose_name = "連結碼"
        verbose_name_plural = "連結碼"

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d %H:%M}"


class Update(Work):
    """One update of Telegram, handled once. A row of work."""

    task: ClassVar = "bot.update"
    timeout_setting: ClassVar = "BOT_HEARTBEAT_TIMEOUT"
    attempts_setting: ClassVar = "BOT_ATTEMPTS"

    class Kind(models.TextChoices):
        """The members of an update that are handled; updates without one of them are not stored."""

        MESSAGE = "message", "訊息"
        PRESS = "callback_query", "按鈕"
        MEMBERSHIP = "my_chat_member", "加入或離開聊天室"

    class Status(models.TextChoices):
        PENDING = "pending", "等待"
        RUNNING = "running", "進行中"
        DONE = "done", "完成"
        FAILED = "failed", "失敗"

    update_id = models.BigIntegerField("編號", unique=True)
    kind = models.CharField("種類", max_length=16, choices=Kind)
    body = models.JSONField("內容")
    status = models.CharField("狀態", max_length=10, choices=Status, default=Status.PENDING)
    message = models.TextField("說明", blank=True)
    received_at = models.DateTimeField("收到時間", default=timezone.now)

    class Meta:
        verbose_name = "Telegram 更新"
        verbose_name_plural = "Telegram 更新"
        indexes: ClassVar = [
            models.Index(
                fields=["id"], name="update_unfinished", condition=models.Q(status__in=("pending", "running"))
            ),
            models.Index(fields=["received_at"], name="update_received"),
        ]

    def __str__(self) -> str:
        return f"#{self.update_id} {self.kind}"

    @property
    def asked_at(self) -> dt.datetime:
        """When a person wrote or pressed. A message has its date; Telegram keeps updates while we are away."""
        if self.kind != self.Kind.MESSAGE:
            return self.received_at
        return min(self.received_at, dt.datetime.fromtimestamp(self.body[self.kind]["date"], dt.UTC))


class PressButton(models.Model):
    """A button below an answer in Telegram, whose own data holds 64 bytes only: the row's `token`.

    Buttons that work once share the `reply` that they belong to: pressing one uses up all of them.
    """

    token = models.CharField("代號", max_length=32, unique=True)
    reply = models.UUIDField("回覆")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="使用者")
    label = models.CharField("文字", max_length=64)
    command = models.CharField("指令", max_length=32)
    args = models.JSONField("參數", default=list)
    replaces = models.BooleanField("取代原訊息", default=True)
    once = models.BooleanField("只能按一次", default=False)
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    expires_at = models.DateTimeField("到期時間")
    used_at = models.DateTimeField("使用時間", null=True)

    class Meta:
        verbose_name = "按鈕"
        verbose_name_plural = "按鈕"
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="button_expires"),
            models.Index(fields=["reply"], name="button_reply", condition=models.Q(once=True)),
        ]

    def __str__(self) -> str:
        return self.label


class Menu(models.Model):
    """The commands that Telegram shows in one private chat, or in all chats (`telegram_id` 0), as last set.

    `digest` is of the commands: a row that differs from what is wanted is set again, however that came about.
    """

    telegram_id = models.BigIntegerField("Telegram 編號", primary_key=True)
    digest = models.CharField("SHA-256", max_length=64)
    set_at = models.DateTimeField("設定時間", default=timezone.now)

    class Meta:
        verbose_name = "指令選單"
        verbose_name_plural = "指令選單"

    def __str__(self) -> str:
        return str(self.telegram_id)
