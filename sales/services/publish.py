"""Publishes the rows of a report: compared by day with the data in force, stored, summed, and sealed.

Each day becomes a claim of this import. The day's owner moves to the claim in the same transaction that rebuilds the
totals. A day whose rows are in force already keeps its lines and totals; the claim then refers to those lines, so that
after an undo of the other import the day keeps them. Of two imports the one created later wins, whichever a worker
finishes first: a day that a later import owns keeps its owner.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise, repeat
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from momo.jobs.copying import copied_cents, copied_numbers, copied_texts, copy_blocks
from momo.jobs.importers import ImportRefused, Outcome, Table
from momo.jobs.models import Job
from sales.figures import Sums, added
from sales.services.changes import Claim, day_changes, named_days, outcome, refuse_losses
from sales.services.totals import lock_sales, rebuild_totals

TEXTS = ("product_code", "product_name", "brand", "category", "pm", "vendor_code", "vendor_name")
NUMBERS = ("quantity", "amount", "cost", "gross_profit")

# Amounts are cents here: integers add up several times as fast as decimals.
STAGING = """
CREATE TEMPORARY TABLE sales_staging (
    row int, date date, product_code text, product_name text, brand text, category text, pm text, vendor_code text,
    vendor_name text, quantity int, amount bigint, cost bigint, gross_profit bigint
) ON COMMIT DROP
"""
COPY_STAGING = f"COPY sales_staging (row, date, {', '.join(TEXTS)}, {', '.join(NUMBERS)}) FROM STDIN"
COPY_LINES = f"COPY sales_salesline (job_id, row, date, {', '.join(TEXTS)}, {', '.join(NUMBERS)}) FROM STDIN"
STORED_ROWS = f"""(
    SELECT date, {", ".join(TEXTS)}, quantity, (amount * 100)::bigint AS amount, (cost * 100)::bigint AS cost,
           (gross_profit * 100)::bigint AS gross_profit
    FROM sales_salesline WHERE date = ANY(%(dates)s) AND job_id = %(job)s
) AS stored"""  # noqa: S608 - names of columns

# The sum of hashes does not depend on the order of the rows. Each hash is of the whole row, so that values swapped
# between rows change it. Without the row number, and without columns that the catalogue filled (NOT_IN_FILE): the same
# file has the same digest, even if the catalogue has changed.
DIGESTS = """
SELECT date, count(*), sum(quantity), sum(amount), sum(cost), sum(gross_profit),
       sum(hashtextextended(concat_ws(E'\\x1f', product_code, product_name, {brand}, {category}, pm, vendor_code,
           vendor_name, quantity, amount, coalesce(cost::text, '-'), coalesce(gross_profit::text, '-')), 0))
FROM {rows} GROUP BY date
"""
NOT_IN_FILE = r"E'\x1e'"

# With `known_as`, the first import of these lines that is not undone: messages name it.
IN_FORCE = """
SELECT c.date, c.job_id, c.lines_job_id, c.digest,
       (SELECT min(same.job_id) FROM sales_dayclaim same
        WHERE same.source = c.source AND same.date = c.date AND same.undone_at IS NULL
          AND same.lines_job_id = c.lines_job_id),
       c.lines, c.quantity, (c.amount * 100)::bigint, (c.cost * 100)::bigint, (c.gross_profit * 100)::bigint
FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id
WHERE o.source = %(source)s AND o.date = ANY(%(dates)s)
"""

# In the order of days, as in most reports, so that the lines of a day are stored next to each other.
STORE = f"""
INSERT INTO sales_salesline (job_id, date, row, {", ".join(TEXTS)}, quantity, amount, cost, gross_profit)
SELECT %(job)s, date, row, {", ".join(TEXTS)}, quantity, amount * 0.01, cost * 0.01, gross_profit * 0.01
FROM sales_staging WHERE date = ANY(%(dates)s)
"""  # noqa: S608 - names of columns

BY_DAY = "ORDER BY date, row"

CLAIM = """
INSERT INTO sales_dayclaim (job_id, lines_job_id, source, date, digest, lines, quantity, amount, cost, gross_profit)
SELECT %(job)s, d.lines_job, %(source)s, d.date, d.digest, d.lines, d.quantity, d.amount * 0.01, d.cost * 0.01,
       d.profit * 0.01
FROM unnest(%(dates)s::date[], %(lines_jobs)s::bigint[], %(digests)s::text[], %(lines)s::int[],
            %(quantities)s::bigint[], %(amounts)s::bigint[], %(costs)s::bigint[], %(profits)s::bigint[])
     AS d(date, lines_job, digest, lines, quantity, amount, cost, profit)
