"""Entries of the sidebar for imports, and how many of them wait for somebody.

Apps whose reports are imported put their own entries into the same section.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit.display import page_link
from momo.admin.kit.nav import Card, Cards, Entry, Panel, Searchable, Section, Step, count, register
from momo.jobs.selectors import has_jobs, open_failures, unfinished_jobs

SALES = Section("銷售", 20)
SHOWN = 5  # imports on the start page

FIRST_UPLOAD = Step(
    30,
    "匯入銷售報表",
    "上傳 momo 的每日銷售報表，就看得到每一天的業績和毛利。",
    "upload_file",
    "admin:jobs_job_upload",
    "jobs.add_job",
    done=has_jobs,
)


def _cards(request: HttpRequest) -> list[Card]:
    url = f"{reverse('admin:jobs_job_changelist')}?attention=open"
    return [Card("待處理的匯入", count(request, open_failures), url, "warn")]


def _running(request: HttpRequest) -> dict[str, Any]:
    """Imports that wait or run, with their bars, which a script keeps up to date."""
    return {"running_jobs": [(job, page_link("jobs_job", job.pk, job)) for job in unfinished_jobs()[:SHOWN]]}


register(
    Searchable(
        30,
        "jobs.job",
        "upload_file",
        lambda job: (job.file_name, f"#{job.pk} {job.get_status_display()}"),
        fields=("file_name",),
    ),
    FIRST_UPLOAD,
    Entry(
        SALES,
        30,
        "匯入",
        "upload_file",
        "jobs.job",
        badge=open_failures,
        empty="上傳的報表和它們的結果會列在這裡。",
        step=FIRST_UPLOAD,
    ),
    Entry(
        SALES,
        40,
        "欄位別名",
        "label",
        "jobs.columnalias",
        empty="報表的標題和系統內建的不同時，在這裡加一個別名，之後就認得。",
    ),
    Panel(12, "jobs.view_job", "admin/jobs/home.html", _running, after=has_jobs, notice=True),
    Cards(15, "jobs.view_job", _cards, counts=(open_failures,)),
)
