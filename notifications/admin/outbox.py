"""The outbox: what waits, what went where, and what a person has to decide."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Left
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.views import ChangeList

from accounts.models import User
from momo.admin_kit.dialogs import after_dialog, question
from momo.admin_kit.display import NOTHING, link, when
from momo.admin_kit.filters import DayRangeFilter
from momo.admin_kit.tables import LongAdmin, LongChangeList, PageAdmin
from momo.rest.errors import ApiError
from notifications.admin.looks import status_badge
from notifications.admin.mails import KeptMailPages
from notifications.admin.outbox_page import channel_lines, page_of
from notifications.admin.subscriptions import OTHER_EVENTS, EventFilter, event_label
from notifications.markup import plain_text
from notifications.models import Attachment, Channel, OutboxMessage, Pace
from notifications.selectors import WEEK
from notifications.services import control

Status = OutboxMessage.Status
OVER_WELL = (Status.SENT, Status.CANCELLED)
START = 300  # characters of a text that the list reads
REASON = 60  # of a reason that it shows
LISTED = 20  # messages that a question names
MOST = 2_000  # of one decision about many; a form holds no more than 5,000 fields


class StateFilter(DropdownFilter):
    """What is under way and what waits for people is shown unless something else is asked for."""

    title = "狀態"
    parameter_name = "state"
    all_option: ClassVar = ("", "未完成與待處理")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "全部"), *((str(value), str(label)) for value, label in Status.choices)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
        chosen = self.value()
        if chosen in Status.values:
            return queryset.filter(status=chosen)
        return queryset if chosen else queryset.filter(unfinished())


def unfinished(now: datetime | None = None) -> Q:
    """What is not over, held messages, and those that failed not long ago, as the sidebar counts them."""
    going = [status for status in Status.values if status not in (*OVER_WELL, Status.FAILED)]
    return Q(status__in=going) | Q(status=Status.FAILED, finished_at__gt=(now or timezone.now()) - WEEK)


class OutboxEventFilter(EventFilter):
    """Also what nobody subscribes to."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), *OTHER_EVENTS.items()]


class OutboxChangeList(LongChangeList):
    """Says of an empty list that it leaves out what is over."""

    @property
    def nothing_open(self) -> str:
        """What to say where nothing is found; nothing where a state was asked for."""
        if self.params.get(StateFilter.parameter_name):
            return ""
        narrowed = "符合條件的" if any(self.params.values()) else ""
        return f"沒有{narrowed}未完成或待處理的訊息"

    @property
    def all_url(self) -> str:
        """The same question, asked of all messages."""
        return str(self.get_query_string({StateFilter.parameter_name: "all"}))


