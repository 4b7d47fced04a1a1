"""Login, and the life of a session: it ends after some time without use, and at `SESSION_MAX_AGE` at the latest."""

from __future__ import annotations

import functools
import time
import unicodedata
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    authenticate,
    get_user,
    login,
)
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts import lockout
from accounts.models import LoginAttempt, User
from accounts.selectors import user_by_name
from accounts.services import record_login
from momo.core.address import client_address
from momo.core.errors import AuthFailed
from momo.core.texts import storable

STARTED, SEEN = "momo_started", "momo_seen"
# Seconds between two writes of the last use, so that not every read of a page writes a row.
SEEN_STEP = 300
NAME_LENGTH = 150


def mark_login(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Receiver of `user_logged_in`: stores login and last-seen times in the session."""
    request.session[STARTED] = request.session[SEEN] = int(time.time())


def extend_or_end(session: SessionBase) -> None:
    """End a session older than `SESSION_MAX_AGE`, or of an inactive user: it would live again with the user.

    Else store its last use, which moves the expiry of row and cookie.
    """
    if SESSION_KEY not in session:
        return
    now = int(time.time())
    started = session.get(STARTED)
    user: User | None = getattr(session, "user", None)
    if user is not None and not user.is_active:
        session.flush()
    elif started is None:
        session[STARTED] = session[SEEN] = now
    elif now - started > settings.SESSION_MAX_AGE.total_seconds():
        session.flush()
    elif now - session.get(SEEN, 0) > SEEN_STEP:
        session[SEEN] = now


def session_user(request: HttpRequest) -> User | AnonymousUser:
    """The session's user, as `django.contrib.auth.get_user` returns it, without another query.

    A session that is not plainly valid (other password, other key, inactive user) is left to Django.
    """
    known: User | AnonymousUser | None = getattr(request, "_cached_user", None)
    if known is None:
        known = _owner(request.session) or get_user(request)
        request._cached_user = known  # type: ignore[attr-defined]
    return known


def _owner(session: SessionBase) -> User | None:
    if str(session.get(BACKEND_SESSION_KEY)) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user: User | None = getattr(session, "user", None)
    if user is None or not user.is_active or session.get(SESSION_KEY) != str(user.pk):
        return None
    same = constant_time_compare(session.get(HASH_SESSION_KEY, ""), _auth_hash(user.password))
    return user if same else None


@functools.lru_cache(maxsize=2000)
def _auth_hash(password: str) -> str:
    """What sessions hold of a user's (hashed) password; cached, since it took a tenth of an authentication."""
    return User(password=password).get_session_auth_hash()


def clean_username(given: str) -> str:
    """A user name for look-up: NFKC, without NUL, at most `NAME_LENGTH` characters."""
    name = storable(unicodedata.normalize("NFKC", given)).strip()
    # No longer name exists; the mark keeps a cut name from matching a shorter one.
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"


def record_attempt(*, request: HttpRequest, username: str, known: User | None, reason: str) -> None:
    """Record an attempt to log in with a clean `username`, which is that of `known`."""
    record_login(
        username=username,
        user_id=known.pk if known is not None else None,
        address=client_address(request),
        user_agent=request.headers.get("User-Agent", ""),
        reason=reason,
    )


def sign_in(*, request: HttpRequest, username: str, password: str) -> User:
    """Start a session under a new key, and record the attempt in any case.

    Unknown and known names cost the same: one look-up here, one in the backend, one password hash. Raises AuthFailed,
    or RateLimited while the pair of name and address is locked out.
    """
    name = clean_username(username)
    known = user_by_name(name)
    user = authenticate(request, username=name, password=password)
    refused = user is None and lockout.was_refused(request)
    if user is not None:
        reason = LoginAttempt.Reason.OK
    elif refused:
        reason = LoginAttempt.Reason.LOCKED
    elif known is None:
        reason = LoginAttempt.Reason.UNKNOWN_USER
    elif not known.is_active:
        reason = LoginAttempt.Reason.INACTIVE
    else:
        reason = LoginAttempt.Reason.WRONG_PASSWORD
    record_attempt(request=request, username=name, known=known, reason=reason)
    if refused:
        raise lockout.locked_out(username=name, address=client_address(request))
    if user is None:
        raise AuthFailed
    if SESSION_KEY in request.session:
        # Django would keep the key of a session of the same user, which somebody else may know.
        request.session.flush()
    login(request, user)
    return user
