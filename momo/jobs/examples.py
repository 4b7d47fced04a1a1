"""An example workbook of a kind of report: the header of each field, and rows that can be imported."""

from __future__ import annotations

from typing import BinaryIO

from momo.jobs.importers import Importer
from momo.sheets.columns import Kind
from momo.sheets.write import Column, as_records, xlsx_file

KINDS = {Kind.DATE: "date", Kind.MONEY: "decimal", Kind.INTEGER: "integer"}


def example_workbook(importer: Importer) -> tuple[str, BinaryIO]:
    """Return file name and open file, with a column for each field that the importer's example rows have."""
    rows = importer.example_rows()
    fields = [field for field in importer.fields if any(field.name in row for row in rows)] or list(importer.fields)
    columns = [Column(field.aliases[0], KINDS.get(field.kind, "text"), 18) for field in fields]
    records = as_records(columns, ([row.get(field.name) for field in fields] for row in rows))
    return f"{importer.label}_範例.xlsx", xlsx_file(sheet=importer.label, columns=columns, records=records)
