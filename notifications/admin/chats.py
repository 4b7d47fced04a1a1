"""Admin pages of chats."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import WARN, active_badge, badge, column, when
from momo.admin.kit.filters import choice_filter
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import Conflict
from notifications.models import Chat, OutboxMessage
from notifications.services.chats import approve_chat, set_chat_active


def _state(chat: Chat) -> str:
    if chat.standing == Chat.Standing.WAITING:
        return badge(chat.get_standing_display(), WARN)
    return active_badge(chat.is_active)


@admin.register(Chat)
class ChatAdmin(BaseAdmin):
    """Chats of Telegram: people, groups and channels."""

    list_display = ("label", "chat_id", "sort", "state", "note", "since")
    list_display_links = ("label", "chat_id")
    list_filter = (
        ("is_active", BooleanRadioFilter),
        choice_filter("登記", "standing", lambda: {"waiting": ("等待核准", Q(standing=Chat.Standing.WAITING))}),
    )
    deletes_many = False  # chats are deleted one at a time, on their own pages: most have messages
    search_fields = ("title", "chat_id", "note")
    search_help_text = "名稱、編號或備註"
    sortable_by = ("label", "since")
    ordering = ("title", "pk")
    fields = ("chat_id", "title", "is_active", "note", "since")
    readonly_fields = ("since",)
    actions = ("switch_on_selected",)
    actions_row = ("approve", "switch_off", "switch_on")
    actions_detail: ClassVar[Any] = ("approve", "switch_off", "switch_on")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chat]:
        """Without people who wrote to the bot and are not linked."""
        rows: QuerySet[Chat] = super().get_queryset(request).exclude(standing=Chat.Standing.GUEST)
        return rows

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        texts = {
            "is_active": "停用之後不再寄訊息到這裡。有訊息的聊天室只能停用，不能刪除。",
            "chat_id": "群組是負數，頻道可以用 @名稱。機器人要先在那裡：把它加進群組，或請對方傳訊息給它。",
            "note": "被停用的原因會寫在這裡；重新啟用時清除。",
        }
        return super().get_form(request, obj, change, help_texts=texts, **kwargs)

    def save_model(self, request: HttpRequest, obj: Chat, form: Any, change: bool) -> None:
        changed = list(form.changed_data)
        if change and obj.is_active and "is_active" in changed and "note" not in changed:
            obj.note = ""
            changed.append("note")
        if change and obj.is_active and obj.standing == Chat.Standing.WAITING:
            obj.standing = Chat.Standing.KNOWN
            changed.append("standing")
        # A worker may be writing the other fields of the same row.
        obj.save(update_fields=changed if change else None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A chat with messages cannot be deleted: the messages stay, and so does their recipient."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and (obj is None or not OutboxMessage.objects.filter(chat=obj).exists())

    @dialog_action(
        "核准",
        "check_circle",
        permission="change",
        fits=lambda chat: chat.standing == Chat.Standing.WAITING,
        dialog=confirm_dialog(
            "核准聊天室",
            "機器人會在這裡回答已連結帳號的成員，群組裡每個人都看得到答案；也可以把通知寄到這裡。",
            yes="核准",
        ),
    )
    def approve(self, request: HttpRequest, form: Any, chat: Chat) -> str:
        return f"已核准 {approve_chat(chat)}"

    @dialog_action(
        "停用",
        "toggle_off",
        permission="change",
        fits=lambda chat: chat.is_active,
        dialog=confirm_dialog(
            "停用聊天室", "不再寄訊息到這裡，直到重新啟用；還沒寄出的會列為失敗，啟用後可以重新寄送。", yes="停用"
        ),
    )
    def switch_off(self, request: HttpRequest, form: Any, chat: Chat) -> str:
        if not set_chat_active(chat, active=False, user=cast(User, request.user)):
            raise Conflict(f"{chat} 本來就是停用的")
        return f"已停用 {chat}"

    @dialog_action(
        "重新啟用",
        "toggle_on",
        permission="change",
        fits=lambda chat: not chat.is_active and chat.standing != Chat.Standing.WAITING,
        dialog=confirm_dialog("重新啟用聊天室", "之後的訊息會再寄到這裡；停用的原因會清除。", yes="重新啟用"),
    )
    def switch_on(self, request: HttpRequest, form: Any, chat: Chat) -> str:
        if not set_chat_active(chat, active=True):
            raise Conflict(f"{chat} 本來就是啟用的")
        return f"已重新啟用 {chat}"

    @admin.action(description="重新啟用選取的聊天室", permissions=["change"])
    def switch_on_selected(self, request: HttpRequest, queryset: QuerySet[Chat]) -> None:
        done = sum(set_chat_active(chat, active=True) for chat in queryset)
        messages.success(request, f"已重新啟用 {done} 個聊天室")

    label = column("名稱", lambda title: title or "（未命名）", of="title", order="title")
    sort = column("類型", lambda is_group: "群組或頻道" if is_group else "個人", of="is_group")
    state = column("狀態", _state)
    since = column("建立時間", when, of="created_at", order="created_at")
