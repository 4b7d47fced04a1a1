"""`manage.py check_upgrade`: whether `migrate` may run while an older version still serves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error

from momo.system.upgrade import pending_changes


class Command(BaseCommand):
    """Lists what of the pending migrations an older version does not bear."""

    help = "檢查還沒套用的資料表變更，列出舊版程式無法承受的；有的話以 1 結束，請先停止舊版再執行 migrate。"

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count, found = pending_changes()
        except Error as error:
            self.stderr.write(f"資料庫沒有回應，請確認 DATABASE_URL：{error}")
            raise SystemExit(2) from error
        if not found:
            self.stdout.write(f"{count} 個資料表變更待套用，舊版可以繼續執行。")
            return
        names = {one.migration for one in found}
        self.stdout.write(f"{count} 個資料表變更待套用，其中 {len(names)} 個不能與舊版同時執行：")
        for one in found:
            self.stdout.write(f"  {one.migration}：{one.operation}。{one.reason}")
        self.stdout.write("請先停止舊版（web、worker、beat），再執行 migrate。")
        raise SystemExit(1)
