"""Entries of the sidebar for notifications, and how many messages wait for a decision."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit.nav import Card, Cards, Entry, Link, Searchable, Section, Step, count, register
from notifications.selectors import has_chats, waiting_chats, waiting_messages

NOTIFICATIONS = Section("通知", 30)


def _cards(request: HttpRequest) -> list[Card]:
    url = f"{reverse('admin:notifications_outboxmessage_changelist')}?state=attention"
    return [Card("待處理訊息", count(request, waiting_messages), url, "warn")]


register(
    Step(
        50,
        "連上 Telegram",
        "把機器人加進群組，在這裡核准，就能收通知、問業績。",
        "forum",
        "admin:notifications_chat_changelist",
        "notifications.add_chat",
        done=has_chats,
        optional=True,
    ),
    Searchable(
        40,
        "notifications.template",
        "edit_note",
        lambda row: (row.title, row.code),
        fields=("code", "title"),
    ),
    Entry(
        NOTIFICATIONS,
        10,
        "通知範本",
        "edit_note",
        "notifications.template",
        empty="通知的文字會列在這裡，可以自行新增或匯入。",
        help=(
            "系統寄出的每一種訊息與郵件的文字。主管點代碼進去修改，旁邊的預覽立刻顯示，也可以「傳送測試」。"
            "「版本」每次儲存加一，可以比較與還原；寫錯的範本不能儲存。"
        ),
    ),
    Entry(
        NOTIFICATIONS,
        20,
        "訊息",
        "outbox",
        "notifications.outboxmessage",
        badge=waiting_messages,
        empty="系統寄出的郵件和 Telegram 訊息會列在這裡。",
        step=Link(
            "設定訂閱",
            "subscriptions",
            "admin:notifications_subscription_changelist",
            "notifications.view_subscription",
        ),
        help=(
            "系統寄出的每一封郵件與 Telegram 訊息，先列還沒完成與待處理的。點進「待人工確認」或「失敗」的看原因，"
            "主管再決定重試、取消，或標記為已送達。「未寄出」表示還沒有設定郵件伺服器。"
        ),
        how_to=(
            "都是「未寄出」：請系統管理員設定 `EMAIL_URL`，再重試。",
            (
                "用 Gmail 寄信：開啟兩步驟驗證，在 `myaccount.google.com/apppasswords` 產生應用程式密碼，"
                "設定 `EMAIL_URL=smtp+tls://帳號%40gmail.com:密碼@smtp.gmail.com:587`，"
                "`EMAIL_FROM` 用同一個地址。"
            ),
            "一直「等待寄送」：旁邊的原因是郵件伺服器的回答，系統會自己再試。",
            "「失敗」：地址被拒絕，更正收件者之後重試。",
        ),
    ),
    Entry(
        NOTIFICATIONS,
        30,
        "訂閱",
        "subscriptions",
        "notifications.subscription",
        empty="訂閱決定什麼事情通知誰：價格變動、匯入結果、系統警示。",
        help=(
            "什麼事通知誰：一列是一種事件寄到一個聊天室或信箱。主管按「＋」選事件、條件與收件者，"
            "也可以設定勿擾時段。「啟用」關掉就不再寄；勿擾時段的訊息先留著，時段結束才寄出。"
        ),
    ),
    Entry(
        NOTIFICATIONS,
        40,
        "Telegram 聊天室",
        "forum",
        "notifications.chat",
        badge=waiting_chats,
        empty="把機器人加進 Telegram 的群組，它就會出現在這裡等待核准。",
        help=(
            "機器人可以寄訊息的群組、頻道與個人。把機器人加進群組，它就以「等待核准」出現，"
            "主管核准之後才會回答與寄送。停用的聊天室不再收到訊息，被停用的原因寫在備註。"
        ),
        how_to=(
            "在 Telegram 把機器人加進群組。",
            "回到這一頁，在那一列按「核准」。",
            "在群組輸入 `/subscribe` 選擇要收的通知，或到「訂閱」新增。",
        ),
    ),
    Cards(20, "notifications.view_outboxmessage", _cards, counts=(waiting_messages,)),
)
