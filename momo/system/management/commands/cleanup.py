"""``manage.py cleanup``: delete what is expired, or count it, with progress bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from momo.core.errors import ServiceError
from momo.core.retention import Amount
from momo.system.models import Cleanup
from momo.system.services.cleanup import Line, clean_up, lines_of, preview_cleanup


class Command(BaseCommand):
    """Cleans up in the foreground; a worker goes on if it is stopped."""

    help = "刪除超過保存期限的紀錄與檔案；中途停止時由背景程式繼續。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="只計算，不刪除")
        parser.add_argument("--only", action="append", default=[], metavar="名稱", help="只清理這一種，可以重複")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 120)  # type: ignore[arg-type]
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        try:
            if options["dry_run"]:
                lines = preview_cleanup(only=options["only"])
                console.print(summary("會刪除的資料", [(line, line.found) for line in lines]))
                return
            with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
                task = bar.add_task("計算", total=None)

                def show(lines: Sequence[Line]) -> None:
                    current = next((line.name for line in lines if not line.over), "完成")
                    rows = sum(line.rows for line in lines)
                    bar.update(
                        task, description=current, total=rows, completed=sum(line.deleted.rows for line in lines)
                    )

                run = clean_up(trigger=Cleanup.Trigger.COMMAND, only=options["only"], on_progress=show)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        console.print(summary("已刪除的資料", [(line, line.deleted) for line in lines_of(run)]))
        if run.status != Cleanup.Status.DONE:
            raise CommandError(run.message)


def summary(title: str, lines: Sequence[tuple[Line, Amount]]) -> Table:
    """A table of the kinds of which there is something, and their sum."""
    table = Table(title=title, show_footer=True)
    total = sum((amount for _, amount in lines), Amount())
    table.add_column("資料", "合計")
    table.add_column("表格")
    table.add_column("筆數", f"{total.rows:,}", justify="right")
    table.add_column("大小", filesizeformat(total.bytes), justify="right")
    table.add_column("說明")
    for line, amount in lines:
        if line.rows:
            table.add_row(line.name, line.table, f"{amount.rows:,}", filesizeformat(amount.bytes), line.problem)
    return table
