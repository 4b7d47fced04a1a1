"""Compares a stockout report with what is in force. Only reads, so that the preview asks it too.

Rows are matched in Python: a dictionary of the open rows takes less time than a staging table takes to be filled, and
joins of tables whose statistics are as old as the last report's rows took 22 s instead of 0.02 s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from django.db.backends.utils import CursorWrapper

from momo.core.thresholds import thresholds
from momo.jobs.copying import copied_numbers, copied_texts
from momo.jobs.importers import Table
from vendors.models import StockoutBatch
from vendors.selectors.batches import batches_in_force, overlaps

# Columns of the table that are cells of the report. Codes come first: a sorted report is then sorted as text too.
CELLS = ("product_code", "department", "section", "pm", "product_name", "vendor_name", "monthly_sales", "stock")
NUMBERS = ("monthly_sales", "stock")
LEAST_LOSS = 20  # open rows; fewer are resolved without a confirmation

# The code of a vendor that was merged into another means that one.
VENDORS = """
SELECT n.code, v.id, EXISTS (SELECT 1 FROM vendors_vendoraddress a
                             WHERE a.vendor_id = v.id AND a.kind = 'to' AND a.is_active AND a.bounced_at IS NULL)
FROM vendors_vendor n JOIN vendors_vendor v ON v.id = coalesce(n.merged_into_id, n.id)
WHERE n.code = ANY(%(codes)s)
"""

# Open rows that the report covers, and those of its vendors; ids of those that wait for a vendor, and of those that it
# does not cover. Columns as arrays take half the time of rows to be read.
OPEN = """
SELECT array_agg(id), array_agg(vendor_id), array_agg(product_code),
       array_agg(id) FILTER (WHERE status IN ('queued', 'sent')),
       array_agg(id) FILTER (WHERE NOT (%(all)s OR department = ANY(%(departments)s)))
FROM vendors_stockout
WHERE duplicate_of_id IS NULL AND status <> 'resolved'
  AND (%(all)s OR department = ANY(%(departments)s) OR vendor_id = ANY(%(vendors)s))
"""


@dataclass
class Compared:
    """A report beside what is in force. `cells`, `firsts` and `originals` have an entry for each of its rows.

    `cells` are CELLS in COPY's text format; `firsts` the place of the first row of the same vendor and product;
    `originals` the id of the open row of both, None for a new stockout.
    """

    cells: list[str]
    departments: list[str]  # empty: all
    digest: str
    previous: StockoutBatch | None = None
    same: StockoutBatch | None = None
    later: StockoutBatch | None = None  # in force, of an import that was sent later
    firsts: list[int] = field(default_factory=list)
    originals: list[int | None] = field(default_factory=list)
    new: int = 0
    still: int = 0
    owners: dict[str, int] = field(default_factory=dict)  # code → id of known vendors
    new_vendors: list[str] = field(default_factory=list)  # codes
    without_address: int = 0
    covered: int = 0  # open rows
    gone: list[int] = field(default_factory=list)  # ids of open rows that are no longer listed
    waiting: int = 0  # of those, how many a vendor was written to about and has not answered

    @property
    def rows(self) -> int:
        return len(self.cells)

    @property
    def vendors(self) -> int:
        return len(self.owners) + len(self.new_vendors)

    @property
    def loss(self) -> str:
        """The sentence for which a confirmation is asked; empty if none is."""
        gone = len(self.gone)
        if gone <= LEAST_LOSS or gone * 100 <= self.covered * thresholds.IMPORT_LOSS_PERCENT:
            return ""
        return (
            f"這份報表沒有列出未結案缺貨 {self.covered:,} 項中的 {gone:,} 項（超過 "
            f"{thresholds.IMPORT_LOSS_PERCENT}%），匯入後它們會視為已恢復而結案"
        )


def compare(cursor: CursorWrapper, table: Table, *, job_id: int | None) -> Compared:
    """Compare a checked report with the rows and batches in force; without `job_id` as one that is sent now."""
    cells = _cells(table)
    named = sorted({text or "" for text in table.columns.get("department", ())})
    departments = named if any(named) else []
    compared = Compared(cells, departments, _digest(cells, table.columns["vendor_code"]))
    # The newest in force of these departments. An older one with the same rows was overtaken: it is news again.
    near = (batch for batch in batches_in_force().iterator(chunk_size=50) if overlaps(batch, departments))
    before = compared.previous = next(near, None)
    if before and before.digest == compared.digest and before.is_partial <= table.partial:
        compared.same = before
    if job_id is not None:
        newer = batches_in_force().filter(job_id__gt=job_id)
        compared.later = next((batch for batch in newer if overlaps(batch, departments)), None)
    _match(cursor, table, compared)
    return compared


def known_vendors(cursor: CursorWrapper, codes: Collection[str]) -> dict[str, tuple[int, bool]]:
    """Code → id of the vendor, and whether it has an address to which mails go."""
    cursor.execute(VENDORS, {"codes": list(codes)})
    return {code: (pk, has_address) for code, pk, has_address in cursor.fetchall()}


def _match(cursor: CursorWrapper, table: Table, compared: Compared) -> None:
    """Match the rows with each other and with the open ones."""
    codes: Sequence[str] = table.columns["vendor_code"]
    distinct = set(codes)
    known = known_vendors(cursor, distinct)
    compared.owners = {code: pk for code, (pk, _) in known.items()}
    compared.new_vendors = sorted(distinct - known.keys())
    compared.without_address = len(distinct) - sum(has_address for _, has_address in known.values())
    owners: dict[str, int | str] = {code: compared.owners.get(code, code) for code in distinct}
    keys = list(zip(map(owners.__getitem__, codes), table.columns["product_code"], strict=True))
    first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
    cursor.execute(
        OPEN,
        {
            "all": not compared.departments,
            "departments": compared.departments,
            "vendors": list(compared.owners.values()),
        },
    )
    rows, vendors, products, waiting, others = (values or [] for values in cursor.fetchone())
    ids: dict[tuple[int | str, str], int] = dict(zip(zip(vendors, products, strict=True), rows, strict=True))
    compared.firsts = list(map(first.__getitem__, keys))
    compared.originals = list(map(ids.get, keys))
    compared.new = len(first.keys() - ids.keys())
    compared.still = len(keys) - compared.originals.count(None)
    compared.covered = len(rows) - len(others)
    if not table.partial:
        gone = set(rows).difference(others, compared.originals)
        compared.gone, compared.waiting = sorted(gone), len(gone.intersection(waiting))


def _cells(table: Table) -> list[str]:
    rows = len(table.numbers)
    columns = (
        copied_numbers(table.columns.get(name), rows)
        if name in NUMBERS
        else copied_texts(table.columns.get(name), rows)
        for name in CELLS
    )
    return list(map("\t".join, zip(*columns, strict=True)))


def _digest(cells: Sequence[str], vendor_codes: Sequence[str]) -> str:
    """Of the rows in any order."""
    text = "\n".join(sorted(map("\t".join, zip(cells, vendor_codes, strict=True))))
    return f"{len(cells)}:{blake2b(text.encode('utf-8', 'replace'), digest_size=32).hexdigest()}"
