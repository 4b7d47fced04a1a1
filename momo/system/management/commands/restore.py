"""``manage.py restore``: a backup into an empty database and an empty folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from momo.system.management.progress import console_of, progress
from momo.system.services.backup import restore


class Command(BaseCommand):
    """Restores from a file."""

    help = "把備份還原到空的資料庫與空的 MEDIA_ROOT；已經有資料時拒絕，不會覆寫任何東西。"
    requires_migrations_checks = False
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="manage.py backup 做的備份檔")

    def handle(self, *args: Any, **options: Any) -> None:
        console = console_of(self.stdout)
        with progress(console, "還原") as report:
            added = restore(source=options["file"], report=report)
        console.print("已還原。所有人要重新登入。")
        if added:
            console.print(f"程式比備份新 {len(added)} 個版本，接著執行 manage.py migrate。", style="yellow")
