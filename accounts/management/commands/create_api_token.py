"""`manage.py create_api_token USERNAME`: creates a bearer token and writes nothing but its text to stdout."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.services import create_token


class Command(BaseCommand):
    """Creates a token for an active user."""

    help = "為使用者建立 API 權杖；標準輸出只有權杖本身，之後無法再次顯示。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="權杖所屬的帳號")
        parser.add_argument("--name", default="manage.py", help="用途，供辨識")
        parser.add_argument("--days", type=int, default=None, help="幾天後到期；省略則不會到期")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"沒有這個帳號：{options['username']}")
        if not user.is_active:
            raise CommandError(f"這個帳號已停用：{user.username}")
        days: int | None = options["days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days 必須介於 1 與 3650 之間")
        expires_at = timezone.now() + dt.timedelta(days=days) if days is not None else None
        made = create_token(user=user, name=options["name"][:100], expires_at=expires_at)
        self.stdout.write(made.text)
