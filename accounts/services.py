"""Every change to people and their tokens. Keyword-only; raises Django's ValidationError or errors of `momo.rest`."""

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
from accounts.models import ApiToken, LoginAttempt, Role, User
from accounts.roles import assign_group
from momo.rest.errors import AuthRequired, Conflict, NotFound

TOKEN_MARK = "momo_"  # noqa: S105 - what tokens begin with, no token
# 30 random bytes are 40 URL-safe characters.
TOKEN_BYTES = 30
PREFIX_LENGTH = len(TOKEN_MARK) + 8
# The last use of a token is written at most this often.
LAST_USE_STEP = dt.timedelta(minutes=1)
LAST_ADMIN = "這是最後一位啟用中的管理員，必須先有另一位管理員"
# Without characters that look alike in print.
READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class NewToken:
    """A token at the only moment its text is known."""

    token: ApiToken
    text: str


# --- People ---------------------------------------------------------------------------------------------------------


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
    """Make a person. Raises ValidationError with the fields that are not acceptable."""
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
    """Whether `user` counts when the last admin is looked for."""
    return user.is_active and (user.role == Role.ADMIN or user.is_superuser)


def _lock_with_admins(user: User) -> tuple[User, bool]:
    """`user` as it is now, and whether they are the last active admin.

    Locks them and all active admins in one order, so that two admins who take each other's rights at the same moment
    take turns: neither a deadlock, nor nobody left.
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
    """Change what is given and leave the rest. A new password ends the user's sessions.

    Raises ValidationError, or Conflict where the last active admin would go, or `actor` would shut themselves out.
    """
    current, is_last = _lock_with_admins(user)
    loses_admin = is_active_admin(current) and (is_active is False or (role is not None and role != Role.ADMIN))
    if is_active is False and actor is not None and actor.pk == current.pk:
        raise Conflict("不能停用自己的帳號")
    if loses_admin and is_last:
        raise Conflict(LAST_ADMIN)
    if username is not None:
        current.username = User.normalize_username(username)
        _check_username(current.username, beside=current)
    if email is not None:
        current.email = User.objects.normalize_email(email)
    if display_name is not None:
        current.display_name = display_name
    if is_active is not None:
        current.is_active = is_active
    if role is not None:
        current.role = role
        # Django lets a superuser do everything, whatever the role: whoever is made less must not stay one.
        current.is_superuser = current.is_superuser and role == Role.ADMIN
    if password is not None:
        _check_password(password, user=current)
        _set_password(current, password, must_change=False)
    if must_change_password is not None:
        current.must_change_password = must_change_password
    current.clean_fields()
    current.save()
    if role is not None:
        assign_group(current)
    return current


def set_role(*, user: User, role: str, actor: User | None = None) -> User:
    """Give `user` another role, and with it the permissions in the admin. Raises Conflict for the last admin."""
    return update_user(user=user, actor=actor, role=role)


@transaction.atomic
def delete_user(*, user: User, actor: User | None) -> None:
    """Remove a person with their tokens; login history and audit trail stay. Raises Conflict.

    Not oneself, not the last active admin, nobody whom another row needs.
    """
    current, is_last = _lock_with_admins(user)
    if actor is not None and actor.pk == current.pk:
        raise Conflict("不能刪除自己的帳號")
    if is_last:
        raise Conflict(LAST_ADMIN)
    current.delete()


@transaction.atomic
def change_password(*, user: User, current_password: str, new_password: str) -> User:
    """A person changes their own password; every session of theirs ends (the view keeps the one that asked).

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
    """An admin sets a password, or has one made that must be changed at the next login.

    Returns the user, and the made password (None when one was given). Ends the user's sessions and lock-outs.
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
    """Write one try into the history; what the client sent is cut to size."""
    return LoginAttempt.objects.create(
        username=username.replace("\x00", "")[:150],
        user_id=user_id,
        address=address,
        user_agent=user_agent.replace("\x00", "")[:300],
        success=reason == LoginAttempt.Reason.OK,
        reason=reason,
    )


def unlock_login(*, username: str) -> int:
    """Forget the failures counted against a name, from every address. Returns how many counters went."""
    return AxesProxyHandler.reset_attempts(username=username)


# --- Tokens ---------------------------------------------------------------------------------------------------------


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create_token(
    *, user: User, name: str, expires_at: dt.datetime | None = None, created_by: User | None = None
) -> NewToken:
    """Make a token that acts as `user`. Its text is in the answer and nowhere else."""
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
    """End a token now; again changes nothing."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    return token


def authenticate_token(*, raw: str) -> ApiToken:
    """The token with its user, read in one query; its last use is written at most once a minute, in one more.

    Raises AuthRequired saying why it is not accepted.
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
    if found.unused:
        ApiToken.objects.filter(pk=found.token.pk).update(last_used_at=timezone.now())
    return found.token
