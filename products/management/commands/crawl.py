"""``manage.py crawl``: one run in the foreground, with a progress bar and a summary."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from momo.core.errors import ValidationFailed
from products.models import CrawlRun, CrawlShard
from products.selectors.crawls import progress_of
from products.services.apply import apply_run
from products.services.runs import close_lost_runs, delete_old_observations, start_run
from products.services.shards import run_shard


class Command(BaseCommand):
    """Crawls in the foreground and applies the run."""

    help = "更新啟用分類的價格並套用結果；已有進行中的價格更新時，接手它未完成的部分。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--category", action="append", metavar="代碼", help="只更新這個分類（可重複）")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 100)  # type: ignore[arg-type]
        try:
            started = start_run(trigger=CrawlRun.Trigger.COMMAND, categories=options["category"], dispatch=False)
        except ValidationFailed as error:
            raise CommandError(str(error)) from error
        if started.already_running:
            console.print(f"價格更新 #{started.run.pk} 正在進行，接手未完成的部分。")
        run = self.finish(started.run, console)
        console.print(summary(run))
        if run.message:
            console.print(run.message, style="yellow" if run.status == CrawlRun.Status.APPLIED else "red")
        if run.status != CrawlRun.Status.APPLIED:
            raise CommandError(f"價格更新 #{run.pk} 沒有套用")
        if run.verdict == CrawlRun.Verdict.FAILED:
            raise CommandError(f"價格更新 #{run.pk} 什麼都沒有看到")

    def finish(self, run: CrawlRun, console: Console) -> CrawlRun:
        """Crawl the run's shards, beside other workers, until the run has ended."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("頁"),
        )
        with Progress(*columns, TextColumn("{task.fields[items]} 件商品"), TimeElapsedColumn(), console=console) as bar:
            task = bar.add_task(f"價格更新 #{run.pk}", total=None, items=0)

            def show(_: CrawlShard | None = None) -> None:
                state = progress_of(run)
                bar.update(task, completed=state["pages"], total=state["pages_expected"] or None, items=state["items"])

            while True:
                for shard_id in run.shards.filter(status__in=CrawlShard.UNFINISHED).values_list("pk", flat=True):
                    run_shard(shard_id, on_progress=show)
                    show()
                apply_run(run.pk)
                run.refresh_from_db()
                if run.status != CrawlRun.Status.RUNNING:
                    delete_old_observations()
                    return run
                # Other workers crawl the remaining shards; if they die, their shards become free for the next round.
                time.sleep(1)
                close_lost_runs()
                show()


def summary(run: CrawlRun) -> Table:
    """A table of what a run found."""
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0
    columns = {
        "分類": run.categories,
        "商品": run.seen,
        "新商品": run.new,
        "漲價": run.increased,
        "降價": run.decreased,
        "缺貨": run.sold_out,
        "補貨": run.restocked,
        "下架": run.delisted,
        "重新上架": run.relisted,
        "待確認": run.quarantined,
        "錯誤": run.error_count,
        "秒": f"{seconds:.1f}",
    }
    table = Table(title=f"價格更新 #{run.pk}　{run.get_status_display()}　{run.get_verdict_display()}")
    for heading in columns:
        table.add_column(heading, justify="right")
    table.add_row(*map(str, columns.values()))
    return table
