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
        help=(
            "每一份上傳、從雲端硬碟或 Telegram 進來的報表，和它的結果。主管按「匯入檔案」，先看預覽再開始。"
            "「待確認」的檔案會減少現有的資料，點進去看過再決定；「失敗」的檔案什麼都沒有寫入。"
        ),
        how_to=(
            ("要自動匯入 Google 雲端硬碟的檔案：把資料夾共用給服務帳號的信箱（結尾是 `iam.gserviceaccount.com`）。"),
            "請系統管理員把資料夾網址的最後一段填進 `GOOGLE_DRIVE_FOLDER_ID`。",
            "之後放進資料夾的報表會照「排程」自動匯入，結果列在這裡。",
        ),
    ),
    Entry(
        SALES,
        40,
        "欄位別名",
        "label",
        "jobs.columnalias",
        empty="報表的標題和系統內建的不同時，在這裡加一個別名，之後就認得。",
        help=(
            "報表的標題和系統認得的不同時，在這裡教系統那是哪一欄。主管按「＋」選欄位並填上標題，或用檔案匯入；"
            "因此失敗的匯入，在它的頁面也能直接對應。別名只用在所選的那種報表。"
        ),
    ),
    Panel(12, "jobs.view_job", "admin/jobs/home.html", _running, after=has_jobs, notice=True),
    Cards(15, "jobs.view_job", _cards, counts=(open_failures,)),
)
