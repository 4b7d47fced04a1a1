"""Importers: each app registers its own, and the engine of imports knows no domain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from momo.jobs.models import Job
from momo.sheets.columns import Field


@dataclass(frozen=True)
class RowError:
    """One bad cell: `row` as the spreadsheet numbers it (from 1), `column` the header as written, or empty."""

    row: int
    column: str
    value: str
    message: str


@dataclass
class Table:
    """The rows of a report, checked and converted, column by column.

    `columns` is field name → values, all of the same length as `numbers`, the row numbers of the spreadsheet. Values
    are None where a cell is empty; dates are `datetime.date`, money is in cents (int), integers int, all else str. A
    field without a column in the file has no entry, unless `check` filled it from elsewhere: then it is in `filled`.
    `bad` are indexes of rows with an error, `wrong` their fields as (index, name); `headers` are the headers by field.
    """

    numbers: list[int]
    columns: dict[str, list[Any]]
    headers: Mapping[str, str]
    errors: list[RowError] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)
    wrong: set[tuple[int, str]] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    others: Sequence[str] = ()  # visible sheets that look like the same report and were not read

    def fail(self, index: int, name: str, message: str) -> None:
        """Add an error to row `index` in field `name`."""
        values = self.columns.get(name)
        self.add_error(index, name, "" if values is None or values[index] is None else str(values[index]), message)

    def add_error(self, index: int, name: str, value: str, message: str) -> None:
        """As `fail`, with the value as the user wrote it."""
        self.errors.append(RowError(self.numbers[index], self.headers.get(name, ""), value, message))
        self.bad.add(index)
        self.wrong.add((index, name))

    def keep_good(self) -> None:
        """Drop the bad rows."""
        if self.bad:
            good = [index for index in range(len(self.numbers)) if index not in self.bad]
            self.numbers = [self.numbers[index] for index in good]
            self.columns = {name: [values[index] for index in good] for name, values in self.columns.items()}
            self.bad, self.wrong = set(), set()


@dataclass(frozen=True)
class Outcome:
    """What publishing did: numbers of rows, and `result`, JSON that the job's page and the API show.

    `skipped` rows changed nothing, since they existed already; the engine adds the rows with errors.
    """

    created: int = 0
    updated: int = 0
    skipped: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)


class Importer(ABC):
    """A kind of report. Subclasses are stateless; the engine calls `check`, then `publish` in a transaction."""

    job_type: ClassVar[str]
    label: ClassVar[str]
    fields: ClassVar[Sequence[Field]]

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

    def preview_note(self, table: Table) -> str:
        """Return one line for the preview page: what the import would change. Only reads."""
        return ""


class ImportRefused(ValueError):
    """The rows cannot be published as they are; the text is shown to users."""


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
