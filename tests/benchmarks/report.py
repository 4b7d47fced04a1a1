"""What a benchmark hands back, and the one table that is made of it."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

Kind = Literal["ratio", "speedup", "value"]
_DIGITS = {"s": 2, "ms": 2, "MiB": 0, "KB": 0, "queries": 0}


@dataclass(frozen=True)
class Row:
    """One line of the table. `floor` and `subject` are medians in `unit` ("s", "ms" or "MiB").

    `limit` bounds, by `kind`: "ratio" subject ÷ floor from above, "speedup" floor ÷ subject from below, "value" the
    subject itself from above. None only shows the figures.
    """

    name: str
    what: str
    floor: float | None
    subject: float
    unit: str
    limit: float | None = None
    kind: Kind = "ratio"

    @property
    def figure(self) -> float | None:
        """The number that the limit bounds."""
        if self.kind == "value":
            return self.subject
        if not self.floor or not self.subject:
            return None
        return self.subject / self.floor if self.kind == "ratio" else self.floor / self.subject

    @property
    def ok(self) -> bool | None:
        """Whether the limit is held; None without a limit."""
        if self.limit is None or self.figure is None:
            return None
        return self.figure >= self.limit if self.kind == "speedup" else self.figure <= self.limit

    def cells(self) -> list[str]:
        """Name, floor, subject, ratio, limit, verdict."""
        digits = _DIGITS.get(self.unit, 2)
        floor = self.what if self.floor is None else f"{self.what}  {self.floor:,.{digits}f} {self.unit}"
        limit = ""
        if self.limit is not None:
            limit = {
                "ratio": f"≤ {self.limit:g} ×",
                "speedup": f"≥ {self.limit:g} × faster",
                "value": f"≤ {self.limit:g} {self.unit}",
            }[self.kind]
        ratio = "" if self.figure is None or self.kind == "value" else f"{self.figure:.2f} ×"
        verdict = {True: "[green]ok[/]", False: "[bold red]over[/]", None: ""}[self.ok]
        return [self.name, floor, f"{self.subject:,.{digits}f} {self.unit}", ratio, limit, verdict]


def show(rows: Iterable[Row], console: Console) -> None:
    """Print the table."""
    table = Table("benchmark", "floor (median)", "subject (median)", "ratio", "limit", "verdict")
    for name in ("subject (median)", "ratio", "limit"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for row in rows:
        table.add_row(*row.cells())
    console.print(table)


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds that `work` takes once, without a collection of what others left behind."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleave(repeats: int, *works: Callable[[], float]) -> list[float]:
    """Median of each work's own figure, the works taking turns so that other load on the machine falls on all."""
    figures: Sequence[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, kept in zip(works, figures, strict=True):
            kept.append(work())
    return [statistics.median(kept) for kept in figures]
