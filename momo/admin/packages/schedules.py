"""Admin pages of schedules (django-celery-beat)."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar

from auditlog.registry import auditlog
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from momo.admin.kit.display import BAD, GOOD, NO_VALUE, QUIET, badge, column, full_time, nowrap, when
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.tables import BaseAdmin
from momo.core.texts import parse_json
from momo.system.selectors.schedules import TIMES, overdue_since

for model in (PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    # Nothing is scheduled by the sun: that page does not come back.
    admin.site.unregister(model)


PERIODS = {"days": "天", "hours": "小時", "minutes": "分鐘", "seconds": "秒", "microseconds": "微秒"}
CRONTAB_TIMES = {"minute", "hour", "day_of_week", "day_of_month", "month_of_year"}
WEEKDAYS = "日一二三四五六日"  # 0 and 7 are Sunday


def schedule_text(task: Any) -> str:
    """When a periodic task runs: 每 2 小時, 每天 08:30, 每週一 09:00; other crontabs in their own notation."""
    if task.interval is not None:
        return f"每 {task.interval.every} {PERIODS.get(task.interval.period, task.interval.period)}"
    if task.clocked is not None:
        return f"一次，{full_time(task.clocked.clocked_time)}"
    if task.crontab is not None:
        return _crontab(task.crontab)
    return NO_VALUE


def state_badge(task: Any) -> str:
    """Whether a schedule is switched off, or its run did not start in time."""
    if not task.enabled:
        return badge("已停用", QUIET)
    return badge("沒有執行", BAD) if overdue_since(task, now=timezone.now()) else badge("正常", GOOD)


def _crontab(crontab: Any) -> str:
    minute, hour, weekday = str(crontab.minute), str(crontab.hour), str(crontab.day_of_week)
    notation = f"{minute} {hour} {crontab.day_of_month} {crontab.month_of_year} {weekday}（分 時 日 月 週）"
    every_day = str(crontab.day_of_month) == "*" and str(crontab.month_of_year) == "*"
    zone = "" if str(crontab.timezone) == "Asia/Taipei" else f"（{crontab.timezone}）"
    if not (every_day and minute.isdecimal() and hour.isdecimal()):
        return notation + zone
    clock = f"{int(hour):02}:{int(minute):02}"
    if weekday == "*":
        return f"每天 {clock}{zone}"
    days = weekday.split(",")
    if all(day.isdecimal() and int(day) <= 7 for day in days):
        return f"每週{'、'.join(WEEKDAYS[int(day)] for day in days)} {clock}{zone}"
    return notation + zone


class RegisteredTaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The tasks that schedules start, each by the name of its first schedule; any other goes into the text field."""

    def tasks_as_choices(self) -> tuple[tuple[str, str], ...]:
        """Name and title of each task."""
        titles = dict(PeriodicTask.objects.order_by("-pk").values_list("task", "name"))
        registered = [task for task, _ in super().tasks_as_choices() if task in titles]
        return ("", ""), *sorted(((task, titles[task]) for task in registered), key=itemgetter(1))


class ScheduledTaskForm(PeriodicTaskForm):
    """The package's form with themed widgets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["regtask"].widget = RegisteredTaskWidget()
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        for name in ("args", "kwargs", "description"):
            self.fields[name].widget.attrs["rows"] = 2
        # Registered tasks are chosen from the list; the text field is for all others.
        if self.instance.task in dict(RegisteredTaskWidget().choices):
            self.initial.update(regtask=self.instance.task, task="")

    def clean(self) -> Any:
        # The package reads `task` also where the field has refused its value.
        return forms.ModelForm.clean(self) if "task" in self.errors else super().clean()

    def validate_unique(self) -> None:
        """The package's rules: one kind of time, and a single moment runs once. Its messages are English."""
        times = [name for name in ("interval", "crontab", "clocked") if self.cleaned_data.get(name)]
        if len(times) != 1:
            self.add_error(None, "間隔、定時與單次時間要選一種，也只能選一種")
        elif times == ["clocked"] and not self.cleaned_data.get("one_off"):
            self.add_error("one_off", "單次時間的排程要勾選「只執行一次」")
        else:
            super().validate_unique()

    def _clean_json(self, field: str) -> str:
        try:
            parse_json(self.cleaned_data[field])
        except ValueError as error:
            raise ValidationError("不是正確的 JSON") from error
        return str(super()._clean_json(field))


