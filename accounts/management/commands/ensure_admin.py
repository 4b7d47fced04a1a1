"""`manage.py ensure_admin`: creates the user `admin` if there is no active admin; safe to run again."""

from __future__ import annotations

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from accounts.models import Role, User
from accounts.selectors import has_active_admin
from accounts.services import create_user, generate_password

USERNAME = "admin"
# Key of the advisory lock: two containers that start at once run one after the other.
LOCK = 71_930_001


class Command(BaseCommand):
    """Creates the first admin."""

    help = "沒有任何啟用中的管理員時，建立 admin；密碼取自 MOMO_ADMIN_PASSWORD，否則產生並顯示一次。"

    def handle(self, *args: Any, **options: Any) -> None:
        given = os.environ.get("MOMO_ADMIN_PASSWORD", "")
        password = given or generate_password()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if has_active_admin():
                self.stderr.write("已有管理員，不需建立。")
                return
            if User.objects.filter(username__iexact=USERNAME).exists():
                raise CommandError(f"帳號 {USERNAME} 已存在，但不是啟用中的管理員；請在後台或以 createsuperuser 處理。")
            try:
                create_user(
                    username=USERNAME,
                    password=password,
                    role=Role.ADMIN,
                    display_name="系統管理員",
                )
            except ValidationError as error:
                raise CommandError(f"MOMO_ADMIN_PASSWORD 不可用：{'；'.join(error.messages)}") from error
        if given:
            self.stderr.write(f"已建立管理員 {USERNAME}，密碼取自 MOMO_ADMIN_PASSWORD。")
        else:
            self.stdout.write(f"帳號：{USERNAME}\n密碼：{password}\n（只顯示這一次）")
