"""Stockout reports made by hand, imported without a file."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from momo.jobs.importers import Outcome, Table
from momo.jobs.models import Job
from vendors.importers import StockoutImporter
from vendors.models import Stockout, StockoutBatch

LABELS = {field.name: field.label for field in StockoutImporter.fields}
Row = dict[str, Any]


def out(product: str, vendor: str = "V1", **values: Any) -> Row:
    """A row of the report; a name that no row has is no column."""
    return {"product_code": product, "vendor_code": vendor, **values}


def table_of(rows: Sequence[Row], **values: Any) -> Table:
    """As the engine would hand it over; the header is in row 1."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Table(list(range(2, len(rows) + 2)), columns, {name: LABELS[name] for name in names}, **values)


def job(**values: Any) -> Job:
    given = {"job_type": "vendor_stockout", "source": "upload", "file_name": "缺貨.xlsx", **values}
    return Job.objects.create(token=uuid.uuid4(), **given)


def publish(rows: Sequence[Row], *, made: Job | None = None, **values: Any) -> tuple[StockoutBatch, Outcome]:
    """Check and publish, each as the engine does it; `values` are of the table."""
    importer, made, table = StockoutImporter(), made or job(), table_of(rows, **values)
    importer.check(table)
    assert table.errors == []
    with transaction.atomic():
        outcome = importer.publish(made, table)
    return StockoutBatch.objects.get(job=made), outcome


def undo(batch: StockoutBatch) -> Mapping[str, Any]:
    with transaction.atomic():
        return StockoutImporter().undo(batch.job)


def states(**filters: Any) -> list[tuple[str, str]]:
    """(product, status) of the originals, in the order in which they came."""
    rows = Stockout.objects.filter(duplicate_of=None, **filters).order_by("pk")
    return list(rows.values_list("product_code", "status"))
