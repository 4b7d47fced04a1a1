"""The chats that our bot may write to, and why one of them was switched off."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import action, display

from momo.admin_kit.dialogs import after_dialog, question
from momo.admin_kit.display import GOOD, QUIET, badge, when
from momo.admin_kit.tables import QuietAdmin
from notifications.models import Chat, OutboxMessage
from notifications.services.chats import switch_on_chat


@admin.register(Chat)
class ChatAdmin(QuietAdmin):
    """People, groups and channels of Telegram."""

    list_display = ("label", "chat_id", "sort", "state", "note", "since")
    list_display_links = ("label", "chat_id")
    list_filter = (("is_active", BooleanRadioFilter),)
    list_filter_submit = True
    search_fields = ("title", "chat_id", "note")
    search_help_text = "名稱、編號或備註"
    sortable_by = ("label", "since")
    ordering = ("title", "pk")
    fields = ("chat_id", "title", "is_active", "note", "since")
    readonly_fields = ("since",)
    actions_row = ("switch_off", "switch_on")
    actions_detail: ClassVar[Any] = ("switch_off", "switch_on")

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
        # A sender may be writing the pace, or that the chat is gone, to the same row.
        obj.save(update_fields=changed if change else None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was sent stays, and so does whom it was sent to."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and (obj is None or not OutboxMessage.objects.filter(chat=obj).exists())

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        # One at a time, on its own page: most have messages.
        actions.pop("delete_selected", None)
        return actions

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        active = Chat.objects.filter(pk=object_id).values_list("is_active", flat=True).first()
        fit = "notifications_chat_switch_off" if active else "notifications_chat_switch_on"
        return [one for one in super().get_actions_detail(request, object_id) if one.action_name == fit]

    @action(
        description="停用",
        icon="toggle_off",
        permissions=["change"],
        dialog=question(
            "停用聊天室", "不再寄訊息到這裡，直到重新啟用；還沒寄出的會列為失敗，啟用後可以重新寄送。", yes="停用"
        ),
    )
    def switch_off(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        chat = get_object_or_404(Chat, pk=object_id)
        if chat.is_active:
            chat.is_active, chat.note = False, f"{timezone.localdate()} 由 {request.user} 停用"
            # By a save, which the audit trail hears of; of these two alone, since a sender may be writing the pace.
            chat.save(update_fields=["is_active", "note"])
            messages.success(request, f"已停用 {chat}")
        else:
            messages.warning(request, f"{chat} 本來就是停用的")
        return after_dialog(request, reverse("admin:notifications_chat_changelist"))

    @action(
        description="重新啟用",
        icon="toggle_on",
        permissions=["change"],
        dialog=question("重新啟用聊天室", "之後的訊息會再寄到這裡；停用的原因會清除。", yes="重新啟用"),
    )
    def switch_on(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        chat = get_object_or_404(Chat, pk=object_id)
        if switch_on_chat(chat):
            messages.success(request, f"已重新啟用 {chat}")
        else:
            messages.warning(request, f"{chat} 本來就是啟用的")
        return after_dialog(request, reverse("admin:notifications_chat_changelist"))

    @admin.action(description="重新啟用選取的聊天室", permissions=["change"])
    def switch_on_selected(self, request: HttpRequest, queryset: QuerySet[Chat]) -> None:
        done = sum(map(switch_on_chat, queryset))
        messages.success(request, f"已重新啟用 {done} 個聊天室")

    actions = ("switch_on_selected",)

    @display(description="名稱", ordering="title")
    def label(self, obj: Chat) -> str:
        return obj.title or "（未命名）"

    @display(description="類型")
    def sort(self, obj: Chat) -> str:
        return "群組或頻道" if obj.is_group else "個人"

    @display(description="狀態")
    def state(self, obj: Chat) -> str:
        return badge("啟用", GOOD) if obj.is_active else badge("停用", QUIET)

    @display(description="建立時間", ordering="created_at")
    def since(self, obj: Chat) -> str:
        return when(obj.created_at)