ORDER BY d.date
"""

OWN = """
INSERT INTO sales_dayowner (source, date, claim_id)
SELECT source, date, id FROM sales_dayclaim
WHERE job_id = %(job)s AND source = %(source)s AND undone_at IS NULL AND date = ANY(%(owned)s::date[])
ON CONFLICT (date, source) DO UPDATE SET claim_id = excluded.claim_id
"""

OWNED = "SELECT EXISTS (SELECT 1 FROM sales_dayowner WHERE source = %(source)s AND date = ANY(%(dates)s))"
DROP_LINES = "DELETE FROM sales_salesline WHERE date = ANY(%(dates)s) AND job_id = %(job)s"

STORED = """
SELECT date, count(*), sum(quantity), (sum(amount) * 100)::bigint, (sum(cost) * 100)::bigint,
       (sum(gross_profit) * 100)::bigint
FROM sales_salesline WHERE date = ANY(%(dates)s) AND job_id = %(job)s
GROUP BY date
"""


class Publication:
    """Publishes one import, inside the caller's transaction."""

    def __init__(self, *, job: Job, source: str, table: Table) -> None:
        self.job, self.source, self.table = job, source, table

    def run(self) -> Outcome:
        """Publish. Raises ImportRefused; the caller must then roll back."""
        if not self.table.numbers:
            raise ImportRefused("檔案裡沒有可匯入的資料列。")
        sums = sums_by_day(self.table)
        with connection.cursor() as cursor:
            # Rows of new days are stored at once: through a staging table each would be written twice.
            new = self._are_new(cursor, sums)
            self.store_all(cursor) if new else self.stage(cursor)
            lock_sales(cursor)
            found, digests = self._digests(cursor, sums, stored=new)
            _check_seal(sums, found, "寫入" if new else "讀入")
            force = _in_force(cursor, self.source, sums)
            fresh = [day for day in sorted(sums) if day not in force or force[day].digest != digests[day]]
            # Workers run in parallel, so that a later import may have been published first.
            owned = [day for day in sorted(sums) if day not in force or force[day].job < self.job.pk]
            days = day_changes(sums, force, set(fresh), set(owned))
            if not self.job.confirm_loss:
                refuse_losses(days)
            if new:
                self._drop(cursor, sums.keys() - set(fresh))
            elif fresh:
                self.store(cursor, fresh)
                _check_seal({day: sums[day] for day in fresh}, self._stored(cursor, fresh), "寫入")
            sources = {day: force[day].lines_job for day in sums if day in force} | dict.fromkeys(fresh, self.job.pk)
            self._claim(cursor, sums, digests, sources, owned)
            rebuilt = sorted({*fresh} & {*owned})
            if rebuilt:
                wrong = rebuild_totals(cursor=cursor, dates=rebuilt)
                if wrong:
                    raise ImportRefused(f"{named_days(wrong)} 的合計與檔案不符，沒有寫入任何資料；請通知系統管理員。")
            cursor.execute("DROP TABLE IF EXISTS sales_staging")
        return outcome(days, sums, force, set(fresh))

    def changes(self) -> list[dict[str, Any]]:
        """Return what `run` would make of each day at this moment, as in its outcome. Stores nothing."""
        if not self.table.numbers:
            return []
        sums = sums_by_day(self.table)
        with transaction.atomic(), connection.cursor() as cursor:
            self.stage(cursor)
            _, digests = self._digests(cursor, sums, stored=False)
            force = _in_force(cursor, self.source, sums)
            transaction.set_rollback(True)
        fresh = {day for day in sums if day not in force or force[day].digest != digests[day]}
        # The import that is created next is the newest.
        return day_changes(sums, force, fresh, set(sums))

    def stage(self, cursor: CursorWrapper) -> None:
        """COPY all rows into the staging table."""
        cursor.execute(STAGING)
        self._copy(cursor, COPY_STAGING, _columns(self.table, copied_numbers))

    def store_all(self, cursor: CursorWrapper) -> None:
        """COPY all rows into the lines."""
        jobs = repeat(str(self.job.pk), len(self.table.numbers))
        self._copy(cursor, COPY_LINES, [jobs, *_columns(self.table, copied_cents)])

    @staticmethod
    def _copy(cursor: CursorWrapper, statement: str, columns: Iterable[Iterable[str]]) -> None:
        with cursor.copy(statement) as copy:
            for block in copy_blocks(columns):
                copy.write(block)

    def store(self, cursor: CursorWrapper, dates: Sequence[date]) -> None:
        """Append the staged lines of these days."""
        order = "" if self._in_order() else BY_DAY
        cursor.execute(STORE + order, {"job": self.job.pk, "dates": list(dates)})

    def _in_order(self) -> bool:
        return all(day <= after for day, after in pairwise(self.table.columns["date"]))

    def _are_new(self, cursor: CursorWrapper, dates: Collection[date]) -> bool:
        """Whether no day has an owner yet, and the rows are in the order in which they are stored."""
        cursor.execute(OWNED, {"source": self.source, "dates": list(dates)})
        return not cursor.fetchone()[0] and self._in_order()

    def _drop(self, cursor: CursorWrapper, dates: Collection[date]) -> None:
        """Take out lines that another import brought between `_are_new` and `lock_sales`."""
        if dates:
            cursor.execute(DROP_LINES, {"job": self.job.pk, "dates": list(dates)})

    def _digests(
        self, cursor: CursorWrapper, dates: Collection[date], *, stored: bool
    ) -> tuple[dict[date, Sums], dict[date, str]]:
        """Sums and digests by day, of the lines of this import or of the staged rows."""
        columns = {name: NOT_IN_FILE if name in self.table.filled else name for name in ("brand", "category")}
        statement = DIGESTS.format(rows=STORED_ROWS if stored else "sales_staging", **columns)
        cursor.execute(statement, {"job": self.job.pk, "dates": list(dates)})
        sums, digests = {}, {}
        for day, lines, quantity, amount, cost, profit, hashed in cursor.fetchall():
            whole = [None if value is None else int(value) for value in (quantity, amount, cost, profit)]
            sums[day] = Sums(lines, *whole)  # type: ignore[arg-type]
            digests[day] = f"{lines}:{int(hashed)}"
        return sums, digests

    def _claim(
        self,
        cursor: CursorWrapper,
        sums: Mapping[date, Sums],
        digests: Mapping[date, str],
        lines_jobs: Mapping[date, int],
        owned: Sequence[date],
    ) -> None:
        values: dict[str, Any] = {
            "job": self.job.pk,
            "source": self.source,
            "dates": list(sums),
            "lines_jobs": [lines_jobs[day] for day in sums],
            "digests": [digests[day] for day in sums],
            "lines": [one.lines for one in sums.values()],
            "quantities": [one.quantity for one in sums.values()],
            "amounts": [one.amount for one in sums.values()],
            "costs": [one.cost for one in sums.values()],
            "profits": [one.gross_profit for one in sums.values()],
            "owned": list(owned),
        }
        cursor.execute(CLAIM, values)
        cursor.execute(OWN, values)

    def _stored(self, cursor: CursorWrapper, dates: Sequence[date]) -> dict[date, Sums]:
        cursor.execute(STORED, {"job": self.job.pk, "dates": list(dates)})
        return {day: Sums(*figures) for day, *figures in cursor.fetchall()}


