"""Admin pages of subscriptions: one row for a chat or an address and an event, with the conditions of the event."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from momo.admin.kit.dialogs import after_dialog, confirm_dialog, dialog_action
from momo.admin.kit.display import INFO, NO_VALUE, choice_badge, column, nowrap, span, when, with_sub
from momo.admin.kit.filters import Choices, choice_filter
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import ServiceError
from notifications.admin.filter_fields import FiltersField
from notifications.admin.previews import failure_texts
from notifications.admin.templates import report_test
from notifications.events import ANSWER_EVENT, MANUAL_EVENT, TEST_EVENT, event_kind, event_kinds
from notifications.models import Channel, Chat, Subscription
from notifications.services.notify import send_test
from notifications.services.templates import EventTemplates, template_by_code

SHOWN = 3  # texts of a condition that the list shows


def quiet_hours_text(start: time | None, end: time | None) -> str:
    """Quiet hours as a sentence."""
    if start is None or end is None or start == end:
        return "沒有勿擾時段，訊息隨時寄出。"
    night = "隔天 " if start > end else ""
    return f"每天 {start:%H:%M} 到{night or ' '}{end:%H:%M}（台北時間）的訊息先留著，{night}{end:%H:%M} 才寄出。"


# Events of messages in the outbox that have no subscriptions.
OTHER_EVENTS = {TEST_EVENT: "測試", MANUAL_EVENT: "手動傳送", ANSWER_EVENT: "機器人的回覆"}


def event_label(code: str) -> str:
    """Return the label of an event; its code when no app registers it any more."""
    kind = event_kind(code)
    return kind.label if kind is not None else OTHER_EVENTS.get(code, code)


class SubscriptionForm(ModelForm):
    """Form of a subscription, whose recipient must fit the channel, and whose conditions those of the event."""

    asked_event = ""  # the event whose conditions the script asks for, before anything is saved

    event = forms.ChoiceField(label="事件", widget=UnfoldAdminSelectWidget(attrs={"data-event": ""}))
    filters = FiltersField(label="條件")

    class Meta:
        model = Subscription
        fields = ("name", "event", "channel", "chat", "address", "filters", "quiet_from", "quiet_until", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "quiet_until" not in self.fields:
            return  # without the permission to change there are the declared fields alone
        choices = [(code, kind.label) for code, kind in event_kinds().items() if kind.subscribable]
        saved = self.instance.event
        if saved and saved not in dict(choices):
            choices.append((saved, f"{saved}（系統已沒有這種事件）"))
        events: Any = self.fields["event"]
        events.choices = [("", "請選擇"), *choices]
        if self.asked_event in dict(choices):
            self.initial["event"] = self.asked_event
        chosen = self.data.get(self.add_prefix("event")) if self.is_bound else self.initial.get("event", saved)
        conditions = cast(FiltersField, self.fields["filters"])
        kept = self.instance.filters if self.instance.pk and chosen == saved else {}
        conditions.use(event_kind(chosen or ""), kept)
        if not self.is_bound:
            self.initial["filters"] = kept
        text = quiet_hours_text(self.instance.quiet_from, self.instance.quiet_until)
        self.fields["quiet_until"].help_text = format_html("<span data-quiet-text>{}</span>", text)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        channel = cleaned.get("channel")
        if channel == Channel.TELEGRAM:
            # The other channel's field is hidden, and may still hold an earlier value.
            cleaned["address"] = ""
            self.errors.pop("address", None)
            if not cleaned.get("chat") and "chat" not in self.errors:
                self.add_error("chat", "請選擇聊天室")
        elif channel == Channel.EMAIL:
            cleaned["chat"] = None
            self.errors.pop("chat", None)
            if not cleaned.get("address") and "address" not in self.errors:
                self.add_error("address", "請填寫電子郵件地址")
        hours = [cleaned.get("quiet_from"), cleaned.get("quiet_until")]
        if None in hours and hours != [None, None] and not {"quiet_from", "quiet_until"} & self.errors.keys():
            self.add_error("quiet_until" if hours[1] is None else "quiet_from", "開始與結束要都填，或都不填")
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # The constraints would report for all of these fields what `clean` has reported at one of them.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        constrained = {"chat", "address", "quiet_from", "quiet_until"}
        return excluded | constrained if constrained & self.errors.keys() else excluded


def event_choices() -> Choices:
    """The kinds of events that apps register."""
    return {code: (kind.label, Q(event=code)) for code, kind in event_kinds().items()}


@admin.register(Subscription)
class SubscriptionAdmin(BaseAdmin):
    """Subscriptions of people and groups to events."""

    form = SubscriptionForm
    list_display = ("name", "what", "way", "recipient", "conditions", "quiet", "enabled")
    list_editable = ("enabled",)
    list_select_related = ("chat",)
    list_filter = (
        choice_filter("事件", "event", event_choices),
        ("channel", ChoicesDropdownFilter),
        ("enabled", BooleanRadioFilter),
    )
    search_fields = ("name", "address", "chat__title", "chat__chat_id")
    search_help_text = "名稱、地址或聊天室"
    sortable_by = ("name",)
    ordering = ("event", "name", "pk")
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "event", "filters")}),
        ("寄到哪裡", {"fields": ("channel", "chat", "address")}),
        ("勿擾時段", {"fields": (("quiet_from", "quiet_until"),)}),
        (None, {"fields": ("enabled",)}),
    )
    readonly_fields = ("what", "way", "recipient", "conditions", "quiet", "since")
    actions_row = ("send_test",)
    actions_detail = ("send_test",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"asked_event": request.GET.get("event", "")})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        fields = ("name", "what", "way", "recipient", "conditions", "quiet", "enabled", "since")
        return [(None, {"fields": fields})]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in ("quiet_from", "quiet_until"):
            field.widget.attrs["data-quiet"] = ""
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "chat":
            kwargs["queryset"] = Chat.objects.order_by("-is_active", "title", "pk")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    what = column("事件", lambda event: nowrap(event_label(event)), of="event")
    way = column("管道", choice_badge({Channel.TELEGRAM: INFO}, "channel"))
    since = column("建立時間", when, of="created_at")

    @display(description="收件者")
    def recipient(self, obj: Subscription) -> str:
        if obj.chat is None:
            return obj.address
        return str(obj.chat) if obj.chat.is_active else with_sub(obj.chat, "聊天室已停用，不會寄")

    @display(description="條件")
    def conditions(self, obj: Subscription) -> str:
        kind, kept = event_kind(obj.event), obj.filters if isinstance(obj.filters, dict) else {}
        texts = []
        for field in kind.filters if kind else ():
            if kept.get(field.name):
                texts.append(_condition(field, kept[field.name]))
            elif field.empty:
                texts.append(f"{field.label} {field.empty}")
        return span("mo-wrap", "；".join(texts) or "全部")

    @display(description="勿擾")
    def quiet(self, obj: Subscription) -> str:
        if obj.quiet_from is None or obj.quiet_until is None:
            return NO_VALUE
        return nowrap(f"{obj.quiet_from:%H:%M}–{obj.quiet_until:%H:%M}")

    @dialog_action(
        "傳送測試",
        "send",
        permission="change",
        dialog=confirm_dialog("傳送測試", "用範本的範例寄一則標有［測試］的訊息給這個收件者。", yes="傳送"),
    )
    def send_test(self, request: HttpRequest, form: Any, subscription: Subscription) -> HttpResponse:
        try:
            message = send_test(
                template_by_code(EventTemplates(subscription.event).code(subscription.channel)),
                channel=subscription.channel,
                recipient=subscription.chat.chat_id if subscription.chat is not None else subscription.address,
                values=None,
                user=cast(User, request.user),
            )
        except ServiceError as refusal:
            messages.error(request, "；".join(failure_texts(refusal)))
        else:
            report_test(request, message)
        return after_dialog(request, reverse("admin:notifications_subscription_changelist"))


def _condition(field: Any, kept: Any) -> str:
    """Return one condition as a short text; of choices their number, since their labels may be rows of a table."""
    if field.kind == "choices":
        return f"{field.label} {len(kept)} 項"
    if field.kind == "texts":
        more = f"等 {len(kept)} 個" if len(kept) > SHOWN else ""
        return f"{field.label} {'、'.join(map(str, kept[:SHOWN]))}{more}"
    return f"{field.label} {kept}"
