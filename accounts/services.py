"""Changes of users, login attempts and API tokens. Raises Django's ValidationError or errors of `momo.core`."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.lookups import find_token
from accounts.models import ApiToken, LoginAttempt, LoginSession, Role, User
from accounts.roles import assign_group
from momo.core.errors import AuthRequired, Conflict, NotFound
from momo.core.texts import storable

TOKEN_MARK = "momo_"  # noqa: S105 - what tokens begin with, no token
# 30 random bytes are 40 URL-safe characters.
TOKEN_BYTES = 30
PREFIX_LENGTH = len(TOKEN_MARK) + 8
# The last use of a token is stored at most this often.
LAST_USE_STEP = dt.timedelta(minutes=1)
LAST_ADMIN = "這是最後一位啟用中的管理員，必須先有另一位管理員"
# Without characters that look alike in print.
READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class NewToken:
    """A token with its text, which is known only now."""

    token: ApiToken
    text: str


# --- Users ----------------------------------------------------------------------------------------------------------


def _check_username(username: str, *, beside: User | None = None) -> None:
    same = User.objects.filter(username__iexact=username)
    if beside is not None:
        same = same.exclude(pk=beside.pk)
    if same.exists():
        raise ValidationError({"username": ["這個帳號已經有人使用"]})


def _check_password(password: str, *, user: User, field: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error


def _set_password(user: User, password: str, *, must_change: bool) -> None:
    user.set_password(password)
    user.must_change_password = must_change
    user.password_changed_at = timezone.now()


def generate_password() -> str:
    """16 readable characters, about 93 bits."""
    return "".join(secrets.choice(READABLE) for _ in range(16))


@transaction.atomic
def create_user(
    *,
    username: str,
    password: str,
    email: str = "",
    role: str = Role.USER,
    display_name: str = "",
    must_change_password: bool = False,
) -> User:
    """Create a user. Raises ValidationError with the fields that are not acceptable."""
    username = User.normalize_username(username)
    user = User(
        username=username,
        email=User.objects.normalize_email(email),
        role=role,
        display_name=display_name,
        is_staff=True,
    )
    _check_username(username)
    _check_password(password, user=user)
    _set_password(user, password, must_change=must_change_password)
    user.clean_fields()
    user.save()
    assign_group(user)
    return user


def is_active_admin(user: User) -> bool:
    """Whether `user` counts as an active admin, of whom one must remain."""
    return user.is_active and (user.role == Role.ADMIN or user.is_superuser)


def _lock_with_admins(user: User) -> tuple[User, bool]:
    """The current row of `user`, and whether that user is the last active admin.

    Locks the user and all active admins in the order of their ids: two admins who take each other's rights at the same
    moment neither deadlock nor leave no admin.
    """
    rows = list(
        User.objects.select_for_update()
        .filter(Q(pk=user.pk) | Q(is_active=True) & (Q(role=Role.ADMIN) | Q(is_superuser=True)))
        .order_by("pk")
    )
    current = next((row for row in rows if row.pk == user.pk), None)
    if current is None:
        raise NotFound("找不到這位使用者")
    return current, [row.pk for row in rows if is_active_admin(row)] == [current.pk]


@transaction.atomic
def update_user(
    *,
    user: User,
    actor: User | None,
    username: str | None = None,
    email: str | None = None,
    display_name: str | None = None,
    role: str | None = None,
    is_active: bool | None = None,
    must_change_password: bool | None = None,
    password: str | None = None,
) -> User:
    """Change the fields that are not None. A new password and deactivation end the user's sessions for good.

    Raises ValidationError, or Conflict if no active admin would remain or `actor` would deactivate themselves.
    """
    current, is_last = _lock_with_admins(user)
    if is_active is False and actor is not None and actor.pk == current.pk:
        raise Conflict("不能停用自己的帳號")
    if is_last and (is_active is False or role not in (None, Role.ADMIN)):
        raise Conflict(LAST_ADMIN)
    if username is not None:
        username = User.normalize_username(username)
        _check_username(username, beside=current)
    changes = {
        "username": username,
        "email": None if email is None else User.objects.normalize_email(email),
        "display_name": display_name,
        "is_active": is_active,
        "role": role,
        # Django lets a superuser do everything, whatever the role: a superuser with a smaller role loses that too.
        "is_superuser": False if role not in (None, Role.ADMIN) else None,
        "must_change_password": must_change_password,
    }
    for name, value in changes.items():
        if value is not None:
            setattr(current, name, value)
    if password is not None:
        _check_password(password, user=current)
        _set_password(current, password, must_change=bool(must_change_password))
    current.clean_fields()
    current.save()
    if is_active is False:
        LoginSession.objects.filter(user=current).delete()
    if role is not None:
        assign_group(current)
    return current


@transaction.atomic
def delete_user(*, user: User, actor: User | None) -> None:
    """Delete a user and their tokens; login history and audit trail stay.

    Raises Conflict for `actor` themselves and for the last active admin.
    """
    current, is_last = _lock_with_admins(user)
    if actor is not None and actor.pk == current.pk:
        raise Conflict("不能刪除自己的帳號")
    if is_last:
        raise Conflict(LAST_ADMIN)
    current.delete()


@transaction.atomic
def change_password(*, user: User, current_password: str, new_password: str) -> User:
    """A user changes their own password; all their sessions end (the view keeps the one of its request).

    Raises ValidationError naming `current_password` or `new_password`.
    """
    current = User.objects.select_for_update().get(pk=user.pk)
    if not current.check_password(current_password):
        raise ValidationError({"current_password": ["目前的密碼不正確"]})
    if current_password == new_password:
        raise ValidationError({"new_password": ["新密碼不可與目前的密碼相同"]})
    _check_password(new_password, user=current, field="new_password")
    _set_password(current, new_password, must_change=False)
    current.save(update_fields=["password", "must_change_password", "password_changed_at"])
    return current


@transaction.atomic
def reset_password(*, user: User, new_password: str | None = None) -> tuple[User, str | None]:
    """An admin sets a password, or has one generated that must be changed at the next login.

    Returns the user, and the generated password (None if one was given). Ends the user's sessions and lockouts.
    Raises ValidationError naming `new_password`.
    """
    current = User.objects.select_for_update().get(pk=user.pk)
    made = None
    if new_password is None:
        made = generate_password()
        _set_password(current, made, must_change=True)
    else:
        _check_password(new_password, user=current, field="new_password")
        _set_password(current, new_password, must_change=False)
    current.save(update_fields=["password", "must_change_password", "password_changed_at"])
    unlock_login(username=current.username)
    return current, made


# --- Logins ---------------------------------------------------------------------------------------------------------


def record_login(*, username: str, user_id: int | None, address: str, user_agent: str, reason: str) -> LoginAttempt:
    """Record an attempt to log in; text that the client sent is cut to the length of its column."""
    return LoginAttempt.objects.create(
        username=storable(username)[:150],
        user_id=user_id,
        address=address,
        user_agent=storable(user_agent)[:300],
        success=reason == LoginAttempt.Reason.OK,
        reason=reason,
    )


def unlock_login(*, username: str) -> int:
    """Delete the counters of failures of a user name, from all addresses. Returns how many there were."""
    deleted: int = AxesProxyHandler.reset_attempts(username=username)
    return deleted


# --- Tokens ---------------------------------------------------------------------------------------------------------


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create_token(
    *, user: User, name: str, expires_at: dt.datetime | None = None, created_by: User | None = None
) -> NewToken:
    """Create a token that acts as `user`. Its text is in the result and is not stored."""
    text = TOKEN_MARK + secrets.token_urlsafe(TOKEN_BYTES)
    token = ApiToken(
        user=user,
        name=name,
        prefix=text[:PREFIX_LENGTH],
        digest=_digest(text),
        expires_at=expires_at,
        created_by=created_by,
    )
    token.full_clean()
    token.save()
    return NewToken(token, text)


def revoke_token(*, token: ApiToken) -> ApiToken:
    """Revoke a token now; a revoked token stays as it is."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    return token


def authenticate_token(*, raw: str) -> ApiToken:
    """The token with its user, in one query; its last use is stored at most once a minute, in a second one.

    Raises AuthRequired with the reason why the token is not accepted.
    """
    found = find_token(_digest(raw), step=LAST_USE_STEP)
    if found is None:
        raise AuthRequired("API 權杖無效")
    if found.revoked:
        raise AuthRequired("這個 API 權杖已被撤銷")
    if found.expired:
        raise AuthRequired("這個 API 權杖已經到期")
    if not found.token.user.is_active:
        raise AuthRequired("這個 API 權杖的使用者已停用")
    if found.use_is_stale:
        ApiToken.objects.filter(pk=found.token.pk).update(last_used_at=timezone.now())
    return found.token
