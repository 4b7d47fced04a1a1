"""Makes the rows of a report count: staged, compared by day with what is in force, stored, summed and sealed.

Each day becomes a claim of this import, and the pointer of the day moves to it in the same transaction in which the
totals are rebuilt. A day whose rows are those in force already keeps its lines and totals, and the claim counts on
those lines: whoever undoes the other import still finds what this one said. Of two imports the one brought later
counts, whichever a worker finishes first: a day that a later one owns already keeps its owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, pairwise
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from momo.jobs.importers import ImportRefused, Outcome, Table
from momo.jobs.models import Job
from sales.figures import Sums, added
from sales.models import DayClaim
from sales.services.totals import lock_sales, rebuild_totals

TEXTS = ("product_code", "product_name", "brand", "category", "pm", "vendor_code", "vendor_name")
NUMBERS = ("quantity", "amount", "cost", "gross_profit")
BLOCK_ROWS = 4_000  # so few that PostgreSQL reads one while the next is made
NAMED_DAYS = 5  # days that a message names, at most
# What COPY's text format means by its own signs. PostgreSQL has no NUL in text.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": None})
_SPECIAL = ("\\", "\t", "\n", "\r", "\0")

# Amounts are cents here: whole numbers add up some times as fast as decimals.
STAGING = """
CREATE TEMPORARY TABLE sales_staging (
    row int, date date, product_code text, product_name text, brand text, category text, pm text, vendor_code text,
    vendor_name text, quantity int, amount bigint, cost bigint, gross_profit bigint
) ON COMMIT DROP
"""
COPY_STAGING = f"COPY sales_staging (row, date, {', '.join(TEXTS)}, {', '.join(NUMBERS)}) FROM STDIN"

# The hashes are added up, so the order of the rows does not matter; each is of the whole row, so that values swapped
# between rows do. The number of the row is no part of it, nor is what the file does not say itself: the same file is
# the same whatever the catalogue knows meanwhile.
DIGESTS = """
SELECT date, count(*), sum(quantity), sum(amount), sum(cost), sum(gross_profit),
       sum(hashtextextended(concat_ws(E'\\x1f', product_code, product_name, {brand}, {category}, pm, vendor_code,
           vendor_name, quantity, amount, coalesce(cost::text, '-'), coalesce(gross_profit::text, '-')), 0))
FROM sales_staging GROUP BY date
"""
NOT_TOLD = r"E'\x1e'"

# And the first import that brought these very lines and still stands: the one that people know them by.
IN_FORCE = """
SELECT c.date, c.job_id, c.lines_job_id, c.digest,
       (SELECT min(same.job_id) FROM sales_dayclaim same
        WHERE same.source = c.source AND same.date = c.date AND same.undone_at IS NULL
          AND same.lines_job_id = c.lines_job_id),
       c.lines, c.quantity, (c.amount * 100)::bigint, (c.cost * 100)::bigint, (c.gross_profit * 100)::bigint
FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id
WHERE o.source = %(source)s AND o.date = ANY(%(dates)s)
"""

# Day by day, as most reports are already, so that those who read a day find its lines side by side.
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

STORED = """
SELECT date, count(*), sum(quantity), (sum(amount) * 100)::bigint, (sum(cost) * 100)::bigint,
       (sum(gross_profit) * 100)::bigint
FROM sales_salesline WHERE date = ANY(%(dates)s) AND job_id = %(job)s
GROUP BY date
"""


_TEXTS = {
    "new": "{} 天新增",
    "changed": "{} 天更正",
    "unchanged": "{} 天與現有資料相同",
    "superseded": "{} 天已有較晚送出的匯入，維持那一份",
}
_BESIDE = {"changed": "before", "superseded": "in_force"}  # how the result calls what else there is of the day


@dataclass(frozen=True)
class Claim:
    """What is in force for a day: whose claim, whose lines, and which import people know these lines by."""

    job: int
    lines_job: int
    digest: str
    known_as: int
    sums: Sums


class Publication:
    """One import being published, inside a transaction of the caller's."""

    def __init__(self, *, job: Job, source: str, table: Table) -> None:
        self.job, self.source, self.table = job, source, table

    def run(self) -> Outcome:
        """Publish. Raises ImportRefused; then the caller's transaction must be undone."""
        if not self.table.numbers:
            raise ImportRefused("檔案裡沒有可匯入的資料列。")
        said = sums_by_day(self.table)
        with connection.cursor() as cursor:
            self.stage(cursor)
            lock_sales(cursor)
            staged, digests = _digests(cursor, self.table)
            _compare(said, staged, "讀入")
            force = _in_force(cursor, self.source, said)
            fresh = [day for day in sorted(said) if day not in force or force[day].digest != digests[day]]
            # Workers publish side by side, so a file may come to its turn after one that was brought later.
            owned = [day for day in sorted(said) if day not in force or force[day].job < self.job.pk]
            if fresh:
                self.store(cursor, fresh)
                _compare({day: said[day] for day in fresh}, self._stored(cursor, fresh), "寫入")
            sources = {day: force[day].lines_job for day in said if day in force} | dict.fromkeys(fresh, self.job.pk)
            self._claim(cursor, said, digests, sources, owned)
            rebuilt = sorted({*fresh} & {*owned})
            if rebuilt:
                wrong = rebuild_totals(cursor, rebuilt)
                if wrong:
                    raise ImportRefused(f"{_days(wrong)} 的合計與檔案不符，沒有寫入任何資料；請通知系統管理員。")
            cursor.execute("DROP TABLE sales_staging")
        return _outcome(said, force, set(fresh), set(owned))

    def stage(self, cursor: CursorWrapper) -> None:
        """COPY all rows into the staging table."""
        cursor.execute(STAGING)
        with cursor.copy(COPY_STAGING) as copy:
            for block in _blocks(self.table):
                copy.write(block)

    def store(self, cursor: CursorWrapper, dates: Sequence[date]) -> None:
        """Append the lines of these days."""
        days = self.table.columns["date"]
        ordered = all(day <= after for day, after in pairwise(days))
        cursor.execute(STORE + ("" if ordered else BY_DAY), {"job": self.job.pk, "dates": list(dates)})

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
        return {day: Sums(*rest) for day, *rest in cursor.fetchall()}


