"""``manage.py refresh_trending``: refresh lists of trends in the foreground, with a progress bar and a summary."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ai.models import TrendCategory
from ai.selectors.trends import trends
from ai.services.trends import Refreshed, refresh_trends
from momo.core.errors import ServiceError


class Command(BaseCommand):
    """Reads the enabled lists; fails if none could be read."""

    help = "更新趨勢清單（mybest、@cosme、YouTube）；讀不到的清單保留上一次的內容。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", default="", choices=TrendCategory.Source.values, help="只更新這個來源")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 120)  # type: ignore[arg-type]
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        try:
            total = trends(source=options["source"]).count()
            with Progress(*columns, TextColumn("個清單"), TimeElapsedColumn(), console=console) as bar:
                task = bar.add_task("更新趨勢", total=total)

                def show(one: Refreshed) -> None:
                    bar.update(task, advance=1, description=str(one.trend))

                done = refresh_trends(source=options["source"], on_progress=show)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        if not done:
            console.print("沒有啟用的清單；請到後台的「趨勢分類」加入。", style="yellow")
            return
        console.print(summary(done))
        if all(one.error for one in done):
            raise CommandError("沒有一個清單更新成功")


def summary(done: list[Refreshed]) -> Table:
    """A table of how each list ended."""
    table = Table(title="趨勢清單")
    for heading in ("來源", "分類", "代碼或搜尋詞", "項目", "錯誤"):
        table.add_column(heading, justify="right" if heading == "項目" else "left")
    for one in done:
        trend = one.trend
        values = (trend.get_source_display(), trend.category, trend.key, str(one.items or "－"), one.error)
        table.add_row(*values, style="red" if one.error else "")
    return table
