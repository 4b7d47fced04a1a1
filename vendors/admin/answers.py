"""Admin pages of what vendors submitted: the list, what each changed, and its attachment."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.safestring import SafeString

from momo.admin.kit.display import GOOD, NO_VALUE, badge, column, full_time, nowrap, page_link, thousands, when
from momo.admin.kit.filters import Choices, DayRangeFilter, choice_filter
from momo.admin.kit.tables import PageAdmin
from vendors.models import Submission
from vendors.selectors.answers import Answer, entries_of


def kind_badge(submission: Submission) -> SafeString:
    """Whether a submission is a draft or an answer."""
    return badge("草稿") if submission.is_draft else badge("已送出", GOOD)


def kind_choices() -> Choices:
    """Answers and drafts; answers by default."""
    return {"": ("已送出", Q(is_draft=False)), "all": ("全部", Q()), "draft": ("草稿", Q(is_draft=True))}


def file_url(submission: Submission) -> str:
    """The address of the attachment for staff; empty without one."""
    return reverse("admin:vendors_submission_file", args=[submission.pk]) if submission.attachment else ""


@admin.register(Submission)
class SubmissionAdmin(PageAdmin):
    """Admin pages of submissions."""

    list_display = ("ident", "vendor", "state", "person", "rows", "note", "file", "came")
    list_select_related = ("mail__vendor",)
    list_filter = (choice_filter("種類", "kind", kind_choices), ("created_at", DayRangeFilter))
    list_fullwidth = True
    search_fields = ("mail__vendor__code", "mail__vendor__name", "person")
    search_help_text = "廠商代號、名稱或填寫人"
    sortable_by = ("ident",)
    ordering = ("-id",)
    change_form_before_template = "admin/vendors/submission/page.html"

    ident = column("編號", "#{0.pk}".format, order="id")
    vendor = column("廠商", of="mail.vendor")
    state = column("種類", kind_badge)
    rows = column("項數", thousands, of="rows")
    note = column("備註", lambda text: text[:60] + "…" if len(text) > 60 else text or NO_VALUE, of="remark")
    file = column("附件", lambda name: name or NO_VALUE, of="attachment_name")
    came = column("時間", when, of="created_at")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "mail" or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        found: QuerySet[Submission] = super().get_queryset(request)
        return found.annotate(rows=Count("entries"))

    def get_urls(self) -> list[Any]:
        own = [path("<int:object_id>/file/", self.admin_site.admin_view(self.download), name="vendors_submission_file")]
        return [*own, *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: Submission) -> dict[str, Any]:
        return {
            "badge": kind_badge(obj),
            "vendor": page_link("vendors_vendor", obj.mail.vendor_id, obj.mail.vendor),
            "facts": [
                ("郵件", page_link("vendors_vendormail", obj.mail_id, f"#{obj.mail_id}")),
                ("版本", f"{obj.number}（填寫時看到{f'第 {obj.based_on} 版' if obj.based_on else '空白表單'}）"),
                ("填寫人", obj.person or NO_VALUE),
                ("時間", full_time(obj.created_at)),
                ("網路位址", nowrap(obj.address or NO_VALUE)),
                ("瀏覽器", obj.user_agent or NO_VALUE),
            ],
            "changes": [
                {"line": entry.line, "before": str(before), "now": str(Answer.of(entry))}
                for entry, before in entries_of(obj)
            ],
            "file_url": file_url(obj),
        }

    def download(self, request: HttpRequest, object_id: int) -> FileResponse:
        """Send the attachment, which came from outside: never as a page, whatever it claims to be."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        submission = get_object_or_404(Submission, pk=object_id)
        if not submission.attachment or not submission.attachment.storage.exists(submission.attachment.name or ""):
            raise Http404
        return FileResponse(
            submission.attachment.open("rb"),
            as_attachment=True,
            filename=submission.attachment_name,
            content_type="application/octet-stream",
            headers={"X-Content-Type-Options": "nosniff"},
        )
