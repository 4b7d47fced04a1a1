"""Reports and their runs for admin pages, many at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from momo.reports.models import Report, ReportRun

SECTIONS = ["sales_summary", "sales_by_brand", "price_changes"]
DAY = date(2026, 1, 29)


def report(name: str = "每日業績", **values: Any) -> Report:
    return Report.objects.get_or_create(
        name=name, defaults={"sections": SECTIONS, "addresses": ["team@example.com"], **values}
    )[0]


def reports(number: int) -> list[Report]:
    start = Report.objects.count()
    return [report(f"報表 {start + n}") for n in range(number)]


def runs(number: int) -> list[ReportRun]:
    now, one = timezone.now(), report()
    start = one.runs.count()
    return ReportRun.objects.bulk_create(
        ReportRun(
            report=one,
            day=DAY - timedelta(days=start + n),
            status="done",
            due_at=now,
            finished_at=now,
            messages=1,
            message="1 則訊息排入寄送",
            missing=["2026/01/29（週四）的銷售日報還沒有匯入"],
        )
        for n in range(number)
    )
