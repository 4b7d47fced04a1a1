"""The outbox: every mail and every Telegram message, from the moment that something causes it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from notifications.models.recipients import Channel, Chat

EMPTY = models.Value([], models.JSONField())  # so that a version of before may still write rows


class Attachment(models.Model):
    """A file that messages carry; its bytes are in the database, so that they commit with what causes the message."""

    sha256 = models.CharField("SHA-256", max_length=64)
    name = models.CharField("檔名", max_length=200)
    content_type = models.CharField("類型", max_length=100)
    size = models.PositiveIntegerField("大小")
    content = models.BinaryField("內容")
    created_at = models.DateTimeField("建立時間", default=timezone.now)

    class Meta:
        verbose_name = "附件"
        verbose_name_plural = "附件"
        constraints: ClassVar = [models.UniqueConstraint(fields=["sha256", "name"], name="attachment_once")]

    def __str__(self) -> str:
        return self.name


class OutboxMessage(models.Model):
    """One message to one recipient, or one mail to several.

    Written by `services.outbox`, moved on by `services.sending` and by people.

    waiting → pending → claimed → sending → sent, or failed, or held. `waiting`: an earlier part of the same text has
    to be sent first. `claimed`: a sender has it, and nothing of it has left; if the sender dies it is pending again.
    `sending`: it may have left; if the sender dies the outcome is unknown, so it is held for a person and never sent
    by itself. `unsent`: a mail that was due while no mail server is configured; pending again when one is.
    """

    class Status(models.TextChoices):
        """See the model."""

        WAITING = "waiting", "等待前一則"
        PENDING = "pending", "等待寄送"
        UNSENT = "unsent", "未寄出：沒有設定郵件伺服器"
        CLAIMED = "claimed", "準備寄送"
        SENDING = "sending", "寄送中"
        SENT = "sent", "已寄出"
        HELD = "held", "待人工確認"
        FAILED = "failed", "失敗"
        CANCELLED = "cancelled", "已取消"

    channel = models.CharField("管道", max_length=8, choices=Channel)
    # What makes it this message and no other: writing it a second time writes nothing.
    key = models.CharField("防重複代號", max_length=200, unique=True)
    event = models.CharField("事件", max_length=40)
    recipient = models.CharField("收件者", max_length=254)  # an address, or the chat's id as text
    # Mail only: further addresses in `To`, and those in `Cc`.
    others = models.JSONField("其他收件者", default=list, db_default=EMPTY, blank=True)
    cc = models.JSONField("副本", default=list, db_default=EMPTY, blank=True)
    # Recipients that the server refused for good: [{"address", "reason"}], also when it accepted the mail for others.
    refused = models.JSONField("未收下的收件者", default=list, db_default=EMPTY, blank=True)
    chat = models.ForeignKey(
        Chat, models.PROTECT, null=True, blank=True, related_name="messages", verbose_name="聊天室"
    )
    subject = models.CharField("主旨", max_length=500, blank=True)
    body = models.TextField("內文", blank=True)  # Telegram: its HTML; mail: the text part
    body_html = models.TextField("HTML 內文", blank=True)  # mail only
    reply_to = models.CharField("回覆地址", max_length=254, blank=True)
    # Of Telegram one for each message, whose body is then the caption.
    attachments = models.ManyToManyField(Attachment, blank=True, related_name="messages", verbose_name="附件")
    # What somebody waits for in the chat: sent before all that is not. Telegram only, as the three below.
    is_answer = models.BooleanField("機器人的回覆", default=False, db_default=False, editable=False)
    # Rows of [text, data] below the message.
    buttons = models.JSONField("按鈕", null=True, editable=False)
    # Telegram's number of the message whose place this one takes; it is sent as a new one where that is gone.
    edits = models.BigIntegerField("取代的訊息", null=True, editable=False)
    # Telegram's number of the topic of a group in which it is sent; outside of topics where that is closed or gone.
    topic = models.BigIntegerField("主題", null=True, editable=False)
    after = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="following", verbose_name="接在之後"
    )

    status = models.CharField("狀態", max_length=9, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField("嘗試", default=0)
    next_attempt_at = models.DateTimeField("最早寄送時間", default=timezone.now)
    # Since when it is to be sent: giving up counts from here. Set anew when a person sends it again.
    due_at = models.DateTimeField("預定寄送時間", default=timezone.now)
    # The sender's while claimed or sending; kept when held, so that a sender that was only slow can still record.
    claim = models.UUIDField("認領", null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField("認領時間", null=True, blank=True)
    sent_at = models.DateTimeField("寄出時間", null=True, blank=True)
    finished_at = models.DateTimeField("結束時間", null=True, blank=True)
    # What became of it since the last decision, in the server's text or ours.
    reason = models.TextField("原因", blank=True)
    # The mail's Message-ID, the same for each attempt; of Telegram the number of the message that it became.
    message_id = models.CharField("訊息編號", max_length=255, blank=True)

    template_code = models.CharField("範本", max_length=40, blank=True)
    template_version = models.PositiveIntegerField("範本版本", null=True, blank=True)
    subscription = models.ForeignKey(
        "notifications.Subscription",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name="訂閱",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="建立者"
    )
    created_at = models.DateTimeField("建立時間", default=timezone.now)

    class Meta:
        verbose_name = "訊息"
        verbose_name_plural = "訊息"
        ordering = ("-id",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="outbox_telegram_has_chat",
                condition=Q(channel="telegram", chat__isnull=False) | Q(channel="email", chat__isnull=True),
            ),
        ]
        # A sender never looks at what is over, however much of it there is.
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at", "id"],
                name="outbox_mail_due",
                condition=Q(channel="email", status="pending"),
            ),
            models.Index(
                fields=["chat", "next_attempt_at", "id"],
                name="outbox_chat_due",
                condition=Q(channel="telegram", status="pending"),
            ),
            # Few rows, which is why a sender may read all of them before each claim.
            models.Index(
                fields=["chat", "next_attempt_at", "id"],
                name="outbox_answer_due",
                condition=Q(channel="telegram", status="pending", is_answer=True),
            ),
            models.Index(fields=["claimed_at"], name="outbox_in_hand", condition=Q(status__in=("claimed", "sending"))),
            models.Index(fields=["status", "-id"], name="outbox_status"),
            # For lists of what is rare among very much.
            models.Index(fields=["event", "-id"], name="outbox_event"),
            models.Index(fields=["channel", "-id"], name="outbox_channel"),
            models.Index(fields=["status", "finished_at"], name="outbox_finished"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.recipient}"

    def history(self) -> list[str]:
        """What people decided, each with what it was decided upon, and what became of the message since."""
        return [*map(str, self.decisions.all()), *([self.reason] if self.reason else [])]


class OutboxDecision(models.Model):
    """What a person decided about a message. Written by `services.control`."""

    class Kind(models.TextChoices):
        """The labels are the text of a message's history."""

        RETRY = "retry", "重新寄送"
        CANCEL = "cancel", "取消"
        RELEASE = "release", "確認對方沒有收到，重新寄送"
        MARK_SENT = "mark_sent", "確認對方已收到"

    message = models.ForeignKey(OutboxMessage, models.CASCADE, related_name="decisions", verbose_name="訊息")
    # None for the system, and for users who were deleted since; `name` is what the user was called then.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="使用者"
    )
    name = models.CharField("名稱", max_length=150)
    kind = models.CharField("決定", max_length=9, choices=Kind)
    reason = models.CharField("當時的原因", max_length=500, blank=True)  # the message's reason that it was decided upon
    decided_at = models.DateTimeField("時間", default=timezone.now)

    class Meta:
        verbose_name = "決定"
        verbose_name_plural = "決定"
        ordering = ("id",)

    def __str__(self) -> str:
        upon = f"（此前：{self.reason}）" if self.reason else ""
        return f"由 {self.name} {self.get_kind_display()}{upon}"


class Pace(models.Model):
    """How fast and whether a channel may send: what all processes that send have to know of each other.

    One row a channel, written when it is first needed.
    """

    channel = models.CharField("管道", max_length=8, choices=Channel, primary_key=True)
    next_at = models.DateTimeField("下一則最早時間", default=timezone.now)  # of all recipients together
    # No server, or a server that refuses us: no process tries before then. `troubles` counts such attempts in a row.
    paused_until = models.DateTimeField("暫停至", null=True, blank=True)
    troubles = models.PositiveIntegerField("連續失敗", default=0)
    # Of the first of them: what distinguishes one trouble from the next.
    troubled_since = models.DateTimeField("開始失敗", null=True, blank=True)
    reason = models.TextField("原因", blank=True)

    class Meta:
        verbose_name = "寄送步調"
        verbose_name_plural = "寄送步調"

    def __str__(self) -> str:
        return self.get_channel_display()
