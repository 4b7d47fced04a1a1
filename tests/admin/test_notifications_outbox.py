"""The outbox: what its list and pages show, what people decide, and mails as files to download."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.models import Channel, OutboxDecision, OutboxMessage, Pace
from tests.admin import makers_notifications as makers

pytestmark = pytest.mark.django_db
LIST = "admin:notifications_outboxmessage_changelist"
YES = {"_form_submitted": "True"}
ACTIONS = {"retry": "failed", "cancel": "pending", "release": "held", "mark_sent": "held"}
BECOMES = {"retry": "pending", "cancel": "cancelled", "release": "pending", "mark_sent": "sent"}


def words(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def page_of(message: OutboxMessage) -> str:
    return reverse("admin:notifications_outboxmessage_change", args=[message.pk])


def act(client: Client, action: str, message: OutboxMessage, **values: str) -> Any:
    return client.post(reverse(f"admin:notifications_outboxmessage_{action}", args=[message.pk]), YES | values)


def listed(client: Client, query: str = "") -> list[int]:
    return [row.pk for row in client.get(f"{reverse(LIST)}{query}").context["cl"].result_list]


# --- The list -------------------------------------------------------------------------------------------------------


def test_what_waits_for_people_comes_first_and_what_is_over_is_left_out(as_reader: Client) -> None:
    held, failed, pending, sending = (makers.mail(status) for status in ("held", "failed", "pending", "sending"))
    makers.mail("sent")
    makers.mail("cancelled")
    makers.mail("failed", finished_at=timezone.now() - timedelta(days=30))

    assert listed(as_reader) == [held.pk, failed.pk, sending.pk, pending.pk]


@pytest.mark.parametrize("status", OutboxMessage.Status.values)
def test_a_status_can_be_asked_for(status: str, as_reader: Client) -> None:
    made = {one: makers.mail(one).pk for one in OutboxMessage.Status.values}

    assert listed(as_reader, f"?state={status}") == [made[status]]
    assert listed(as_reader, "?state=all") == sorted(made.values(), reverse=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?state=all&q=boss@", ["boss"]),
        ("?state=all&q=每日", ["boss"]),
        ("?state=all&q=key-of-test", ["test"]),
        ("?state=all&event=test", ["test"]),
        ("?state=all&event=manual", ["said"]),
        ("?state=all&channel__exact=telegram", ["chat"]),
        ("?state=all&created_at_from=2026-01-01&created_at_to=2026-01-02", ["boss"]),
    ],
)
def test_messages_can_be_searched_and_filtered(query: str, expected: list[str], as_reader: Client) -> None:
    day = datetime(2026, 1, 2, 15, 59, tzinfo=UTC)  # a minute before midnight in Taipei
    made = {
        "boss": makers.mail("sent", recipient="boss@example.com", subject="每日銷售", created_at=day),
        "test": makers.mail("sent", event="test", key="key-of-test", subject=""),
        "chat": makers.parts(1, "sent")[0],
        "said": makers.mail("sent", event="manual", key="key-of-said", subject="停機公告"),
    }

    assert listed(as_reader, query) == [made[name].pk for name in expected]


def test_an_event_that_is_none_has_no_messages(as_reader: Client) -> None:
    makers.mail("sent")

    assert listed(as_reader, "?state=all&event=nonsense") == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("?state=all&event=test", "outbox_event"),
        ("?state=sent&event=test", "outbox_event"),
        ("?state=all&channel__exact=telegram", "outbox_channel"),
    ],
)
def test_what_is_rare_among_very_much_is_read_from_an_index(query: str, index: str, as_reader: Client) -> None:
    OutboxMessage.objects.bulk_create(
        OutboxMessage(channel="email", key=f"k{n}", event="price_digest", recipient="a@example.com", status="sent")
        for n in range(5_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_outboxmessage")

    plan = as_reader.get(f"{reverse(LIST)}{query}").context["cl"].queryset.select_related(None)[:51].explain()

    assert index in plan
    assert "Sort" not in plan


def test_the_list_shows_beginnings_without_markup(as_reader: Client) -> None:
    makers.parts(2)
    makers.mail(subject="<script>alert(1)</script>")

    text = as_reader.get(reverse(LIST)).content.decode()

    assert "第 1 段 &amp; 其他" in text
    assert "值班群組" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_above_the_list_stands_how_the_channels_are(as_reader: Client, settings: Any) -> None:
    settings.EMAIL_URL, settings.TELEGRAM_BOT_TOKEN = "smtp+tls://me:secret-word@mail.example:587", ""
    makers.mail("held")
    later = timezone.now() + timedelta(hours=1)
    Pace.objects.create(channel=Channel.EMAIL, paused_until=later, troubles=3, reason="535 登入被拒")

    page = as_reader.get(reverse(LIST))

    email, telegram = page.context["channels"]
    numbers = {state["label"]: state["number"] for state in email["states"]}
    assert (numbers["待人工確認"], numbers["已寄出"]) == ("1", "0")
    assert "535 登入被拒" in email["paused"]
    assert (email["missing"], telegram["paused"]) == ("", "")
    assert "TELEGRAM_BOT_TOKEN" in telegram["missing"]
    assert "secret-word" not in page.content.decode()


def test_each_number_leads_to_its_messages(as_reader: Client) -> None:
    held = makers.mail("held")
    email, _ = as_reader.get(reverse(LIST)).context["channels"]

    url = next(state["url"] for state in email["states"] if state["label"] == "待人工確認")

    assert [row.pk for row in as_reader.get(url).context["cl"].result_list] == [held.pk]


def test_the_sidebar_and_the_start_page_say_how_many_wait(as_reader: Client) -> None:
    for status in ("held", "failed", "pending", "sent"):
        makers.mail(status)

    page = as_reader.get(reverse("admin:index"))

    cards = {card.name: card for card in page.context["cards"]}
    assert (cards["待處理訊息"].figure, cards["待處理訊息"].tone) == (2, "warn")
    assert len(as_reader.get(cards["待處理訊息"].url).context["cl"].result_list) == 2
    assert len(as_reader.get(cards["待處理訊息"].url.partition("?")[0]).context["cl"].result_list) == 3  # under way too


# --- A message's page -----------------------------------------------------------------------------------------------


def test_a_page_shows_everything_and_nothing_of_it_runs(as_manager: Client, manager: User) -> None:
    message = makers.mail(
        "held",
        subject="<b>主旨</b>",
        body="純文字 <i>",
        body_html='<p>漲</p><script>alert(1)</script><img src="https://evil.example/x.png">',
        reason="讀取 <逾時>",
        created_by=manager,
    )
    OutboxDecision.objects.create(message=message, user=manager, name="阿明", kind="retry", reason="<450>")
    file = makers.attachment(message, "價<格>.xlsx")

    text = as_manager.get(page_of(message)).content.decode()

    main = text[text.index('class="mo-runhead"') :]
    assert "&lt;b&gt;主旨&lt;/b&gt;" in main
    assert "由 阿明 重新寄送（此前：&lt;450&gt;）" in main
    assert "讀取 &lt;逾時&gt;" in main
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in main
    assert "default-src &#x27;none&#x27;" in main
    assert not re.search(r"<(script>alert|img src=\"https)", text)
    assert "價&lt;格&gt;.xlsx" in main
    assert reverse("admin:notifications_outboxmessage_file", args=[message.pk, file.pk]) in main


def test_a_long_text_shows_all_its_parts_from_any_of_them(as_reader: Client) -> None:
    made = makers.parts(3)

    pages = [as_reader.get(page_of(part)) for part in made]

    assert [[part for part, *_ in page.context["chain"]] for page in pages] == [made] * 3
    chain = pages[1].content.decode().partition('class="mo-chain"')[2].partition("</ol>")[0]
    first, this, last = chain.split("<li>")[1:]
    assert f"<b>#{made[1].pk}（這一則）</b>" in this
    assert page_of(made[0]) in first
    assert page_of(made[2]) in last
    assert "href" not in this
    assert as_reader.get(page_of(makers.mail())).context["chain"] == []


def test_a_telegram_text_is_shown_as_a_bubble(as_reader: Client) -> None:
    (message,) = makers.parts(1)
    OutboxMessage.objects.filter(pk=message.pk).update(
        body='<b>粗</b> &lt;x&gt; <a href="javascript:alert(1)">連結</a><script>alert(2)</script>'
    )

    text = as_reader.get(page_of(message)).content.decode()

    bubble = re.search(r'<div class="mo-bubble">(.*?)</div>', text, re.S)
    assert bubble is not None
    assert "<b>粗</b> &lt;x&gt;" in bubble[1]
    assert "javascript" not in bubble[1]
    assert "<script" not in bubble[1]


def test_files_are_for_managers(as_reader: Client, as_manager: Client) -> None:
    message, other = makers.mail(), makers.mail()
    file = makers.attachment(message)
    url = reverse("admin:notifications_outboxmessage_file", args=[message.pk, file.pk])

    fetched = as_manager.get(url)

    assert as_reader.get(url).status_code == 403
    assert url not in as_reader.get(page_of(message)).content.decode()
    assert b"".join(fetched.streaming_content) == b"cells"
    assert fetched["Content-Disposition"].startswith("attachment")
    assert fetched["Content-Type"] == "application/octet-stream"
    elsewhere = reverse("admin:notifications_outboxmessage_file", args=[other.pk, file.pk])
    assert as_manager.get(elsewhere).status_code == 404


# --- Decisions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_a_manager_decides_after_a_question(action: str, as_manager: Client, manager: User) -> None:
    message = makers.mail(ACTIONS[action])

    asked = as_manager.get(reverse(f"admin:notifications_outboxmessage_{action}", args=[message.pk]))
    message.refresh_from_db()
    still = message.status
    answer = act(as_manager, action, message)

    message.refresh_from_db()
    assert 'id="dialog"' in asked.content.decode()
    assert (still, message.status) == (ACTIONS[action], BECOMES[action])
    assert message.history()[0].startswith("由 阿明 ")
    assert message.decisions.get().user == manager
    assert answer["Location"] == page_of(message)
    assert f"#{message.pk}" in words(answer)


def test_releasing_warns_that_it_may_arrive_twice(as_manager: Client) -> None:
    asked = as_manager.get(reverse("admin:notifications_outboxmessage_release", args=[makers.mail("held").pk]))

    assert "可能收到兩則" in asked.content.decode()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_user_decides_nothing(action: str, as_reader: Client) -> None:
    message = makers.mail(ACTIONS[action])

    one = act(as_reader, action, message)
    as_reader.post(
        reverse(LIST),
        {"action": f"{action}_selected", "_selected_action": [message.pk], "index": 0, "confirmed": "yes"},
    )

    message.refresh_from_db()
    assert one.status_code == 403
    assert message.status == ACTIONS[action]
    assert f"/{action}/" not in as_reader.get(page_of(message)).content.decode()
    assert "_selected" not in str(as_reader.get(reverse(LIST)).context["action_form"] or "")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_decision_that_came_too_late_is_said(action: str, as_manager: Client) -> None:
    message = makers.mail("sending")

    answer = act(as_manager, action, message)

    message.refresh_from_db()
    assert message.status == "sending"
    assert "寄送中" in words(answer)


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("pending", {"cancel"}),
        ("waiting", {"cancel"}),
        ("unsent", {"cancel"}),
        ("held", {"cancel", "release", "mark_sent"}),
        ("failed", {"cancel", "retry"}),
        ("sent", set()),
        ("sending", set()),
        ("cancelled", set()),
    ],
)
def test_a_page_offers_what_fits(status: str, offered: set[str], as_manager: Client) -> None:
    message = makers.mail(status)

    text = as_manager.get(page_of(message)).content.decode()

    urls = {action: reverse(f"admin:notifications_outboxmessage_{action}", args=[message.pk]) for action in ACTIONS}
    assert {action for action, url in urls.items() if f'"{url}"' in text} == offered


@pytest.mark.parametrize("action", ACTIONS)
def test_many_are_asked_about_and_then_decided(action: str, as_manager: Client) -> None:
    fit, unfit = [makers.mail(ACTIONS[action]) for _ in range(2)], makers.mail("sending")
    given = {"action": f"{action}_selected", "_selected_action": [one.pk for one in (*fit, unfit)], "index": 0}

    asked = as_manager.post(reverse(LIST), given)
    between = set(OutboxMessage.objects.filter(pk__in=[one.pk for one in fit]).values_list("status", flat=True))
    again = dict(_hidden(asked))
    chosen = [value for name, value in _hidden(asked) if name == "_selected_action"]
    answer = as_manager.post(reverse(LIST), {**again, "_selected_action": chosen})

    statuses = OutboxMessage.objects.filter(pk__in=[one.pk for one in fit]).values_list("status", flat=True)
    unfit.refresh_from_db()
    assert between == {ACTIONS[action]}
    assert set(statuses) == {BECOMES[action]}
    assert unfit.status == "sending"
    assert "2 則" in words(answer)
    assert "1 則的狀態不適合" in words(answer)


def _hidden(page: Any) -> list[tuple[str, str]]:
    text = page.content.decode()
    form = text[text.index('<form method="post" class="mo-buttons">') :]
    return re.findall(r'<input type="hidden" name="(action|index|confirmed|_selected_action)" value="([^"]*)"', form)


def test_cancelling_a_part_cancels_those_after_it(as_manager: Client) -> None:
    made = makers.parts(3)

    act(as_manager, "cancel", made[0])

    assert set(OutboxMessage.objects.values_list("status", flat=True)) == {"cancelled"}


# --- Mails without a server -----------------------------------------------------------------------------------------


def eml_of(message: OutboxMessage) -> str:
    return reverse("admin:notifications_outboxmessage_eml", args=[message.pk])


def test_an_unsent_mail_says_so_and_can_be_seen_and_downloaded(as_manager: Client, settings: Any) -> None:
    settings.EMAIL_FROM, settings.EMAIL_REPLY_TO = "MOMO Pro <momo@example.com>", ""
    message = makers.mail("unsent", subject="匯入 <完成>", body_html="<p>好</p>", message_id="<1@example.com>")
    makers.attachment(message, "明細.xlsx")

    listing = as_manager.get(reverse(LIST)).content.decode()
    page = as_manager.get(page_of(message)).content.decode()
    file = as_manager.get(eml_of(message))

    assert "未寄出：沒有設定郵件伺服器" in listing
    assert "未寄出：沒有設定郵件伺服器" in page
    assert 'title="電子郵件 HTML"' in page
    assert f'href="{eml_of(message)}">下載 .eml' in page
    assert file["Content-Disposition"] == f'attachment; filename="{message.pk}.eml"'
    assert file["Content-Type"] == "application/octet-stream"
    mail = message_from_bytes(b"".join(file.streaming_content), policy=policy.default)
    assert (mail["Subject"], mail["To"], mail["Message-ID"]) == (
        "匯入 <完成>",
        "team@example.com",
        "<1@example.com>",
    )
    assert [part.get_filename() for part in mail.iter_attachments()] == ["明細.xlsx"]


def test_the_state_of_mails_without_a_server_is_shown_where_there_are_some(as_reader: Client) -> None:
    def labels() -> list[list[str]]:
        channels = as_reader.get(reverse(LIST)).context["channels"]
        return [[state["label"] for state in channel["states"]] for channel in channels]

    before = labels()
    makers.mail("unsent")
    email, telegram = labels()

    assert "未寄出：沒有設定郵件伺服器" in email
    assert [telegram, telegram] == before


def test_mails_are_downloaded_by_managers_only(as_reader: Client, as_manager: Client) -> None:
    message, (text,) = makers.mail("unsent"), makers.parts(1)

    assert as_reader.get(eml_of(message)).status_code == 403
    assert eml_of(message) not in as_reader.get(page_of(message)).content.decode()
    assert as_manager.get(eml_of(text)).status_code == 404
    assert eml_of(text) not in as_manager.get(page_of(text)).content.decode()


def test_a_mail_that_cannot_be_made_says_why(as_manager: Client, settings: Any) -> None:
    settings.EMAIL_FROM = "nobody"

    answer = as_manager.get(eml_of(message := makers.mail("unsent")))

    assert answer["Location"] == page_of(message)
    assert "「nobody」不是正確的電子郵件地址" in words(answer)


def test_what_nobody_subscribes_to_has_a_name_too(as_reader: Client) -> None:
    makers.mail(event="manual")
    makers.mail(event="test", key="another")

    text = as_reader.get(reverse(LIST)).content.decode()

    assert '<span class="mo-nowrap">手動傳送</span>' in text
    assert '<span class="mo-nowrap">測試</span>' in text
