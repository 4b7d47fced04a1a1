"""Admin pages of runs: when each report was sent, to how many, and what was missing."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from momo.admin.kit.display import BAD, GOOD, INFO, NO_VALUE, WARN, choice_badge, column, nowrap, span, thousands, when
from momo.admin.kit.tables import ReadOnlyAdmin
from momo.core.periods import day_label
from momo.reports.models import ReportRun

Status = ReportRun.Status
TONES = {Status.WAITING: WARN, Status.PENDING: INFO, Status.RUNNING: INFO, Status.DONE: GOOD, Status.FAILED: BAD}


@admin.register(ReportRun)
class ReportRunAdmin(ReadOnlyAdmin):
    """Each time that a report was sent."""

    list_display = ("name", "day_shown", "state", "outcome", "missing_shown", "message_count", "due", "finished")
    list_select_related = ("report",)
    list_filter = (("status", ChoicesDropdownFilter), ("report", RelatedDropdownFilter))
    sortable_by = ()
    ordering = ("-id",)
    fields = ("name", "day_shown", "state", "outcome", "missing_shown", "message_count", "due", "finished")

    name = column("報表", lambda report: nowrap(report.name), of="report")
    day_shown = column("資料到", lambda day: nowrap(day_label(day)), of="day")
    state = column("狀態", choice_badge(TONES))
    outcome = column("說明", lambda run: span("mo-wrap", run.message or NO_VALUE))
    missing_shown = column("缺少的資料", lambda run: span("mo-wrap", "；".join(run.missing) or NO_VALUE))
    message_count = column("訊息", thousands, of="messages")
    due = column("預定時間", when, of="due_at")
    finished = column("寄出時間", when, of="finished_at")
