"""Publishes a stockout report: compared with the open rows, stored, and what it no longer lists resolved.

All of it happens under one lock in the transaction in which the import ends, so that of two reports at once the second
sees what the first made of the rows. A report that was sent before another which already counts changes nothing: the
later one is the newer truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from momo.jobs.copying import copied_numbers, copy_blocks
from momo.jobs.importers import Effect, LossUnconfirmed, Outcome, Table
from momo.jobs.models import Job
from vendors.models import Stockout, StockoutBatch
from vendors.services.closing import close_rows, lock_stockouts
from vendors.services.compare import CELLS, Compared, compare, known_vendors
from vendors.services.findings import findings

NEW_VENDORS = """
INSERT INTO vendors_vendor (code, name, contact, phone, escalation_email, note, is_active, created_at)
SELECT code, name, '', '', '', '', true, %(now)s
FROM unnest(%(codes)s::text[], %(names)s::text[]) AS x(code, name) ORDER BY code
ON CONFLICT (code) DO NOTHING
"""
# Rows take their ids before they are stored, so that a repeated product can point at its first row.
IDS = """
SELECT min(id), max(id), CASE WHEN max(id) - min(id) >= %(rows)s THEN array_agg(id ORDER BY id) END
FROM (SELECT nextval('vendors_stockout_id_seq') AS id FROM generate_series(1, %(rows)s)) AS taken
"""
PRICES = "SELECT product_id, price FROM products_product WHERE product_id = ANY(string_to_array(%(codes)s, E'\\n'))"
# Into the table itself: through a staging table each row would be written twice.
COPY = f"""
COPY vendors_stockout (
    id, row, vendor_id, price, duplicate_of_id, {", ".join(CELLS)}, batch_id, created_at, status, answer, substitute,
    resolved_reason, resolved_from)
FROM STDIN
"""


class Publication:
    """Publishes one report, inside the caller's transaction."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def run(self, job: Job) -> Outcome:
        """Publish. Raises ImportRefused; the caller must then roll back."""
        with connection.cursor() as cursor:
            lock_stockouts(cursor)
            batch, _ = StockoutBatch.objects.select_for_update().get_or_create(job=job)
            compared = compare(cursor, self.table, job_id=job.pk)
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
            batch.previous, batch.new_vendor_count = compared.previous, len(compared.new_vendors)
            batch.new_count, batch.still_count = compared.new, compared.still
            batch.recovered_count = len(compared.gone)
            batch.save()
            notes = self._notes()
            owners = compared.owners | self._add_vendors(cursor, compared.new_vendors, batch.published_at)
            self._store(cursor, compared, owners, batch)
        close_rows(ids=compared.gone, reason=Stockout.Reason.NOT_LISTED, at=batch.published_at, batch_id=batch.pk)
        result = {"figures": _figures(compared), "notes": notes, "message": _message(compared)}
        others = compared.rows - compared.new - compared.still
        return Outcome(created=compared.new, updated=compared.still, skipped=others, result=result)

    def effect(self) -> Effect:
        """Return what `run` would change at this moment, for an import that is sent now. Stores nothing."""
        with connection.cursor() as cursor:
            compared = compare(cursor, self.table, job_id=None)
        if compared.same is not None:
            return Effect((), [f"內容與缺貨批次 {compared.same} 相同，匯入後不會新增資料。"])
        return Effect(_figures(compared), self._notes(), compared.loss)

    def _add_vendors(self, cursor: CursorWrapper, codes: Sequence[str], now: datetime) -> dict[str, int]:
        """Create vendors; return code → id. The first name of a code counts; one without is called by its code."""
        if not codes:
            return {}
        named = zip(self.table.columns["vendor_code"], self.table.columns.get("vendor_name") or (), strict=False)
        first = {code: name for code, name in reversed(list(named)) if name}
        names = [first.get(code, code) for code in codes]
        cursor.execute(NEW_VENDORS, {"codes": list(codes), "names": names, "now": now})
        return {code: pk for code, (pk, _) in known_vendors(cursor, codes).items()}

    def _store(
        self, cursor: CursorWrapper, compared: Compared, owners: Mapping[str, int], batch: StockoutBatch
    ) -> None:
        """COPY all rows, each with its vendor (`owners` is code → id), its price in the catalogue and its original."""
        assert batch.published_at is not None
        columns, numbers = self.table.columns, self.table.numbers
        codes, products, rows = columns["vendor_code"], columns["product_code"], len(numbers)
        vendors = {code: str(pk) for code, pk in owners.items()}
        cursor.execute(PRICES, {"codes": "\n".join(set(products))})
        prices = {code: str(price) for code, price in cursor.fetchall()}
        ids = _new_ids(cursor, rows)
        originals = [
            original or (None if first == place else ids[first])
            for place, (original, first) in enumerate(zip(compared.originals, compared.firsts, strict=True))
        ]
        blocks = copy_blocks(
            [
                map(str, ids),
                map(str, numbers),
                map(vendors.__getitem__, codes),
                [prices.get(code, r"\N") for code in products],
                copied_numbers(originals, rows),
                compared.cells,
                repeat(f"{batch.pk}\t{batch.published_at.isoformat()}\t{Stockout.Status.PENDING}\t\t\t\t", rows),
            ]
        )
        with cursor.copy(COPY) as copy:
            for block in blocks:
                copy.write(block)

    def _notes(self) -> list[str]:
        notes = findings(self.table)
        if self.table.partial:
            notes.append("這份報表有沒有匯入的列，所以先前的缺貨不在報表上也不會結案。")
        return notes


def _new_ids(cursor: CursorWrapper, rows: int) -> Sequence[int]:
    """Ids of `rows` new rows: a range, unless another transaction took some in between."""
    cursor.execute(IDS, {"rows": rows})
    first, last, scattered = cursor.fetchone()
    return scattered or range(first, last + 1)


def _now(cursor: CursorWrapper) -> datetime:
    """The database's time: one clock for the order of batches, whichever machine a worker runs on."""
    cursor.execute("SELECT clock_timestamp()")
    moment: datetime = cursor.fetchone()[0]
    return moment


def _figures(compared: Compared) -> Sequence[tuple[str, int]]:
    return [
        ("新缺貨", compared.new),
        ("仍缺貨", compared.still),
        ("已恢復（結案）", len(compared.gone)),
        ("其中等廠商回覆", compared.waiting),
        ("廠商", compared.vendors),
        ("新廠商", len(compared.new_vendors)),
        ("沒有信箱的廠商", compared.without_address),
    ]


def _message(compared: Compared) -> str:
    parts: dict[str, Any] = {"新缺貨": compared.new, "仍缺貨": compared.still, "已恢復": len(compared.gone)}
    text = "、".join(f"{label} {number:,} 項" for label, number in parts.items())
    repeated = compared.rows - compared.new - compared.still
    text += f"、重複 {repeated:,} 列" if repeated else ""
    return text + (f"；新廠商 {len(compared.new_vendors):,} 家" if compared.new_vendors else "")
