"""Groups equal errors, so that a column of 290 bad cells is one line: rows 2–291, the column, the problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

VALUES_SHOWN = 3
SPANS_SHOWN = 5


class Bad(Protocol):
    """A bad cell: RowError of the import that runs, or JobError as it is stored."""

    @property
    def row(self) -> Any: ...
    @property
    def column(self) -> Any: ...
    @property
    def value(self) -> Any: ...
    @property
    def message(self) -> Any: ...
    @property
    def sheet(self) -> Any: ...


@dataclass(frozen=True)
class ErrorGroup:
    """Equal errors of a column: their row numbers as text, the first different values, and how many there are."""

    sheet: str
    rows: str
    column: str
    message: str
    values: Sequence[str]
    count: int

    @property
    def place(self) -> str:
        """The rows, after the sheet if several were read."""
        return f"{self.sheet}！{self.rows}" if self.sheet else self.rows

    @property
    def first_row(self) -> int:
        """The first of the rows."""
        return int(re.split("[–、…]", self.rows)[0])

    @property
    def examples(self) -> str:
        """The values as one text; an empty cell is a dash."""
        return "、".join(value or "－" for value in self.values)


def grouped(errors: Iterable[Bad]) -> list[ErrorGroup]:
    """Group errors of the same column with the same problem, in the order of their first rows.

    Messages that differ only in the value that they quote are the same problem.
    """
    groups: dict[tuple[str, str, str], list[Bad]] = {}
    for error in errors:
        groups.setdefault((error.sheet, error.column, _problem(error)), []).append(error)
    return [_group(problem, members) for (_, _, problem), members in groups.items()]


def _group(problem: str, members: Sequence[Bad]) -> ErrorGroup:
    first = members[0]
    values = list(dict.fromkeys(error.value for error in members))
    return ErrorGroup(
        sheet=first.sheet,
        rows=_spans([error.row for error in members]),
        column=first.column,
        message=first.message if len(values) == 1 else problem,
        values=values[:VALUES_SHOWN],
        count=len(members),
    )


def _problem(error: Bad) -> str:
    """The message with 「…」 instead of the value that it quotes, whole or shortened."""
    before, opened, rest = error.message.partition("「")
    quoted, closed, after = rest.partition("」")
    if not closed or not error.value.startswith(quoted.removesuffix("…")):
        return str(error.message)
    return f"{before}{opened}…{closed}{after}"


def _spans(rows: Sequence[int]) -> str:
    """Row numbers in order, as 2–291、300."""
    spans = [[rows[0], rows[0]]]
    for before, row in pairwise(rows):
        if row - before in (0, 1):
            spans[-1][1] = row
        else:
            spans.append([row, row])
    texts = [str(first) if first == last else f"{first}–{last}" for first, last in spans[:SPANS_SHOWN]]
    return "、".join(texts) + ("…" if len(spans) > SPANS_SHOWN else "")
