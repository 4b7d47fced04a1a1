"""/start, /help, /subscribe and /unlink."""

from __future__ import annotations

from bot.linking import unlink
from bot.models import TelegramAccount
from bot.registry import Button, Call, Command, Reply, command, commands_for
from bot.texts import bold, escape, lines
from momo.core.errors import Conflict, Forbidden, NotFound
from momo.core.roles import LABELS, MANAGER, has_role, role_of
from notifications.models import Chat
from notifications.services.subscribing import offered_events, subscribe, subscribed_events, unsubscribe

ON, OFF = "on", "off"


@command("start", summary="開始使用", order=900)
def start(call: Call) -> Reply:
    """Greet the user and name the first commands."""
    first = [one for one in commands_for(call.user) if one.examples][:5]
    role = role_of(call.user) or ""
    text = lines(
        f"您好，{bold(call.user)}（{LABELS[role]}）。",
        "直接輸入想知道的事，或使用指令：",
        [f"/{one.name}　{escape(one.summary)}" for one in first],
        "",
        "輸入 /help 看全部指令。",
    )
    return Reply(text, {"user": call.user.username, "role": role}, [[Button("全部指令", "help", replaces=False)]])


@command("help", summary="全部指令", order=910)
def show_help(call: Call) -> Reply:
    """List the commands of the user's role."""
    allowed = commands_for(call.user)
    text = lines(bold("指令"), *[_described(one) for one in allowed])
    data = {
        "commands": [
            {"command": f"/{one.name}", "usage": one.usage, "summary": one.summary, "examples": list(one.examples)}
            for one in allowed
        ]
    }
    return Reply(text, data)


def _described(one: Command) -> list[str]:
    usage = f" {escape(one.usage)}" if one.usage else ""
    examples = "、".join(f"<code>{escape(example)}</code>" for example in one.examples)
    return [f"/{one.name}{usage}　{escape(one.summary)}", *([f"　例：{examples}"] if examples else [])]


@command("subscribe", summary="訂閱通知", usage="[事件 on|off]", order=800)
def subscriptions(call: Call) -> Reply:
    """Offer the events that the user may get in this chat, and switch one on or off."""
    chat = _chat(call)
    if call.args:
        event, wish = call.args[0], (call.args[1] if len(call.args) > 1 else ON)
        if wish == OFF:
            unsubscribe(chat=chat, event=event)
        else:
            subscribe(chat=chat, event=event, user=call.user)
    kinds, active = offered_events(call.user), subscribed_events(chat)
    rows = [f"{'🔔' if kind.code in active else '🔕'} {escape(kind.label)}" for kind in kinds]
    text = lines(bold("這個聊天室的通知"), rows, "", "按下面的按鈕開啟或關閉；條件與勿擾時段請到後台「訂閱」設定。")
    buttons = [
        [
            Button(
                f"{'關閉' if kind.code in active else '開啟'} {kind.label}",
                "subscribe",
                (kind.code, _other(kind.code, active)),
            )
        ]
        for kind in kinds
    ]
    data = {"events": [{"event": kind.code, "label": kind.label, "on": kind.code in active} for kind in kinds]}
    return Reply(text, data, buttons)


def _other(code: str, active: set[str]) -> str:
    return OFF if code in active else ON


def _chat(call: Call) -> Chat:
    """The chat of the call. Raises Conflict outside of Telegram, Forbidden in a group for who may not decide for it."""
    chat = Chat.objects.filter(chat_id=call.chat_id).first() if call.chat_id else None
    if chat is None:
        raise Conflict("/subscribe 要在 Telegram 的聊天室裡使用，其他訂閱請到後台設定")
    if chat.is_group and not has_role(call.user, MANAGER):
        raise Forbidden(f"群組的通知由「{LABELS[MANAGER]}」以上的角色設定；您可以在私訊裡訂閱")
    return chat


@command("unlink", summary="解除與 Telegram 的連結", order=920)
def end_link(call: Call) -> Reply:
    """Ask, then end the link of the user's Telegram account."""
    account = TelegramAccount.objects.filter(user=call.user).first()
    if account is None:
        raise NotFound("您的帳號沒有連結 Telegram")
    if not call.confirmed:
        text = f"要解除 {bold(account)} 與 {bold(call.user)} 的連結嗎？之後機器人不再回答，這裡的通知也會停止。"
        return Reply(text, {"linked": True}, [[Button("解除連結", "unlink", once=True)]])
    unlink(account=account)
    return Reply("已解除連結。要再使用，請到後台「Telegram 帳號」取得連結碼。", {"linked": False})
