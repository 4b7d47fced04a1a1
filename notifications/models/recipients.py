"""Recipients of messages: chats, and subscriptions to events."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

SWITCHED_OFF = "停用："  # in the note of a chat that the system switched off, not a person
# The number of a person or, below 0, a group; or the public name of a channel.
CHAT_ID = RegexValidator(
    r"\A(-?[1-9][0-9]{0,18}|@[A-Za-z][A-Za-z0-9_]{3,31})\Z", "請輸入聊天室編號，或以 @ 開頭的頻道名稱"
)


class Channel(models.TextChoices):
    """The ways by which messages leave."""

    EMAIL = "email", "電子郵件"
    TELEGRAM = "telegram", "Telegram"


class Chat(models.Model):
    """A chat of Telegram: a person, a group or a channel that our bot may write to."""

    class Standing(models.TextChoices):
        """A waiting chat is switched off until somebody approves it; a guest gets answers of the bot only."""

        KNOWN = "known", "已登記"
        WAITING = "waiting", "等待核准"
        GUEST = "guest", "未連結帳號"

    chat_id = models.CharField("聊天室編號", max_length=33, unique=True, validators=[CHAT_ID])
    title = models.CharField("名稱", max_length=200, blank=True)
    is_active = models.BooleanField("啟用", default=True)
    standing = models.CharField(
        "登記", max_length=7, choices=Standing, default=Standing.KNOWN, db_default=Standing.KNOWN, editable=False
    )
    note = models.CharField("備註", max_length=300, blank=True)  # why it was switched off, where it moved from
    # Set by the system alone, and kept when the chat is switched on again.
    switched_off_at = models.DateTimeField("停用時間", null=True, blank=True, editable=False)
    # The earliest moment for the next message, by Telegram's limits or by the wait that it asked for.
    next_at = models.DateTimeField("下一則最早時間", default=timezone.now, editable=False)
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "Telegram 聊天室"
        verbose_name_plural = "Telegram 聊天室"
        ordering = ("title", "id")
        # A sender reads chats from the one that waits longest, and stops when it has claimed enough.
        indexes: ClassVar = [
            models.Index(fields=["next_at", "id"], name="chat_next", condition=Q(is_active=True)),
            models.Index(fields=["id"], name="chat_waiting", condition=Q(standing="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.chat_id}）" if self.title else self.chat_id

    @property
    def is_group(self) -> bool:
        """Whether Telegram takes 20 messages a minute (groups and channels) instead of one a second (people)."""
        return not self.chat_id.isdigit()


class Subscription(models.Model):
    """One chat or one address that gets one kind of event.

    `filters` holds conditions, by the fields of the event (`events.EventKind.filters`); an empty or missing condition
    is met by everything. From `quiet_from` until `quiet_until` (Taipei time, over midnight too) messages wait.
    """

    name = models.CharField("名稱", max_length=100)
    event = models.CharField("事件", max_length=40)
    channel = models.CharField("管道", max_length=8, choices=Channel)
    chat = models.ForeignKey(
        Chat, models.CASCADE, null=True, blank=True, related_name="subscriptions", verbose_name="聊天室"
    )
    address = models.EmailField("電子郵件", max_length=254, blank=True)
    filters = models.JSONField("條件", default=dict, blank=True)
    quiet_from = models.TimeField("勿擾開始", null=True, blank=True)
    quiet_until = models.TimeField("勿擾結束", null=True, blank=True)
    enabled = models.BooleanField("啟用", default=True)
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "訂閱"
        verbose_name_plural = "訂閱"
        ordering = ("event", "name", "id")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="subscription_has_its_recipient",
                condition=Q(channel="telegram", chat__isnull=False, address="")
                | (Q(channel="email", chat__isnull=True) & ~Q(address="")),
                violation_error_message="Telegram 訂閱要選聊天室，電子郵件訂閱要填地址，只填其中一個",
            ),
            models.CheckConstraint(
                name="subscription_quiet_hours_are_two",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                violation_error_message="勿擾時段要同時有開始與結束，或都不填",
            ),
        ]

    def __str__(self) -> str:
        return self.name
