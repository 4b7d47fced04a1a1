"""Subscriptions with the conditions of each kind of event, and the chats that they go to."""

from __future__ import annotations

from datetime import time
from html import escape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from momo.jobs.events import register_events as register_jobs
from notifications import events
from notifications.admin.filter_fields import FiltersField, FiltersWidget
from notifications.admin.subscriptions import quiet_hours_text
from notifications.events import EventKind, FilterField, event_kinds
from notifications.models import Channel, OutboxMessage, Subscription
from products.events import register_events as register_products
from sales.events import register_events as register_sales
from tests.admin import makers as shop
from tests.admin import makers_notifications as makers

pytestmark = pytest.mark.django_db
ADD = "admin:notifications_subscription_add"
LIST = "admin:notifications_subscription_changelist"
YES = {"_form_submitted": "True"}


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: Any) -> None:
    """The kinds that the apps register, and one with every kind of condition."""
    monkeypatch.setattr(events, "_registered", {})
    register_jobs()
    register_products()
    register_sales()
    fields = (
        FilterField("places", "地點", "choices", choices=lambda: [("a", "甲"), ("b", "乙")]),
        FilterField("words", "字詞", "texts"),
        FilterField("least", "至少", "number"),
    )
    events.register(EventKind("odd_event", "怪事", template="system_alert", filters=fields))
    events.register(EventKind("bare_event", "沒有條件的事", template="system_alert"))


def page_text(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def page_of(one: Any) -> str:
    return reverse(f"admin:notifications_{one._meta.model_name}_change", args=[one.pk])


def form_of(event: str = "odd_event", **values: Any) -> dict[str, Any]:
    given = {
        "name": "早會",
        "event": event,
        "filters__event": event,
        "channel": "email",
        "chat": "",
        "address": "team@example.com",
        "quiet_from": "",
        "quiet_until": "",
        "enabled": "on",
    }
    return given | values


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in answer.context["adminform"].form.errors.items()}


# --- The form -------------------------------------------------------------------------------------------------------

KINDS = (
    *("price_digest", "crawl_suspect", "price_watch", "import_finished", "import_failed", "sales_alarm"),
    *("odd_event", "bare_event"),
)


def test_every_kind_is_tried_here() -> None:
    assert set(event_kinds()) == set(KINDS)


@pytest.mark.parametrize("event", KINDS)
def test_the_form_shows_the_conditions_of_its_event(event: str, as_boss: Client) -> None:
    shop.category("1100100001", path="美妝 > 精華液")

    text = as_boss.get(reverse(ADD), {"event": event}).content.decode()

    shown = {
        field.name for kind in event_kinds().values() for field in kind.filters if f"filters__{field.name}" in text
    }
    kind = event_kinds()[event]
    assert shown == {field.name for field in kind.filters}
    assert f'name="filters__event" value="{event}"' in text
    assert all(
        escape(label) in text for field in kind.filters if field.kind == "choices" for _, label in field.choices()
    )


@pytest.mark.parametrize("event", KINDS)
def test_everything_that_can_be_chosen_can_be_saved_and_is_shown_again(event: str, as_boss: Client) -> None:
    shop.category("1100100001", path="美妝 > 精華液")
    fields = event_kinds()[event].filters
    wanted: dict[str, Any] = {
        field.name: [value for value, _ in field.choices()]
        if field.kind == "choices"
        else ["水潤", "植萃師"]
        if field.kind == "texts"
        else 7.5
        for field in fields
    }
    given = {
        f"filters__{name}": "\n".join(value) if name in ("brands", "words") else value for name, value in wanted.items()
    }

    answer = as_boss.post(reverse(ADD), form_of(event, **given))

    one = Subscription.objects.get()
    form = as_boss.get(page_of(one)).context["adminform"].form
    widget = form["filters"].field.widget.get_context("filters", form["filters"].value(), {})
    assert answer.status_code == 302
    assert one.filters == wanted
    assert {part["name"] for part in widget["parts"]} == set(given)
    assert all(chosen for part in widget["parts"] for _, _, chosen in part.get("options", []))


