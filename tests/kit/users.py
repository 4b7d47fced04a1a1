"""Users of each role, and the ways that they come in."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import Role, User
from accounts.services import create_token, create_user

PASSWORD = "Momo-pass-2026"


def person(username: str = "amy", role: str = Role.USER, **values: Any) -> User:
    """A user whose password is PASSWORD, unless `password` says another."""
    return create_user(username=username, password=values.pop("password", PASSWORD), role=role, **values)


def session_client(user: User, **values: Any) -> Client:
    """A browser in which `user` has logged in; `values` are those of Django's client."""
    client = Client(raise_request_exception=False, **values)
    client.force_login(user)
    return client


def token_client(user: User, **headers: Any) -> Client:
    """A program that comes with a token of `user`."""
    text = create_token(user=user, name="test").text
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {text}", **headers})
