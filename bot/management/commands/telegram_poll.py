"""``manage.py telegram_poll``: asks Telegram for updates, for development without a public address."""

from __future__ import annotations

import contextlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bot.services.webhook import poll
from momo.core.errors import ServiceError


class Command(BaseCommand):
    """See the module. From the row on, updates take the same way as those of the webhook."""

    help = "向 Telegram 詢問更新（沒有公開網址時），直到按 Ctrl-C；由背景程式處理。"

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("等待 Telegram 的更新，按 Ctrl-C 結束")
        with contextlib.suppress(KeyboardInterrupt):
            try:
                for update_id in poll():
                    self.stdout.write(f"更新 {update_id}")
            except ServiceError as error:
                raise CommandError(str(error)) from error
