"""Every change of users and tokens is in the audit trail, with actor, address, old and new value, and no secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, User
from accounts.services import create_token
from tests.kit.users import PASSWORD, session_client, token_client

NEW = "Another-pass-2026"
CREATE, UPDATE, DELETE = LogEntry.Action.CREATE, LogEntry.Action.UPDATE, LogEntry.Action.DELETE


@pytest.fixture
def boss(admin: User, request: pytest.FixtureRequest) -> Client:
    way: Callable[..., Client] = getattr(request, "param", session_client)
    return way(admin)


def entries(about: Any, since: int) -> list[tuple[int, dict[str, Any]]]:
    rows = LogEntry.objects.get_for_object(about).filter(pk__gt=since).order_by("id")
    return [(row.action, row.changes) for row in rows]


def last() -> int:
    newest: int = LogEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    return newest


def signed(since: int, admin: User) -> None:
    """Each entry says who and from where."""
    rows = LogEntry.objects.filter(pk__gt=since)
    assert rows
    assert {(row.actor, row.remote_addr) for row in rows} == {(admin, "127.0.0.1")}


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    response = getattr(client, method)(path, body or {}, content_type="application/json")
    assert response.status_code < 300, response.content
    return response.json()["data"]


@pytest.mark.parametrize("boss", [session_client, token_client], indirect=True)
def test_by_the_api(boss: Client, admin: User, user: User) -> None:
    path, since = f"/api/users/{user.pk}", last()
    send(boss, "put", path, {"role": "manager"})
    send(boss, "patch", path, {"is_active": False})
    send(boss, "patch", path, {"is_active": True, "email": "amy@example.com", "username": "amy.chen"})
    send(boss, "patch", path, {"display_name": ""})
    assert entries(user, since) == [
        (UPDATE, {"role": ["user", "manager"]}),
        (UPDATE, {"is_active": ["True", "False"]}),
        (
            UPDATE,
            {"username": ["amy", "amy.chen"], "email": ["", "amy@example.com"], "is_active": ["False", "True"]},
        ),
    ], "and nothing where nothing changed"
    signed(since, admin)


@pytest.mark.parametrize("boss", [session_client, token_client], indirect=True)
def test_passwords_by_the_api(boss: Client, admin: User, user: User) -> None:
    path, since = f"/api/users/{user.pk}", last()
    made = send(boss, "post", f"{path}/reset_password")["new_password"]
    send(boss, "post", f"{path}/reset_password", {"new_password": NEW})
    send(boss, "put", path, {"password": PASSWORD})
    found = entries(user, since)
    assert [set(changes) for _, changes in found] == [
        {"must_change_password", "password_changed_at"},
        {"must_change_password", "password_changed_at"},
        {"password_changed_at"},
    ]
    signed(since, admin)
    mine = last()
    send(boss, "post", "/api/user/change_password", {"current_password": PASSWORD, "new_password": NEW})
    assert [set(changes) for _, changes in entries(admin, mine)] == [{"password_changed_at"}]
    user.refresh_from_db()
    silent(made, NEW, PASSWORD, user.password)


def test_coming_and_going_by_the_api(boss: Client, admin: User) -> None:
    since = last()
    made = send(boss, "post", "/api/users", {"username": "new.one", "password": NEW, "role": "manager"})
    user = User.objects.get(pk=made["id"])
    create_token(user=user, name="n8n")
    token = ApiToken.objects.get()
    send(boss, "delete", f"/api/users/{user.pk}")
    user.pk, token.pk = made["id"], token.pk
    [(born, new), (gone, old)] = entries(user, since)
    assert (born, new["role"], new["username"]) == (CREATE, ["None", "manager"], ["None", "new.one"])
    assert (gone, old["role"], old["username"]) == (DELETE, ["manager", "None"], ["new.one", "None"])
    assert [action for action, _ in entries(token, since)] == [CREATE, DELETE], "its tokens with it"
    silent(NEW, user.password)


def test_by_the_admin(boss: Client, admin: User, user: User) -> None:
    since = last()
    form = {"username": "amy", "display_name": "", "email": "", "role": "manager"}
    inlines = ("api_tokens", "scopes")
    none = {f"{name}-{count}_FORMS": 0 for name in inlines for count in ("TOTAL", "INITIAL")}
    boss.post(reverse("admin:accounts_user_change", args=[user.pk]), {**form, **none})
    reset = boss.post(reverse("admin:accounts_user_reset_password", args=[user.pk]))
    added = boss.post(
        reverse("admin:accounts_apitoken_add"),
        {"user": user.pk, "name": "n8n", "expires_at_0": "2199-01-01", "expires_at_1": "12:00:00"},
    )
    token = ApiToken.objects.get()
    boss.post(reverse("admin:accounts_apitoken_revoke", args=[token.pk]), {"_form_submitted": "True"})
    changed, password = entries(user, since)
    assert changed == (UPDATE, {"role": ["user", "manager"], "is_active": ["True", "False"]})
    assert set(password[1]) == {"must_change_password", "password_changed_at"}
    made, revoked = entries(token, since)
    changed = {name: pair for name, pair in made[1].items() if pair[0] != pair[1]}
    assert changed == {
        "user": ["None", str(user.pk)],
        "name": ["None", "n8n"],
        "prefix": ["None", token.prefix],
        "expires_at": ["None", "2199-01-01 04:00:00"],
    }
    assert revoked[0] == UPDATE
    assert set(revoked[1]) == {"revoked_at"}
    assert revoked[1]["revoked_at"][0] == "None"
    signed(since, admin)
    user.refresh_from_db()
    silent(reset.context["secret"], added.context["secret"], token.digest, user.password)


def test_who_did_it_is_known_when_they_are_gone(boss: Client, admin: User, user: User) -> None:
    """Also a user without an e-mail address."""
    send(boss, "put", f"/api/users/{user.pk}", {"role": "admin"})
    send(session_client(user), "delete", f"/api/users/{admin.pk}")
    page = session_client(user).get(reverse("admin:auditlog_logentry_changelist")).content.decode()
    assert "已刪除的使用者（ada）" in page


def silent(*secrets: str) -> None:
    """None of these stands anywhere in the trail."""
    written = " ".join(str(row) for row in LogEntry.objects.values_list())
    assert "amy" in written or "new.one" in written
    for secret in secrets:
        assert secret
        assert secret not in written
