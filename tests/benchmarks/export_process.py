"""`python -m tests.benchmarks.export_process product|openpyxl`: one export; its figures as JSON on stdout."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from tempfile import TemporaryFile
from typing import IO, Any

import django
from django.db.models import QuerySet


def main(way: str) -> None:
    """Export once and count what was written, outside of the measured time."""
    django.setup()
    from products.spiders.reporter import peak_rss_bytes

    write = with_openpyxl if way == "openpyxl" else with_product
    began = time.perf_counter()
    handle = write()
    seconds = time.perf_counter() - began
    peak = peak_rss_bytes()
    print(json.dumps({"seconds": seconds, "peak_rss_bytes": peak, "rows": rows_in(handle)}))


def with_product() -> IO[bytes]:
    """The file that GET /api/export/excel/all answers with."""
    from products.exports import workbook

    return workbook("all")[1]


def with_openpyxl() -> IO[bytes]:
    """The same cells of the same query, through Django's iterator and without number formats."""
    from openpyxl import Workbook

    from momo.sheets.write import cell
    from products.exports import KINDS, columns_for

    book = Workbook(write_only=True)
    sheet = book.create_sheet(KINDS["all"])
    sheet.append([column.heading for column in columns_for("all")])
    for row in query().iterator(chunk_size=2000):
        sheet.append([cell(value) for value in row])
    handle = TemporaryFile()  # noqa: SIM115 - handed on open
    book.save(handle)
    handle.seek(0)
    return handle


def query() -> QuerySet[Any, Any]:
    """The rows of the workbook, as the database has them."""
    from products.exports import columns_for, products_of

    sources = {f"c{number}": column.source for number, column in enumerate(columns_for("all"))}
    named = {name: source for name, source in sources.items() if not isinstance(source, str)}
    fields = [name if name in named else source for name, source in sources.items()]
    return products_of("all").annotate(**named).values_list(*fields)


def rows_in(handle: IO[bytes]) -> int:
    """Rows of the first sheet without its header."""
    rows = 0
    with zipfile.ZipFile(handle) as archive, archive.open("xl/worksheets/sheet1.xml") as sheet:
        rest = b""
        while piece := sheet.read(1 << 20):
            text = rest + piece
            rows += text.count(b"<row ")
            rest = text[-4:] if not text.endswith(b"<row ") else b""
    return rows - 1


if __name__ == "__main__":
    main(sys.argv[1])
