"""The `SESSION_ENGINE`: sessions in the database, each read together with its user."""

from __future__ import annotations

import functools
import re
from typing import Any, cast

import orjson
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.lookups import session_with_user
from accounts.models import LoginSession, User

# As Django makes them. A cookie with another value is no session, and no value for a query: it may contain NUL.
KEY = re.compile(r"[a-z0-9]{32}")


@functools.lru_cache(maxsize=2000)
def _decoded(data: str) -> bytes:
    """The session's values as JSON; cached, since checking and unpacking them took a tenth of an authentication."""
    return orjson.dumps(DatabaseStore().decode(data))


class SessionStore(DatabaseStore):
    """`user` is set when the session is loaded."""

    user: User | None = None

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and KEY.fullmatch(key))

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        return LoginSession

    def create_model_instance(self, data: dict[str, Any]) -> LoginSession:
        session = cast(LoginSession, super().create_model_instance(data))
        session.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return session

    def load(self) -> dict[str, Any]:
        found = session_with_user(self.session_key) if self.session_key else None
        if found is None:
            self._session_key = None
            return {}
        data, self.user = found
        # Made anew: callers may change values in place.
        values: dict[str, Any] = orjson.loads(_decoded(data))
        return values