def sums_by_day(table: Table) -> dict[date, Sums]:
    """What the file says of each day: the figures that all others are held against. Amounts in cents."""
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


def days_in_force(source: str, dates: Collection[date]) -> int:
    """How many of `dates` have data of this report."""
    return DayClaim.objects.filter(owns__source=source, owns__date__in=list(dates)).count()


def _blocks(table: Table) -> Iterator[bytes]:
    """The rows in COPY's text format, some thousand at a time: many times as fast as a row each."""
    days = {day: day.isoformat() for day in set(table.columns["date"])}
    columns: list[Iterator[str]] = [map(str, table.numbers), map(days.__getitem__, table.columns["date"])]
    columns += [iter(_escaped(table.columns.get(name), len(table.numbers))) for name in TEXTS]
    for name in NUMBERS:
        columns.append(_numbers(table.columns[name]))
    rows = map("\t".join, zip(*columns, strict=True))
    while block := list(islice(rows, BLOCK_ROWS)):
        # A lone half of a character, which no file holds lawfully, becomes a question mark.
        yield ("\n".join(block) + "\n").encode("utf-8", "replace")


def _numbers(values: Sequence[int | None]) -> Iterator[str]:
    if None in values:
        return (r"\N" if value is None else str(value) for value in values)
    return map(str, values)


def _escaped(values: Sequence[str | None] | None, rows: int) -> Sequence[str]:
    if values is None:
        return [""] * rows
    distinct = set(values)
    named: dict[str | None, str] = {
        value: value.translate(_ESCAPES)
        for value in distinct
        if value is not None and any(sign in value for sign in _SPECIAL)
    }
    if None in distinct:
        named[None] = ""
    if not named:
        return values  # type: ignore[return-value]
    return [named.get(value, value) for value in values]  # type: ignore[misc]


def _digests(cursor: CursorWrapper, table: Table) -> tuple[dict[date, Sums], dict[date, str]]:
    sums, digests = {}, {}
    told = {name: NOT_TOLD if name in table.filled else name for name in ("brand", "category")}
    cursor.execute(DIGESTS.format(**told))
    for day, lines, quantity, amount, cost, profit, hashed in cursor.fetchall():
        whole = [None if value is None else int(value) for value in (quantity, amount, cost, profit)]
        sums[day] = Sums(lines, *whole)  # type: ignore[arg-type]
        digests[day] = f"{lines}:{int(hashed)}"
    return sums, digests


def _in_force(cursor: CursorWrapper, source: str, dates: Collection[date]) -> dict[date, Claim]:
    cursor.execute(IN_FORCE, {"source": source, "dates": list(dates)})
    return {
        day: Claim(job, lines_job, digest, known_as, Sums(*rest))
        for day, job, lines_job, digest, known_as, *rest in cursor.fetchall()
    }


def _compare(said: Mapping[date, Sums], kept: Mapping[date, Sums], what: str) -> None:
    """The seal. Raises ImportRefused when one day's sums are not the file's."""
    wrong = sorted(day for day in {*said, *kept} if said.get(day) != kept.get(day))
    if wrong:
        raise ImportRefused(f"{_days(wrong)} {what}的合計與檔案不符，沒有寫入任何資料；請通知系統管理員。")


def _days(days: Sequence[date]) -> str:
    named = "、".join(f"{day:%Y-%m-%d}" for day in days[:NAMED_DAYS])
    return f"{named} 等 {len(days)} 天" if len(days) > NAMED_DAYS else named


def _status(known: Claim | None, *, fresh: bool, owned: bool) -> str:
    """What became of a day: `superseded` is kept as a version, and a file that was brought later stays in force."""
    if not fresh:
        return "unchanged"
    if not owned:
        return "superseded"
    return "new" if known is None else "changed"


def _outcome(said: Mapping[date, Sums], force: Mapping[date, Claim], fresh: set[date], owned: set[date]) -> Outcome:
    days: list[dict[str, Any]] = []
    rows = dict.fromkeys(_TEXTS, 0)
    for day in sorted(said):
        known = force.get(day)
        status = _status(known, fresh=day in fresh, owned=day in owned)
        told: dict[str, Any] = {"date": day.isoformat(), "status": status, **said[day].as_dict()}
        if known is not None and status in _BESIDE:
            told[_BESIDE[status]] = {"job_id": known.job, **known.sums.as_dict()}
        days.append(told)
        rows[status] += said[day].lines
    same = sorted({force[day].known_as for day in said if day not in fresh})
    result = {"days": days, "message": _message(days, same)}
    skipped = rows["unchanged"] + rows["superseded"]
    return Outcome(created=rows["new"], updated=rows["changed"], skipped=skipped, result=result)


def _message(days: Sequence[Mapping[str, Any]], same: Sequence[int]) -> str:
    counts = {status: sum(day["status"] == status for day in days) for status in _TEXTS}
    if counts["unchanged"] == len(days):
        named = "、".join(f"#{job}" for job in same[:NAMED_DAYS])
        more = f" 等 {len(same)} 次匯入" if len(same) > NAMED_DAYS else ""
        return f"內容與匯入 {named}{more} 相同，資料沒有變動"
    return "、".join(_TEXTS[status].format(count) for status, count in counts.items() if count)
