"""Users, tokens, logins and the audit trail in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, Role, User
from accounts.services import authenticate_token, create_token, create_user, update_user
from tests.admin.conftest import PASSWORD

NEW = {"username": "new", "display_name": "新人", "email": "new@example.com", "role": "manager"}


def message_text(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def test_a_new_person_gets_their_password_shown_once(as_boss: Client) -> None:
    answer = as_boss.post(reverse("admin:accounts_user_add"), {**NEW, "password": ""})

    user = User.objects.get(username="new")
    secret = answer.context["secret"]
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert user.check_password(secret)
    assert user.must_change_password
    assert user.groups.get().name == "主管"
    assert secret not in as_boss.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()


def test_a_new_person_with_a_given_password(as_boss: Client) -> None:
    answer = as_boss.post(reverse("admin:accounts_user_add"), {**NEW, "password": PASSWORD})

    assert answer.status_code == 302
    assert User.objects.get(username="new").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("changes", "field"), [({"username": "ADA"}, "username"), ({"password": "12345678"}, "password")]
)
def test_a_person_that_cannot_be(changes: dict[str, str], field: str, as_boss: Client) -> None:
    answer = as_boss.post(reverse("admin:accounts_user_add"), {**NEW, "password": "", **changes})

    assert field in answer.context["adminform"].form.errors
    assert not User.objects.filter(username="new").exists()


def test_changing_a_role_changes_the_group(as_boss: Client, reader: User) -> None:
    answer = as_boss.post(
        reverse("admin:accounts_user_change", args=[reader.pk]),
        {"username": "amy", "display_name": "小美", "email": "", "role": "manager", "is_active": "on", **tokens_of(0)},
    )

    reader.refresh_from_db()
    assert answer.status_code == 302
    assert (reader.role, [group.name for group in reader.groups.all()]) == (Role.MANAGER, ["主管"])


def tokens_of(number: int) -> dict[str, Any]:
    """The management forms of the read-only list of tokens, and of no scopes."""
    none = {"scopes-TOTAL_FORMS": 0, "scopes-INITIAL_FORMS": 0}
    return {"api_tokens-TOTAL_FORMS": number, "api_tokens-INITIAL_FORMS": number, **none}


def test_the_last_admin_keeps_their_role(as_boss: Client, boss: User) -> None:
    answer = as_boss.post(
        reverse("admin:accounts_user_change", args=[boss.pk]),
        {"username": "ada", "display_name": "", "email": "", "role": "user", "is_active": "on", **tokens_of(0)},
    )

    boss.refresh_from_db()
    assert boss.role == Role.ADMIN
    assert "最後一位" in message_text(answer)


def test_nobody_deletes_themselves(as_boss: Client, boss: User) -> None:
    answer = as_boss.post(reverse("admin:accounts_user_delete", args=[boss.pk]), {"post": "yes"})

    assert User.objects.filter(pk=boss.pk).exists()
    assert "不能刪除自己" in message_text(answer)


def test_somebody_is_deleted_with_their_tokens(as_boss: Client, reader: User) -> None:
    create_token(user=reader, name="匯出")

    answer = as_boss.post(reverse("admin:accounts_user_delete", args=[reader.pk]), {"post": "yes"})

    assert answer.status_code == 302
    assert not User.objects.filter(pk=reader.pk).exists()
    assert not ApiToken.objects.exists()


def test_users_cannot_be_deleted_in_bulk(as_boss: Client, reader: User) -> None:
    as_boss.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "delete_selected", "_selected_action": [reader.pk], "post": "yes"},
    )

    assert User.objects.filter(pk=reader.pk).exists()


def test_a_reset_password_is_shown_once(as_boss: Client, reader: User) -> None:
    url = reverse("admin:accounts_user_reset_password", args=[reader.pk])
    before = User.objects.get(pk=reader.pk).password

    asked = as_boss.get(url)
    untouched = User.objects.get(pk=reader.pk).password
    answer = as_boss.post(url)

    reader.refresh_from_db()
    assert asked.status_code == 200
    assert untouched == before
    assert reader.check_password(answer.context["secret"])
    assert reader.must_change_password
    assert "no-store" in answer["Cache-Control"]


def test_resetting_a_password_needs_the_token_of_the_form(boss: User, reader: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(boss)

    answer = careful.post(reverse("admin:accounts_user_reset_password", args=[reader.pk]))

    assert answer.status_code == 403
    assert User.objects.get(pk=reader.pk).check_password(PASSWORD)


def test_a_new_token_is_shown_once_and_works(as_boss: Client, boss: User, reader: User) -> None:
    answer = as_boss.post(
        reverse("admin:accounts_apitoken_add"),
        {"user": reader.pk, "name": "n8n", "expires_at_0": "", "expires_at_1": ""},
    )

    token = ApiToken.objects.get()
    secret = answer.context["secret"]
    assert authenticate_token(raw=secret) == token
    assert (token.user, token.created_by) == (reader, boss)
    for page in ("admin:accounts_apitoken_changelist", "admin:accounts_user_changelist"):
        assert secret not in as_boss.get(reverse(page)).content.decode()
    assert secret not in as_boss.get(reverse("admin:accounts_apitoken_change", args=[token.pk])).content.decode()


def test_a_token_does_not_end_in_the_past(as_boss: Client, reader: User) -> None:
    yesterday = timezone.localtime() - timedelta(days=1)
    answer = as_boss.post(
        reverse("admin:accounts_apitoken_add"),
        {"user": reader.pk, "name": "n8n", "expires_at_0": f"{yesterday:%Y-%m-%d}", "expires_at_1": "12:00:00"},
    )

    assert "expires_at" in answer.context["adminform"].form.errors


def test_a_token_is_revoked_after_a_question(as_boss: Client, reader: User) -> None:
    token = create_token(user=reader, name="n8n").token
    url = reverse("admin:accounts_apitoken_revoke", args=[token.pk])

    as_boss.get(url)
    token.refresh_from_db()
    untouched = token.revoked_at
    first = as_boss.post(url, {"_form_submitted": "True"})
    second = as_boss.post(url, {"_form_submitted": "True"})

    token.refresh_from_db()
    assert untouched is None
    assert token.revoked_at is not None
    assert "已撤銷" in message_text(first)
    assert "先前已經撤銷" in message_text(second)


def test_tokens_stand_under_their_owner_without_their_digest(as_boss: Client, reader: User) -> None:
    token = create_token(user=reader, name="n8n 匯出").token

    text = as_boss.get(reverse("admin:accounts_user_change", args=[reader.pk])).content.decode()

    assert "n8n 匯出" in text
    assert token.digest not in text
    assert reverse("admin:accounts_apitoken_revoke", args=[token.pk]) in text


def test_no_page_shows_a_password_hash(as_boss: Client, reader: User) -> None:
    for url in (
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_user_change", args=[reader.pk]),
        reverse("admin:auditlog_logentry_changelist"),
    ):
        assert reader.password not in as_boss.get(url).content.decode()


def test_the_trail_tells_who_changed_what_from_what_to_what(as_boss: Client, boss: User, reader: User) -> None:
    update_user(user=reader, actor=boss, role=Role.MANAGER, is_active=False)
    create_token(user=reader, name="n8n")

    text = as_boss.get(reverse("admin:auditlog_logentry_changelist")).content.decode()

    assert "<b>角色</b>　使用者 → 主管" in text
    assert "是 → 否" in text
    assert "<b>使用者</b>　（空） → 小美" in text


def test_an_entry_of_the_trail_has_a_page(as_boss: Client, reader: User) -> None:
    entry = LogEntry.objects.filter(object_pk=str(reader.pk)).first()
    assert entry is not None

    page = as_boss.get(reverse("admin:auditlog_logentry_change", args=[entry.pk]))

    assert page.status_code == 200
    assert "amy" in page.content.decode()


def test_logins_are_found_by_whole_name_and_address(as_boss: Client) -> None:
    from tests.admin import makers

    makers.logins(3)
    url = reverse("admin:accounts_loginattempt_changelist")

    def found(term: str) -> int:
        return len(as_boss.get(url, {"q": term}).context["cl"].result_list)

    name = User.objects.filter(username__startswith="person").first()
    assert name is not None
    assert (found(name.username), found("203.0.113.7"), found("203.0.113.8")) == (1, 3, 0)


def test_the_password_page_of_the_admin_is_the_front_doors(as_boss: Client) -> None:
    assert as_boss.get(reverse("admin:password_change"))["Location"].startswith("/change_password")


def test_a_user_name_that_is_markup_stays_text(as_boss: Client) -> None:
    create_user(username="x", password=PASSWORD, display_name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in as_boss.get(reverse("admin:accounts_user_changelist")).content.decode()


def test_what_is_said_to_who_makes_a_token_is_not_said_of_a_made_one(as_boss: Client, reader: User) -> None:
    token = create_token(user=reader, name="n8n").token

    assert "例：n8n" in as_boss.get(reverse("admin:accounts_apitoken_add")).content.decode()
    assert "例：n8n" not in as_boss.get(reverse("admin:accounts_apitoken_change", args=[token.pk])).content.decode()


def test_an_entry_of_the_trail_is_titled_in_our_language(as_boss: Client, reader: User) -> None:
    entry = LogEntry.objects.get_for_object(reader).get()

    page = as_boss.get(reverse("admin:auditlog_logentry_change", args=[entry.pk])).content.decode()

    assert "新增：小美" in page
    assert "Created" not in page
