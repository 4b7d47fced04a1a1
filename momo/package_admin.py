"""Admin pages of packages that bring their own: in our theme and language, and only those that staff need."""

from __future__ import annotations

from typing import Any, ClassVar

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.audit import ACTOR_NAME
from accounts.models import User
from momo.admin_kit.changes import Change, changes_of, user_ids_in
from momo.admin_kit.display import BAD, GOOD, INFO, NOTHING, badge, full_time, when
from momo.admin_kit.filters import DayRangeFilter
from momo.admin_kit.tables import LongAdmin, QuietAdmin
from momo.admin_kit.texts import in_words

for model in (LogEntry, Group, PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    # Groups follow from roles, and nobody schedules by the sun: these two do not come back.
    admin.site.unregister(model)


# --- The schedule ---------------------------------------------------------------------------------------------------


class RegisteredTaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The tasks that the workers know."""


class ScheduledTaskForm(PeriodicTaskForm):
    """The package's form with themed widgets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["regtask"].widget = RegisteredTaskWidget()
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        for name in ("args", "kwargs", "description"):
            self.fields[name].widget.attrs["rows"] = 2
        # What the workers know is chosen from the list; the other field is for the rest.
        if self.instance.task in dict(RegisteredTaskWidget().choices):
            self.initial.update(regtask=self.instance.task, task="")


# What people decide; the times of runs are the scheduler's own.
auditlog.register(
    PeriodicTask,
    include_fields=["name", "task", "enabled", "interval", "crontab", "clocked", "args", "kwargs", "queue", "one_off"],
)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(QuietAdmin):
    """What runs by itself, and when. Workers follow a change within seconds."""

    form: type[forms.ModelForm] = ScheduledTaskForm
    list_display = ("name", "enabled", "schedule_words", "task_name", "last_run", "total_run_count", "description")
    list_display_links = ("name",)
    list_editable = ("enabled",)
    list_filter = (("enabled", BooleanRadioFilter),)
    list_filter_submit = True
    list_select_related = ("interval", "crontab", "clocked", "solar")
    search_fields = ("name", "task")
    search_help_text = "名稱或工作"
    ordering = ("name",)
    readonly_fields = ("last_run",)
    actions = ("enable", "disable")
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        ("排程（只選一種）", {"fields": ("interval", "crontab", "clocked", "start_time", "one_off", "last_run")}),
        ("參數", {"fields": ("args", "kwargs"), "classes": ("collapse",)}),
        ("執行選項", {"fields": ("expires", "expire_seconds", "queue", "priority"), "classes": ("collapse",)}),
    )

    @display(description="工作", ordering="task")
    def task_name(self, obj: PeriodicTask) -> str:
        return str(obj.task)

    @display(description="排程")
    def schedule_words(self, obj: PeriodicTask) -> str:
        return in_words(obj)

    @display(description="上次執行", ordering="last_run_at")
    def last_run(self, obj: PeriodicTask) -> str:
        return when(obj.last_run_at)

    @admin.action(description="啟用選取的排程", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description="停用選取的排程", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, queryset, enabled=False)

    @staticmethod
    def _switch(request: HttpRequest, queryset: QuerySet[PeriodicTask], *, enabled: bool) -> None:
        # A pause forgets the last run, as saving the form does, or all that was missed would be due at once.
        changed = list(queryset.exclude(enabled=enabled))
        for task in changed:
            task.enabled = enabled
            # A save of its own for each: the workers hear of it, and the audit trail.
            task.save()
        messages.success(request, f"已{'啟用' if enabled else '停用'} {len(changed)} 個排程")


class ScheduleAdmin(QuietAdmin):
    """The times that tasks refer to; reached from the plus sign beside them."""


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"timezone": "Asia/Taipei", **super().get_changeform_initial_data(request)}


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ScheduleAdmin):
    list_display = ("clocked_time",)


# --- The audit trail ------------------------------------------------------------------------------------------------

ACTION_TONES = {LogEntry.Action.CREATE: GOOD, LogEntry.Action.UPDATE: INFO, LogEntry.Action.DELETE: BAD}
SHORT = 3  # changes of one entry that the list shows


class TrailChangeList(ChangeList):
    """Reads the names of the people that a page of entries mentions in one go."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        entries: list[Any] = list(self.result_list)  # type: ignore[has-type]
        name_people(entries)
        self.result_list = entries


def name_people(entries: list[Any]) -> None:
    """Give each entry `people`, names by id, for the changes that refer to users."""
    ids = set().union(*(user_ids_in(entry) for entry in entries)) if entries else set()
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
    for entry in entries:
        entry.people = people


@admin.register(LogEntry)
class TrailAdmin(LongAdmin):
    """Who changed what of people and tokens, when and from where."""

    list_display = ("time", "who", "did", "kind", "what", "changes_short", "remote_addr")
    list_display_links = ("time", "what")
    list_select_related = ("content_type", "actor")
    list_filter = (("action", ChoicesDropdownFilter), ("timestamp", DayRangeFilter))
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("object_repr", "actor__username", "actor__display_name")
    search_help_text = "對象或執行者"
    sortable_by = ()
    ordering = ("-timestamp", "-id")
    fields = ("time", "who", "remote_addr", "did", "kind", "what", "changes_long", "cid")
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return TrailChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            name_people([entry])
        return entry

    @display(description="時間")
    def time(self, obj: LogEntry) -> str:
        return full_time(obj.timestamp)

    @display(description="執行者")
    def who(self, obj: LogEntry) -> str:
        if obj.actor:
            return str(obj.actor)
        name = (obj.additional_data or {}).get(ACTOR_NAME) or obj.actor_email
        return f"已刪除的使用者（{name}）" if name else "系統"

    @display(description="動作")
    def did(self, obj: LogEntry) -> str:
        return badge(obj.get_action_display(), ACTION_TONES.get(obj.action, INFO))

    @display(description="類別")
    def kind(self, obj: LogEntry) -> str:
        return str(obj.content_type.name) if obj.content_type else NOTHING

    @display(description="對象")
    def what(self, obj: LogEntry) -> str:
        return obj.object_repr

    @display(description="內容")
    def changes_short(self, obj: Any) -> str:
        changes = changes_of(obj, obj.people)
        more = f"…另有 {len(changes) - SHORT} 項" if len(changes) > SHORT else ""
        return format_html('<div class="mo-changes">{}{}</div>', _lines(changes[:SHORT]), more)

    @display(description="內容")
    def changes_long(self, obj: Any) -> str:
        return format_html('<div class="mo-changes">{}</div>', _lines(changes_of(obj, obj.people)))


def _lines(changes: list[Change]) -> Any:
    parts = [format_html("<div><b>{}</b>　{} → {}</div>", *change) for change in changes]
    return format_html("{}" * len(parts), *parts) if parts else NOTHING