def _task_text(task: Any) -> str:
    """A schedule's name. When it runs has a column of its own."""
    return str(task.name)


def _moment_text(clocked: Any) -> str:
    """The moment of a clocked schedule in Taipei time."""
    return full_time(clocked.clocked_time)


# The package's texts of these are `30 8 * * * (m/h/dM/MY/d) Asia/Taipei`, that behind the name, and
# `2026-01-29 01:30:00+00:00`.
CrontabSchedule.__str__ = _crontab
ClockedSchedule.__str__ = _moment_text
PeriodicTask.__str__ = _task_text

# The package marks every name for translation but this one. The same words, so that no migration follows.
PeriodicTask._meta.get_field("task").verbose_name = gettext_lazy("Task Name")

# Fields that users change; the scheduler itself changes the times of runs.
auditlog.register(
    PeriodicTask,
    include_fields=["name", "task", "enabled", "interval", "crontab", "clocked", "args", "kwargs", "queue", "one_off"],
)


def _switch(label: str, *, enabled: bool) -> Any:
    """The action that switches the chosen tasks on or off."""

    @admin.action(description=f"{label}選取的排程", permissions=["change"])
    def switch(self: Any, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        # As in the form, `save` clears the last run of a disabled task, or it would be due at once when enabled.
        changed = list(queryset.exclude(enabled=enabled))
        for task in changed:
            task.enabled = enabled
            # One save each, whose signals notify the scheduler and the audit trail.
            task.save()
        messages.success(request, f"已{label} {len(changed)} 個排程")

    return switch


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BaseAdmin):
    """Periodic tasks. Workers apply a change within seconds."""

    form: type[forms.ModelForm[Any]] = ScheduledTaskForm
    list_display = ("name", "state", "enabled", "when_it_runs", "last_run", "total_run_count", "description")
    list_editable = ("enabled",)
    list_filter = (("enabled", BooleanRadioFilter),)
    list_select_related = TIMES
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

    when_it_runs = column("排程", lambda task: nowrap(schedule_text(task)))
    state = column("狀態", state_badge)
    last_run = column("上次執行", when, of="last_run_at", order="last_run_at")

    enable = _switch("啟用", enabled=True)
    disable = _switch("停用", enabled=False)


# Times that tasks refer to; their pages are reached from the plus sign of the task's field.


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(BaseAdmin):
    """Every so many seconds, minutes, hours or days."""

    list_display = ("__str__", "every", "period")


class CrontabForm(ModelForm):
    """The package's form, which refuses a wrong time in our words."""

    def _update_errors(self, errors: ValidationError) -> None:
        for name in CRONTAB_TIMES.intersection(errors.error_dict):
            wrong = self.cleaned_data.get(name)
            errors.error_dict[name] = [ValidationError(f"「{wrong}」的寫法不正確，請看說明裡的例子")]
        super()._update_errors(errors)  # type: ignore[misc]


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(BaseAdmin):
    """Times of the day, week or month."""

    form = CrontabForm

    list_display = ("__str__", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "timezone":
            # Else Django sends the default along in a hidden field, and the package takes what comes back for a file.
            field.show_hidden_initial = False
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"timezone": "Asia/Taipei", **super().get_changeform_initial_data(request)}


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(BaseAdmin):
    """One moment."""

    list_display = ("moment",)

    moment = column("時間", full_time, of="clocked_time", order="clocked_time")
