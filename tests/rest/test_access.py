"""Who gets in: tokens, sessions, roles, and how much it costs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.checks import Error
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import ApiToken, Role, User
from accounts.services import create_token, revoke_token
from momo.core.address import client_address
from momo.core.roles import ADMIN, MANAGER, USER, has_role, role_of
from momo.rest.routes import api_routes, check_roles
from tests.kit.users import person, session_client, token_client
from tests.rest.test_failures import check


def bearer(text: str) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {text}"})


def test_nobody(nobody: Client) -> None:
    body = check(nobody.get("/api/t/echo"), 401, "AUTH_REQUIRED")
    assert "登入" in body["error"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_token(user: User, scheme: str) -> None:
    text = create_token(user=user, name="n8n").text
    assert Client(headers={"Authorization": f"{scheme} {text}"}).get("/api/t/echo").status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer momo_x", "Bearer 權杖"])
def test_malformed_or_unknown_token_fails_even_with_a_session(user: User, header: str) -> None:
    browser = session_client(user)
    check(browser.get("/api/t/echo", headers={"Authorization": header}), 401, "AUTH_REQUIRED")


def test_other_schemes_are_not_ours(user: User) -> None:
    assert session_client(user).get("/api/t/echo", headers={"Authorization": "Basic eDp5"}).status_code == 200


def test_revoked_expired_inactive(user: User) -> None:
    made = create_token(user=user, name="n8n", expires_at=timezone.now() + dt.timedelta(days=1))
    client = bearer(made.text)
    assert client.get("/api/t/echo").status_code == 200
    with time_machine.travel(timezone.now() + dt.timedelta(days=2)):
        assert "到期" in check(client.get("/api/t/echo"), 401, "AUTH_REQUIRED")["error"]
    User.objects.update(is_active=False)
    assert "停用" in check(client.get("/api/t/echo"), 401, "AUTH_REQUIRED")["error"]
    User.objects.update(is_active=True)
    revoke_token(token=made.token)
    assert "撤銷" in check(client.get("/api/t/echo"), 401, "AUTH_REQUIRED")["error"]


def test_token_costs_two_queries_at_most_once_a_minute_and_one_otherwise(
    user: User, django_assert_num_queries: Any
) -> None:
    made = create_token(user=user, name="n8n")
    client = bearer(made.text)
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False) as clock:
        with django_assert_num_queries(2):
            client.get("/api/t/echo")
        used = ApiToken.objects.get().last_used_at
        assert used == timezone.now()
        clock.shift(59)
        with django_assert_num_queries(1):
            client.get("/api/t/echo")
        assert ApiToken.objects.get().last_used_at == used
        clock.shift(1)
        with django_assert_num_queries(2):
            client.get("/api/t/echo")
        assert ApiToken.objects.get().last_used_at == timezone.now()


def test_session_costs_one_query(user: User, django_assert_num_queries: Any) -> None:
    browser = session_client(user)
    with django_assert_num_queries(1):
        assert browser.get("/api/t/echo").status_code == 200


def test_session_of_an_inactive_user_ends(user: User) -> None:
    browser = session_client(user)
    User.objects.update(is_active=False)
    check(browser.get("/api/t/echo"), 401, "AUTH_REQUIRED")


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.USER, {"get": 200, "post": 400, "put": 403, "delete": 403}),
        (Role.MANAGER, {"get": 200, "post": 400, "put": 200, "delete": 403}),
        (Role.ADMIN, {"get": 200, "post": 400, "put": 200, "delete": 200}),
    ],
)
@pytest.mark.parametrize("way", [session_client, token_client])
def test_roles(db: None, role: str, statuses: dict[str, int], way: Any) -> None:
    client = way(person("somebody", role))
    assert {method: getattr(client, method)("/api/t/echo").status_code for method in statuses} == statuses


def test_a_refusal_names_the_role(api: Client) -> None:
    assert "「管理員」以上" in check(api.delete("/api/t/echo"), 403, "PERMISSION_DENIED")["error"]


def test_superuser_is_an_admin(db: None) -> None:
    root = User.objects.create_superuser("root", password="x")
    assert (root.role, role_of(root)) == (Role.ADMIN, ADMIN)
    root.role = Role.USER
    assert has_role(root, ADMIN)


def test_ladder() -> None:
    assert not has_role(AnonymousUser(), USER)
    manager = User(role=Role.MANAGER)
    assert [has_role(manager, role) for role in (USER, MANAGER, ADMIN)] == [True, True, False]


def test_public(nobody: Client) -> None:
    assert nobody.post("/api/t/open").status_code == 200


def test_a_method_without_role_is_refused_to_everybody(admin: User) -> None:
    check(token_client(admin).get("/api/t/norole"), 403, "PERMISSION_DENIED")


def test_check_complains_about_methods_without_role(settings: Any) -> None:
    complaints = check_roles()
    assert all(isinstance(complaint, Error) and complaint.id == "momo.E001" for complaint in complaints)
    named = " ".join(complaint.msg for complaint in complaints)
    assert "NoRoleView states no role for GET /api/t/norole" in named
    assert "tests.rest.urls.plain states no role for * /api/t/plain" in named
    assert "echo" not in named
    settings.ROOT_URLCONF = "momo.urls"
    assert check_roles() == []


def test_routes_are_the_table() -> None:
    rows = {(route.method, route.path): route.role for route in api_routes("tests.rest.urls")}
    assert rows["DELETE", "/api/users/{user_id}"] == ADMIN
    assert rows["GET", "/api/users/login_history"] == USER
    assert rows["PUT", "/api/t/echo"] == MANAGER
    assert ("HEAD", "/api/t/echo") not in rows


def test_user_who_must_change_the_password(user: User) -> None:
    User.objects.update(must_change_password=True)
    for client in (session_client(user), token_client(user)):
        assert "變更密碼" in check(client.get("/api/t/echo"), 403, "PERMISSION_DENIED")["error"]
        assert client.post("/api/user/change_password", {}, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "expected"),
    [
        (0, "10.0.0.9", "1.2.3.4", "10.0.0.9"),
        (1, "10.0.0.9", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "10.0.0.9", "6.6.6.6, 1.2.3.4, 10.0.0.8", "1.2.3.4"),
        (2, "10.0.0.9", "1.2.3.4", "1.2.3.4"),
        (1, "10.0.0.9", "", "10.0.0.9"),
        (1, "10.0.0.9", "nonsense", "10.0.0.9"),
        (1, "10.0.0.9", "1.2.3.4:5678", "1.2.3.4"),
        (1, "10.0.0.9", "[2001:db8::1]:443", "2001:db8::1"),
        (1, "10.0.0.9", "2001:DB8::1", "2001:db8::1"),
        (0, "::ffff:1.2.3.4", "", "1.2.3.4"),
        (0, "", "", "0.0.0.0"),
    ],
)
def test_client_address(proxies: int, remote: str, forwarded: str, expected: str, settings: Any) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert client_address(request) == expected
