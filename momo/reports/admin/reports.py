"""Admin pages of reports: what is sent when and to whom, the preview of any past day, and a copy to oneself."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action
from unfold.utils import parse_date_str
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.models import User
from momo.admin.kit.dialogs import after_dialog, confirm_dialog, dialog_action
from momo.admin.kit.display import NO_VALUE, active_badge, column, nowrap, span, when
from momo.admin.kit.forms import LinesField, ModelForm
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import ServiceError
from momo.reports.admin.fields import SectionsField, unknown_names
from momo.reports.models import Report, ReportRun
from momo.reports.selectors import chosen_sections, last_day
from momo.reports.services.files import DOWNLOADS, EVENT, Forms, forms_of
from momo.reports.services.runs import send_to
from notifications.admin.looks import bubble, frame
from notifications.channels.mail import is_address
from notifications.channels.mail_page import mail_body
from notifications.models import Chat
from sales.selectors.days import keys_with_sales

PREVIEW = "reports_report_preview"
DIMENSIONS = {"pms": ("pm", "PM"), "brands": ("brand", "品牌"), "categories": ("category", "分類")}
ONE_A_LINE = "每行一個，照銷售報表上的名稱；不填就是全部"


class ReportForm(ModelForm):
    """Form of a report, whose names must be known and whose recipients must be able to get it."""

    sections = SectionsField(
        label="內容", help_text="報表依這個順序排列；同一份內容用在訊息、郵件、Excel 與 PowerPoint"
    )
    pms = LinesField(most=100, longest=254, label="PM", help_text=ONE_A_LINE)
    brands = LinesField(most=100, longest=254, label="品牌", help_text=ONE_A_LINE)
    categories = LinesField(most=100, longest=254, label="分類", help_text=ONE_A_LINE)
    addresses = LinesField(most=100, longest=254, label="其他電子郵件", help_text="每行一個")

    class Meta:
        model = Report
        fields = (
            *("name", "kind", "at", "wait_until", "sections", "pms", "brands", "categories"),
            *("users", "addresses", "chats", "with_workbook", "with_slides", "is_active"),
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        known = keys_with_sales()
        for field, (dimension, label) in DIMENSIONS.items():
            names = [key for one, key in known if one == dimension]
            for name in unknown_names(cleaned.get(field) or [], names)[:3]:
                self.add_error(field, f"銷售資料中沒有這個{label}：{name}")
        for address in cleaned.get("addresses") or []:
            if not is_address(address):
                self.add_error("addresses", f"不是正確的電子郵件地址：{address}")
        given = [cleaned.get(name) for name in ("users", "addresses", "chats")]
        if cleaned.get("is_active") and not any(given) and "addresses" not in self.errors:
            self.add_error("users", "啟用的報表至少要有一個收件者：使用者、電子郵件或聊天室")
        for user in cleaned.get("users") or []:
            if not is_address(user.email):
                self.add_error("users", f"{user} 沒有電子郵件，請管理員在「使用者」補上")
        return cleaned


@admin.register(Report)
class ReportAdmin(BaseAdmin):
    """Reports that come by themselves."""

    form = ReportForm
    list_display = ("name", "kind", "time", "content", "recipient_count", "last_sent", "state")
    list_filter = (("kind", ChoicesDropdownFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("name",)
    search_help_text = "名稱"
    sortable_by = ("name",)
    ordering = ("name", "pk")
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "kind", ("at", "wait_until"), "is_active")}),
        ("內容", {"fields": ("sections",)}),
        ("只看", {"fields": ("pms", "brands", "categories")}),
        ("寄給誰", {"fields": ("users", "addresses", "chats", ("with_workbook", "with_slides"))}),
    )
    readonly_fields = ("time", "content_names", "conditions", "recipient_names", "last_sent", "state")
    actions_detail = ("preview", "send_me")

    state = column("狀態", active_badge, of="is_active")
    time = column("時間", lambda report: nowrap(_time(report)))
    content = column("內容", lambda report: f"{len(report.sections)} 段", number=True)
    content_names = column("內容", lambda report: "、".join(one.title for one in chosen_sections(report)) or NO_VALUE)
    conditions = column("只看", lambda report: span("mo-wrap", _conditions(report)))
    recipient_names = column("寄給誰", lambda report: span("mo-wrap", _recipients(report)))
    recipient_count = column(
        "收件者", lambda report: report.user_count + report.chat_count + len(report.addresses), number=True
    )
    last_sent = column("上次寄出", when, of="sent_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        rows: QuerySet[Report] = super().get_queryset(request)
        counts = {f"{name}_count": Count(f"{name}s", distinct=True) for name in ("user", "chat")}
        runs = ReportRun.objects.filter(report=OuterRef("pk"), status=ReportRun.Status.DONE).order_by("-pk")
        return rows.annotate(**counts, sent_at=Subquery(runs.values("finished_at")[:1]))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its runs go with a report, although nobody deletes runs by themselves."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, needed - {str(ReportRun._meta.verbose_name)}, protected

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        fields = ("name", "kind", "time", "content_names", "conditions", "recipient_names", "last_sent", "state")
        return [(None, {"fields": fields})]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Managers may not list users, so that a search of these is not open to them.
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        kwargs["queryset"] = (
            User.objects.filter(is_active=True).order_by("display_name", "username")
            if db_field.name == "users"
            else Chat.objects.filter(is_active=True).order_by("title", "pk")
        )
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [path("<int:object_id>/preview/", view(self.preview_page), name=PREVIEW)]
        return [*own, *super().get_urls()]

    @action(description="預覽", icon="visibility", permissions=["view"])
    def preview(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{PREVIEW}", args=[object_id]))

    @dialog_action(
        "寄給我",
        "forward_to_inbox",
        permission="view",
        dialog=confirm_dialog(
            "寄給我", "把最近一期寄到您自己的電子郵件，標有［預覽］；其他收件者不會收到。", yes="寄出"
        ),
    )
    def send_me(self, request: HttpRequest, form: Any, report: Report) -> HttpResponse:
        try:
            address = send_to(report, day=last_day(), user=cast(User, request.user))
        except ServiceError as refusal:
            show_refusal(request, refusal)
        else:
            messages.success(request, f"已排入寄送到 {address}")
        return after_dialog(request, reverse("admin:reports_report_change", args=[report.pk]))

    def preview_page(self, request: HttpRequest, object_id: int) -> HttpResponse | FileResponse:
        """The report of the period that `date` is part of; `download` sends a file of it, POST sends it to oneself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = Report.objects.filter(pk=object_id).first()
        if report is None:
            raise Http404
        day = parse_date_str(request.GET.get("date", "")) or last_day()
        try:
            forms = forms_of(report, day=day)
        except ServiceError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(reverse(f"admin:{PREVIEW}", args=[object_id]))
        kind = request.GET.get("download")
        if kind is not None and kind not in DOWNLOADS:
            raise Http404
        if kind is not None:
            file = DOWNLOADS[kind](forms)
            content = io.BytesIO(file.content)
            return FileResponse(content, as_attachment=True, filename=file.name, content_type=file.content_type)
        return self.own_page(request, "admin/reports/preview.html", **_preview(forms, day))


