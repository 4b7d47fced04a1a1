"""``manage.py backup``: database and stored files in one archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from momo.system.management.progress import console_of, progress
from momo.system.services.backup import backup


class Command(BaseCommand):
    """Backs up to a file."""

    help = "把資料庫與上傳的檔案備份成一個檔案；登入狀態、金鑰與設定不在裡面。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, metavar="FILE", help="備份檔，預設是目前資料夾的 momo-日期-時間.zip；不會覆寫"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"] or Path(f"momo-{timezone.localtime():%Y%m%d-%H%M%S}.zip")
        console = console_of(self.stdout)
        with progress(console, "備份") as report:
            manifest = backup(target=target, report=report)
        size = filesizeformat(target.stat().st_size)
        console.print(f"已備份到 {target}：資料庫與 {len(manifest.files):,} 個檔案，{size}")
        console.print("金鑰與設定（.env）不在備份裡，請另外存放。", style="yellow")
