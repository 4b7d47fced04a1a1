"""People and clients for tests."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import Role, User
from accounts.services import create_token, create_user

PASSWORD = "Momo-pass-2026"


def person(username: str = "amy", role: str = Role.USER, **kwargs: Any) -> User:
    return create_user(username=username, password=kwargs.pop("password", PASSWORD), role=role, **kwargs)


def session_client(user: User, **kwargs: Any) -> Client:
    client = Client(raise_request_exception=False, **kwargs)
    client.force_login(user)
    return client


def token_client(user: User, **kwargs: Any) -> Client:
    text = create_token(user=user, name="test").text
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {text}", **kwargs})