def test_conditions_that_say_nothing_are_left_out(as_boss: Client) -> None:
    given = {"filters__words": " \n 水潤 \n水潤\n", "filters__least": "0"}

    as_boss.post(reverse(ADD), form_of(**given))

    assert Subscription.objects.get().filters == {"words": ["水潤"]}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"filters__places": ["c"]}, "地點：沒有「c」這個選項"),
        ({"filters__words": "x" * 201}, "字詞：每一行最多"),
        ({"filters__words": "\n".join(map(str, range(501)))}, "字詞：最多 500 行"),
        ({"filters__least": "abc"}, "至少：請輸入數字"),
        ({"filters__least": "-1"}, "至少：請輸入 0 到"),
        ({"filters__least": "nan"}, "至少：請輸入 0 到"),
        ({"filters__least": "1e400"}, "至少：請輸入 0 到"),
    ],
)
def test_an_invalid_condition_is_named(values: dict[str, Any], shown: str, as_boss: Client) -> None:
    answer = as_boss.post(reverse(ADD), form_of(**values))

    assert shown in "；".join(errors(answer)["filters"])
    assert not Subscription.objects.exists()


def test_what_was_chosen_and_is_gone_stays_until_somebody_removes_it(as_manager: Client) -> None:
    one = makers.subscription(event="odd_event", filters={"places": ["gone", "a"]})

    text = as_manager.get(page_of(one)).content.decode()
    as_manager.post(page_of(one), form_of(filters__places=["gone", "b"]))
    one.refresh_from_db()
    kept = one.filters
    as_manager.post(page_of(one), form_of(filters__places=["b"]))

    one.refresh_from_db()
    assert "gone（已不在清單裡）" in text
    assert (kept, one.filters) == ({"places": ["gone", "b"]}, {"places": ["b"]})


def test_another_event_without_script_begins_without_conditions(as_manager: Client) -> None:
    one = makers.subscription(event="odd_event", filters={"least": 5})

    answer = as_manager.post(
        page_of(one), form_of("price_digest", filters__event="odd_event", filters__least="5", _continue="1")
    )

    one.refresh_from_db()
    assert answer["Location"] == page_of(one)
    assert (one.event, one.filters) == ("price_digest", {})
    assert "filters__brands" in as_manager.get(page_of(one)).content.decode()


def test_the_script_asks_for_the_conditions_of_another_event(as_manager: Client) -> None:
    one = makers.subscription(event="odd_event", filters={"least": 5})

    other = as_manager.get(page_of(one), {"event": "import_failed"}).content.decode()
    same = as_manager.get(page_of(one), {"event": "odd_event"}).content.decode()

    assert "filters__job_types" in other
    assert "filters__least" not in other
    assert 'value="5"' in same


def test_an_event_that_no_app_knows_keeps_its_conditions(as_manager: Client) -> None:
    one = makers.subscription(event="old_event", filters={"x": 1})

    answer = as_manager.post(page_of(one), form_of("old_event", name="改名"))

    one.refresh_from_db()
    assert answer.status_code == 302
    assert (one.name, one.event, one.filters) == ("改名", "old_event", {"x": 1})


def test_a_widget_without_an_event_takes_nothing() -> None:
    assert FiltersWidget().value_from_datadict(MultiValueDict({"filters__x": ["1"]}), {}, "filters") is None
    assert FiltersField().clean(None) == {}


# --- Recipients and quiet hours -------------------------------------------------------------------------------------


def test_the_channel_decides_between_chat_and_address(as_boss: Client) -> None:
    chat = makers.chat()
    both = {"chat": str(chat.pk), "address": "team@example.com"}

    as_boss.post(reverse(ADD), form_of(name="一", channel="telegram", **both))
    as_boss.post(reverse(ADD), form_of(name="二", channel="email", **both))
    as_boss.post(reverse(ADD), form_of(name="三", channel="telegram", chat=str(chat.pk), address="no address"))

    rows = Subscription.objects.order_by("name").values_list("name", "chat", "address")
    assert set(rows) == {("一", chat.pk, ""), ("二", None, "team@example.com"), ("三", chat.pk, "")}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"channel": "telegram"}, "chat"),
        ({"address": ""}, "address"),
        ({"address": "nobody"}, "address"),
        ({"channel": "pigeon"}, "channel"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_until": "08:00"}, "quiet_from"),
        ({"quiet_from": "25:00", "quiet_until": "08:00"}, "quiet_from"),
        ({"event": "nothing"}, "event"),
        ({"event": ""}, "event"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_missing_is_said_at_its_field_alone(values: dict[str, str], field: str, as_boss: Client) -> None:
    answer = as_boss.post(reverse(ADD), form_of(**values))

    assert set(errors(answer)) == {field}
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (None, None, "隨時寄出"),
        (time(8), time(8), "隨時寄出"),
        (time(12), time(13, 30), "每天 12:00 到 13:30（台北時間）的訊息先留著，13:30 才寄出。"),
        (time(22), time(8), "每天 22:00 到隔天 08:00（台北時間）的訊息先留著，隔天 08:00 才寄出。"),
    ],
)
def test_text_of_quiet_hours(start: time | None, end: time | None, shown: str, as_manager: Client) -> None:
    one = makers.subscription(quiet_from=start, quiet_until=end)

    assert shown in quiet_hours_text(start, end)
    assert shown in as_manager.get(page_of(one)).content.decode()


