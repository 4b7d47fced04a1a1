"""A small importer for tests of the engine. Its rows are kept as column aliases: code and quantity."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from momo.core.errors import Conflict
from momo.jobs.importers import Importer, ImportRefused, Outcome, Table
from momo.jobs.models import ColumnAlias, Job
from momo.sheets.columns import Field, Kind
from tests.kit.workbooks import xlsx

HEADER = ("代號", "數量", "備註")
ROWS_OF = "test_stock_rows"  # their "job type", which no report has
ROWS = ((1001, 3, "甲"), (1002, 5, "乙"), (1003, 7, None))


def nothing(*args: Any) -> None:
    """What a hook does by default."""


class StockImporter(Importer):
    """The last import of a code says its quantity; undo brings back what it was."""

    job_type: ClassVar[str] = "test_stock"
    label: ClassVar[str] = "測試庫存"
    fields: ClassVar[Sequence[Field]] = (
        Field("code", "代號", Kind.CODE, ("代號", "編號"), required=True),
        Field("quantity", "數量", Kind.INTEGER, ("數量",), required=True),
        Field("note", "備註", Kind.TEXT, ("備註",)),
    )

    def __init__(self) -> None:
        self.on_check: Callable[[Table], Any] = nothing
        self.before_publish: Callable[[Job], Any] = nothing
        self.after_publish: Callable[[Job], Any] = nothing

    def check(self, table: Table) -> None:
        self.on_check(table)
        for index, quantity in enumerate(table.columns["quantity"]):
            if quantity is not None and quantity < 0:
                table.fail(index, "quantity", "數量不可為負數")
            if quantity is None and index not in table.bad:
                table.fail(index, "quantity", "數量不可空白")

    def publish(self, job: Job, table: Table) -> Outcome:
        self.before_publish(job)
        before = stock()
        rows = dict(zip(table.columns["code"], table.columns["quantity"], strict=True))
        if 999 in rows.values():
            raise ImportRefused("數量 999 是保留的")
        ColumnAlias.objects.bulk_create(
            [ColumnAlias(job_type=ROWS_OF, alias=code, field=str(quantity)) for code, quantity in rows.items()],
            update_conflicts=True,
            unique_fields=["job_type", "alias"],
            update_fields=["field"],
        )
        self.after_publish(job)
        old = {code: before.get(code) for code in rows}
        created = sum(1 for value in old.values() if value is None)
        return Outcome(created=created, updated=len(rows) - created, result={"before": old})

    def undo(self, job: Job) -> Mapping[str, Any]:
        old = job.result["before"]
        if "locked" in stock():
            raise Conflict("庫存已鎖定")
        for code, quantity in old.items():
            rows = ColumnAlias.objects.filter(job_type=ROWS_OF, alias=code)
            if quantity is None:
                rows.delete()
            else:
                rows.update(field=str(quantity))
        return {"codes": len(old)}

    def preview_note(self, table: Table) -> str:
        return f"{len(table.numbers)} 個代號"


def stock() -> dict[str, int]:
    """What counts."""
    rows = ColumnAlias.objects.filter(job_type=ROWS_OF).order_by("alias")
    return {code: int(quantity) for code, quantity in rows.values_list("alias", "field")}


def workbook(rows: Iterable[Sequence[Any]] = ROWS, header: Sequence[Any] = HEADER) -> io.BytesIO:
    """An .xlsx with these rows."""
    return io.BytesIO(xlsx([header, *rows]))
