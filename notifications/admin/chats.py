"""The chats that our bot may write to, and why one of them was switched off."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import action, display

from momo.admin_kit.dialogs import after_dialog, question
from momo.admin_kit.display import GOOD, QUIET, badge, when
from momo.admin_kit.tables import QuietAdmin
from notifications.models import Chat
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
    actions_row = ("switch_on",)
    actions_detail: ClassVar[Any] = ("switch_on",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        texts = {
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

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        off = Chat.objects.filter(pk=object_id, is_active=False).exists()
        return super().get_actions_detail(request, object_id) if off else []

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
