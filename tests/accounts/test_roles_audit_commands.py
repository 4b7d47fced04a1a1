"""What roles may do in the admin, who is written into the audit trail, and the commands."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Role, User
from accounts.roles import sync_groups
from accounts.services import create_token, update_user
from tests.kit.users import PASSWORD, person, session_client, token_client

TOKEN = re.compile(r"momo_[A-Za-z0-9_-]{40}")


def run(*args: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


# --- Roles ----------------------------------------------------------------------------------------------------------


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_permissions_follow_the_role(user: User) -> None:
    assert fresh(user).has_perm("products.view_product")
    assert not fresh(user).has_perm("products.change_product")
    assert not fresh(user).has_perm("accounts.view_user")
    update_user(user=user, actor=None, role=Role.MANAGER)
    assert fresh(user).has_perm("products.change_product")
    assert not fresh(user).has_perm("accounts.view_apitoken")
    person("second", Role.ADMIN)
    update_user(user=user, actor=None, role=Role.ADMIN)
    assert fresh(user).has_perm("accounts.delete_user")
    assert len(fresh(user).get_all_permissions()) == Permission.objects.count()
    update_user(user=user, actor=None, role=Role.USER)
    assert not fresh(user).has_perm("products.change_product")


def test_groups_of_staff_stay(user: User) -> None:
    extra = Group.objects.create(name="夜班")
    user.groups.add(extra)
    update_user(user=user, actor=None, role=Role.MANAGER)
    assert set(user.groups.values_list("name", flat=True)) == {"夜班", "主管"}


def test_sync_takes_back_what_is_too_much(db: None) -> None:
    group = Group.objects.get(name="使用者")
    group.permissions.add(Permission.objects.get(codename="delete_user"))
    sync_groups()
    assert not group.permissions.filter(codename="delete_user").exists()


def test_groups_exist_after_migrations(db: None) -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= {"使用者", "主管", "管理員"}
    assert Group.objects.get(name="管理員").permissions.count() == Permission.objects.count()


@pytest.mark.parametrize("role", Role.values)
def test_everybody_gets_into_the_admin(db: None, role: str) -> None:
    assert person("somebody", role).is_staff


def test_createsuperuser_is_an_admin(db: None) -> None:
    call_command("createsuperuser", interactive=False, username="root", email="root@example.com", verbosity=0)
    root = User.objects.get(username="root")
    assert (root.role, root.is_superuser, root.is_staff) == (Role.ADMIN, True, True)
    assert [group.name for group in root.groups.all()] == ["管理員"]


def test_the_database_holds_the_rules_too(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.update(role="god")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="AMY")


# --- Audit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [session_client, token_client])
def test_audit_knows_who_by_either_way_in(user: User, way: Any) -> None:
    client = way(user)
    LogEntry.objects.all().delete()
    client.post("/api/t/audit", headers={"X-Request-ID": "trace-1"})
    entry = LogEntry.objects.get()
    assert entry.actor == user
    assert entry.changes == {"display_name": ["", "改過"]}
    assert (entry.remote_addr, entry.cid) == ("127.0.0.1", "trace-1")


def test_nothing_of_a_request_stays_behind(user: User) -> None:
    token_client(user).post("/api/t/audit")
    LogEntry.objects.all().delete()
    update_user(user=user, actor=None, display_name="由程式")
    entry = LogEntry.objects.get()
    assert (entry.actor, entry.remote_addr, entry.cid) == (None, None, None)


def test_audit_never_holds_secrets(user: User) -> None:
    made = create_token(user=user, name="n8n")
    update_user(user=user, actor=None, password="Another-pass-2026")
    Client().post("/login", {"username": "amy", "password": "Another-pass-2026"})
    user.refresh_from_db()
    written = " ".join(str(entry.changes) + str(entry.serialized_data) for entry in LogEntry.objects.all())
    assert made.token.prefix in written
    assert "password_changed_at" in written
    for secret in (made.text, made.token.digest, user.password):
        assert secret not in written
    assert "last_login" not in written


# --- Tokens ---------------------------------------------------------------------------------------------------------


def test_token_is_stored_as_digest_only(user: User, admin: User) -> None:
    made = create_token(user=user, name="n8n", created_by=admin)
    assert TOKEN.fullmatch(made.text)
    stored = ApiToken.objects.get()
    assert stored.digest == hashlib.sha256(made.text.encode()).hexdigest()
    assert stored.prefix == made.text[:13]
    assert stored.created_by == admin
    assert made.text not in repr(ApiToken.objects.values().get())


def test_token_needs_a_name(user: User) -> None:
    with pytest.raises(ValidationError):
        create_token(user=user, name="")


def test_create_api_token_prints_only_the_token(user: User) -> None:
    out, err = run("create_api_token", "amy", "--name", "n8n", "--days", "30")
    assert TOKEN.fullmatch(out.rstrip("\n"))
    assert err == ""
    token = ApiToken.objects.get()
    assert token.name == "n8n"
    assert abs(token.expires_at - timezone.now() - dt.timedelta(days=30)) < dt.timedelta(minutes=1)  # type: ignore[operator]
    client = Client(headers={"Authorization": f"Bearer {out.strip()}"})
    assert client.get("/api/t/echo").status_code == 200
    assert ApiToken.objects.get().is_usable()
    run("create_api_token", "amy")
    assert ApiToken.objects.filter(expires_at=None).count() == 1


@pytest.mark.parametrize(
    "args", [("nobody",), ("amy", "--days", "0"), ("amy", "--days", "-1"), ("amy", "--days", "9999")]
)
def test_create_api_token_refuses(user: User, args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run("create_api_token", *args)
    User.objects.update(is_active=False)
    with pytest.raises(CommandError):
        run("create_api_token", "amy")
    assert ApiToken.objects.count() == 0


# --- ensure_admin ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOMO_ADMIN_PASSWORD", raising=False)


def test_ensure_admin_makes_one_once(db: None) -> None:
    out, _ = run("ensure_admin")
    password = re.search(r"密碼：(\S+)", out)
    assert password
    made = User.objects.get(username="admin")
    assert made.check_password(password[1])
    assert (made.role, made.is_active) == (Role.ADMIN, True)
    assert run("ensure_admin")[0] == ""
    assert User.objects.count() == 1


def test_ensure_admin_takes_the_password_given(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMO_ADMIN_PASSWORD", PASSWORD)
    out, _ = run("ensure_admin")
    assert out == ""
    made = User.objects.get(username="admin")
    assert made.check_password(PASSWORD)


def test_ensure_admin_refuses_a_weak_password(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMO_ADMIN_PASSWORD", "123")
    with pytest.raises(CommandError, match="MOMO_ADMIN_PASSWORD"):
        run("ensure_admin")
    assert User.objects.count() == 0


def test_ensure_admin_leaves_others_alone(admin: User) -> None:
    assert run("ensure_admin")[0] == ""
    assert not User.objects.filter(username="admin").exists()


def test_ensure_admin_does_not_take_over_a_name(db: None) -> None:
    person("admin", Role.USER)
    with pytest.raises(CommandError, match="已存在"):
        run("ensure_admin")
