"""The chats of Telegram, and switching them on again."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from notifications.models import Chat
from tests.admin import makers_notifications as makers

pytestmark = pytest.mark.django_db
YES = {"_form_submitted": "True"}


def page_text(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def page_of(one: Any) -> str:
    return reverse(f"admin:notifications_{one._meta.model_name}_change", args=[one.pk])


@pytest.mark.parametrize(
    ("chat_id", "good"),
    [("-100123", True), ("123", True), ("@prices", True), ("abc", False), ("0", False), ("", False)],
)
def test_a_chat_is_known_by_its_number_or_name(chat_id: str, good: bool, as_boss: Client) -> None:
    answer = as_boss.post(
        reverse("admin:notifications_chat_add"), {"chat_id": chat_id, "title": "群組", "is_active": "on"}
    )

    assert (answer.status_code, Chat.objects.count()) == ((302, 1) if good else (200, 0))


def test_switching_on_clears_why_it_was_off(as_manager: Client) -> None:
    one = makers.chat(is_active=False, note="被踢出群組")
    url = reverse("admin:notifications_chat_switch_on", args=[one.pk])

    page = as_manager.get(page_of(one)).content.decode()
    asked = as_manager.get(url)
    one.refresh_from_db()
    still = one.is_active
    answer = as_manager.post(url, YES)
    again = as_manager.post(url, YES)

    one.refresh_from_db()
    assert "被踢出群組" in page
    assert f'"{url}"' in page
    assert asked.status_code == 200
    assert (still, one.is_active, one.note) == (False, True, "")
    assert "已重新啟用" in page_text(answer)
    assert "本來就是啟用的" in page_text(again)
    assert f'"{url}"' not in as_manager.get(page_of(one)).content.decode()
    assert LogEntry.objects.get_for_object(one).filter(action=LogEntry.Action.UPDATE).count() == 1


def test_switching_on_in_the_form_clears_it_too_and_writes_nothing_else(as_manager: Client) -> None:
    one = makers.chat(is_active=False, note="被踢出群組")
    before = one.next_at
    form = {"chat_id": one.chat_id, "title": one.title, "is_active": "on", "note": one.note}

    as_manager.post(page_of(one), form)
    one.refresh_from_db()
    cleared = (one.is_active, one.note)
    as_manager.post(page_of(one), form | {"note": "新的備註"})

    one.refresh_from_db()
    assert (cleared, one.note, one.next_at) == ((True, ""), "新的備註", before)


def test_many_are_switched_on(as_manager: Client) -> None:
    made = makers.chats(4)

    answer = as_manager.post(
        reverse("admin:notifications_chat_changelist"),
        {"action": "switch_on_selected", "_selected_action": [one.pk for one in made], "index": 0},
    )

    assert not Chat.objects.filter(is_active=False).exists()
    assert "已重新啟用 2 個" in page_text(answer)


def test_a_user_switches_nothing_on(as_reader: Client) -> None:
    one = makers.chat(is_active=False, note="被踢出")

    answer = as_reader.post(reverse("admin:notifications_chat_switch_on", args=[one.pk]), YES)

    one.refresh_from_db()
    assert answer.status_code == 403
    assert not one.is_active


def test_a_chat_with_messages_is_not_deleted(as_boss: Client) -> None:
    makers.parts(1)
    one = Chat.objects.get()

    as_boss.post(reverse("admin:notifications_chat_delete", args=[one.pk]), {"post": "yes"})

    assert Chat.objects.filter(pk=one.pk).exists()


def test_where_messages_went_deleting_is_not_even_offered(as_boss: Client) -> None:
    makers.parts(1)
    used, unused = Chat.objects.get(), makers.chat("-2002")
    urls = [reverse("admin:notifications_chat_delete", args=[one.pk]) for one in (used, unused)]

    pages = [as_boss.get(page_of(one)).content.decode() for one in (used, unused)]

    assert [url in page for url, page in zip(urls, pages, strict=True)] == [False, True]
    assert [as_boss.get(url).status_code for url in urls] == [403, 200]
    assert "有訊息的聊天室只能停用" in pages[0]
    assert "delete_selected" not in as_boss.get(reverse("admin:notifications_chat_changelist")).content.decode()


def test_a_chat_without_messages_can_be_deleted(as_boss: Client) -> None:
    one = makers.chat()

    as_boss.post(reverse("admin:notifications_chat_delete", args=[one.pk]), {"post": "yes"})

    assert not Chat.objects.exists()


def test_switching_off_notes_who_did_it(as_manager: Client, as_reader: Client) -> None:
    one = makers.chat()
    url = reverse("admin:notifications_chat_switch_off", args=[one.pk])

    offered = f'"{url}"' in as_manager.get(page_of(one)).content.decode()
    refused = as_reader.post(url, YES).status_code
    answer = as_manager.post(url, YES)
    again = as_manager.post(url, YES)

    one.refresh_from_db()
    assert (offered, refused) == (True, 403)
    assert not one.is_active
    assert one.note.endswith("由 阿明 停用")
    assert "已停用" in page_text(answer)
    assert "本來就是停用的" in page_text(again)
    assert f'"{url}"' not in as_manager.get(page_of(one)).content.decode()
    assert url in as_manager.get(reverse("admin:notifications_chat_changelist")).content.decode()
    assert LogEntry.objects.get_for_object(one).filter(action=LogEntry.Action.UPDATE).count() == 1
