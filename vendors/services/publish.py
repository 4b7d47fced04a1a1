"""Publishes a stockout report: staged, compared with the open rows, stored, and what it no longer lists resolved.

All of it happens under one lock in the transaction in which the import ends, so that of two reports at once the second
sees what the first made of the rows. A report that was sent before another which already counts changes nothing: the
later one is the newer truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from momo.jobs.copying import copied_numbers, copied_texts, copy_blocks
from momo.jobs.importers import Effect, LossUnconfirmed, Outcome, Table
from momo.jobs.models import Job
from vendors.models import Stockout, StockoutBatch
from vendors.selectors.batches import batches_in_force, overlaps
from vendors.services.closing import close_rows, lock_stockouts
from vendors.services.findings import findings

TEXTS = ("department", "section", "pm", "product_code", "product_name", "vendor_code", "vendor_name")
NUMBERS = ("monthly_sales", "stock")
LEAST_LOSS = 20  # open rows; fewer are resolved without a confirmation

# Rows take their ids here, in the order of the file, so that a repeated product can point at its first row.
STAGING = """
DROP TABLE IF EXISTS pg_temp.stockout_staging;
CREATE TEMPORARY TABLE stockout_staging (
    id bigint DEFAULT nextval('vendors_stockout_id_seq'), row int, department text, section text, pm text,
    product_code text, product_name text, vendor_code text, vendor_name text, monthly_sales int, stock int
) ON COMMIT DROP
"""
COPY_STAGING = f"COPY stockout_staging (row, {', '.join(TEXTS)}, {', '.join(NUMBERS)}) FROM STDIN"

# Independent of the order of rows; each hash is of the whole row, so that values swapped between rows change the sum.
DIGEST = """
SELECT count(*), sum(hashtextextended(concat_ws(E'\\x1f', department, section, pm, product_code, product_name,
    vendor_code, vendor_name, coalesce(monthly_sales::text, '-'), coalesce(stock::text, '-')), 0))
FROM stockout_staging
"""

# The first name of a code counts; a code without one is called by its code.
NEW_VENDORS = """
INSERT INTO vendors_vendor (code, name, contact, phone, escalation_email, note, is_active, created_at)
SELECT DISTINCT ON (vendor_code) vendor_code, coalesce(nullif(vendor_name, ''), vendor_code), '', '', '', '', true,
       %(now)s
FROM stockout_staging s WHERE NOT EXISTS (SELECT 1 FROM vendors_vendor v WHERE v.code = s.vendor_code)
ORDER BY vendor_code, vendor_name = '', id
ON CONFLICT (code) DO NOTHING
"""

# Each row with the open row of its vendor and product, if there is one, and the first row of both in this file. The
# code of a vendor that was merged into another means that one.
STAGED = """
SELECT s.*, v.id AS vendor_id, o.id AS open_id,
       first_value(s.id) OVER (PARTITION BY coalesce(v.code, s.vendor_code), s.product_code ORDER BY s.id) AS first_id
FROM stockout_staging s
LEFT JOIN vendors_vendor named ON named.code = s.vendor_code
LEFT JOIN vendors_vendor v ON v.id = coalesce(named.merged_into_id, named.id)
LEFT JOIN vendors_stockout o ON o.vendor_id = v.id AND o.product_code = s.product_code
                            AND o.duplicate_of_id IS NULL AND o.status <> 'resolved'
"""

COUNTS = f"""
SELECT count(*) FILTER (WHERE open_id IS NULL AND first_id = id), count(*) FILTER (WHERE open_id IS NOT NULL),
       count(DISTINCT vendor_code), count(DISTINCT vendor_code) FILTER (WHERE vendor_id IS NULL),
       count(DISTINCT vendor_code) FILTER (WHERE NOT EXISTS (
           SELECT 1 FROM vendors_vendoraddress a
           WHERE a.vendor_id = s.vendor_id AND a.kind = 'to' AND a.is_active AND a.bounced_at IS NULL)),
       coalesce(array_agg(open_id) FILTER (WHERE open_id IS NOT NULL), '{{}}')
