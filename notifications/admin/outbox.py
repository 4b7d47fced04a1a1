"""Admin pages of the outbox: what waits, what went where, and what a person has to decide."""

from __future__ import annotations

import io
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Left
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import NO_VALUE, column, full_name, link, nowrap, span, when, with_sub
from momo.admin.kit.filters import Choices, DayRangeFilter, any_of, choice_filter
from momo.admin.kit.tables import PageAdmin, UncountedAdmin, UncountedChangeList
from notifications.admin.looks import status_badge
from notifications.admin.outbox_page import channel_lines, page_of
from notifications.admin.subscriptions import OTHER_EVENTS, event_choices, event_label
from notifications.channels.email import mail_of
from notifications.channels.mail import BadAddress
from notifications.markup import plain_text
from notifications.models import Attachment, Channel, OutboxMessage, Pace
from notifications.selectors import WEEK
from notifications.services import control

Status = OutboxMessage.Status
STATE = "state"  # parameter of the list's address
START = 300  # characters of a text that the list reads
REASON = 60  # of a reason that it shows
LISTED = 20  # messages that a question names
MOST = 2_000  # of one decision about many; a form holds no more than 5,000 fields


def state_choices() -> Choices:
    """Each state; by default what is not over or failed lately; "attention" is what the start page counts."""
    going = [status for status in Status.values if status not in (Status.SENT, Status.CANCELLED, Status.FAILED)]
    failed = Q(status=Status.FAILED, finished_at__gt=timezone.now() - WEEK)
    unfinished, waiting = Q(status__in=going) | failed, Q(status__in=(Status.HELD, Status.UNSENT)) | failed
    states = {str(value): (str(label), Q(status=value)) for value, label in Status.choices}
    return {"": ("未完成與待處理", unfinished), "attention": ("待處理", waiting), "all": ("全部", Q()), **states}


def all_event_choices() -> Choices:
    """Events, those without subscriptions among them."""
    return {**event_choices(), **{code: (label, Q(event=code)) for code, label in OTHER_EVENTS.items()}}


class OutboxChangeList(UncountedChangeList):
    """Notes of an empty list that it leaves out what is over."""

    @property
    def nothing_open(self) -> str:
        """The text of an empty list; empty where a state was chosen."""
        if self.params.get(STATE):
            return ""
        narrowed = "符合條件的" if any(self.params.values()) else ""
        return f"沒有{narrowed}未完成或待處理的訊息"

    @property
    def all_url(self) -> str:
        """The same search, of all messages."""
        return str(self.get_query_string({STATE: "all"}))


def _decide(choice: control.Choice, description: str, icon: str, dialog: Any, done: str) -> Any:
    """The action that makes a decision about one message, on the page of a message that it fits."""

    @dialog_action(
        description,
        icon,
        permission="decide",
        fits=lambda message: message.status in choice.before,
        dialog=dialog,
    )
    def decide(self: Any, request: HttpRequest, form: Any, message: OutboxMessage) -> str:
        control.decide(choice, message, user=cast(User, request.user))
        return f"{message}：{done}"

    return decide


def _decide_selected(choice: control.Choice, description: str, label: str, text: str) -> Any:
    """The action that makes a decision about many messages, from the list, after a page that asks for confirmation."""

    @admin.action(description=description, permissions=["decide"])
    def decide(
        self: OutboxMessageAdmin, request: HttpRequest, queryset: QuerySet[OutboxMessage]
    ) -> HttpResponse | None:
        if request.POST.get("confirmed") != "yes":
            return self.ask(request, queryset, label, text)
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST])
        decided = control.decide_many(choice, OutboxMessage.objects.filter(pk__in=ids), user=cast(User, request.user))
        if decided.done:
            messages.success(request, f"{label}：{decided.done:,} 則")
        if decided.skipped:
            messages.warning(request, f"{decided.skipped:,} 則的狀態不適合，沒有變動")
        if not ids:
            messages.warning(request, "選取的訊息都不在這個清單裡了，沒有變動")
        return None

    return decide


