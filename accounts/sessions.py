"""Signing in, and how long a session lasts: a while without use, and never beyond its last day."""

from __future__ import annotations

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
from accounts.services import record_login
from momo.rest.address import client_address
from momo.rest.errors import AuthFailed

STARTED, SEEN = "momo_started", "momo_seen"
# Use is written down at most this often (seconds), so that reading does not become writing.
SEEN_STEP = 300
NAME_LENGTH = 150


def stamp(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Receiver of `user_logged_in`: the session's life begins, by whatever door."""
    request.session[STARTED] = request.session[SEEN] = int(time.time())


def keep_or_end(session: SessionBase) -> None:
    """End a session beyond `SESSION_MAX_AGE`; else note its use, which moves its end and the cookie's."""
    if SESSION_KEY not in session:
        return
    now = int(time.time())
    started = session.get(STARTED)
    if started is None:
        session[STARTED] = session[SEEN] = now
    elif now - started > settings.SESSION_MAX_AGE.total_seconds():
        session.flush()
    elif now - session.get(SEEN, 0) > SEEN_STEP:
        session[SEEN] = now


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Whose session it is, as `django.contrib.auth.get_user` answers, without another query.

    What does not hold at first sight (another password, another key, an inactive user) is left to Django to judge.
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
    same = constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    return user if same else None


def clean_username(given: str) -> str:
    """A name as it may be looked up: one form for look-alike code points, no NUL, bounded."""
    name = unicodedata.normalize("NFKC", given).replace("\x00", "").encode("utf-8", "replace").decode().strip()
    # A longer name cannot exist; marked as cut, it cannot become somebody's.
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"


def sign_in(*, request: HttpRequest, username: str, password: str) -> User:
    """Begin a session under a new key, and record the try whatever comes of it.

    Unknown and known names cost the same: one look-up here, one in the backend, one password hash. Raises AuthFailed,
    or RateLimited while the pair of name and address is locked out.
    """
    name, address = clean_username(username), client_address(request)
    known = User.objects.filter(username=name).only("pk", "is_active").first()
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
    record_login(
        username=name,
        user_id=known.pk if known is not None else None,
        address=address,
        user_agent=request.headers.get("User-Agent", ""),
        reason=reason,
    )
    if refused:
        raise lockout.locked_out(username=name, address=address)
    if user is None:
        raise AuthFailed
    login(request, user)
    return user
