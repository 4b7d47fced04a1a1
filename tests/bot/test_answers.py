"""Answers: equal by Telegram and by the API, for each role; buttons, edits, pictures, pace, age; each effect once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import LoginAttempt, Role, User
from accounts.services import record_login
from bot import registry
from bot.models import PressButton, TelegramAccount, Update
from bot.registry import Button, Call, Picture, Reply, all_commands, command
from bot.services.updates import run_update, sweep_updates
from bot.texts import escape
from momo.core.errors import Conflict, ValidationFailed
from notifications.models import Chat, OutboxMessage, Subscription
from notifications.services.outbox import ChatText, enqueue
from notifications.services.sending import drain, send_answers
from tests.bot.conftest import GROUP, NUMBERS, Talk
from tests.fakes.telegram import Rule, visible
from tests.fakes.telegram.updates import document, membership, message, press
from tests.kit.users import token_client

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A command of the tests. It does what `does` says, with the call; `calls` are those that came."""
    monkeypatch.setattr(registry, "_COMMANDS", dict(registry._COMMANDS))
    given: dict[str, Any] = {"calls": [], "does": lambda call: Reply("好")}

    @command("probe", summary="測試", role=Role.MANAGER)
    def run(call: Call) -> Reply:
        given["calls"].append(call)
        reply: Reply = given["does"](call)
        return reply

    return given


def effect(call: Call) -> Reply:
    record_login(username=call.command, user_id=call.user.pk, address="127.0.0.1", user_agent="", reason="ok")
    return Reply("做了")


def effects() -> int:
    return LoginAttempt.objects.filter(username="probe").count()


def asking(call: Call) -> Reply:
    if call.confirmed:
        return effect(call)
    return Reply("要做嗎？", {}, [[Button("做", "probe", once=True), Button("也做", "probe", ("2",), once=True)]])


# --- By Telegram and by the API ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
def test_both_front_ends_give_the_same_text(talk: Talk, people: dict[str, User], role: str) -> None:
    api = token_client(people[role])
    for number, one in enumerate(all_commands()):
        if one.name == "subscribe":
            continue  # of a chat
        group = GROUP if number % 2 else None
        if group:
            Chat.objects.get_or_create(chat_id=str(GROUP))
        # First by the API, whose answers /status does not count.
        body = api.post("/api/bot/command", {"command": f"/{one.name}"}, content_type="application/json").json()
        told = talk.say(message(NUMBERS[Role(role)], f"/{one.name}", to=group))
        text = body["data"]["text"] if body["success"] else f"⚠️ {escape(body['error'])}"
        assert "\n".join(each.text for each in told if each.text) == text, one.name
        assert {each.chat for each in told} == {str(group or NUMBERS[Role(role)])}
        assert all(visible(each.text) for each in told)


