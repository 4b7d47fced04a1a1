"""Login: accepted and refused attempts, redirects, throttling and lockout, session lifetime."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import LoginAttempt, LoginSession, User
from accounts.services import reset_password, unlock_login, update_user
from accounts.sessions import clean_username
from tests.kit.users import PASSWORD, session_client
from tests.rest.test_failures import check

JSON = {"Accept": "application/json"}


def log_in(client: Client | None = None, **kwargs: Any) -> Any:
    form = {"username": "amy", "password": PASSWORD, **kwargs.pop("form", {})}
    return (client or Client()).post("/login", form, **kwargs)


def fail(name: str = "amy", **kwargs: Any) -> Any:
    return log_in(form={"username": name, "password": "wrong"}, **kwargs)


def test_form(nobody: Client) -> None:
    response = nobody.get("/login?next=/admin/products/")
    page = response.content.decode()
    assert response.status_code == 200
    assert 'lang="zh-Hant"' in page
    assert 'name="next" value="/admin/products/"' in page
    assert "no-store" in response["Cache-Control"]
    for outside in ("http://", "https://", "<script", "onclick", "<style"):
        assert outside not in page.replace("http://www.w3.org", "")


def test_success(user: User) -> None:
    client = Client()
    response = log_in(client)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert client.get("/api/t/echo").status_code == 200


def test_success_for_a_program_is_the_same(user: User) -> None:
    assert log_in(headers=JSON).status_code == 302


@pytest.mark.parametrize("form", [{"password": "wrong"}, {"username": "nobody"}, {"password": ""}, {"username": " "}])
def test_failure(user: User, form: dict[str, str]) -> None:
    response = log_in(form=form)
    page = response.content.decode()
    assert response.status_code == 401
    assert 'role="alert"' in page
    assert "sessionid" not in response.cookies
    check(log_in(form=form, headers=JSON), 401, "AUTH_FAILED")


def test_nothing_at_all(nobody: Client) -> None:
    assert nobody.post("/login").status_code == 401


def test_inactive_is_told_no_more_than_others(user: User) -> None:
    User.objects.update(is_active=False)
    inactive, unknown = log_in(headers=JSON), log_in(form={"username": "who"}, headers=JSON)
    assert inactive.content == unknown.content
    assert list(LoginAttempt.objects.order_by("id").values_list("reason", flat=True)) == ["inactive", "unknown_user"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/admin/products/product/?q=1", "/admin/products/product/?q=1"),
        ("http://testserver/admin/", "http://testserver/admin/"),
        ("https://evil.example/", "/admin/"),
        ("//evil.example/", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("\\\\evil.example", "/admin/"),
        ("http:///evil.example", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("\x00//evil.example", "/admin/"),
        ("/logout", "/admin/"),
        ("/login?next=/login", "/admin/"),
        ("/" + "x" * 3000, "/admin/"),
        ("", "/admin/"),
    ],
)
def test_next_stays_here(user: User, target: str, expected: str) -> None:
    assert log_in(form={"next": target})["Location"] == expected


def test_already_inside(user: User) -> None:
    assert session_client(user).get("/login?next=/admin/auth/")["Location"] == "/admin/auth/"


def test_wrong_method_of_an_api_client(nobody: Client) -> None:
    check(nobody.put("/login", headers=JSON), 405, "METHOD_NOT_ALLOWED")
    assert nobody.put("/login").status_code == 405


def test_session_key_changes_at_login(user: User) -> None:
    client = Client()
    session = client.session
    session["planted"] = 1
    session.save()
    before = session.session_key
    log_in(client)
    assert client.session.session_key != before
    assert not LoginSession.objects.filter(session_key=before).exists()


def test_session_key_changes_at_each_login_of_the_same_user(user: User) -> None:
    client = Client()
    log_in(client)
    before = client.session.session_key
    session = client.session
    session["planted"] = 1
    session.save()
    log_in(client)
    assert client.session.session_key != before
    assert "planted" not in client.session
    assert list(LoginSession.objects.values_list("session_key", flat=True)) == [client.session.session_key]


def test_deactivation_ends_sessions_for_good(user: User, admin: User) -> None:
    client, other = session_client(user), session_client(admin)
    update_user(user=user, actor=admin, is_active=False)
    assert list(LoginSession.objects.values_list("user", flat=True)) == [admin.pk]
    update_user(user=user, actor=admin, is_active=True)
    assert client.get("/api/t/echo").status_code == 401
    assert other.get("/api/t/echo").status_code == 200


def test_a_session_that_was_seen_while_its_user_was_inactive_is_over(user: User) -> None:
    """However the user was deactivated."""
    client = session_client(user)
    User.objects.update(is_active=False)
    assert client.get("/api/t/echo").status_code == 401
    User.objects.update(is_active=True)
    assert client.get("/api/t/echo").status_code == 401
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_logout(user: User, method: str) -> None:
    client = session_client(user)
    response = getattr(client, method)("/logout")
    assert (response.status_code, response["Location"]) == (302, "/login")
    assert LoginSession.objects.count() == 0
    assert client.get("/api/t/echo").status_code == 401
    assert client.put("/logout").status_code == 405


# --- Lock-out -------------------------------------------------------------------------------------------------------


def test_lock_out_of_a_name_and_address(user: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    here, there = {"X-Forwarded-For": "1.1.1.1"}, {"X-Forwarded-For": "2.2.2.2"}
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False) as clock:
        assert [fail(headers=here).status_code for _ in range(5)] == [401] * 5
        refused = log_in(headers=here)
        assert refused.status_code == 429
        assert refused["Retry-After"] == "900"
        assert "15 分鐘" in refused.content.decode()
        body = check(log_in(headers={**here, **JSON}), 429, "RATE_LIMITED")
        assert "15 分鐘" in body["error"]
        assert log_in(headers={**here, "User-Agent": "another"}).status_code == 429, (
            "a name for the browser is no way out"
        )
        assert log_in(headers=there).status_code == 302, "another address is another pair"
        assert fail("bob", headers=here).status_code == 401, "another name is another pair"
        clock.shift(600)
        assert log_in(headers=here)["Retry-After"] == "300", "trying meanwhile does not prolong it"
        clock.shift(301)
        assert log_in(headers=here).status_code == 302
    reasons = list(LoginAttempt.objects.filter(address="1.1.1.1", username="amy").values_list("reason", flat=True))
    assert reasons.count("locked") == 4


def test_success_clears_the_count(user: User) -> None:
    for _ in range(2):
        assert [fail().status_code for _ in range(4)] == [401] * 4
        assert log_in().status_code == 302


def test_unknown_names_are_locked_alike(user: User) -> None:
    assert [fail("ghost").status_code for _ in range(6)] == [401] * 5 + [429]


def test_forms_of_a_name_count_as_one(user: User) -> None:
    for name in ("amy", " amy", "ａmy", "amy\x00", "amy "):
        assert fail(name).status_code == 401
    assert log_in().status_code == 429


def test_an_admin_can_unlock(user: User) -> None:
    for _ in range(6):
        fail()
    assert unlock_login(username="amy") == 1
    assert log_in().status_code == 302
    for _ in range(6):
        fail()
    reset_password(user=user, new_password="Another-pass-2026")
    assert log_in(form={"password": "Another-pass-2026"}).status_code == 302


def test_redis_away_does_not_open_the_lock(user: User, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}}
    assert [fail().status_code for _ in range(6)] == [401] * 5 + [429]


# --- History --------------------------------------------------------------------------------------------------------


def test_every_try_is_recorded(user: User) -> None:
    log_in(headers={"User-Agent": "Browser/1.0"})
    fail()
    fail("ghost")
    rows = list(LoginAttempt.objects.order_by("id").values_list("username", "user", "success", "reason"))
    assert rows == [
        ("amy", user.pk, True, "ok"),
        ("amy", user.pk, False, "wrong_password"),
        ("ghost", None, False, "unknown_user"),
    ]
    first = LoginAttempt.objects.earliest("id")
    assert (first.address, first.user_agent) == ("127.0.0.1", "Browser/1.0")


@pytest.mark.parametrize("name", ["x" * 5000, "a\x00b", "\ud800", "名字" * 200, "' OR 1=1 --"])
def test_whatever_is_sent_is_recorded_in_bounds(db: None, name: str) -> None:
    form = urlencode({"username": name, "password": "x\x00"}, errors="surrogatepass")
    response = Client().post(
        "/login", form, content_type="application/x-www-form-urlencoded", headers={"User-Agent": "u" * 1000}
    )
    assert response.status_code == 401
    attempt = LoginAttempt.objects.get()
    assert 0 < len(attempt.username) <= 150
    assert len(attempt.user_agent) == 300


def test_a_name_that_is_cut_belongs_to_nobody(db: None) -> None:
    assert clean_username("x" * 151) != "x" * 150
    assert len(clean_username("x" * 151)) == 150


# --- Queries --------------------------------------------------------------------------------------------------------


def test_unknown_and_known_names_cost_the_same_queries(user: User) -> None:
    """tests/contract/test_login_timing.py compares their time."""
    queries = {}
    for name in ("amy", "ghost"):
        fail(name)
        with CaptureQueriesContext(connection) as captured:
            fail(name)
        queries[name] = [query["sql"].split(" ")[0] for query in captured]
    assert queries["amy"] == queries["ghost"]


# --- Life of a session ----------------------------------------------------------------------------------------------


def test_session_ends_without_use_and_lives_with_it(user: User) -> None:
    client = Client()
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False) as clock:
        log_in(client)
        clock.shift(dt.timedelta(hours=7))
        assert client.get("/api/t/echo").status_code == 200
        clock.shift(dt.timedelta(hours=7))
        assert client.get("/api/t/echo").status_code == 200, "use moved its end"
        clock.shift(dt.timedelta(hours=9))
        assert client.get("/api/t/echo").status_code == 401


def test_use_is_written_at_most_every_few_minutes(user: User, django_assert_num_queries: Any) -> None:
    client = Client()
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False) as clock:
        log_in(client)
        clock.shift(299)
        with django_assert_num_queries(1):
            assert "sessionid" not in client.get("/api/t/echo").cookies
        clock.shift(2)
        response = client.get("/api/t/echo")
        assert response.cookies["sessionid"]["max-age"] == 8 * 3600
        with django_assert_num_queries(1):
            client.get("/api/t/echo")


def test_session_ends_at_its_last_day_however_used(user: User) -> None:
    client = Client()
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False) as clock:
        log_in(client)
        for _ in range(7 * 4):
            assert client.get("/api/t/echo").status_code == 200
            clock.shift(dt.timedelta(hours=6))
        clock.shift(1)
        assert client.get("/api/t/echo").status_code == 401
        assert LoginSession.objects.count() == 0


# --- The password page ----------------------------------------------------------------------------------------------


def test_who_must_change_is_led_there_and_onwards(user: User) -> None:
    update_user(user=user, actor=None, must_change_password=True)
    client = Client()
    response = log_in(client, form={"next": "/plain"})
    assert response["Location"] == "/change_password?next=%2Fplain"
    assert client.get("/plain?x=1")["Location"] == "/change_password?next=%2Fplain%3Fx%3D1"
    page = client.get(response["Location"]).content.decode()
    assert 'value="/plain"' in page
    assert "<script" not in page
    form = {"current_password": PASSWORD, "new_password": "Another-pass-2026", "confirmation": "Another-pass-2026"}
    wrong = client.post("/change_password", {**form, "confirmation": "x"})
    assert (wrong.status_code, "兩次輸入" in wrong.content.decode()) == (400, True)
    assert "目前的密碼不正確" in client.post("/change_password", {**form, "current_password": "x"}).content.decode()
    weak = client.post("/change_password", {**form, "new_password": "12345678", "confirmation": "12345678"})
    assert weak.content.decode().count('class="wrong"') == 2
    done = client.post("/change_password", {**form, "next": "/plain"})
    assert (done.status_code, done["Location"]) == (302, "/plain")
    assert client.get("/plain").content == b"plain", "the session that changed it stays"
    user.refresh_from_db()
    assert not user.must_change_password
    assert timezone.now() - user.password_changed_at < dt.timedelta(minutes=1)  # type: ignore[operator]


def test_password_page_requires_a_session(nobody: Client) -> None:
    assert nobody.get("/change_password")["Location"] == "/login?next=/change_password"
