"""Users and what they look after, API tokens, sessions, login attempts, and stored answers of idempotent requests."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.roles import assign_group
from momo.core import roles


class Role(models.TextChoices):
    """Each role includes the ones before it; values and labels are those of `momo.core.roles`."""

    USER = roles.USER, roles.LABELS[roles.USER]
    MANAGER = roles.MANAGER, roles.LABELS[roles.MANAGER]
    ADMIN = roles.ADMIN, roles.LABELS[roles.ADMIN]


class UserManager(DjangoUserManager["User"]):
    """Every user is staff; permissions in the admin follow from the role."""

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> User:
        extra_fields.setdefault("is_staff", True)
        user: User = super().create_user(username, email, password, **extra_fields)
        assign_group(user)
        return user

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> User:
        extra_fields.setdefault("role", Role.ADMIN)
        user: User = super().create_superuser(username, email, password, **extra_fields)
        assign_group(user)
        return user


class User(AbstractUser):
    """A member of the team, or a program that acts for it."""

    role = models.CharField("角色", max_length=16, choices=Role, default=Role.USER)
    display_name = models.CharField("顯示名稱", max_length=100, blank=True)
    is_staff = models.BooleanField("可進入後台", default=True, editable=False)
    must_change_password = models.BooleanField("須變更密碼", default=False)
    password_changed_at = models.DateTimeField("密碼變更時間", null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = "使用者"
        verbose_name_plural = "使用者"
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            # To a reader `Admin` and `admin` are one user.
            models.UniqueConstraint(Lower("username"), name="user_username_ci"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return self.display_name or self.username


class UserScope(models.Model):
    """A PM or a brand that a user looks after, as reports name it: 「我的」 of lists and boards are their rows."""

    class Kind(models.TextChoices):
        """What `name` is the name of."""

        PM = "pm", "PM"
        BRAND = "brand", "品牌"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="scopes", verbose_name="使用者")
    kind = models.CharField("種類", max_length=5, choices=Kind)
    name = models.CharField("名稱", max_length=120)

    class Meta:
        verbose_name = "負責範圍"
        verbose_name_plural = "負責範圍"
        ordering = ("kind", "name")
        constraints = [models.UniqueConstraint(fields=["user", "kind", "name"], name="userscope_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"


class ApiToken(models.Model):
    """A bearer token, with its user's role. Only its digest is stored; `prefix` identifies it in lists."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name="使用者")
    name = models.CharField("用途", max_length=100)
    prefix = models.CharField("開頭", max_length=16, editable=False)
    digest = models.CharField("SHA-256", max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("到期時間", null=True, blank=True)
    revoked_at = models.DateTimeField("撤銷時間", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("最後使用", null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="建立者", editable=False
    )

    class Meta:
        verbose_name = "API 權杖"
        verbose_name_plural = "API 權杖"
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.name}（{self.prefix}…）"

    def is_usable(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class LoginSession(AbstractBaseSession):
    """A session with a reference to its user, so that one query reads both."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="login_sessions", verbose_name="使用者"
    )

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "登入中的工作階段"
        verbose_name_plural = "登入中的工作階段"

    def __str__(self) -> str:
        # Django's is the key, which opens the session.
        return f"到 {timezone.localtime(self.expire_date):%Y-%m-%d %H:%M}"


class LoginAttempt(models.Model):
    """One attempt to log in. Text is what the client sent, cut to the length of its column."""

    class Reason(models.TextChoices):
        """The result of the attempt."""

        OK = "ok", "登入成功"
        UNKNOWN_USER = "unknown_user", "沒有這個帳號"
        WRONG_PASSWORD = "wrong_password", "密碼錯誤"
        INACTIVE = "inactive", "帳號已停用"
        LOCKED = "locked", "嘗試次數過多，暫時鎖定"

    time = models.DateTimeField("時間", default=timezone.now)
    username = models.CharField("輸入的帳號", max_length=150)
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="login_attempts", verbose_name="使用者"
    )
    address = models.GenericIPAddressField("位址", unpack_ipv4=True)
    user_agent = models.CharField("瀏覽器", max_length=300, blank=True)
    success = models.BooleanField("成功")
    reason = models.CharField("結果", max_length=16, choices=Reason)

    class Meta:
        verbose_name = "登入紀錄"
        verbose_name_plural = "登入紀錄"
        ordering = ("-time", "-id")
        indexes = [
            models.Index(fields=["-time", "-id"], name="login_time"),
            models.Index(fields=["user", "-time"], name="login_user_time"),
            models.Index(fields=["username", "-time"], name="login_username_time"),
        ]

    def __str__(self) -> str:
        return f"{self.username}：{self.get_reason_display()}"


class IdempotencyRecord(models.Model):
    """The first answer to a request with an `Idempotency-Key`. `status` is empty only inside its own transaction."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name="使用者")
    key = models.CharField("鍵", max_length=200)
    method = models.CharField("方法", max_length=8)
    path = models.CharField("路徑", max_length=400)
    digest = models.CharField("內容 SHA-256", max_length=64)
    status = models.PositiveSmallIntegerField("HTTP 狀態", null=True)
    body = models.JSONField("回應", null=True)
    message = models.CharField("訊息", max_length=500, blank=True)
    created_at = models.DateTimeField("時間", default=timezone.now)

    class Meta:
        verbose_name = "重複請求紀錄"
        verbose_name_plural = "重複請求紀錄"
        constraints = [models.UniqueConstraint(fields=["user", "key", "path"], name="idempotency_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
