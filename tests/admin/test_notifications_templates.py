"""The editor of templates: what it refuses, versions, and tests that are sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import OutboxMessage, Template, TemplateVersion
from notifications.services.templates import save_template, template_by_code
from tests.admin import makers_notifications as makers
from tests.admin.makers_notifications import form_of

pytestmark = pytest.mark.django_db
YES = {"_form_submitted": "True"}


def words(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def page_of(template: Template) -> str:
    return reverse("admin:notifications_template_change", args=[template.pk])


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in answer.context["adminform"].form.errors.items()}


# --- Saving ---------------------------------------------------------------------------------------------------------


def test_a_manager_makes_a_template(as_manager: Client, manager: User) -> None:
    answer = as_manager.post(reverse("admin:notifications_template_add"), form_of(note="第一次"))

    made = Template.objects.get(code="host_notice")
    version = made.versions.get()
    assert answer.status_code == 302
    assert (made.version, made.updated_by, made.body) == (1, manager, makers.BODY)
    assert (version.note, version.created_by) == ("第一次", manager)


def test_a_new_template_begins_without_variables(as_manager: Client) -> None:
    form = as_manager.get(reverse("admin:notifications_template_add")).context["adminform"].form

    assert form["variables"].value() == "[]"


def test_a_change_writes_the_next_version_with_its_note(as_manager: Client) -> None:
    one = makers.template()

    as_manager.post(page_of(one), form_of(one, body="{{ host }}，請看\r\n", note="簡短"))

    one.refresh_from_db()
    assert (one.version, one.body) == (2, "{{ host }}，請看\n")
    assert one.versions.get(number=2).note == "簡短"


def test_saving_what_nobody_changed_writes_no_version(as_manager: Client) -> None:
    one = makers.template(body="\n" + makers.BODY)
    form = as_manager.get(page_of(one)).context["adminform"].form
    shown = {name: form[name].value() or "" for name in form.fields}
    browser = {name: value.replace("\n", "\r\n") if isinstance(value, str) else value for name, value in shown.items()}

    as_manager.post(page_of(one), browser)

    one.refresh_from_db()
    assert (one.version, one.body) == (1, "\n" + makers.BODY)


def test_a_body_that_begins_with_an_empty_line_is_shown_with_it(as_manager: Client) -> None:
    one = makers.template(body="\n甲\n")

    text = as_manager.get(page_of(one)).content.decode()

    # A browser drops the first line end after the tag.
    assert re.search(r'<textarea name="body"[^>]*>\n\n甲\n</textarea>', text)


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"body": "一\n二\n{{ nobody }}"}, "body", "第 3 行："),
        ({"body": "一\n{% for item in items %}"}, "body", "第 2 行："),
        ({"body": "{{ host.__class__ }}"}, "body", "第 1 行："),
        ({"body": "一\n{% include 'x' %}"}, "body", "第 2 行："),
        ({"body": "一\n<b>{{ host }}"}, "body", "第 2 行："),
        ({"subject": "{{ missing }}"}, "subject", "第 1 行："),
        ({"variables": "[{"}, "variables", "JSON"),
        ({"variables": [{"name": "Host!", "type": "text"}]}, "variables", "第 1 個變數"),
        ({"variables": {"host": 1}}, "variables", "清單"),
        ({"format": "word"}, "format", "word"),
        ({"title": ""}, "title", "必"),
        ({"body": ""}, "body", "必"),
        ({"body": "x" * 20_001}, "body", "20000"),
    ],
)
def test_a_template_that_would_break_is_refused_at_its_field(
    values: dict[str, Any], field: str, said: str, as_manager: Client
) -> None:
    one = makers.template()

    answer = as_manager.post(page_of(one), form_of(one, **values))

    one.refresh_from_db()
    assert answer.status_code == 200
    assert said in "；".join(errors(answer)[field])
    assert (one.version, one.body) == (1, makers.BODY)
    assert TemplateVersion.objects.filter(template=one).count() == 1


def test_a_bad_new_template_is_not_made(as_manager: Client) -> None:
    answer = as_manager.post(reverse("admin:notifications_template_add"), form_of(body="{{ nobody }}"))

    assert "第 1 行" in answer.content.decode()
    assert not Template.objects.filter(code="host_notice").exists()


def test_a_code_never_changes(as_manager: Client) -> None:
    one = makers.template()

    as_manager.post(page_of(one), form_of(one, code="other", body="{{ host }}"))

    one.refresh_from_db()
    assert (one.code, one.version) == ("host_notice", 2)


def test_somebody_elses_version_is_not_overwritten_unseen(as_manager: Client, boss: User) -> None:
    one = makers.template()
    mine = form_of(one, body="{{ host }}：我的")
    save_template(template=one, user=boss, body="{{ host }}：他的")

    first = as_manager.post(page_of(one), mine)
    again = first.context["adminform"].form["seen_version"].value()
    second = as_manager.post(page_of(one), mine | {"seen_version": again})

    one.refresh_from_db()
    assert "管理員甲" in first.content.decode()
    assert "第 2 版" in first.content.decode()
    assert second.status_code == 302
    assert (one.version, one.body) == (3, "{{ host }}：我的")


def test_only_what_did_not_come_with_the_system_can_be_deleted(as_boss: Client, as_manager: Client) -> None:
    own, shipped = makers.template(), template_by_code("disk_warning")

    answers = [
        client.post(reverse("admin:notifications_template_delete", args=[one.pk]), {"post": "yes"}).status_code
        for client, one in ((as_manager, own), (as_boss, shipped), (as_boss, own))
    ]

    assert answers == [403, 403, 302]
    assert not Template.objects.filter(pk=own.pk).exists()
    assert "delete_selected" not in as_boss.get(reverse("admin:notifications_template_changelist")).content.decode()


def test_a_user_reads_and_does_not_write(as_reader: Client) -> None:
    one = makers.template()

    page = as_reader.get(page_of(one))
    changed = as_reader.post(page_of(one), form_of(one, body="{{ host }}"))

    one.refresh_from_db()
    assert page.status_code == 200
    assert changed.status_code == 403
    assert as_reader.get(reverse("admin:notifications_template_add")).status_code == 403
    assert one.version == 1


def test_a_user_reads_variables_in_a_table(as_reader: Client) -> None:
    inner = [{"name": "price", "type": "number", "description": "售價<元>"}]
    goods = {"name": "goods", "type": "list", "example": [{"price": 5}], "fields": inner}
    one = makers.template(body="<b>{{ host }}</b>\n  兩行", variables=[*makers.VARIABLES, goods])

    text = as_reader.get(page_of(one)).content.decode()

    assert "\\u" not in text[: text.index("data-editor")]
    assert "<th>名稱</th><th>類型</th><th>必填</th><th>範例</th><th>說明</th>" in text
    assert re.search(r"<code>host</code></td><td[^>]*>文字</td><td[^>]*>必填</td>.*?momo-web-1", text)
    assert re.search(r"<code>goods.price</code>.*?售價&lt;元&gt;", text)
    assert "&quot;甲&quot;" in text
    assert "&lt;b&gt;{{ host }}&lt;/b&gt;\n  兩行" in text


def test_variables_in_the_form_are_lines_that_people_can_read(as_manager: Client) -> None:
    one = makers.template(variables=[*makers.VARIABLES, {"name": "price", "type": "number", "description": "售價"}])

    form = as_manager.get(page_of(one)).context["adminform"].form
    value = form["variables"].value()
    again = as_manager.post(page_of(one), form_of(one, variables=value))
    wrong = as_manager.post(page_of(one), form_of(one, variables="[{"))

    one.refresh_from_db()
    assert '"description": "售價"' in value
    assert len(value.splitlines()) > 10
    assert (again.status_code, one.version) == (302, 1)
    assert wrong.context["adminform"].form["variables"].value() == "[{"


@pytest.mark.parametrize("by_somebody", [True, False])
def test_who_wrote_it_is_a_name_and_no_link(by_somebody: bool, as_manager: Client, boss: User) -> None:
    one = makers.template(user=boss if by_somebody else None)
    listing = reverse("admin:notifications_template_changelist")

    for url in (page_of(one), listing):
        text = as_manager.get(url).content.decode()
        assert ("管理員甲" if by_somebody else "系統") in text
        assert reverse("admin:accounts_user_change", args=[boss.pk]) not in text


# --- Versions -------------------------------------------------------------------------------------------------------


def versions_page(template: Template) -> str:
    return reverse("admin:notifications_template_history_of", args=[template.pk])


def test_versions_are_listed_with_what_they_changed(as_reader: Client, manager: User) -> None:
    one = makers.template()
    save_template(template=one, user=manager, note="換行 <i>", body="<b>{{ host }}</b>\n<u>新</u>\n")

    page = as_reader.get(versions_page(one))

    text = page.content.decode()
    (newest, _, _, _, changes), (_, _, _, before, _) = page.context["versions"]
    kinds = {(line.kind, line.text) for change in changes for line in change.lines}
    assert (newest.number, str(newest.created_by), newest.note) == (2, "阿明", "換行 <i>")
    assert ("added", "<u>新</u>") in kinds
    assert ("removed", "・{{ item }}") in kinds
    assert ("same", "<b>{{ host }}</b>") in kinds
    assert before is None
    assert "&lt;u&gt;新&lt;/u&gt;" in text
    assert "<u>新</u>" not in text
    assert "還原這個版本" not in text


def test_many_versions_take_several_pages_each_with_its_neighbour(as_manager: Client) -> None:
    one = makers.template()
    for number in range(24):
        save_template(template=one, user=None, body=f"{{{{ host }}}} {number}\n")

    first, last = (as_manager.get(versions_page(one), {"p": page}) for page in (1, 2))

    assert [version.number for version, *_ in first.context["versions"]][::19] == [25, 6]
    assert first.context["versions"][-1][3].number == 5
    assert [version.number for version, *_ in last.context["versions"]] == [5, 4, 3, 2, 1]


def test_restoring_asks_first_and_makes_a_version(as_manager: Client, manager: User) -> None:
    one = makers.template()
    save_template(template=one, user=None, body="{{ host }}\n")
    url = reverse("admin:notifications_template_restore", args=[one.pk, 1])

    asked = as_manager.get(url)
    one.refresh_from_db()
    before = one.version
    answer = as_manager.post(url)

    one.refresh_from_db()
    assert asked.status_code == 200
    assert (before, one.version, one.body, one.updated_by) == (2, 3, makers.BODY, manager)
    assert "已還原第 1 版，成為第 3 版" in words(answer)


def test_restoring_what_is_already_so_says_so(as_manager: Client) -> None:
    one = makers.template()

    answer = as_manager.post(reverse("admin:notifications_template_restore", args=[one.pk, 1]))

    assert "沒有變動" in words(answer)


def test_a_version_that_would_no_longer_pass_is_not_restored(as_manager: Client) -> None:
    one = makers.template()
    TemplateVersion.objects.create(template=one, number=0, title="舊", format="plain", body="{{ gone }}", variables=[])

    answer = as_manager.post(reverse("admin:notifications_template_restore", args=[one.pk, 0]))

    one.refresh_from_db()
    assert "第 1 行" in words(answer)
    assert one.version == 1


def test_a_user_does_not_restore(as_reader: Client) -> None:
    one = makers.template()
    url = reverse("admin:notifications_template_restore", args=[one.pk, 1])

    assert [as_reader.get(url).status_code, as_reader.post(url).status_code] == [403, 403]
    assert as_reader.get(reverse("admin:notifications_template_restore", args=[one.pk, 9])).status_code == 404


# --- Tests that are sent --------------------------------------------------------------------------------------------


def send(client: Client, template: Template, **values: Any) -> Any:
    url = reverse("admin:notifications_template_send_test", args=[template.pk])
    return client.post(url, YES | {"channel": "email", "address": "me@example.com", "source": "examples"} | values)


def test_a_test_goes_to_an_address(as_manager: Client, manager: User) -> None:
    one = makers.template()

    answer = send(as_manager, one)

    message = OutboxMessage.objects.get()
    assert answer.status_code == 302
    assert (message.recipient, message.event, message.created_by) == ("me@example.com", "test", manager)
    assert message.subject == "［測試］通知：momo-web-1"
    assert reverse("admin:notifications_outboxmessage_change", args=[message.pk]) in words(answer)


def test_a_test_goes_to_a_chat_with_typed_values(as_manager: Client, settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = "1:secret"
    one, chat = makers.template(), makers.chat()

    send(as_manager, one, channel="telegram", chat=chat.pk, source="own", values='{"host": "<db>"}')

    message = OutboxMessage.objects.get()
    assert (message.chat, message.body.splitlines()[0]) == (chat, "［測試］<b>&lt;db&gt;</b>")


def test_a_test_with_a_real_event_takes_what_is_declared(as_manager: Client, happened: list[dict[str, Any]]) -> None:
    happened.append({"label": "今天", "variables": {"host": "web-9", "unknown": True}})

    send(as_manager, makers.template(), source="host_event:今天")

    assert OutboxMessage.objects.get().subject == "［測試］通知：web-9"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"address": ""}, "請填寫要寄到哪個地址"),
        ({"address": "nobody"}, "電子郵件"),
        ({"channel": "telegram"}, "請選擇聊天室"),
        ({"source": "own", "values": "{"}, "JSON"),
        ({"source": "own", "values": "{}"}, "host："),
        ({"source": "elsewhere"}, "elsewhere"),
    ],
)
def test_a_test_that_cannot_be_sent_is_said_in_the_dialog(
    values: dict[str, str], said: str, as_manager: Client
) -> None:
    answer = send(as_manager, makers.template(), **values)

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not OutboxMessage.objects.exists()


def test_a_chat_that_is_off_cannot_be_chosen(as_manager: Client) -> None:
    off = makers.chat(is_active=False)

    send(as_manager, makers.template(), channel="telegram", chat=off.pk)

    assert not OutboxMessage.objects.exists()


def test_a_user_sends_no_tests(as_reader: Client) -> None:
    one = makers.template()

    assert send(as_reader, one).status_code == 403
    assert "send_test" not in as_reader.get(page_of(one)).content.decode()
    assert not OutboxMessage.objects.exists()
