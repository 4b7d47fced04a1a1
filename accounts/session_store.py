"""Sessions in the database, each beside its user: the `SESSION_ENGINE`."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.lookups import session_with_user
from accounts.models import LoginSession, User


class SessionStore(DatabaseStore):
    """`user` is whose session it is, once it was loaded."""

    user: User | None = None

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        return LoginSession

    def create_model_instance(self, data: dict[str, Any]) -> LoginSession:
        kept = cast(LoginSession, super().create_model_instance(data))
        kept.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return kept

    def load(self) -> dict[str, Any]:
        found = session_with_user(self.session_key) if self.session_key else None
        if found is None:
            self._session_key = None
            return {}
        data, self.user = found
        return self.decode(data)
