"""待辦: everything that waits in one list, with who has it, until when it is put off, and comments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserScope
from momo.core.todo import sources
from momo.todo import retention
from momo.todo.models import TodoComment, TodoState
from notifications.models import OutboxMessage
from products.models import QuarantinedPrice
from tests.admin import makers, makers_vendors
from tests.admin.conftest import client_of
from tests.admin.makers_notifications import mail
from vendors.models import Stockout

URL = "/admin/todo/"


def world(number: int = 3) -> None:
    """Rows of every source, and beside them rows that do not wait."""
    makers.held(number + 1)
    QuarantinedPrice.objects.filter(pk=QuarantinedPrice.objects.latest("pk").pk).update(status="rejected")
    makers.alerts(number)
    makers.sales_alarms(number)
    for _ in range(number):
        mail("held")
    mail("sent")
    mail("failed")
    makers.jobs(2 * number)
    makers_vendors.stockouts(7 * number)
    sent = Stockout.objects.filter(status="sent", duplicate_of=None)
    sent.update(notified_at=timezone.now() - timedelta(days=4))
    Stockout.objects.filter(pk=sent.latest("pk").pk).update(notified_at=timezone.now())


def said(answer: Any) -> str:
    """The message of this answer: no page has shown those before it."""
    return str(list(get_messages(answer.wsgi_request))[-1])


def titles(client: Client, query: str = "") -> list[str]:
    return [item.title for item, _, _ in client.get(f"{URL}{query}").context["rows"]]


def ref(row: Any, key: str = "held_price") -> str:
    return f"{key}:{row.pk}"


def test_everything_that_waits_is_listed_counted_and_led_to(as_reader: Client) -> None:
    world()

    page = as_reader.get(URL)
    kinds = {label: (count, url) for label, count, url, _ in page.context["kinds"]}
    items = [(item, url) for item, url, _ in page.context["rows"]]

    assert set(kinds) == {source.label for source in sources()}
    assert len(items) == page.context["number"] == sum(count for count, _ in kinds.values())
    [entry] = [one for group in page.context["sidebar_navigation"] for one in group["items"] if one["title"] == "待辦"]
    assert entry["badge"] == len(items)
    assert {as_reader.get(url).status_code for _, url in items} == {200}
    for label, (count, url) in kinds.items():
        chosen = as_reader.get(f"{URL}{url}").context
        listed = as_reader.get(chosen["list_url"]).context["cl"]
        assert (label, count, count) == (label, len(chosen["rows"]), len(listed.result_list))

    QuarantinedPrice.objects.update(status="accepted")
    assert "待確認價格" not in [label for label, *_ in as_reader.get(URL).context["kinds"]]


@pytest.mark.parametrize("number", [2, 12])
def test_the_list_takes_the_same_queries_however_much_waits(
    number: int, as_boss: Client, boss: User, django_assert_num_queries: Any
) -> None:
    world(number)
    for held in QuarantinedPrice.objects.filter(status="held"):
        state = TodoState.objects.create(source="held_price", object_id=held.pk, assignee=boss)
        TodoComment.objects.create(state=state, user=boss, text="問過了")
    as_boss.get(URL)
    cache.clear()

    with django_assert_num_queries(9):
        assert as_boss.get(URL).status_code == 200


def test_a_manager_gives_items_to_a_user_who_gets_one_mail(
    as_manager: Client, as_reader: Client, reader: User, manager: User
) -> None:
    User.objects.filter(pk=reader.pk).update(email="amy@example.com")
    one, two, other = makers.held(3)
    form = {"assign": "1", "assignee": reader.pk, "item": [ref(one), ref(two)]}

    given = as_manager.post(URL, form)
    again = as_manager.post(URL, form)
    own = as_manager.post(URL, {"assign": "1", "assignee": manager.pk, "item": ref(other)})

    assert [said(answer) for answer in (given, again, own)] == [
        "已將 2 項交給 小美",
        "已將 0 項交給 小美",
        "已將 1 項交給 阿明",
    ]
    assert titles(as_reader, "?mine=1") == [one.name, two.name]
    assert titles(as_reader, "?show=free") == []
    assert "小美" in as_reader.get(URL).content.decode()
    message = OutboxMessage.objects.get(event="todo_assigned")
    assert message.recipient == "amy@example.com"
    assert message.subject == "阿明 把 2 項待辦交給您"
    assert f"待確認價格：{one.name}" in message.body


def test_a_user_takes_what_nobody_has_and_gives_it_back(as_reader: Client, as_manager: Client) -> None:
    [held] = makers.held(1)

    taken = as_reader.post(URL, {"take": ref(held)})
    refused = as_manager.post(URL, {"take": ref(held)})
    not_theirs = as_manager.post(URL, {"leave": ref(held)})
    left = as_reader.post(URL, {"leave": ref(held)})

    assert "小美 已經在處理" in said(refused)
    assert "不是您在處理" in said(not_theirs)
    assert (said(taken), said(left)) == ("這一項由您處理", "這一項不再由您處理")
    assert TodoState.objects.get().assignee is None
    assert as_reader.post(URL, {"assign": "1", "assignee": "", "item": ref(held)}).status_code == 403
    assert as_reader.post(URL, {"snooze": "1", "until": "now", "item": ref(held)}).status_code == 403


def test_what_is_put_off_comes_back(as_manager: Client) -> None:
    one, two = makers.held(2)
    tomorrow = timezone.localdate() + timedelta(days=1)

    done = as_manager.post(URL, {"snooze": "1", "until": "tomorrow", "item": ref(one)})

    assert said(done) == f"已將 1 項延後到 {tomorrow:%Y-%m-%d}"
    assert titles(as_manager) == [two.name]
    assert titles(as_manager, "?show=snoozed") == [one.name]
    home = as_manager.get(reverse("admin:index")).context["cards"]
    assert [card.figure for card in home if card.name == "待辦"] == [1]
    TodoState.objects.update(snoozed_until=timezone.now())
    assert titles(as_manager) == [one.name, two.name]
    for day in ("", "abc", f"{timezone.localdate()}", "2999-01-01"):
        refused = as_manager.post(URL, {"snooze": "1", "until": "day", "until_day": day, "item": ref(two)})
        assert "延後" in said(refused)
    assert TodoState.objects.count() == 1


def test_comments_are_bounded_and_shown_with_their_author(as_reader: Client, as_manager: Client) -> None:
    [held] = makers.held(1)

    as_reader.post(URL, {"comment": ref(held), "text": "  問過\r\n<b>廠商</b>  "})
    refused = [as_manager.post(URL, {"comment": ref(held), "text": text}) for text in ("", " \n", "長" * 1001)]

    assert all("1 到 1,000 個字" in said(answer) for answer in refused)
    page = as_manager.get(URL).content.decode()
    assert "<b>小美</b> 問過 &lt;b&gt;廠商&lt;/b&gt;" in page
    assert TodoComment.objects.count() == 1


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"assign": "1", "assignee": "", "item": []}, "請先選取項目"),
        ({"assign": "1", "assignee": "", "item": "held_price:999999"}, "已經處理完"),
        ({"assign": "1", "assignee": "", "item": "nonsense:1"}, "已經處理完"),
        ({"assign": "1", "assignee": "", "item": "held_price:x"}, "找不到這一項"),
        ({"assign": "1", "assignee": "987654", "item": "held_price:1"}, "找不到這位使用者"),
        ({"snooze": "1", "until": "now", "item": [f"alert:{n}" for n in range(201)]}, "一次最多 200 項"),
        ({}, "請按一個按鈕"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(form: dict[str, Any], message: str, as_boss: Client) -> None:
    assert message in said(as_boss.post(URL, form))
    assert not TodoState.objects.exists()


def test_mine_are_those_that_i_have_and_those_of_my_pms_that_nobody_has(
    reader: User, manager: User, as_reader: Client
) -> None:
    rows = makers_vendors.stockouts(12)
    waits = [row for row in rows if row.status in ("pending", "failed", "no_email") and row.duplicate_of is None]
    own = [row for row in waits if row.pm == "王小明"]
    UserScope.objects.create(user=reader, kind="pm", name="王小明")
    [held] = makers.held(1)
    TodoState.objects.create(source="stockout", object_id=own[0].pk, assignee=manager)
    TodoState.objects.create(source="held_price", object_id=held.pk, assignee=reader)

    page = as_reader.get(f"{URL}?mine=1").context

    assert {item.key for item, _, _ in page["rows"]} == {ref(held), *(ref(row, "stockout") for row in own[1:])}
    assert len(own) > 1
    assert not [item for item, _, _ in client_of(manager).get(f"{URL}?mine=1").context["rows"]][1:]


def test_what_was_said_of_items_that_are_gone_is_deleted_after_a_while(boss: User) -> None:
    gone, waits = makers.held(2)
    QuarantinedPrice.objects.filter(pk=gone.pk).update(status="rejected")
    long_ago = timezone.now() - timedelta(days=91)
    for held in (gone, waits):
        state = TodoState.objects.create(source="held_price", object_id=held.pk, changed_at=long_ago)
        TodoComment.objects.create(state=state, user=boss, text="看過")
    TodoState.objects.create(source="held_price", object_id=gone.pk + 1000)  # said lately
    TodoState.objects.create(source="no longer a source", object_id=1, changed_at=long_ago)

    [expired] = retention.expired(now=timezone.now()).values()
    assert expired.delete()[0] == expired.count() + 2 == 2

    assert set(TodoState.objects.values_list("object_id", flat=True)) == {waits.pk, gone.pk + 1000}
    assert TodoComment.objects.count() == 1