# --- The list -------------------------------------------------------------------------------------------------------


def test_the_list_says_who_gets_what(as_reader: Client) -> None:
    off = makers.chat(is_active=False)
    makers.subscription(filters={"brands": ["水潤", "乙", "丙", "丁"], "min_percent": 5, "categories": ["1", "2"]})
    makers.subscription(name="群組", channel=Channel.TELEGRAM, chat=off, address="", filters={"x": 1})

    text = as_reader.get(reverse(LIST)).content.decode()

    assert "分類 2 項；品牌 水潤、乙、丙等 4 個；事件 漲價、降價、下架、新商品；最小幅度 5" in text
    assert "聊天室已停用，不會寄" in text


def test_what_an_empty_choice_stands_for_is_said(as_reader: Client) -> None:
    digest = makers.subscription()
    makers.subscription(name="可疑", event="crawl_suspect")
    usual, listing = "事件 漲價、降價、下架、新商品", as_reader.get(reverse(LIST)).content.decode()

    assert usual in listing
    assert usual in as_reader.get(page_of(digest)).content.decode()
    assert listing.count(">全部</span>") == 1


def test_a_choice_that_was_made_is_said_instead(as_reader: Client) -> None:
    makers.subscription(filters={"directions": ["increase"]})

    text = as_reader.get(reverse(LIST)).content.decode()

    assert "事件 1 項" in text
    assert "新商品" not in text


def test_a_manager_switches_in_the_list(as_manager: Client, as_reader: Client) -> None:
    one = makers.subscription()
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(one.pk), "_save": "1"}

    as_reader.post(reverse(LIST), form)
    one.refresh_from_db()
    still = one.enabled
    as_manager.post(reverse(LIST), form)

    one.refresh_from_db()
    assert (still, one.enabled) == (True, False)
    assert (one.event, one.address) == ("price_digest", "team@example.com")


def test_a_test_goes_to_the_subscriptions_recipient(as_manager: Client, settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = "1:secret"
    mail, chat = makers.subscription(), makers.chat()
    group = makers.subscription(name="群組", channel=Channel.TELEGRAM, chat=chat, address="")
    urls = [reverse("admin:notifications_subscription_send_test", args=[one.pk]) for one in (mail, group)]

    answers = [as_manager.post(url, YES) for url in urls]

    first, second = OutboxMessage.objects.order_by("pk")
    assert (first.recipient, first.subject[:4], first.event) == ("team@example.com", "［測試］", "test")
    assert (second.chat, second.template_code) == (chat, "price_digest")
    assert "測試訊息已排入寄送" in page_text(answers[0])


def test_a_test_that_cannot_be_sent_says_why(as_manager: Client) -> None:
    off = makers.chat(is_active=False, note="被踢出")
    group = makers.subscription(channel=Channel.TELEGRAM, chat=off, address="")
    strange = makers.subscription(name="舊", event="old_event")
    urls = [reverse("admin:notifications_subscription_send_test", args=[one.pk]) for one in (group, strange)]

    answers = [page_text(as_manager.post(url, YES)) for url in urls]

    assert "被踢出" in answers[0]
    assert "沒有範本「old_event」" in answers[1]
    assert not OutboxMessage.objects.exists()


def test_a_test_that_no_bot_could_send_is_refused(as_manager: Client, settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    group = makers.subscription(channel=Channel.TELEGRAM, chat=makers.chat(), address="")

    shown = page_text(as_manager.post(reverse("admin:notifications_subscription_send_test", args=[group.pk]), YES))

    assert "請管理員設定 TELEGRAM_BOT_TOKEN" in shown
    assert not OutboxMessage.objects.exists()


def test_a_user_changes_no_subscription(as_reader: Client) -> None:
    one = makers.subscription()

    sent = as_reader.post(reverse("admin:notifications_subscription_send_test", args=[one.pk]), YES)
    changed = as_reader.post(page_of(one), form_of("price_digest", name="別的"))

    one.refresh_from_db()
    assert [sent.status_code, changed.status_code, as_reader.get(page_of(one)).status_code] == [403, 403, 200]
    assert one.name == "每日價格"
