"""``manage.py telegram_webhook set|delete|info``: where Telegram sends its updates."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bot.services.webhook import delete_webhook, set_webhook, webhook_info
from momo.core.errors import ServiceError


class Command(BaseCommand):
    """See the module."""

    help = "設定、刪除或顯示 Telegram 的 webhook。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("set", "delete", "info"), help="set 設定、delete 刪除、info 顯示")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["action"]:
                case "set":
                    self.stdout.write(f"Telegram 的更新會送到 {set_webhook()}")
                case "delete":
                    delete_webhook()
                    self.stdout.write("已刪除 webhook；Telegram 會保留更新 24 小時")
                case _:
                    self.show()
        except ServiceError as error:
            raise CommandError(str(error)) from error

    def show(self) -> None:
        """Print what Telegram knows."""
        info = webhook_info()
        self.stdout.write(f"網址：{info.url or '沒有設定'}")
        self.stdout.write(f"等待送出的更新：{info.pending_update_count:,}")
        if info.last_error_date:
            at = timezone.localtime(info.last_error_date)
            self.stdout.write(f"上次失敗：{at:%Y-%m-%d %H:%M:%S} {info.last_error_message}")
