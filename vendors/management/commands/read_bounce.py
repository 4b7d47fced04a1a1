"""``manage.py read_bounce``: what a mail server pipes a delivery status notification into."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from momo.core.errors import ServiceError
from vendors.services.bounces import MAX_BYTES, read_bounce


class Command(BaseCommand):
    """Marks the address of a vendor that a bounce is about."""

    help = "讀一封退信通知（檔案或標準輸入），標記退信的廠商信箱；不是退信或不是我們寄的信時，結束代碼為 1。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, metavar="檔案", help="沒有時讀標準輸入")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for address in read_bounce(content=self.read(options["path"])):
                self.stdout.write(f"{address.email}：已標記退信（{address.bounce_reason}）")
        except ServiceError as error:
            raise CommandError(str(error)) from error

    @staticmethod
    def read(path: Path | None) -> bytes:
        """One byte more than is allowed at most."""
        if path is None:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise CommandError(f"讀不到 {path}：{error.strerror}") from error
