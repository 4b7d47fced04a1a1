"""What an import is to the engine, and which there are: each app registers its own and the engine knows no domain."""

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
    are None where a cell is empty; dates are `datetime.date`, money is in cents (int), integers int, the rest str. A
    field without a column in the file has no entry, unless `check` filled it from elsewhere: then it is in `filled`.
    `bad` are indexes of rows with an error, `wrong` which fields of them (index, name); `headers` says how each field
    was called.
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
        """Row `index` is wrong in field `name`."""
        values = self.columns.get(name)
        self.tell(index, name, "" if values is None or values[index] is None else str(values[index]), message)

    def tell(self, index: int, name: str, value: str, message: str) -> None:
        """As `fail`, with the value as people write it."""
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
    """What publishing did: rows, and `result`, JSON that the job's page and the API show.

    `skipped` are rows that changed nothing, since they were there already; the engine adds those with errors.
    """

    created: int = 0
    updated: int = 0
    skipped: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)


class Importer(ABC):
    """One kind of report. Subclasses are stateless; the engine calls `check`, then `publish` in a transaction."""

    job_type: ClassVar[str]
    label: ClassVar[str]
    fields: ClassVar[Sequence[Field]]

    @abstractmethod
    def check(self, table: Table) -> None:
        """What one cell does not tell: rows that contradict themselves (`table.fail`), derived columns.

        Called outside of any transaction, with all rows that could be read.
        """

    @abstractmethod
    def publish(self, job: Job, table: Table) -> Outcome:
        """Make the rows count, inside the engine's transaction, in which the job becomes succeeded. Set-based.

        Raises ImportRefused to have the job fail with its text and nothing published.
        """

    @abstractmethod
    def undo(self, job: Job) -> Mapping[str, Any]:
        """Take back what `publish` did, inside a transaction. Returns what changed, for the job's result.

        Raises momo.rest.errors.Conflict when the state forbids it.
        """

    def preview_note(self, table: Table) -> str:
        """One line for the preview page: what the import would change. Reads only."""
        return ""


class ImportRefused(ValueError):
    """The rows cannot be published as they are; the text is for people."""


_registered: dict[str, Importer] = {}


def register(importer: Importer) -> None:
    """Make a kind of report importable; called once by each app when it is ready."""
    _registered[importer.job_type] = importer


def importers() -> Mapping[str, Importer]:
    """All kinds, by job type."""
    return dict(_registered)


def importer_for(job_type: str) -> Importer | None:
    return _registered.get(job_type)


def label_of(job_type: str) -> str:
    """The kind of report in words; its code where the app that knew it is gone."""
    importer = _registered.get(job_type)
    return importer.label if importer is not None else job_type
