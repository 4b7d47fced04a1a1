"""Importers: each app registers its own, and the engine of imports knows no domain."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, ClassVar

from momo.jobs.models import Job
from momo.sheets.columns import Field
from momo.sheets.notes import Note

# What an import does to a day, by `status` of an entry of `Importer.changes`.
DAY_LABELS = {"new": "新增", "changed": "更正", "unchanged": "相同", "superseded": "未採用"}
KEPT = 1000  # characters of a bad cell, and of the message about it


@dataclass(frozen=True)
class RowError:
    """One bad cell: `row` as the spreadsheet numbers it (from 1), `column` the header as written, or empty."""

    row: int
    column: str
    value: str
    message: str
    sheet: str = ""  # only if the import reads several sheets


class CellSet:
    """Cells as (row index, field name). A field takes a byte for each row, so that millions fit into memory."""

    def __init__(self) -> None:
        self._fields: dict[str, bytearray] = {}

    def __contains__(self, cell: tuple[int, str]) -> bool:
        index, name = cell
        rows = self._fields.get(name, b"")
        return index < len(rows) and rows[index] == 1

    def add(self, cell: tuple[int, str]) -> bool:
        """Add a cell; False if it was in the set."""
        index, name = cell
        rows = self._fields.setdefault(name, bytearray())
        if index >= len(rows):
            rows.extend(bytes(max(index + 1 - len(rows), len(rows))))
        known, rows[index] = rows[index], 1
        return not known

    def add_field(self, name: str, rows: bytearray) -> None:
        """Add the cells of a field of which the set has none: a byte for each row, 1 for a cell of the set."""
        self._fields[name] = rows


@dataclass
class Table:
    """The rows of a report, checked and converted, column by column.

    `columns` is field name → values, all of the same length as `numbers`, the row numbers of the spreadsheet. Values
    are None where a cell is empty; dates are `datetime.date`, money is in cents (int), integers int, all else str. A
    field without a column in the file has no entry, unless `check` filled it from elsewhere: then it is in `filled`.
    `bad` are indexes of rows with an error, `wrong` their fields as (index, name); `headers` are the headers by field.
    `errors` has the first ones by row, at least `max_errors` if there are so many; `error_count` counts all, of several
    in one cell the first.
    """

    numbers: list[int]
    columns: dict[str, list[Any]]
    headers: Mapping[str, str]
    errors: list[RowError] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)
    wrong: CellSet = field(default_factory=CellSet)
    filled: set[str] = field(default_factory=set)
    others: Sequence[str] = ()  # visible sheets that look like the same report and were not read
    hidden: int = 0  # rows that are not shown in the sheet
    parts: Sequence[tuple[int, str]] = ()  # of several sheets: index of the first row, and name
    notes: Sequence[Note] = ()  # what reading filled, multiplied or left out
    partial: bool = False  # rows of the report are missing: wrong ones, hidden ones, those of other sheets
    error_count: int = 0
    max_errors: int = sys.maxsize

    def fail(self, index: int, name: str, message: str) -> None:
        """Add an error to row `index` in field `name`."""
        values = self.columns.get(name)
        self.add_error(index, name, "" if values is None or values[index] is None else str(values[index]), message)

    def add_error(self, index: int, name: str, value: str, message: str) -> None:
        """As `fail`, with the value as the user wrote it."""
        self.bad.add(index)
        if self.wrong.add((index, name)):
            self.error_count += 1
            self._keep(index, name, value, message)

    def add_errors(self, wrong: Mapping[str, bytearray], first: Sequence[tuple[int, str, str, str]]) -> None:
        """Add many errors: for each field a byte for each row, 1 if it is wrong; and the `first` as for `add_error`."""
        for name, rows in wrong.items():
            self.wrong.add_field(name, rows)
            self.bad.update(compress(range(len(rows)), rows))
            self.error_count += rows.count(1)
        for index, name, value, message in first:
            self._keep(index, name, value, message)

    def first_errors(self) -> list[RowError]:
        """Return the errors by sheet and row, no more than `max_errors`."""
        order = {sheet: place for place, (_, sheet) in enumerate(self.parts)}
        return sorted(self.errors, key=lambda error: (order.get(error.sheet, 0), error.row))[: self.max_errors]

    def _keep(self, index: int, name: str, value: str, message: str) -> None:
        sheet = next((part for first, part in reversed(self.parts) if first <= index), "")
        header = self.headers.get(name, "")
        self.errors.append(RowError(self.numbers[index], header, value[:KEPT], message[:KEPT], sheet))
        if len(self.errors) > 2 * self.max_errors:
            self.errors = self.first_errors()

    def check_required(self, fields: Sequence[Field]) -> None:
        """Add an error to each empty cell of a required field, unless the cell has one already."""
        for each in fields:
            values = self.columns.get(each.name)
            if each.required and values is not None and None in values:
                for index, value in enumerate(values):
                    if value is None and (index, each.name) not in self.wrong:
                        self.add_error(index, each.name, "", f"{each.label}不可空白")

    def keep_good(self) -> None:
        """Drop the bad rows."""
        if self.bad:
            self.partial = True
            good = [index for index in range(len(self.numbers)) if index not in self.bad]
            self.numbers = [self.numbers[index] for index in good]
            self.columns = {name: [values[index] for index in good] for name, values in self.columns.items()}
            self.bad, self.wrong, self.parts = set(), CellSet(), ()


@dataclass(frozen=True)
class Outcome:
    """What publishing did: numbers of rows, and `result`, JSON that the job's page and the API show.

    `skipped` rows changed nothing, since they existed already; the engine adds the rows with errors.
    """

    created: int = 0
    updated: int = 0
    skipped: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Effect:
    """What publishing a report would change, for the preview: figures by label, and sentences.

    `loss` is the sentence for which `publish` asks for a confirmation; empty without one.
    """

    figures: Sequence[tuple[str, int]]
    notes: Sequence[str] = ()
    loss: str = ""


class Importer(ABC):
    """A kind of report. Subclasses are stateless; the engine calls `check`, then `publish` in a transaction."""

    job_type: ClassVar[str]
    label: ClassVar[str]
    fields: ClassVar[Sequence[Field]]
    columns_note: ClassVar[str] = ""  # what `fields` cannot say about the columns that are needed

    def example_rows(self) -> Sequence[Mapping[str, Any]]:
        """Return rows of an example workbook, field name → value; amounts in New Taiwan dollars."""
        return ()

    @abstractmethod
    def check(self, table: Table) -> None:
        """Check what no single cell shows: rows that contradict themselves (`table.fail`); fill derived columns.

        Called outside any transaction, with all rows that could be read.
        """

    @abstractmethod
    def publish(self, job: Job, table: Table) -> Outcome:
        """Write the rows, set-based, in the transaction in which the job becomes succeeded.

        Raises ImportRefused to let the job fail with its text and nothing published.
        """

    @abstractmethod
    def undo(self, job: Job) -> Mapping[str, Any]:
        """Undo what `publish` did, inside a transaction. Returns what changed, for the job's result.

        Raises momo.core.errors.Conflict when the state forbids it.
        """

    def changes(self, table: Table) -> Sequence[Mapping[str, Any]]:
        """Return what `publish` would make of each day, as in `result["days"]` of its outcome. Only reads.

        An entry with `loss` is one for which `publish` asks for a confirmation.
        """
        return ()

    def preview_note(self, table: Table) -> str:
        """Return one line for the preview page: what the import would change. Only reads."""
        return ""

    def effect(self, table: Table) -> Effect | None:
        """Return what `publish` would change where that is no matter of days; None if `changes` says it. Only reads."""
        return None

    def page(self, job: Job) -> tuple[str, str] | None:
        """Return title and URL of the admin page of what the job brought, if there is one."""
        return None


class ImportRefused(ValueError):
    """The rows cannot be published as they are; the text is shown to users."""


class LossUnconfirmed(ImportRefused):
    """Much of the data in force would be lost, and nobody has agreed (`Job.confirm_loss`). `days` are as `changes`."""

    def __init__(self, text: str, days: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(text)
        self.days = list(days)


_registered: dict[str, Importer] = {}


def register(importer: Importer) -> None:
    """Register an importer; called by each app when Django is ready."""
    _registered[importer.job_type] = importer


def importers() -> Mapping[str, Importer]:
    """Return all importers by job type."""
    return dict(_registered)


def importer_for(job_type: str) -> Importer | None:
    """Return the importer of a job type, None if its app is gone."""
    return _registered.get(job_type)


def label_of(job_type: str) -> str:
    """Return the label of a job type; the type itself if its app is gone."""
    importer = _registered.get(job_type)
    return importer.label if importer is not None else job_type
