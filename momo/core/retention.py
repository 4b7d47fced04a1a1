"""What apps no longer need: rows and files that each app's `retention` declares for the clean-up of the whole system.

    @register
    def expired(*, now: dt.datetime) -> dict[str, Expired]:
        return {"登入紀錄": OldRows(LoginAttempt.objects.filter(time__lt=now - KEEP))}

`momo.system` imports the `retention` of every installed app, as Django imports every `admin`. An entry that becomes
longer when another one is deleted stands before it. So a clean-up deletes what its preview counted, and the rest the
next time.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import Storage
from django.db import connection, transaction
from django.db.models import Count, FileField, IntegerField, Model, QuerySet, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

BATCH = 5_000  # rows


@dataclass(frozen=True)
class Amount:
    """Rows or files, and their bytes: of rows the sum of `pg_column_size`, without indexes and dependent rows."""

    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.rows + other.rows, self.bytes + other.bytes)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.rows - other.rows, self.bytes - other.bytes)


class Expired(ABC):
    """Rows or files that nothing needs since a moment, which does not move while they are deleted."""

    @property
    @abstractmethod
    def table(self) -> str:
        """The model (accounts.LoginAttempt), or the field whose files these are (jobs.Job.file)."""

    @abstractmethod
    def amount(self) -> Amount:
        """How much there is."""

    @abstractmethod
    def batches(self) -> Iterator[Amount]:
        """Delete batch by batch, each in a transaction of its own that is over when its amount is yielded.

        Rows that somebody has locked are left out. Whoever stops, or dies, in between can begin again.
        """

    def count(self) -> int:
        """Rows or files."""
        return self.amount().rows

    def size(self) -> int:
        """Bytes."""
        return self.amount().bytes

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete all. Returns how many there were, as a queryset does, without those that went with them."""
        deleted = sum(amount.rows for amount in self.batches())
        return deleted, {self.table: deleted}


Declaration = Callable[..., Mapping[str, Expired]]
_declared: list[Declaration] = []


def register(declaration: Declaration) -> Declaration:
    """Add the `expired` of an app, which takes `now` and gives what is over at that moment, by a name in Chinese."""
    _declared.append(declaration)
    return declaration


def all_expired(*, now: dt.datetime) -> dict[str, Expired]:
    """What all apps declare, by name."""
    found: dict[str, Expired] = {}
    for declaration in _declared:
        more = declaration(now=now)
        if double := found.keys() & more.keys():
            raise ValueError(f"declared twice: {double}")
        found.update(more)
    return found


@dataclass(frozen=True)
class OldRows(Expired):
    """Rows that a queryset finds, with those that their deletion cascades to."""

    rows: QuerySet[Any]

    @property
    def table(self) -> str:
        return str(self.rows.model._meta.label)

    @property
    def _size(self) -> RawSQL:
        table = self.rows.model._meta.db_table
        return RawSQL(f'pg_column_size("{table}".*)', (), output_field=IntegerField())  # noqa: S611 - our own name

    def amount(self) -> Amount:
        return Amount(**self.rows.order_by().aggregate(rows=Count("pk"), bytes=Coalesce(Sum(self._size), 0)))

    def batches(self) -> Iterator[Amount]:
        # From key to key: reading from the first key again would pass over all that is deleted, batch after batch.
        rows = self.rows.order_by("pk")
        while deleted := self._delete_first(rows):
            last, amount = deleted
            yield amount
            rows = self.rows.filter(pk__gt=last).order_by("pk")

    @transaction.atomic
    def _delete_first(self, rows: QuerySet[Any]) -> tuple[Any, Amount] | None:
        """Delete the first rows of `rows`. Returns the last key and the amount; None if there are none."""
        locked = rows.select_for_update(of=("self",), skip_locked=True)
        sizes = dict(locked.values_list("pk", self._size)[:BATCH])
        if not sizes:
            return None
        # The condition again: what it asks of other tables may have changed since the rows were found.
        _, by_model = self.rows.filter(pk__in=list(sizes)).delete()
        return max(sizes), Amount(by_model.get(self.table, 0), sum(sizes.values()))


@dataclass(frozen=True)
class SqlRows(Expired):
    """Rows of `model` that two statements count and delete, some at a time. Each gives rows and bytes.

    Both have the parameters `before` and `limit`.
    """

    model: type[Model]
    before: dt.datetime
    counting: str
    deleting: str

    @property
    def table(self) -> str:
        return self.model._meta.label

    def amount(self) -> Amount:
        return self._run(self.counting)

    def batches(self) -> Iterator[Amount]:
        while (deleted := self._run(self.deleting)).rows:
            yield deleted

    def _run(self, statement: str) -> Amount:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"before": self.before, "limit": BATCH})
            return Amount(*map(int, cursor.fetchone()))


class KeptFiles(Expired):
    """Files, each deleted by itself."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Bytes by name below MEDIA_ROOT."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Delete one file and what refers to it, the file first: if the process dies in between, it is found again."""

    def amount(self) -> Amount:
        sizes = self.sizes()
        return Amount(len(sizes), sum(sizes.values()))

    def batches(self) -> Iterator[Amount]:
        for name, size in sorted(self.sizes().items()):
            self.remove(name)
            yield Amount(1, size)


@dataclass(frozen=True)
class StrayFiles(KeptFiles):
    """Files in a folder of `field`'s storage, last written before a moment, that no row names.

    A request or a worker that died has left them.
    """

    before: dt.datetime
    field: FileField
    folder: str

    @property
    def table(self) -> str:
        return f"{self.field.model._meta.label}.{self.field.name}"

    def sizes(self) -> dict[str, int]:
        storage, column = self.field.storage, self.field.attname
        old = [name for name in _names(storage, self.folder) if storage.get_modified_time(name) < self.before]
        known = self.field.model._default_manager.exclude(**{column: ""}).values_list(column, flat=True)
        return {name: storage.size(name) for name in set(old) - set(known)}

    def remove(self, name: str) -> None:
        self.field.storage.delete(name)


def _names(storage: Storage, folder: str) -> Iterator[str]:
    """All files in `folder` and below."""
    if not storage.exists(folder):
        return
    folders, files = storage.listdir(folder)
    for name in files:
        yield f"{folder}/{name}"
    for name in folders:
        yield from _names(storage, f"{folder}/{name}")
