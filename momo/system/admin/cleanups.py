"""Admin pages of clean-ups: the list, what one deleted, and the preview that starts one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.models import User
from momo.admin.kit.display import BAD, GOOD, INFO, choice_badge, column, full_time, nowrap, took, when
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import PageAdmin
from momo.core.errors import ServiceError
from momo.core.retention import Amount
from momo.system.models import Cleanup
from momo.system.services.cleanup import Line, lines_of, preview_cleanup, start_cleanup

PREVIEW = "system_cleanup_preview"
state_badge = choice_badge({Cleanup.Status.RUNNING: INFO, Cleanup.Status.DONE: GOOD, Cleanup.Status.FAILED: BAD})


def _deleted(lines: Sequence[Line]) -> Amount:
    return sum((line.deleted for line in lines), Amount())


@admin.register(Cleanup)
class CleanupAdmin(PageAdmin):
    """Clean-ups, and the page that shows what the next one would delete."""

    list_display = ("number", "state", "trigger", "who", "started", "length", "message")
    list_display_links = ("number",)
    list_select_related = ("requested_by",)
    list_filter = (("status", ChoicesDropdownFilter), ("trigger", ChoicesDropdownFilter))
    sortable_by = ()
    ordering = ("-id",)
    actions_list = ("preview",)
    change_form_before_template = "admin/system/cleanup/page.html"

    number = column("編號", "#{0.pk}".format)
    state = column("狀態", state_badge)
    who = column("執行者", lambda run: nowrap(run.requested_by or "系統"))
    started = column("開始時間", when, of="started_at")
    length = column("歷時", lambda run: nowrap(took(run.started_at, run.finished_at)))

    def has_clean_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("system.add_cleanup")

    def get_urls(self) -> list[Any]:
        own = path("preview/", self.admin_site.admin_view(self.preview_page), name=PREVIEW)
        return [own, *super().get_urls()]

    @action(
        description="清理過期的資料", icon="cleaning_services", permissions=["clean"], variant=ActionVariant.PRIMARY
    )
    def preview(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{PREVIEW}"))

    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """GET shows what would be deleted; POST starts a worker on it."""
        if not self.has_clean_permission(request):
            raise PermissionDenied
        back = reverse("admin:system_cleanup_changelist")
        try:
            if request.method == "POST":
                run = start_cleanup(trigger=Cleanup.Trigger.ADMIN, user=cast(User, request.user))
                messages.success(request, f"資料清理 {run} 已開始，由背景程式進行")
                return HttpResponseRedirect(reverse("admin:system_cleanup_change", args=[run.pk]))
            lines = preview_cleanup(seconds=settings.CLEANUP_REQUEST_SECONDS)
        except ServiceError as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(back)
        total = sum((line.found for line in lines), Amount())
        return self.own_page(
            request,
            "admin/system/cleanup/preview.html",
            title="清理過期的資料",
            lines=[(line, line.found) for line in lines if line.rows],
            total=total,
            back=back,
        )

    def page_context(self, request: HttpRequest, obj: Cleanup) -> dict[str, Any]:
        lines = lines_of(obj)
        return {
            "state": state_badge(obj),
            "facts": [
                ("來源", obj.get_trigger_display()),
                ("執行者", obj.requested_by or "系統"),
                ("開始時間", full_time(obj.started_at)),
                ("結束時間", full_time(obj.finished_at)),
                ("歷時", took(obj.started_at, obj.finished_at)),
            ],
            "lines": [(line, line.deleted) for line in lines if line.rows],
            "total": _deleted(lines),
        }
