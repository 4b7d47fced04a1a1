"""Schedules of django-celery-beat in words."""

from __future__ import annotations

from typing import Any

from momo.admin_kit.display import NOTHING, full_time

PERIODS = {"days": "天", "hours": "小時", "minutes": "分鐘", "seconds": "秒", "microseconds": "微秒"}
WEEKDAYS = "日一二三四五六日"  # 0 and 7 are Sunday


def in_words(task: Any) -> str:
    """When a periodic task runs: 每 2 小時, 每天 08:30, 每週一 09:00; a stranger crontab as it is written."""
    if task.interval is not None:
        return f"每 {task.interval.every} {PERIODS.get(task.interval.period, task.interval.period)}"
    if task.clocked is not None:
        return f"一次，{full_time(task.clocked.clocked_time)}"
    if task.crontab is not None:
        return _crontab(task.crontab)
    return NOTHING


def _crontab(crontab: Any) -> str:
    minute, hour, weekday = str(crontab.minute), str(crontab.hour), str(crontab.day_of_week)
    written = f"{minute} {hour} {crontab.day_of_month} {crontab.month_of_year} {weekday}（分 時 日 月 週）"
    every_day = str(crontab.day_of_month) == "*" and str(crontab.month_of_year) == "*"
    zone = "" if str(crontab.timezone) == "Asia/Taipei" else f"（{crontab.timezone}）"
    if not (every_day and minute.isdigit() and hour.isdigit()):
        return written + zone
    clock = f"{int(hour):02}:{int(minute):02}"
    if weekday == "*":
        return f"每天 {clock}{zone}"
    days = weekday.split(",")
    if all(day.isdigit() and int(day) <= 7 for day in days):
        return f"每週{'、'.join(WEEKDAYS[int(day)] for day in days)} {clock}{zone}"
    return written + zone