def sums_by_day(table: Table) -> dict[date, Sums]:
    """Sums of each day in the file; staged rows, stored lines and totals must equal them. Amounts in cents."""
    days: dict[date, list[Any]] = {}
    columns = table.columns
    for day, quantity, amount, cost, profit in zip(columns["date"], *(columns[name] for name in NUMBERS), strict=True):
        kept = days.get(day)
        if kept is None:
            days[day] = [1, quantity, amount, cost, profit]
            continue
        kept[0] += 1
        kept[1] += quantity
        kept[2] += amount
        kept[3] = added(kept[3], cost)
        kept[4] = added(kept[4], profit)
    return {day: Sums(*kept) for day, kept in days.items()}


def _columns(table: Table, money: Callable[[Sequence[int | None], int], Iterable[str]]) -> list[Iterable[str]]:
    """Row number, day, TEXTS and NUMBERS in COPY's text format; `money` writes a column of cents."""
    days = {day: day.isoformat() for day in set(table.columns["date"])}
    rows = len(table.numbers)
    columns: list[Iterable[str]] = [map(str, table.numbers), map(days.__getitem__, table.columns["date"])]
    columns += [copied_texts(table.columns.get(name), rows) for name in TEXTS]
    columns.append(copied_numbers(table.columns["quantity"], rows))
    columns += [money(table.columns[name], rows) for name in NUMBERS[1:]]
    return columns


def _in_force(cursor: CursorWrapper, source: str, dates: Collection[date]) -> dict[date, Claim]:
    cursor.execute(IN_FORCE, {"source": source, "dates": list(dates)})
    return {
        day: Claim(job, lines_job, digest, known_as, Sums(*figures))
        for day, job, lines_job, digest, known_as, *figures in cursor.fetchall()
    }


def _check_seal(wanted: Mapping[date, Sums], found: Mapping[date, Sums], what: str) -> None:
    """The seal: raises ImportRefused if the sums of a day differ from the file's."""
    wrong = sorted(day for day in {*wanted, *found} if wanted.get(day) != found.get(day))
    if wrong:
        raise ImportRefused(f"{named_days(wrong)} {what}的合計與檔案不符，沒有寫入任何資料；請通知系統管理員。")
