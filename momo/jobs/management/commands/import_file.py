"""``manage.py import_file``: one import in the foreground, with a progress bar and a summary."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from momo.core.errors import Conflict, ServiceError
from momo.jobs.errors import grouped
from momo.jobs.models import Job
from momo.jobs.services import cancel_job, create_job, run_job

ERRORS_PRINTED = 20
DAYS_PRINTED = 62


class Command(BaseCommand):
    """Imports one file in the foreground."""

    help = "匯入一個檔案，完成後才結束；失敗時結束代碼為 1。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="檔案")
        parser.add_argument("--type", required=True, metavar="類型", help="例如 daily_sales")
        parser.add_argument(
            "--on-error",
            choices=Job.OnError.values,
            default=Job.OnError.REJECT,
            help="遇到有錯的列：reject 整份不匯入（預設），skip 略過那些列",
        )
        parser.add_argument(
            "--sheet",
            action="append",
            default=[],
            metavar="工作表",
            help="要匯入的工作表，可以重複；預設是最符合的一張",
        )
        parser.add_argument("--skip-hidden", action="store_true", help="不匯入隱藏的列")
        parser.add_argument(
            "--confirm-loss", action="store_true", help="某一天的列數或業績會減少許多時，仍以這個檔案取代"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Without markup: "[/b]" in a file name or a cell is printed as it is.
        width = None if self.stdout.isatty() else 100
        console = Console(file=self.stdout, width=width, markup=False, emoji=False)  # type: ignore[arg-type]
        job = self.open(
            options["path"],
            job_type=options["type"],
            on_error=options["on_error"],
            confirm_loss=options["confirm_loss"],
            wanted_sheets=options["sheet"],
            skip_hidden=options["skip_hidden"],
        )
        try:
            job = self.finish(job, console)
        except KeyboardInterrupt:
            self.cancel(job)
            raise CommandError(f"匯入 #{job.pk} 已取消") from None
        console.print(summary(job))
        for table in (*replaced_days(job), *errors(job)):
            console.print(table)
        if job.status != Job.Status.SUCCEEDED:
            raise CommandError(job.message)
        console.print(job.message, style="green")

    @staticmethod
    def open(path: Path, *, job_type: str, **choices: Any) -> Job:
        """Create the job. Raises CommandError for a file that cannot be imported at all."""
        try:
            with path.open("rb") as content:
                return create_job(
                    job_type=job_type,
                    source=Job.Source.COMMAND,
                    file_name=path.name,
                    content=content,
                    user=None,
                    **choices,
                    dispatch=False,
                )
        except OSError as error:
            raise CommandError(f"讀不到 {path}：{error.strerror}") from error
        except ServiceError as error:
            raise CommandError(str(error)) from error

    @staticmethod
    def cancel(job: Job) -> None:
        try:
            cancel_job(job=job)
        except Conflict as error:
            # It ended in the meantime.
            raise CommandError(str(error)) from error

    @staticmethod
    def finish(job: Job, console: Console) -> Job:
        """Run the job; if a worker has claimed it, wait, and claim it when that worker falls silent."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        with Progress(*columns, TextColumn("{task.fields[rows]}"), TimeElapsedColumn(), console=console) as bar:
            task = bar.add_task(Job.Stage.QUEUED.label, total=100, rows="")

            def show(now: Job) -> None:
                rows = f"{now.processed_rows:,}／{now.total_rows:,} 列" if now.total_rows else ""
                bar.update(task, completed=now.progress, description=Job.Stage(now.stage).label, rows=rows)

            while True:
                run_job(job.pk, on_progress=show)
                job.refresh_from_db()
                show(job)
                if job.status not in Job.UNFINISHED:
                    return job
                time.sleep(1)


def summary(job: Job) -> Table:
    """Return the counts of an import as a table."""
    table = Table(title=f"匯入 #{job.pk}　{job.file_name}　{job.get_status_display()}")
    for heading in ("總列數", "新增", "更新", "略過", "錯誤", "秒"):
        table.add_column(heading, justify="right")
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0
    counts = (job.total_rows, job.created, job.updated, job.skipped, job.error_count)
    table.add_row(*(f"{count:,}" for count in counts), f"{seconds:.1f}")
    return table


def errors(job: Job) -> list[Table]:
    """Return the first groups of errors as a table, if there are any."""
    if not job.error_count:
        return []
    groups = grouped(job.errors.all())
    more = f"，顯示前 {ERRORS_PRINTED} 種" if len(groups) > ERRORS_PRINTED else ""
    table = Table(title=f"{job.error_count:,} 個錯誤，{len(groups):,} 種{more}")
    table.add_column("列", justify="right")
    for heading in ("欄位", "內容", "問題"):
        table.add_column(heading)
    for group in groups[:ERRORS_PRINTED]:
        table.add_row(group.place, group.column, group.examples, group.message)
    return [table]


def replaced_days(job: Job) -> list[Table]:
    """Return the days whose data the import replaces, or would replace if it were confirmed, as a table."""
    days = [day for day in job.result.get("days", []) if "before" in day]
    if not days:
        return []
    table = Table(title="取代現有資料的日子" if job.status == Job.Status.SUCCEEDED else "會取代的現有資料")
    table.add_column("日期")
    for heading in ("原列數", "列數", "差", "原業績", "業績", "差"):
        table.add_column(heading, justify="right")
    for day in days[:DAYS_PRINTED]:
        cells: list[str] = []
        for name in ("lines", "amount"):
            old, new = day["before"][name], day[name]
            cells += [f"{old:,}", f"{new:,}", f"{new - old:+,}"]
        table.add_row(day["date"], *cells, style="red" if day.get("loss") else None)
    return [table]