def test_help_shows_what_the_role_may_do(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    shown = {role: talk.one(message(number, "/help")).text for role, number in NUMBERS.items()}
    assert ["/probe" in shown[role] for role in Role] == [False, True, True]
    assert "需要「主管」" in talk.one(message(NUMBERS[Role.USER], "/probe")).text
    assert not probe["calls"]


def test_words_are_read(talk: Talk, people: dict[str, User]) -> None:
    number = NUMBERS[Role.USER]
    api = token_client(people[Role.USER])
    body = api.post("/api/bot/command", {"command": "上週", "args": ["業績"]}, content_type="application/json").json()
    assert talk.one(message(number, "上週 業績")).text == body["data"]["text"]
    assert talk.one(message(number, "／help")).text == talk.one(message(number, "/help@momo_test_bot")).text


def test_pictures_are_drawn_for_programs_that_ask(people: dict[str, User], probe: dict[str, Any]) -> None:
    probe["does"] = lambda call: Reply("圖", picture=Picture(PNG, "a.png", "圖") if call.pictures else None)
    api = token_client(people[Role.MANAGER])
    for wish, name in (({}, None), ({"pictures": True}, "a.png")):
        body = api.post("/api/bot/command", {"command": "／ＰＲＯＢＥ", **wish}, content_type="application/json").json()
        assert (body["data"]["picture"] or {}).get("name") == name


def test_what_a_group_says_to_others_is_not_answered(talk: Talk, people: dict[str, User]) -> None:
    Chat.objects.create(chat_id=str(GROUP))
    number, bot = NUMBERS[Role.USER], {"id": 4242, "is_bot": True, "first_name": "MOMO"}
    for text in ("上週業績", "/help@other_bot", "@other_bot 業績", "@momo_test_bot", ""):
        assert talk.say(message(number, text, to=GROUP)) == [], text
    assert talk.say(message(number, "@momo_test_bot 上週業績", to=GROUP))
    below = {"message_id": 1, "date": 0, "chat": {"id": GROUP, "type": "supergroup"}, "from": bot}
    assert talk.say(message(number, "上週業績", to=GROUP, reply_to_message=below))
    anonymous = {"id": GROUP, "type": "supergroup", "title": "x"}
    assert talk.say(message(number, "/help", to=GROUP, sender_chat=anonymous)) == []


def test_what_telegram_itself_says_is_not_answered(talk: Talk, people: dict[str, User]) -> None:
    assert talk.say(message(101, message_auto_delete_timer_changed={"message_auto_delete_time": 86400})) == []
    assert Update.objects.get().status == "done"


def test_errors_are_sentences(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    def refuse(call: Call) -> Reply:
        effect(call)
        raise ValidationFailed(fields={"days": ["<b>太多"], "from": ["不是日期"]})

    probe["does"] = refuse
    assert talk.one(message(102, "/probe")).text == "⚠️ &lt;b&gt;太多\n⚠️ 不是日期"
    probe["does"] = lambda call: 1 / 0
    assert "系統發生錯誤" in talk.one(message(102, "/probe")).text
    assert Update.objects.order_by("-pk")[0].status == "failed"
    assert effects() == 0


def test_commands_are_audited_as_of_the_user(talk: Talk, people: dict[str, User]) -> None:
    from auditlog.models import LogEntry

    talk.one(message(102, "/subscribe price_digest"))
    entry = LogEntry.objects.get_for_object(Subscription.objects.get()).get()
    assert entry.actor == people[Role.MANAGER]


# --- Once -------------------------------------------------------------------------------------------------------------


def test_an_update_takes_effect_once(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    probe["does"] = effect
    update = message(102, "/probe")
    for _ in range(3):
        assert talk.post(update).status_code == 200
    row = Update.objects.get()
    run_update(row.pk)
    run_update(row.pk)
    talk.post(update)
    talk.work()
    assert effects() == 1
    assert [one.text for one in talk.telegram.state.accepted] == ["做了"]


def test_an_attempt_that_breaks_leaves_nothing(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    failures = iter([OperationalError("gone")])

    def once_gone(call: Call) -> Reply:
        effect(call)
        for failure in failures:
            raise failure
        return Reply("做了")

    probe["does"] = once_gone
    talk.post(message(102, "/probe"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("momo.core.work.reconnect", lambda: None)  # the test's own transaction
        assert [one.text for one in talk.work()] == ["做了"]
    assert effects() == 1


def test_attempts_that_are_used_up_are_told(talk: Talk, people: dict[str, User], settings: Any) -> None:
    talk.post(message(102, "/help"))
    silent = timezone.now() - dt.timedelta(hours=1)
    Update.objects.update(status="running", attempt=settings.BOT_ATTEMPTS, heartbeat_at=silent)
    sweep_updates()
    send_answers()
    assert "沒有完成" in talk.telegram.state.accepted[-1].text
    assert Update.objects.get().status == "failed"


# --- Buttons ----------------------------------------------------------------------------------------------------------


def test_a_confirmation_works_once(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    probe["does"] = asking
    asked = talk.one(message(102, "/probe"))
    ((first, second),) = asked.buttons
    done = talk.one(press(102, first[1], asked.message_id))
    assert (done.text, done.edits, done.buttons) == ("做了", asked.message_id, [])
    for data in (first[1], second[1], "nonsense"):
        again = press(102, data, asked.message_id)
        assert talk.say(again) == []
        assert "過期" in talk.toast(again)
    assert effects() == 1
    assert [call.confirmed for call in probe["calls"]] == [False, True]


def test_a_confirmation_is_of_one_person_for_ten_minutes(
    talk: Talk, people: dict[str, User], probe: dict[str, Any]
) -> None:
    probe["does"] = asking
    Chat.objects.create(chat_id=str(GROUP))
    asked = talk.one(message(102, "/probe", to=GROUP))
    for number, words in ((103, "p-manager"), (999, "連結")):
        other = press(number, asked.buttons[0][0][1], asked.message_id, to=GROUP)
        assert talk.say(other) == []
        assert words in talk.toast(other)
    PressButton.objects.update(expires_at=timezone.now())
    late = press(102, asked.buttons[0][0][1], asked.message_id, to=GROUP)
    assert talk.say(late) == []
    assert effects() == 0
    left = PressButton.objects.latest("pk")
    assert left.expires_at - left.created_at < dt.timedelta(minutes=10, seconds=1)


def test_a_page_is_replaced(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    def paged(call: Call) -> Reply:
        return Reply(
            f"第 {call.text or 1} 頁",
            {},
            [[Button("下一頁", "probe", ("2",)), Button("另答", "probe", replaces=False)]],
        )

    probe["does"] = paged
    first = talk.one(message(102, "/probe"))
    second = talk.one(press(102, first.buttons[0][0][1], first.message_id))
    assert (second.text, second.message_id) == ("第 2 頁", first.message_id)
    # The second press of a button that works again and again.
    again = press(103, first.buttons[0][0][1], first.message_id)
    gone = talk.one(again)
    assert (gone.chat, gone.edits) == ("103", 0), "that chat has no such message: a new one"
    new = talk.one(press(102, first.buttons[0][1][1], first.message_id))
    assert new.edits == 0
    assert not OutboxMessage.objects.exclude(status="sent").exists()


def test_the_same_text_again_is_no_failure(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    probe["does"] = lambda call: Reply("同樣", {}, [] if call.args else [[Button("重新整理", "probe", ("x",))]])
    first = talk.one(message(102, "/probe"))
    talk.one(press(102, first.buttons[0][0][1], first.message_id))
    assert talk.say(press(102, first.buttons[0][0][1], first.message_id)) == []
    assert not OutboxMessage.objects.exclude(status="sent").exists()


# --- Texts and pictures -----------------------------------------------------------------------------------------------


def test_long_answers_are_cut(talk: Talk, people: dict[str, User], probe: dict[str, Any]) -> None:
    probe["does"] = lambda call: Reply("\n".join(["字" * 99] * 400), {}, [[Button("好", "probe")]])
    told = talk.say(message(102, "/probe"))
    assert 4 <= len(told) <= 5
    assert "其餘請到後台" in told[-1].text
    assert [bool(one.buttons) for one in told] == [False] * (len(told) - 1) + [True]


@pytest.mark.parametrize("length", [5, 2000])
def test_pictures(talk: Talk, people: dict[str, User], probe: dict[str, Any], length: int) -> None:
    probe["does"] = lambda call: Reply(
        "價" * length, {}, [[Button("好", "probe")]], Picture(PNG, "價格.png", "價格走勢")
    )
    told = talk.say(message(102, "/probe"))
    assert [(one.kind, len(one.text)) for one in told][-1] == ("photo", 5 if length == 5 else 0)
    assert sum(len(one.text) for one in told) == length
    edited = talk.say(press(102, told[0].buttons[0][0][1], told[0].message_id))
    assert not any(one.edits for one in edited), "a picture cannot take the place of a text"


def test_files_are_for_imports(talk: Talk, people: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_COMMANDS", dict(registry._COMMANDS))
    calls: list[Call] = []
    command("import", summary="匯入", role=Role.MANAGER)(lambda call: calls.append(call) or Reply("收到"))  # type: ignore[func-returns-value]
    talk.telegram.bot.files |= {"f1": b"a,b\n1,2\n", "f2": b"x" * (20 * 1024 * 1024 + 1), "f3": b""}
    assert talk.one(document(102, "f1", "銷售.csv", 8)).text == "收到"
    assert talk.one(document(102, "f1", "銷售.csv", 8, "／Import daily_sales")).text == "收到"
    assert talk.one(document(102, "f1", "銷售.csv", 8, "昨天業績")).text == "收到", "no file is ignored"
    assert [(call.args, call.upload and call.upload.content) for call in calls] == [
        ((), b"a,b\n1,2\n"),
        (("daily_sales",), b"a,b\n1,2\n"),
        ((), b"a,b\n1,2\n"),
    ]
    for file_id, size, words in (("f2", 0, "20 MB"), ("f2", 10**9, "20 MB"), ("f3", 0, "空的"), ("f4", 1, "Telegram")):
        assert words in talk.one(document(102, file_id, "x.xlsx", size)).text, file_id
    assert "需要「主管」" in talk.one(document(101, "f1", "銷售.csv", 8)).text
    assert len(calls) == 3


# --- Through the outbox -----------------------------------------------------------------------------------------------


def digests(number: int, chat: str) -> None:
    to = Chat.objects.get_or_create(chat_id=chat)[0]
    for place in range(number):
        enqueue(ChatText(key=f"d{chat}:{place}", event="price_digest", chat=to, body="摘要"))


def test_answers_leave_before_digests(talk: Talk, people: dict[str, User], settings: Any) -> None:
    settings.TELEGRAM_CHAT_SECONDS = 60.0
    for chat in ("900", "901", "102"):
        digests(3, chat)
    talk.one(message(102, "/unlink"))
    assert [one.chat for one in talk.telegram.state.accepted] == ["102"]
    drain("telegram", seconds=1, pass_on=False)
    assert sorted(one.chat for one in talk.telegram.state.accepted) == ["102", "900", "901"], "and keep the chat's pace"


def test_a_late_answer_says_so(talk: Talk, people: dict[str, User]) -> None:
    talk.telegram.use(Rule("flood", seconds=1, times=1))
    assert talk.say(message(102, "/unlink")) == []
    long_ago = timezone.now() - dt.timedelta(minutes=7, seconds=5)
    OutboxMessage.objects.update(created_at=long_ago, next_attempt_at=long_ago)
    Chat.objects.update(next_at=long_ago)
    send_answers()
    assert talk.telegram.state.accepted[-1].text.startswith("<i>這是 7 分鐘前的回覆</i>\n要解除")


def test_an_answer_is_as_old_as_its_question(talk: Talk, people: dict[str, User]) -> None:
    kept_by_telegram = message(102, "/unlink", date=int(timezone.now().timestamp()) - 3660)
    assert talk.one(kept_by_telegram).text.startswith("<i>這是 61 分鐘前的回覆</i>\n")
    assert talk.post(message(102, "/unlink")).status_code == 200
    Update.objects.filter(status="pending").update(received_at=timezone.now() - dt.timedelta(minutes=5))
    assert [one.text[:13] for one in talk.work()] == ["<i>這是 5 分鐘前的回"]


# --- Groups -----------------------------------------------------------------------------------------------------------


def test_a_group_waits_for_approval(talk: Talk, people: dict[str, User]) -> None:
    talk.say(membership(102, GROUP, "member"))
    chat = Chat.objects.get(chat_id=str(GROUP))
    assert (chat.standing, chat.is_active, chat.title, "小明" in chat.note) == ("waiting", False, "業務群組", True)
    answer = talk.one(message(101, "/help", to=GROUP))
    assert (answer.chat, "還沒有核准" in answer.text) == ("101", True)
    assert talk.say(message(999, "/help", to=GROUP)) == []
    talk.say(membership(102, GROUP, "left"))
    assert not Chat.objects.filter(chat_id=str(GROUP)).exists()


def test_answers_stay_in_their_topic(talk: Talk, people: dict[str, User]) -> None:
    chat = Chat.objects.create(chat_id=str(GROUP))
    asked = talk.one(message(101, "/help", to=GROUP, message_thread_id=7, is_topic_message=True))
    assert asked.topic == 7
    assert talk.one(message(101, "/help", to=GROUP, message_thread_id=8)).topic == 0, "an answer, but no topic"
    talk.telegram.bot.closed_topics.add(7)
    assert talk.one(message(101, "/help", to=GROUP, message_thread_id=7, is_topic_message=True)).topic == 0
    chat.refresh_from_db()
    assert chat.is_active


def test_a_known_group_that_moves_goes_on(talk: Talk, people: dict[str, User]) -> None:
    Chat.objects.create(chat_id="-5", title="業務群組")
    talk.one(message(102, "/subscribe price_digest", to=-5))
    talk.say(membership(102, GROUP, "member"))
    talk.say(message(102, to=-5, migrate_to_chat_id=GROUP))
    chat = Chat.objects.get(chat_id=str(GROUP))
    assert (chat.standing, chat.is_active) == ("known", True)
    assert Subscription.objects.get().chat == chat
    assert talk.one(message(101, "/help", to=GROUP)).chat == str(GROUP)


def test_a_blocked_bot_answers_again(talk: Talk, people: dict[str, User]) -> None:
    talk.say(membership(101, 101, "kicked"))
    assert not Chat.objects.get(chat_id="101").is_active
    talk.say(membership(101, 101, "member"))
    assert talk.one(message(101, "/help"))


def test_subscribing(talk: Talk, people: dict[str, User]) -> None:
    shown = talk.one(message(101, "/subscribe"))
    labels = [row[0][0] for row in shown.buttons]
    assert "開啟 價格通知" in labels
    assert not any("系統警示" in label for label in labels), "a manager's"
    on = talk.one(press(101, shown.buttons[labels.index("開啟 價格通知")][0][1], shown.message_id))
    assert on.edits == shown.message_id
    assert "🔔 價格通知" in on.text
    assert Subscription.objects.get(enabled=True).chat == Chat.objects.get(chat_id="101")
    labels = [row[0][0] for row in on.buttons]
    talk.one(press(101, on.buttons[labels.index("關閉 價格通知")][0][1], shown.message_id))
    assert not Subscription.objects.get().enabled
    assert "需要" in talk.one(message(101, "/subscribe system_alert")).text
    Chat.objects.create(chat_id=str(GROUP))
    assert "主管" in talk.one(message(101, "/subscribe price_digest", to=GROUP)).text
    assert Subscription.objects.count() == 1


def test_unlinking(talk: Talk, people: dict[str, User]) -> None:
    asked = talk.one(message(101, "/unlink"))
    assert "已解除" in talk.one(press(101, asked.buttons[0][0][1], asked.message_id)).text
    assert not TelegramAccount.objects.filter(telegram_id=101).exists()
    assert "連結碼" in talk.one(message(101, "/help")).text


def test_a_refused_confirmation_may_be_pressed_again(
    talk: Talk, people: dict[str, User], probe: dict[str, Any]
) -> None:
    refusals = iter([Conflict("還在進行")])

    def refused_once(call: Call) -> Reply:
        for refusal in refusals if call.confirmed else ():
            raise refusal
        return asking(call)

    probe["does"] = refused_once
    asked = talk.one(message(102, "/probe"))
    assert "還在進行" in talk.one(press(102, asked.buttons[0][0][1], asked.message_id)).text
    assert talk.one(press(102, asked.buttons[0][0][1], asked.message_id)).text == "做了"
    assert effects() == 1