FROM ({STAGED}) s
"""  # noqa: S608 - no values

STORE = f"""
INSERT INTO vendors_stockout (
    id, batch_id, row, department, section, pm, product_code, product_name, vendor_id, vendor_name, monthly_sales,
    stock, price, status, duplicate_of_id, created_at, answer, substitute, resolved_reason, resolved_from)
SELECT s.id, %(batch)s, s.row, s.department, s.section, s.pm, s.product_code, s.product_name, s.vendor_id,
       s.vendor_name, s.monthly_sales, s.stock, p.price, 'pending',
       coalesce(s.open_id, nullif(s.first_id, s.id)), %(now)s, '', '', '', ''
FROM ({STAGED}) s LEFT JOIN products_product p ON p.product_id = s.product_code
ORDER BY s.id
"""  # noqa: S608 - no values

# Open rows that the report covers. Which of them it lists is subtracted in Python: an anti-join of tables whose
# statistics are as old as the last report's rows took 22 s instead of 0.02 s.
COVERED = """
SELECT o.id, o.status FROM vendors_stockout o
WHERE o.duplicate_of_id IS NULL AND o.status <> 'resolved' AND (%(all)s OR o.department = ANY(%(departments)s))
"""


@dataclass
class _Compared:
    """A staged report beside what is in force."""

    rows: int
    digest: str
    departments: list[str]
    same: StockoutBatch | None
    later: StockoutBatch | None  # in force, of an import that was sent later
    previous: StockoutBatch | None
    new: int = 0
    still: int = 0
    vendors: int = 0
    new_vendors: int = 0
    without_address: int = 0
    covered: int = 0  # open rows
    gone: list[int] | None = None  # ids of open rows that are no longer listed
    waiting: int = 0  # of those, how many a vendor was written to about and has not answered

    @property
    def recovered(self) -> int:
        return len(self.gone or ())

    @property
    def loss(self) -> str:
        """The sentence for which a confirmation is asked; empty if none is."""
        if self.recovered <= LEAST_LOSS or self.recovered * 100 <= self.covered * settings.IMPORT_LOSS_PERCENT:
            return ""
        return (
            f"這份報表沒有列出未結案缺貨 {self.covered:,} 項中的 {self.recovered:,} 項（超過 "
            f"{settings.IMPORT_LOSS_PERCENT}%），匯入後它們會視為已恢復而結案"
        )


class Publication:
    """Publishes one report, inside the caller's transaction."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def run(self, job: Job) -> Outcome:
        """Publish. Raises ImportRefused; the caller must then roll back."""
        with connection.cursor() as cursor:
            lock_stockouts(cursor)
            batch, _ = StockoutBatch.objects.select_for_update().get_or_create(job=job)
            compared = self._compare(cursor, job.pk)
            if compared.later is not None:
                text = f"較晚送出的匯入 #{compared.later.job_id} 已經寫入，以那一份為準；這一份沒有採用"
                return Outcome(skipped=compared.rows, result={"message": text})
            batch.published_at = _now(cursor)
            batch.line_count, batch.digest = compared.rows, compared.digest
            batch.departments, batch.is_partial = compared.departments, self.table.partial
            batch.vendor_count = compared.vendors
            if compared.same is not None:
                batch.same_as, batch.previous = compared.same, compared.same.previous
                batch.save()
                text = f"內容與缺貨批次 {compared.same} 相同，沒有新增資料"
                return Outcome(skipped=compared.rows, result={"message": text})
            if compared.loss and not job.confirm_loss:
                raise LossUnconfirmed(
                    f"{compared.loss}，所以還沒有匯入，資料沒有任何變動。請確認檔案是否完整；確定的話，在後台按「確認取代」"
                    "（API 以 confirm_loss 重試，指令加上 --confirm-loss）。",
                    [],
                )
            batch.previous, batch.new_vendor_count = compared.previous, compared.new_vendors
            batch.new_count, batch.still_count = compared.new, compared.still
            batch.recovered_count = compared.recovered
            batch.save()
            notes = self._notes()
            values: dict[str, Any] = {"batch": batch.pk, "now": batch.published_at}
            cursor.execute(NEW_VENDORS, values)
            cursor.execute(STORE, values)
        close_rows(ids=compared.gone or [], reason=Stockout.Reason.NOT_LISTED, at=batch.published_at, batch_id=batch.pk)
        result = {"figures": _figures(compared), "notes": notes, "message": _message(compared)}
        others = compared.rows - compared.new - compared.still
        return Outcome(created=compared.new, updated=compared.still, skipped=others, result=result)

    def effect(self) -> Effect:
        """Return what `run` would change at this moment, for an import that is sent now. Stores nothing."""
        with transaction.atomic(), connection.cursor() as cursor:
            compared = self._compare(cursor, None)
            notes = self._notes()
            transaction.set_rollback(True)
        if compared.same is not None:
            return Effect((), [f"內容與缺貨批次 {compared.same} 相同，匯入後不會新增資料。"])
        return Effect(_figures(compared), notes, compared.loss)

    def _compare(self, cursor: CursorWrapper, job_id: int | None) -> _Compared:
        self._stage(cursor)
        cursor.execute(DIGEST)
        rows, hashed = cursor.fetchone()
        named = sorted({text or "" for text in self.table.columns.get("department", ())})
        departments = named if any(named) else []
        compared = _Compared(rows, f"{rows}:{int(hashed or 0)}", departments, None, None, None)
        # The newest in force of these departments. An older one with the same rows was overtaken: it is news again.
        near = (batch for batch in batches_in_force().iterator(chunk_size=50) if overlaps(batch, departments))
        compared.previous = next(near, None)
        before = compared.previous
        if before and before.digest == compared.digest and before.is_partial <= self.table.partial:
            compared.same = before
        if job_id is not None:
            newer = batches_in_force().filter(job_id__gt=job_id)
            compared.later = next((batch for batch in newer if overlaps(batch, departments)), None)
        cursor.execute(COUNTS)
        (
            compared.new,
            compared.still,
            compared.vendors,
            compared.new_vendors,
            compared.without_address,
            listed,
        ) = cursor.fetchone()
        listed = set(listed)
        cursor.execute(COVERED, {"all": not departments, "departments": departments})
        covered = cursor.fetchall()
        gone = [] if self.table.partial else [(pk, status) for pk, status in covered if pk not in listed]
        compared.covered, compared.gone = len(covered), [pk for pk, _ in gone]
        compared.waiting = sum(status in (Stockout.Status.QUEUED, Stockout.Status.SENT) for _, status in gone)
        return compared

    def _stage(self, cursor: CursorWrapper) -> None:
        """COPY all rows into the staging table."""
        columns, rows = self.table.columns, len(self.table.numbers)
        texts = [copied_texts(columns.get(name), rows) for name in TEXTS]
        numbers = [copied_numbers(columns.get(name), rows) for name in NUMBERS]
        cursor.execute(STAGING)
        with cursor.copy(COPY_STAGING) as copy:
            for block in copy_blocks([map(str, self.table.numbers), *texts, *numbers]):
                copy.write(block)
        cursor.execute("ANALYZE stockout_staging (vendor_code, product_code)")

    def _notes(self) -> list[str]:
        notes = findings(self.table)
        if self.table.partial:
            notes.append("這份報表有沒有匯入的列，所以先前的缺貨不在報表上也不會結案。")
        return notes


def _now(cursor: CursorWrapper) -> datetime:
    """The database's time: one clock for the order of batches, whichever machine a worker runs on."""
    cursor.execute("SELECT clock_timestamp()")
    moment: datetime = cursor.fetchone()[0]
    return moment


def _figures(compared: _Compared) -> Sequence[tuple[str, int]]:
    return [
        ("新缺貨", compared.new),
        ("仍缺貨", compared.still),
        ("已恢復（結案）", compared.recovered),
        ("其中等廠商回覆", compared.waiting),
        ("廠商", compared.vendors),
        ("新廠商", compared.new_vendors),
        ("沒有信箱的廠商", compared.without_address),
    ]


def _message(compared: _Compared) -> str:
    parts: dict[str, Any] = {"新缺貨": compared.new, "仍缺貨": compared.still, "已恢復": compared.recovered}
    text = "、".join(f"{label} {number:,} 項" for label, number in parts.items())
    repeated = compared.rows - compared.new - compared.still
    text += f"、重複 {repeated:,} 列" if repeated else ""
    return text + (f"；新廠商 {compared.new_vendors:,} 家" if compared.new_vendors else "")
