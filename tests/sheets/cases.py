"""What a case of the zoo is, and the plain rows that most of its animals hold.

A case builds its file when asked; those that need LibreOffice say so. Rows are of the daily sales
report, so that whole imports can be run through the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sales.importers import DailySalesImporter

FIELDS = DailySalesImporter.fields
NAMES = ("date", "product_code", "product_name", "quantity", "amount")
HEADER = ("訂單日期", "品號", "品名", "數量", "業績")
DAY = date(2025, 11, 22)
NEXT = date(2025, 11, 23)
PLAIN = (
    ("2025/11/22", "13326964", "保濕面膜", 2, 1280),
    ("2025/11/23", "TP00012040000352", "洗髮精 500ml", -1, -399.5),
)
EXPECTED = (
    (DAY, "13326964", "保濕面膜", 2, 128_000),
    (NEXT, "TP00012040000352", "洗髮精 500ml", -1, -39_950),
)
TABLE = (HEADER, *PLAIN)


@dataclass(frozen=True)
class Bad:
    """A cell that must be refused: the spreadsheet's row, the header as written, words of the message."""

    row: int
    header: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A file: `build` makes its bytes, `name` is what the user calls it.

    Either `refused`, words that the error about the file must have, or the `rows` that must come out as tuples of
    `fields` in the order of the file, with `bad` cells None.
    """

    build: Callable[[], bytes]
    name: str = "銷售.xlsx"
    rows: Sequence[tuple[Any, ...]] = ()
    fields: Sequence[str] = NAMES
    bad: Sequence[Bad] = ()
    refused: tuple[str, ...] = ()
    numbers: Sequence[int] | None = None  # the spreadsheet's row numbers, where they matter
    unknown: Sequence[str] | None = None
    sheet: str | None = None
    notes: Sequence[str] | None = None  # of what was filled, multiplied or left out
    office: bool = False


CASES: dict[str, Case] = {}


def good(name: str, build: Callable[[], bytes], file: str = "銷售.xlsx", **more: Any) -> None:
    """A case that gives rows, by default the plain ones."""
    assert name not in CASES, name
    CASES[name] = Case(build=build, name=file, **{"rows": EXPECTED, **more})


def refused(name: str, build: Callable[[], bytes], *words: str, file: str = "銷售.xlsx", office: bool = False) -> None:
    """A case that is refused as a whole."""
    assert name not in CASES, name
    CASES[name] = Case(build=build, name=file, refused=words, office=office)


def one_column(
    name: str,
    header: str,
    of: str,
    values: Sequence[tuple[Any, Any]],
    *,
    write: Callable[..., bytes],
    file: str = "銷售.xlsx",
) -> None:
    """A case about the notations of one column: (cell, value or words of the message)."""
    headers = {"date": "訂單日期", "product_code": "品號", "quantity": "數量", of: header}
    fields = tuple(headers)
    table: list[tuple[Any, ...]] = [tuple(headers.values())]
    rows, bad = [], []
    for number, (cell, value) in enumerate(values, start=2):
        refuses = isinstance(value, Words)
        written = {"date": "2025/11/22", "product_code": f"A{number}", "quantity": 1, of: cell}
        read = {"date": DAY, "product_code": f"A{number}", "quantity": 1, of: None if refuses else value}
        table.append(tuple(written[each] for each in fields))
        rows.append(tuple(read[each] for each in fields))
        if refuses:
            bad.append(Bad(number, header, value.words))
    CASES[name] = Case(build=lambda: write(table), name=file, rows=rows, fields=fields, bad=bad)


@dataclass(frozen=True)
class Words:
    """The value cannot be read; the message has these words."""

    words: tuple[str, ...] = field(default=())


def no(*words: str) -> Words:
    return Words(words)
