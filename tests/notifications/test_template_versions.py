"""Templates are saved as versions, none is lost, and an event always has something to say."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.models import Role, User
from momo.core.errors import Conflict, NotFound, ValidationFailed
from notifications.models import Template, TemplateVersion
from notifications.services.shipped import SHIPPED_NOTE
from notifications.services.templates import (
    delete_template,
    render_event,
    render_template,
    restore_version,
    save_template,
    template_by_code,
)
from tests.kit.users import person

pytestmark = pytest.mark.django_db

CONTENT: dict[str, Any] = {
    "title": "到貨通知",
    "description": "",
    "format": "telegram_html",
    "subject": "到貨：{{ name }}",
    "body": "<b>{{ name }}</b> 到貨了",
    "variables": [{"name": "name", "type": "text", "required": True, "example": "精華液"}],
}


@pytest.fixture
def amy() -> User:
    return person("amy", Role.MANAGER)


@pytest.fixture
def template(amy: User) -> Template:
    return save_template(template=None, user=amy, note="第一版", code="arrived", **CONTENT)


def numbers(template: Template) -> list[int]:
    return sorted(template.versions.values_list("number", flat=True))


def test_each_change_is_a_version_with_who_and_when(template: Template, amy: User) -> None:
    bob = person("bob", Role.MANAGER)
    changed = save_template(template=template, user=bob, note="改短", body="{{ name }} 到了")
    assert (changed.version, changed.updated_by, changed.subject) == (2, bob, CONTENT["subject"])
    old, new = template.versions.order_by("number")
    assert (old.number, old.body, old.created_by, old.note) == (1, CONTENT["body"], amy, "第一版")
    assert (new.number, new.body, new.created_by, new.note) == (2, "{{ name }} 到了", bob, "改短")
    assert new.created_at == changed.updated_at > old.created_at


def test_what_nobody_changed_writes_nothing(template: Template, amy: User) -> None:
    before = Template.objects.values().get(pk=template.pk)
    save_template(template=template, user=amy, note="again", **CONTENT)
    save_template(template=template, user=amy)
    save_template(template=template, user=amy, body=CONTENT["body"], code="arrived")
    assert Template.objects.values().get(pk=template.pk) == before
    assert numbers(template) == [1]


def test_line_ends_of_browsers_are_no_change(template: Template, amy: User) -> None:
    save_template(template=template, user=amy, body="一\n二")
    assert save_template(template=template, user=amy, body="一\r\n二").version == 2


def test_what_is_wrong_changes_nothing(template: Template, amy: User) -> None:
    for fields, names in (
        ({"body": "甲\n{{ nobody }}"}, {"body"}),
        ({"variables": []}, {"subject", "body"}),
        ({"format": "word"}, {"format"}),
        ({"title": "", "body": "{{"}, {"title", "body"}),
        ({"code": "other"}, {"code"}),
        ({"version": 9}, {"version"}),
        ({"description": "x" * 301}, {"description"}),
    ):
        with pytest.raises(ValidationFailed) as caught:
            save_template(template=template, user=amy, **fields)
        assert set(caught.value.fields) == names
    assert numbers(template) == [1]
    with pytest.raises(ValidationFailed) as caught:
        save_template(template=template, user=amy, body="甲\n{{ nobody }}")
    assert caught.value.fields["body"] == ["第 2 行：沒有宣告變數「nobody」"]


@pytest.mark.parametrize("code", ["", "Arrived", "a", "1a", "a-b", "a" * 41, "arrived"])
def test_codes(code: str, template: Template, amy: User) -> None:
    with pytest.raises(ValidationFailed) as caught:
        save_template(template=None, user=amy, code=code, **CONTENT)
    assert set(caught.value.fields) == {"code"}


def test_restore_is_a_version_of_its_own(template: Template, amy: User) -> None:
    save_template(template=template, user=amy, body="二 {{ name }}", title="第二")
    restored = restore_version(version=template.versions.get(number=1), user=amy)
    assert (restored.version, restored.body, restored.title) == (3, CONTENT["body"], CONTENT["title"])
    assert template.versions.get(number=3).note == "還原自第 1 版"
    assert template.versions.get(number=2).body == "二 {{ name }}"
    assert restore_version(version=template.versions.get(number=1), user=amy).version == 3


def test_an_old_version_that_would_not_be_accepted_now(template: Template, amy: User) -> None:
    old = TemplateVersion.objects.create(template=template, number=7, **{**CONTENT, "body": "<script>{{ name }}"})
    with pytest.raises(ValidationFailed) as caught:
        restore_version(version=old, user=amy)
    assert caught.value.fields["body"][0].startswith("第 1 行：")


def test_nobody_writes_as_if_it_were_shipped(template: Template, amy: User) -> None:
    save_template(template=template, user=amy, note=SHIPPED_NOTE, body="{{ name }}")
    assert template.versions.get(number=2).note == ""


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_once_both_get_a_version(amy: User) -> None:
    template = save_template(template=None, user=amy, code="arrived", **CONTENT)
    start = Barrier(4)

    def save(number: int) -> int:
        try:
            start.wait()
            field = "title" if number % 2 else "body"
            return save_template(template=template, user=amy, **{field: f"第 {number} 人"}).version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = sorted(pool.map(save, range(4)))
    assert made == [2, 3, 4, 5]
    assert numbers(template) == [1, 2, 3, 4, 5]
    template.refresh_from_db()
    newest = template.versions.get(number=5)
    # Each wrote only its own field, on top of what the one before had written.
    assert (template.version, template.title, template.body) == (5, newest.title, newest.body)
    assert template.title in ("第 1 人", "第 3 人")
    assert template.body in ("第 0 人", "第 2 人")


def test_delete(template: Template, amy: User) -> None:
    with pytest.raises(Conflict, match="不能刪除"):
        delete_template(template=template_by_code("disk_warning"), user=amy)
    delete_template(template=template, user=amy)
    assert not TemplateVersion.objects.filter(template_id=template.pk).exists()
    with pytest.raises(NotFound):
        template_by_code("arrived")


# --- Events ---------------------------------------------------------------------------------------------------------


def test_render_is_strict_and_an_event_takes_what_it_needs(template: Template) -> None:
    with pytest.raises(ValidationFailed):
        render_template(template, {"name": "A&B", "more": 1})
    made, version = render_event("arrived", {"name": "A&B", "more": 1})
    assert (made.subject, made.body, made.format, version) == (
        "到貨：A&B",
        "<b>A&amp;B</b> 到貨了",
        "telegram_html",
        1,
    )


@pytest.mark.parametrize(
    "body", ["{{ nobody }}", "{% if", "{{ usage_percent | divided_by: 0 }}", "{{ usage_percent | date }}"]
)
def test_a_broken_text_of_staff_gives_way_to_the_shipped_one(body: str, caplog: pytest.LogCaptureFixture) -> None:
    Template.objects.filter(code="disk_warning").update(body=body)
    with caplog.at_level(logging.ERROR):
        made, version = render_event("disk_warning", {"usage_percent": 95})
    assert "磁碟快滿了：已用 95%" in made.body
    assert version == 0
    assert "disk_warning" in caplog.text


def test_broken_declarations_of_staff(caplog: pytest.LogCaptureFixture) -> None:
    for variables in ([{"name": "usage_percent", "type": "date", "required": True}], "nonsense", [{"x": 1}], [7]):
        Template.objects.filter(code="disk_warning").update(variables=variables)
        made, version = render_event("disk_warning", {"usage_percent": 95})
        assert ("95%" in made.body, version) == (True, 0)


def test_declarations_of_a_saved_version_are_not_checked_again() -> None:
    """A rule for declarations that came later does not stop the messages of a template that was saved before."""
    required_without_example = [{"name": "usage_percent", "type": "number", "required": True}]
    texts = {"subject": "", "body": "{{ usage_percent }}"}
    Template.objects.filter(code="disk_warning").update(**texts, variables=required_without_example)
    made, version = render_event("disk_warning", {"usage_percent": 95})
    assert (made.body, version) == ("95", 1)


def test_values_that_no_text_takes_are_listed(caplog: pytest.LogCaptureFixture) -> None:
    made, version = render_event(
        "disk_warning", {"usage_percent": "a\x00 lot", "host": "<b>", "list": [1], "odd": None}
    )
    assert (made.format, version) == ("plain", 0)
    assert made.body == "磁碟空間警告\nusage_percent：a lot\nhost：<b>\nlist：1 項\nodd："
    made, version = render_event("never_heard_of", {"a": "長" * 50_000, **{f"v{n}": "x" * 900 for n in range(200)}})
    assert (made.subject, version) == ("never_heard_of", 0)
    assert len(made.body.encode()) <= 64 * 1024


def test_codes_that_are_none() -> None:
    with pytest.raises(NotFound):
        template_by_code("no\x1bpe" * 30)