@admin.register(OutboxMessage)
class OutboxMessageAdmin(KeptMailPages, LongAdmin, PageAdmin):
    """Nobody edits a message; people decide what becomes of those that cannot go on by themselves."""

    list_display = ("time", "state", "way", "to", "line", "what", "tries", "why", "written_with")
    list_display_links = ("time", "line")
    list_filter = (
        StateFilter,
        ("channel", ChoicesDropdownFilter),
        OutboxEventFilter,
        ("created_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("recipient", "subject", "key")
    search_help_text = "收件者、主旨或唯一鍵"
    sortable_by = ()
    list_before_template = "admin/notifications/outboxmessage/state.html"
    change_form_before_template = "admin/notifications/outboxmessage/page.html"
    actions = ("retry_selected", "cancel_selected", "release_selected", "mark_sent_selected")
    actions_detail: ClassVar[Any] = ("retry", "release", "mark_sent", "cancel")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.change_outboxmessage")

    def get_urls(self) -> list[Any]:
        file = path(
            "<int:object_id>/files/<int:file_id>/",
            self.admin_site.admin_view(self.file),
            name="notifications_outboxmessage_file",
        )
        return [file, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        rows = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "notifications_outboxmessage_changelist":
            # Whole texts of fifty rows would be megabytes.
            resting = Pace.objects.filter(channel=OuterRef("channel"), paused_until__gt=timezone.now())
            return (
                rows.select_related("chat")
                .defer("body", "body_html")
                .annotate(start=Left("body", START), rests_until=Subquery(resting.values("paused_until")))
            )
        return rows.select_related("created_by", "subscription", "chat")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OutboxChangeList

    def get_ordering(self, request: HttpRequest) -> Any:
        if request.GET.get(StateFilter.parameter_name):
            return ("-pk",)
        first = {Status.HELD: 0, Status.FAILED: 1}
        cases = [When(status=status, then=Value(place)) for status, place in first.items()]
        return (Case(*cases, default=Value(2), output_field=IntegerField()).asc(), "-pk")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "channels": channel_lines()})

    def page_context(self, request: HttpRequest, obj: OutboxMessage) -> dict[str, Any]:
        # What was decided stands in the message itself; the history of forms would say that nothing was.
        return {**page_of(obj, downloads=self.has_decide_permission(request)), "show_history": False}

    def file(self, request: HttpRequest, object_id: int, file_id: int) -> FileResponse:
        """An attachment; it may hold figures of the business, so only for who may act on messages."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        found = get_object_or_404(Attachment, pk=file_id, messages=object_id)
        return FileResponse(
            io.BytesIO(found.content),
            as_attachment=True,
            filename=found.name,
            content_type="application/octet-stream",
        )

    # What the list says

    @display(description="時間")
    def time(self, obj: OutboxMessage) -> str:
        return when(obj.created_at)

    @display(description="狀態")
    def state(self, obj: OutboxMessage) -> str:
        return status_badge(obj)

    @display(description="管道")
    def way(self, obj: OutboxMessage) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', obj.get_channel_display())

    @display(description="收件者")
    def to(self, obj: OutboxMessage) -> str:
        name = obj.chat.title if obj.chat is not None else ""
        if not name:
            return format_html('<span class="mo-wrap">{}</span>', obj.recipient)
        return format_html('<span class="mo-wrap">{}</span><span class="mo-sub">{}</span>', name, obj.recipient)

    @display(description="內容")
    def line(self, obj: Any) -> str:
        return format_html('<span class="mo-name">{}</span>', obj.subject or first_line(obj) or "（只有附件）")

    @display(description="事件")
    def what(self, obj: OutboxMessage) -> str:
        return format_html('<span class="mo-nowrap">{}</span>', event_label(obj.event))

    @display(description="嘗試")
    def tries(self, obj: OutboxMessage) -> str:
        return f"{obj.attempts}"

    @display(description="原因")
    def why(self, obj: OutboxMessage) -> str:
        lines, waits = obj.reason.splitlines(), waits_for(obj)
        if not lines:
            return format_html('<span class="mo-reason">{}</span>', waits) if waits else NOTHING
        last = lines[-1]
        return format_html(
            '<span class="mo-reason" title="{}">{}{}</span>',
            obj.reason,
            last if len(last) <= REASON else f"{last[:REASON]}…",
            format_html('<span class="mo-sub">{}</span>', waits) if waits else "",
        )

    @display(description="範本")
    def written_with(self, obj: OutboxMessage) -> str:
        if not obj.template_code:
            return NOTHING
        url = f"{reverse('admin:notifications_template_changelist')}?q={obj.template_code}"
        version = f"第 {obj.template_version} 版" if obj.template_version else ""
        return format_html(
            '<span class="mo-wrap">{}</span><span class="mo-sub">{}</span>', link(url, obj.template_code), version
        )

    # What can be done with one

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        status = OutboxMessage.objects.filter(pk=object_id).values_list("status", flat=True).first()
        fit = {
            "retry": control.RETRY,
            "cancel": control.CANCEL,
            "release": control.RELEASE,
            "mark_sent": control.MARK_SENT,
        }
        found = super().get_actions_detail(request, object_id)
        name = "notifications_outboxmessage_"
        return [one for one in found if status in fit[one.action_name.removeprefix(name)].before]

    @action(
        description="重試",
        icon="refresh",
        permissions=["decide"],
        dialog=question("重新寄送這一則", "回到等待寄送，馬上再試一次；接在後面的也會跟著寄。", yes="重新寄送"),
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, control.retry, "已排入重新寄送")

    @action(
        description="取消",
        icon="cancel",
        permissions=["decide"],
        dialog=question("取消這一則", "不會再寄出，接在後面的也一起取消。", yes="取消這一則"),
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, control.cancel, "已取消")

    @action(
        description="放行重寄",
        icon="send",
        permissions=["decide"],
        dialog=question(
            "放行重寄",
            "寄送時中斷，對方可能已經收到：再寄一次，就可能收到兩則。請先向收件者確認。",
            yes="再寄一次",
        ),
    )
    def release(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, control.release, "已放行，會再寄一次")

    @action(
        description="標記為已送達",
        icon="done_all",
        permissions=["decide"],
        dialog=question("標記為已送達", "您已確認對方收到了：不再寄送，接在後面的繼續寄。", yes="已送達"),
    )
    def mark_sent(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, control.mark_sent, "已標記為已送達")

    def _decide(
        self, request: HttpRequest, object_id: str, decide: Callable[..., OutboxMessage], done: str
    ) -> HttpResponse:
        message = get_object_or_404(OutboxMessage, pk=object_id)
        try:
            decide(message, cast(User, request.user))
        except ApiError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{message}：{done}")
        return after_dialog(request, reverse("admin:notifications_outboxmessage_change", args=[message.pk]))

    # What can be done with many

    @admin.action(description="重試選取的訊息", permissions=["decide"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> HttpResponse | None:
        text = "其中失敗的回到等待寄送，馬上再試一次；其他的不變。"
        return self._ask(request, queryset, control.retry_many, "重新寄送", text)

    @admin.action(description="取消選取的訊息", permissions=["decide"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> HttpResponse | None:
        text = "其中還沒寄出的不會再寄，接在後面的也一起取消；已寄出與寄送中的不變。"
        return self._ask(request, queryset, control.cancel_many, "取消", text)

    @admin.action(description="放行重寄選取的訊息", permissions=["decide"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> HttpResponse | None:
        text = "其中待人工確認的會再寄一次。對方可能已經收到：再寄就可能收到兩則，請先確認。其他的不變。"
        return self._ask(request, queryset, control.release_many, "放行重寄", text)

    @admin.action(description="標記選取的訊息為已送達", permissions=["decide"])
    def mark_sent_selected(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> HttpResponse | None:
        text = "其中待人工確認的不再寄送，接在後面的繼續寄；其他的不變。"
        return self._ask(request, queryset, control.mark_sent_many, "標記為已送達", text)

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[OutboxMessage],
        decide: Callable[..., control.Decided],
        label: str,
        text: str,
    ) -> HttpResponse | None:
        """A page that asks and sends the same choice again; then it is done."""
        if request.POST.get("confirmed") == "yes":
            ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST])
            decided = decide(OutboxMessage.objects.filter(pk__in=ids), cast(User, request.user))
            if decided.done:
                messages.success(request, f"{label}：{decided.done:,} 則")
            if decided.skipped:
                messages.warning(request, f"{decided.skipped:,} 則的狀態不適合，沒有變動")
            if not ids:
                messages.warning(request, "選取的訊息都不在這個清單裡了，沒有變動")
            return None
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": f"{label}選取的訊息",
            "opts": self.opts,
            "label": label,
            "text": text,
            "number": f"{min(len(chosen), MOST):,}",
            "cut": f"{MOST:,}" if len(chosen) > MOST else "",
            "action": request.POST.get("action", ""),
            "chosen": chosen[:MOST],
            "shown": [_named(one) for one in OutboxMessage.objects.filter(pk__in=chosen[:LISTED]).order_by("pk")],
            "more": max(0, min(len(chosen), MOST) - LISTED),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/notifications/outboxmessage/confirm.html", context)


def _named(message: OutboxMessage) -> dict[str, Any]:
    return {
        "name": str(message),
        "state": status_badge(message),
        "line": message.subject or plain_text(message.body[:START]).strip()[:120],
    }


def waits_for(obj: Any) -> str:
    """What keeps a pending message of the list from going out now; nothing where nothing does."""
    if obj.status != Status.PENDING:
        return ""
    now = timezone.now()
    said = []
    planned = max(obj.due_at, obj.next_attempt_at)
    if planned > now:
        # Only quiet hours move the time from which a message counts as due.
        said.append(format_html("預定 {}{}", when(planned), "（勿擾時段）" if obj.due_at > now else ""))
    if obj.rests_until is not None:
        said.append(format_html("{}暫停到 {}", obj.get_channel_display(), when(obj.rests_until)))
    return format_html_join("；", "{}", ((text,) for text in said))


def first_line(obj: Any) -> str:
    """How a text begins, without its markup."""
    start = obj.start if obj.channel == Channel.EMAIL else plain_text(obj.start)
    lines = str(start).strip().splitlines()
    return lines[0] if lines else ""
