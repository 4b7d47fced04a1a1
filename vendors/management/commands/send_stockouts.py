"""``manage.py send_stockouts``: send a batch to its vendors, and wait until its mails are in the outbox."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from momo.core.errors import ServiceError
from vendors.models import StockoutBatch, VendorSending
from vendors.services.prepare import run_sending
from vendors.services.sendings import plan_stockouts, send_stockouts

SKIPPED_PRINTED = 50


class Command(BaseCommand):
    """Sends the stockouts of one batch in the foreground."""

    help = "把一批缺貨寄給廠商，一家一封；郵件都排入寄送之後才結束。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, required=True, metavar="編號", help="缺貨批次")
        parser.add_argument("--include-duplicates", action="store_true", help="重複的缺貨也寄")
        parser.add_argument("--dry-run", action="store_true", help="只說會寄哪些，不寄")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = StockoutBatch.objects.filter(pk=options["batch"]).first()
        if batch is None:
            raise CommandError(f"沒有批次 #{options['batch']}")
        given: dict[str, Any] = {"batch": batch, "include_duplicates": options["include_duplicates"]}
        try:
            if options["dry_run"]:
                plan = plan_stockouts(**given)
                self.report("會寄", len(plan.groups), sum(len(group.rows) for group in plan.groups), plan.skipped)
                return
            result = send_stockouts(**given, user=None)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.report("寄送", result.mails, result.queued, result.skipped)
        if result.sending is not None:
            self.wait(result.sending)

    def wait(self, sending: VendorSending) -> None:
        """Prepare the mails; if a worker has claimed the sending, wait, and claim it when that worker falls silent."""
        run_sending(sending.pk)
        sending.refresh_from_db()
        while sending.status in VendorSending.UNFINISHED:
            time.sleep(1)
            run_sending(sending.pk)
            sending.refresh_from_db()
        if sending.status != VendorSending.Status.DONE:
            raise CommandError(sending.message)
        self.stdout.write(sending.message)

    def report(self, verb: str, mails: int, rows: int, skipped: list[dict[str, Any]]) -> None:
        """Print what is sent, and what is not and why."""
        self.stdout.write(f"{verb} {mails:,} 封郵件，{rows:,} 筆缺貨；略過 {len(skipped):,} 筆")
        for skip in skipped[:SKIPPED_PRINTED]:
            self.stdout.write(f"  略過 #{skip['id']}：{skip['reason']}")
        if len(skipped) > SKIPPED_PRINTED:
            self.stdout.write(f"  以及另外 {len(skipped) - SKIPPED_PRINTED:,} 筆")