def _preview(forms: Forms, day: dt.date) -> dict[str, Any]:
    edition, text = forms.edition, forms.subject
    page = mail_body(forms.mail_with_pictures, subject=text, text=text, event=EVENT)
    return {
        "title": f"預覽：{edition.name}",
        "report": forms.report,
        "edition": edition,
        "day": day,
        "today": timezone.localdate(),
        "downloads": [(f"?date={day:%Y-%m-%d}&download={kind}", kind) for kind in DOWNLOADS],
        "subject": text,
        "mail": frame(page, title="電子郵件"),
        "message": bubble(forms.message),
        "trouble": forms.pictures.trouble,
        "back": reverse("admin:reports_report_change", args=[forms.report.pk]),
    }


def _time(report: Report) -> str:
    waits = f"，最晚等到 {report.wait_until:%H:%M}" if report.wait_until and report.wait_until > report.at else ""
    return f"{report.at:%H:%M}{waits}"


def _conditions(report: Report) -> str:
    chosen = [(label, getattr(report, field)) for field, (_, label) in DIMENSIONS.items()]
    return "；".join(f"{label} {'、'.join(names)}" for label, names in chosen if names) or "全部"


def _recipients(report: Report) -> str:
    names = [*map(str, report.users.all()), *report.addresses, *map(str, report.chats.all())]
    return "、".join(names) or NO_VALUE
