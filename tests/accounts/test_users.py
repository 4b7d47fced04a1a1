"""Users over the API."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ApiToken, LoginAttempt, Role, User
from accounts.services import create_token, delete_user, update_user
from momo.core.errors import Conflict
from tests.kit.users import PASSWORD, person, session_client, token_client
from tests.rest.test_failures import check

NEW = "Another-pass-2026"


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, body if body is not None else {}, content_type="application/json")


@pytest.fixture
def boss(admin: User) -> Client:
    return token_client(admin)


def test_create(boss: Client) -> None:
    body = {
        "username": "new.one",
        "email": "New@EXAMPLE.com",
        "password": PASSWORD,
        "role": "manager",
        "display_name": "新人",
    }
    response = send(boss, "post", "/api/users", body)
    assert response.status_code == 201
    data = response.json()["data"]
    made = User.objects.get(username="new.one")
    assert data["id"] == made.pk
    assert (data["role"], data["email"], data["is_active"]) == ("manager", "New@example.com", True)
    assert "password" not in data
    assert made.is_staff
    assert not made.is_superuser
    assert [group.name for group in made.groups.all()] == ["主管"]
    assert made.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "AMY"}, "username"),
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "12345678901"}, "password"),
        ({"password": "fresh.name1"}, "password"),
        ({"role": "god"}, "role"),
        ({"display_name": "x" * 101}, "display_name"),
        ({"username": None}, "username"),
    ],
)
def test_what_is_not_acceptable(boss: Client, user: User, change: dict[str, Any], field: str) -> None:
    body = {"username": "fresh.name", "password": PASSWORD, **change}
    assert field in check(send(boss, "post", "/api/users", body), 400, "VALIDATION_ERROR")["fields"]
    assert User.objects.count() == 2


def test_list(boss: Client, user: User, manager: User, django_assert_num_queries: Any) -> None:
    User.objects.filter(pk=manager.pk).update(is_active=False, display_name="麥斯")
    boss.get("/api/users")
    with django_assert_num_queries(3):  # the token, COUNT, the page
        data = boss.get("/api/users").json()["data"]
    assert [row["username"] for row in data["items"]] == ["ada", "amy", "max"]
    assert (data["total"], data["page"], data["per_page"], data["total_pages"]) == (3, 1, 50, 1)

    def names(query: str) -> list[str]:
        return [row["username"] for row in boss.get(f"/api/users?{query}").json()["data"]["items"]]

    assert names("q=麥") == ["max"]
    assert names("role=user") == ["amy"]
    assert names("is_active=false") == ["max"]
    check(boss.get("/api/users?role=god"), 400, "VALIDATION_ERROR")
    check(boss.get("/api/users?is_active=maybe"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_change_leaves_the_rest(boss: Client, user: User, method: str) -> None:
    update_user(user=user, actor=None, email="amy@example.com")
    response = send(boss, method, f"/api/users/{user.pk}", {"display_name": "艾咪", "role": "manager"})
    data = response.json()["data"]
    assert (response.status_code, data["display_name"], data["role"]) == (200, "艾咪", "manager")
    user.refresh_from_db()
    assert user.email == "amy@example.com"
    assert user.check_password(PASSWORD)
    assert [group.name for group in user.groups.all()] == ["主管"]
    assert send(boss, "get", f"/api/users/{user.pk}").json()["data"] == data


def test_change_to_a_name_that_is_taken(boss: Client, user: User, manager: User) -> None:
    check(send(boss, "put", f"/api/users/{user.pk}", {"username": "Max"}), 400, "VALIDATION_ERROR")
    assert send(boss, "put", f"/api/users/{user.pk}", {"username": "Amy"}).status_code == 200


@pytest.mark.parametrize("path", ["/api/users/999999", "/api/users/99999999999999999999999", "/api/users/x"])
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_nobody_there(boss: Client, path: str, method: str) -> None:
    check(send(boss, method, path), 404, "NOT_FOUND")


def test_delete(boss: Client, user: User) -> None:
    create_token(user=user, name="n8n")
    Client().post("/login", {"username": "amy", "password": PASSWORD})
    response = send(boss, "delete", f"/api/users/{user.pk}")
    assert response.json() == {"success": True, "data": None, "message": "已刪除使用者"}
    assert not User.objects.filter(pk=user.pk).exists()
    assert not ApiToken.objects.filter(name="n8n").exists()
    assert LoginAttempt.objects.get().username == "amy", "the history stays"


def test_not_oneself(boss: Client, admin: User) -> None:
    person("second", Role.ADMIN)
    assert "自己" in check(send(boss, "delete", f"/api/users/{admin.pk}"), 409, "CONFLICT")["error"]
    check(send(boss, "put", f"/api/users/{admin.pk}", {"is_active": False}), 409, "CONFLICT")
    assert send(boss, "put", f"/api/users/{admin.pk}", {"role": "user"}).status_code == 200


def test_not_the_last_active_admin(boss: Client, admin: User) -> None:
    second = person("second", Role.ADMIN)
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert "最後一位" in check(send(boss, "put", f"/api/users/{admin.pk}", {"role": "user"}), 409, "CONFLICT")["error"]
    assert send(boss, "delete", f"/api/users/{second.pk}").status_code == 200, "an inactive one does not count"
    with pytest.raises(Conflict, match="最後一位"):
        delete_user(user=admin, actor=None)
    assert send(boss, "put", f"/api/users/{admin.pk}", {"role": "admin", "is_active": True}).status_code == 200


def test_a_superuser_who_is_made_less_is_less(boss: Client, admin: User) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    assert send(boss, "put", f"/api/users/{root.pk}", {"display_name": "根"}).status_code == 200
    root.refresh_from_db()
    assert root.is_superuser
    assert send(boss, "put", f"/api/users/{root.pk}", {"role": "user"}).json()["data"]["role"] == "user"
    assert token_client(root).get("/api/users").status_code == 403
    assert not User.objects.get(pk=root.pk).has_perm("accounts.view_user")


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_cannot_both_go() -> None:
    """Each takes the other's role at the same moment; one must stay."""
    one, two = person("one", Role.ADMIN), person("two", Role.ADMIN)
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def demote(actor: User, target: User) -> None:
        try:
            together.wait()
            update_user(user=target, actor=actor, role=Role.USER)
            outcomes.append("done")
        except Conflict:
            outcomes.append("refused")
        finally:
            connection.close()

    for _ in range(5):
        User.objects.update(role=Role.ADMIN)
        outcomes.clear()
        threads = [threading.Thread(target=demote, args=pair) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["done", "refused"]
        assert User.objects.filter(role=Role.ADMIN).count() == 1


@pytest.mark.parametrize("fixture", ["user", "manager"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/users"),
        ("post", "/api/users"),
        ("get", "/api/users/1"),
        ("put", "/api/users/1"),
        ("patch", "/api/users/1"),
        ("delete", "/api/users/1"),
        ("post", "/api/users/1/reset_password"),
    ],
)
def test_only_admins(request: pytest.FixtureRequest, fixture: str, method: str, path: str, nobody: Client) -> None:
    check(send(token_client(request.getfixturevalue(fixture)), method, path), 403, "PERMISSION_DENIED")
    check(send(nobody, method, path), 401, "AUTH_REQUIRED")


# --- Passwords ------------------------------------------------------------------------------------------------------


def test_change_password_ends_other_sessions(user: User) -> None:
    here, there, program = session_client(user), session_client(user), token_client(user)
    response = send(here, "post", "/api/user/change_password", {"current_password": PASSWORD, "new_password": NEW})
    assert response.json() == {"success": True, "data": None, "message": "密碼已變更"}
    assert here.get("/api/t/echo").status_code == 200
    assert there.get("/api/t/echo").status_code == 401
    assert program.get("/api/t/echo").status_code == 200, "a token is no session"
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert user.password_changed_at is not None


def test_change_password_by_token_ends_every_session(user: User) -> None:
    browser = session_client(user)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert send(token_client(user), "post", "/api/user/change_password", body).status_code == 200
    assert browser.get("/api/t/echo").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"current_password": "wrong", "new_password": NEW}, "current_password"),
        ({"current_password": PASSWORD, "new_password": "123"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": PASSWORD}, "new_password"),
        ({"current_password": PASSWORD}, "new_password"),
        ({}, "current_password"),
    ],
)
def test_change_password_refused(user: User, body: dict[str, str], field: str) -> None:
    response = send(session_client(user), "post", "/api/user/change_password", body)
    assert field in check(response, 400, "VALIDATION_ERROR")["fields"]
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_reset_with_a_given_password(boss: Client, user: User) -> None:
    browser = session_client(user)
    response = send(boss, "post", f"/api/users/{user.pk}/reset_password", {"new_password": NEW})
    assert response.json()["data"] == {"username": "amy", "new_password": None, "must_change_password": False}
    assert browser.get("/api/t/echo").status_code == 401
    check(send(boss, "post", f"/api/users/{user.pk}/reset_password", {"new_password": "123"}), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", [{}, {"new_password": None}])
def test_reset_with_a_made_password(boss: Client, user: User, body: dict[str, None]) -> None:
    data = send(boss, "post", f"/api/users/{user.pk}/reset_password", body).json()["data"]
    assert data["must_change_password"] is True
    user.refresh_from_db()
    assert user.check_password(data["new_password"])
    assert user.must_change_password


def test_admin_who_resets_the_own_password_stays(admin: User) -> None:
    browser = session_client(admin)
    assert send(browser, "post", f"/api/users/{admin.pk}/reset_password", {"new_password": NEW}).status_code == 200
    assert browser.get("/api/users").status_code == 200
    assert send(browser, "put", f"/api/users/{admin.pk}", {"password": PASSWORD}).status_code == 200
    assert browser.get("/api/users").status_code == 200


# --- Login history --------------------------------------------------------------------------------------------------


def test_login_history(boss: Client, user: User, manager: User) -> None:
    for name, password in (("amy", PASSWORD), ("amy", "wrong"), ("max", PASSWORD), ("ghost", "x")):
        Client().post("/login", {"username": name, "password": password}, headers={"User-Agent": "Browser/1.0"})

    def history(client: Client, query: str = "") -> list[tuple[str, str]]:
        items = client.get(f"/api/users/login_history?{query}").json()["data"]["items"]
        return [(row["username"], row["reason"]) for row in items]

    everything = [("ghost", "unknown_user"), ("max", "ok"), ("amy", "wrong_password"), ("amy", "ok")]
    assert history(boss) == everything
    assert history(token_client(user)) == everything[2:], "others see their own"
    assert history(token_client(user), "username=max") == []
    assert history(boss, "success=false") == [everything[0], everything[2]]
    assert history(boss, "username=max") == [everything[1]]
    assert history(boss, "end_date=2020-01-01") == []
    row = boss.get("/api/users/login_history?username=ghost").json()["data"]["items"][0]
    assert row["time"].endswith("+08:00")
    assert {name: row[name] for name in ("address", "user_agent", "success", "outcome", "reason_text", "user_id")} == {
        "address": "127.0.0.1",
        "user_agent": "Browser/1.0",
        "success": False,
        "outcome": "failure",
        "reason_text": "沒有這個帳號",
        "user_id": None,
    }
    check(boss.get("/api/users/login_history?success=perhaps"), 400, "VALIDATION_ERROR")