@admin.register(OutboxMessage)
class OutboxMessageAdmin(UncountedAdmin, PageAdmin):
    """Messages cannot be edited; people decide what becomes of those that cannot go on by themselves."""

    changelist_class = OutboxChangeList
    list_display = ("time", "state", "way", "to", "line", "what", "tries", "why", "written_with")
    list_display_links = ("time", "line")
    list_filter = (
        choice_filter("狀態", STATE, state_choices),
        ("channel", ChoicesDropdownFilter),
        any_of("事件", "event", all_event_choices),
        ("created_at", DayRangeFilter),
    )
    tabs = (
        ("未完成與待處理", {}),
        ("待處理", {STATE: "attention"}),
        *((str(status.label), {STATE: status.value}) for status in (Status.SENT, Status.FAILED, Status.CANCELLED)),
        ("全部", {STATE: "all"}),
    )
    list_fullwidth = True
    search_fields = ("recipient", "subject", "key")
    search_help_text = "收件者、主旨或防重複代號"
    sortable_by = ()
    list_before_template = "admin/notifications/outboxmessage/state.html"
    change_form_before_template = "admin/notifications/outboxmessage/page.html"
    actions = ("retry_selected", "cancel_selected", "release_selected", "mark_sent_selected")
    actions_detail: ClassVar[Any] = ("retry", "release", "mark_sent", "cancel")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.change_outboxmessage")

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "notifications_outboxmessage"
        own = [
            path("<int:object_id>/files/<int:file_id>/", view(self.file), name=f"{name}_file"),
            path("<int:object_id>/eml/", view(self.eml), name=f"{name}_eml"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        rows: QuerySet[OutboxMessage] = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "notifications_outboxmessage_changelist":
            # Whole texts of fifty rows would be megabytes.
            pauses = Pace.objects.filter(channel=OuterRef("channel"), paused_until__gt=timezone.now())
            return (
                rows.select_related("chat")
                .defer("body", "body_html")
                .prefetch_related("decisions")
                .annotate(start=Left("body", START), paused_until=Subquery(pauses.values("paused_until")))
            )
        return rows.select_related("created_by", "subscription", "chat")

    def get_ordering(self, request: HttpRequest) -> Any:
        if request.GET.get(STATE):
            return ("-pk",)
        first = {Status.HELD: 0, Status.FAILED: 1}
        cases = [When(status=status, then=Value(place)) for status, place in first.items()]
        return (Case(*cases, default=Value(2), output_field=IntegerField()).asc(), "-pk")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "channels": channel_lines()})

    def page_context(self, request: HttpRequest, obj: OutboxMessage) -> dict[str, Any]:
        # Decisions are shown on the page itself; the history of forms would say that there were none.
        return {**page_of(obj, downloads=self.has_decide_permission(request)), "show_history": False}

    def file(self, request: HttpRequest, object_id: int, file_id: int) -> FileResponse:
        """Download an attachment; it may hold figures of the business, so only for people who may decide."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        found = get_object_or_404(Attachment, pk=file_id, messages=object_id)
        return _download(bytes(found.content), found.name)

    def eml(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Download a mail as a file for a mail program, with its attachments; for people who may decide."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        message = get_object_or_404(OutboxMessage, pk=object_id, channel=Channel.EMAIL)
        try:
            return _download(mail_of(message).content, f"{message.pk}.eml")
        except BadAddress as error:
            messages.error(request, str(error))
            return redirect("admin:notifications_outboxmessage_change", message.pk)

    time = column("時間", when, of="created_at")
    state = column("狀態", status_badge)
    way = column("管道", lambda message: nowrap(message.get_channel_display()))
    line = column("內容", lambda message: full_name(message.subject or first_line(message) or "（只有附件）"))
    what = column("事件", lambda event: nowrap(event_label(event)), of="event")
    tries = column("嘗試", of="attempts")

    @display(description="收件者")
    def to(self, obj: OutboxMessage) -> str:
        if obj.chat is None or not obj.chat.title:
            return span("mo-wrap", obj.recipient)
        return with_sub(span("mo-wrap", obj.chat.title), obj.recipient)

    @display(description="原因")
    def why(self, obj: OutboxMessage) -> str:
        lines, waits = obj.history(), waits_for(obj)
        if not lines:
            return span("mo-reason", waits) if waits else NO_VALUE
        last = lines[-1] if len(lines[-1]) <= REASON else f"{lines[-1][:REASON]}…"
        shown = with_sub(last, waits) if waits else last
        return format_html('<span class="mo-reason" title="{}">{}</span>', "\n".join(lines), shown)

    @display(description="範本")
    def written_with(self, obj: OutboxMessage) -> str:
        if not obj.template_code:
            return NO_VALUE
        url = f"{reverse('admin:notifications_template_changelist')}?q={obj.template_code}"
        version = f"第 {obj.template_version} 版" if obj.template_version else ""
        return with_sub(span("mo-wrap", link(url, obj.template_code)), version)

    retry = _decide(
        control.RETRY,
        "重試",
        "refresh",
        confirm_dialog("重新寄送這一則", "回到等待寄送，馬上再試一次；接在後面的也會跟著寄。", yes="重新寄送"),
        "已排入重新寄送",
    )
    cancel = _decide(
        control.CANCEL,
        "取消",
        "cancel",
        confirm_dialog("取消這一則", "不會再寄出，接在後面的也一起取消。", yes="取消這一則"),
        "已取消",
    )
    release = _decide(
        control.RELEASE,
        "放行重寄",
        "send",
        confirm_dialog(
            "放行重寄", "寄送時中斷，對方可能已經收到：再寄一次，就可能收到兩則。請先向收件者確認。", yes="再寄一次"
        ),
        "已放行，會再寄一次",
    )
    mark_sent = _decide(
        control.MARK_SENT,
        "標記為已送達",
        "done_all",
        confirm_dialog("標記為已送達", "您已確認對方收到了：不再寄送，接在後面的繼續寄。", yes="已送達"),
        "已標記為已送達",
    )
    retry_selected = _decide_selected(
        control.RETRY, "重試選取的訊息", "重新寄送", "其中失敗的回到等待寄送，馬上再試一次；其他的不變。"
    )
    cancel_selected = _decide_selected(
        control.CANCEL, "取消選取的訊息", "取消", "其中還沒寄出的不會再寄，接在後面的也一起取消；已寄出與寄送中的不變。"
    )
    release_selected = _decide_selected(
        control.RELEASE,
        "放行重寄選取的訊息",
        "放行重寄",
        "其中待人工確認的會再寄一次。對方可能已經收到：再寄就可能收到兩則，請先確認。其他的不變。",
    )
    mark_sent_selected = _decide_selected(
        control.MARK_SENT,
        "標記選取的訊息為已送達",
        "標記為已送達",
        "其中待人工確認的不再寄送，接在後面的繼續寄；其他的不變。",
    )

    def ask(self, request: HttpRequest, queryset: QuerySet[OutboxMessage], label: str, text: str) -> HttpResponse:
        """The page that names the chosen messages, and that sends the same choice again, confirmed."""
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        few = OutboxMessage.objects.filter(pk__in=chosen[:LISTED]).order_by("pk")
        return self.own_page(
            request,
            "admin/notifications/outboxmessage/confirm.html",
            title=f"{label}選取的訊息",
            label=label,
            text=text,
            number=min(len(chosen), MOST),
            cut=f"{MOST:,}" if len(chosen) > MOST else "",
            action=request.POST.get("action", ""),
            chosen=chosen[:MOST],
            shown=[(one, status_badge(one), one.subject or plain_text(one.body[:START]).strip()[:120]) for one in few],
            more=max(0, min(len(chosen), MOST) - LISTED),
            back=request.get_full_path(),
        )


def _download(content: bytes, name: str) -> FileResponse:
    """A file that a browser saves and never shows."""
    return FileResponse(io.BytesIO(content), as_attachment=True, filename=name, content_type="application/octet-stream")


def waits_for(obj: Any) -> str:
    """What keeps a pending message of the list from being sent now; empty where nothing does."""
    if obj.status != Status.PENDING:
        return ""
    now = timezone.now()
    reasons = []
    planned = max(obj.due_at, obj.next_attempt_at)
    if planned > now:
        # Only quiet hours move the time from which a message counts as due.
        reasons.append(format_html("預定 {}{}", when(planned), "（勿擾時段）" if obj.due_at > now else ""))
    if obj.paused_until is not None:
        reasons.append(format_html("{}暫停到 {}", obj.get_channel_display(), when(obj.paused_until)))
    return format_html_join("；", "{}", ((text,) for text in reasons))


def first_line(obj: Any) -> str:
    """How a text begins, without its markup."""
    start = obj.start if obj.channel == Channel.EMAIL else plain_text(obj.start)
    lines = str(start).strip().splitlines()
    return lines[0] if lines else ""
