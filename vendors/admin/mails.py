"""Admin pages of sendings and of mails to vendors: what was sent to whom, and what failed and why."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from accounts.models import User
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import (
    BAD,
    GOOD,
    INFO,
    NO_VALUE,
    WARN,
    choice_badge,
    column,
    full_name,
    full_time,
    link,
    nowrap,
    page_link,
    span,
    thousands,
    when,
    with_sub,
)
from momo.admin.kit.filters import ChoicesFilter, DayRangeFilter
from momo.admin.kit.tables import PageAdmin, UncountedAdmin
from momo.core.errors import Conflict
from notifications.admin.looks import frame
from notifications.channels.mail_page import mail_body
from vendors.admin.batches import line_badge
from vendors.admin.send import by_reason, may_send, send_page
from vendors.models import VendorMail, VendorSending
from vendors.selectors.mails import failed_rows, sendings, vendor_mails
from vendors.services.compose import preview
from vendors.services.sendings import send_stockouts

MAILS_SHOWN = 100
ROWS_SHOWN = 200
_MAIL_TONES: dict[Any, str] = {
    VendorMail.Status.QUEUED: INFO,
    VendorMail.Status.SENT: GOOD,
    VendorMail.Status.HELD: WARN,
    VendorMail.Status.FAILED: BAD,
}
mail_badge = choice_badge(_MAIL_TONES)
sending_badge = choice_badge(
    {VendorSending.Status.RUNNING: INFO, VendorSending.Status.DONE: GOOD, VendorSending.Status.FAILED: BAD}
)
RESEND = confirm_dialog("重寄失敗的", "失敗的缺貨再寄一次，一家廠商一封；其他的不變。", yes="重寄")


def _resend(mails: QuerySet[VendorMail], user: User) -> str:
    """Send the rows of these mails that failed. Raises Conflict where there are none, or none can be sent."""
    ids = failed_rows(mails)
    if not ids:
        raise Conflict("沒有寄送失敗的缺貨")
    result = send_stockouts(ids=ids, user=user, resend=True)
    why = "；".join(reason for reason, _, _ in by_reason(result.skipped)[:3])
    if not result.mails:
        raise Conflict(f"都不能重寄：{why}")
    return f"{result.mails:,} 封郵件、{result.queued:,} 筆缺貨已排入寄送" + (f"；略過：{why}" if why else "")


def _may_have_failed(sending: VendorSending) -> bool:
    return bool(failed_rows(sending.mails.all()))


@admin.register(VendorSending)
class VendorSendingAdmin(PageAdmin):
    """Sendings, and the page on which a new one is decided."""

    list_display = ("number", "state", "what", "mails", "sent", "failed", "held", "left_out", "who", "began", "said")
    list_display_links = ("number",)
    list_filter = (("status", ChoicesFilter), ("kind", ChoicesFilter), ("created_at", DayRangeFilter))
    list_fullwidth = True
    sortable_by = ()
    ordering = ("-id",)
    actions_detail: ClassVar[Any] = ("resend",)
    change_form_before_template = "admin/vendors/vendorsending/page.html"

    def has_send_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_send(request)

    def get_urls(self) -> list[Any]:
        own = path("send/", self.admin_site.admin_view(self.send), name="vendors_vendorsending_send")
        return [own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[VendorSending]:
        return sendings()

    def send(self, request: HttpRequest) -> HttpResponse:
        """The page that says what would be sent; its buttons post to itself."""
        if not may_send(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else {"batch": request.GET.get("batch")}
        return send_page(self, request, given)

    number = column("編號", "#{0.pk}".format)
    state = column("狀態", sending_badge)
    what = column("種類", lambda sending: nowrap(sending.get_kind_display()))
    mails = column("郵件", thousands, of="mail_count")
    sent = column("已寄出", thousands, of="sent_count")
    failed = column("失敗", thousands, of="failed_count")
    held = column("待確認", thousands, of="held_count")
    left_out = column("略過的缺貨", lambda sending: thousands(len(sending.skipped)), number=True)
    who = column("寄送者", lambda sending: nowrap(sending.created_by or "系統"))
    began = column("建立時間", when, of="created_at")
    said = column("說明", lambda sending: span("mo-wrap", sending.message or NO_VALUE))

    def page_context(self, request: HttpRequest, obj: VendorSending) -> dict[str, Any]:
        first = Case(
            When(status__in=(VendorMail.Status.FAILED, VendorMail.Status.HELD), then=Value(0)),
            default=Value(1),
            output_field=IntegerField(),
        )
        mails = list(vendor_mails().filter(sending=obj).order_by(first, "vendor__code")[: MAILS_SHOWN + 1])
        more = f"{reverse('admin:vendors_vendormail_changelist')}?sending={obj.pk}"
        return {
            "badge": sending_badge(obj),
            "facts": [
                ("種類", obj.get_kind_display()),
                ("批次", obj.batch or NO_VALUE),
                ("寄送者", obj.created_by or "系統"),
                ("建立時間", full_time(obj.created_at)),
                ("準備完成", full_time(obj.finished_at)),
            ],
            "mails": [
                (mail, page_link("vendors_vendormail", mail.pk, mail), mail_badge(mail)) for mail in mails[:MAILS_SHOWN]
            ],
            "more_url": more if len(mails) > MAILS_SHOWN else "",
            "skipped": by_reason(obj.skipped),
        }

    @dialog_action("重寄失敗的", "refresh", permission="send", fits=_may_have_failed, dialog=RESEND)
    def resend(self, request: HttpRequest, form: Any, sending: VendorSending) -> str:
        return _resend(sending.mails.all(), cast(User, request.user))


@admin.register(VendorMail)
class VendorMailAdmin(UncountedAdmin, PageAdmin):
    """Mails to vendors; what becomes of them is decided in the outbox."""

    list_display = ("began", "state", "what", "vendor_name", "recipients", "lines_held", "why", "sent_time", "answered")
    list_display_links = ("began",)
    list_filter = (("status", ChoicesFilter), ("kind", ChoicesFilter), ("created_at", DayRangeFilter))
    list_fullwidth = True
    search_fields = ("vendor__code", "vendor__name")
    search_help_text = "廠商代號或名稱"
    sortable_by = ()
    ordering = ("-id",)
    actions_detail: ClassVar[Any] = ("resend",)
    change_form_before_template = "admin/vendors/vendormail/page.html"

    def has_send_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_send(request)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("sending", "vendor") or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[VendorMail]:
        return vendor_mails()

    began = column("時間", when, of="created_at")
    state = column("狀態", mail_badge)
    what = column("種類", lambda mail: nowrap(mail.get_kind_display()))
    vendor_name = column("廠商", lambda mail: with_sub(full_name(mail.vendor.name), mail.vendor.code))
    recipients = column("收件者", lambda mail: span("mo-wrap", "、".join(mail.to) or NO_VALUE))
    lines_held = column("缺貨", thousands, of="line_count")
    why = column("原因", lambda mail: span("mo-reason", mail.reason[:200] or NO_VALUE))
    sent_time = column("寄出時間", when, of="sent_at")
    answered = column("首次回覆", when, of="answered_at")

    def page_context(self, request: HttpRequest, obj: VendorMail) -> dict[str, Any]:
        rows = list(obj.lines.order_by("pk"))
        answers = f"{reverse('admin:vendors_submission_changelist')}?mail={obj.pk}"
        message = obj.message
        if message is not None:
            subject, html, text = message.subject, message.body_html, message.body
            file_name = "、".join(message.attachments.values_list("name", flat=True))
        else:
            # Not in the outbox yet, or never: as it would be now.
            made = preview(obj.kind, vendor=obj.vendor, rows=rows, note=obj.sending.note)
            subject, html, text, file_name = made.text.subject, made.text.html, made.text.plain, made.file.name
        return {
            "badge": mail_badge(obj),
            "subject": subject,
            "frame": frame(mail_body(html, subject=subject, text=text, event=obj.kind), title="電子郵件 HTML"),
            "file_name": file_name,
            "facts": [
                ("廠商", obj.vendor),
                ("種類", obj.get_kind_display()),
                ("收件者", "、".join(obj.to) or NO_VALUE),
                ("副本", "、".join(obj.cc) or NO_VALUE),
                ("寄送", page_link("vendors_vendorsending", obj.sending_id, f"#{obj.sending_id}")),
                ("訊息", page_link("notifications_outboxmessage", message.pk, message) if message else NO_VALUE),
                ("建立時間", full_time(obj.created_at)),
                ("寄出時間", full_time(obj.sent_at)),
                ("連結有效至", full_time(obj.link_expires_at)),
                ("首次回覆", link(answers, full_time(obj.answered_at)) if obj.answered_at else NO_VALUE),
            ],
            "rows": [(row, line_badge(row)) for row in rows[:ROWS_SHOWN]],
            "more": len(rows) - ROWS_SHOWN,
        }

    @dialog_action(
        "重寄失敗的",
        "refresh",
        permission="send",
        fits=lambda mail: bool(failed_rows(VendorMail.objects.filter(pk=mail.pk))),
        dialog=RESEND,
    )
    def resend(self, request: HttpRequest, form: Any, mail: VendorMail) -> str:
        return _resend(VendorMail.objects.filter(pk=mail.pk), cast(User, request.user))
