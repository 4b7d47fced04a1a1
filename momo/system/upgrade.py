"""Which changes of the tables a version that still runs does not bear.

`migrate` comes before its processes are replaced. An older version reads and writes only the columns that it knows. New
tables, indexes, and columns that may be empty or have a default in the database do not disturb it; what does is named
here. `beside_older` on a migration says why it may run beside an older version all the same, which is the only way to
know it of SQL and Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

Key = tuple[str, str]  # app and name


@dataclass(frozen=True)
class Breaking:
    """An operation that an older version does not bear, and why."""

    migration: str
    operation: str
    reason: str


def pending_changes() -> tuple[int, list[Breaking]]:
    """Number of migrations that are not applied yet, and what of them breaks an older version.

    An empty database has no older version. Raises Django's errors of the database.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not executor.loader.applied_migrations:
        return len(plan), []
    state = executor.loader.project_state(list(executor.loader.applied_migrations))
    return len(plan), [found for migration, _ in plan for found in breaking(migration, state)]


def breaking(migration: migrations.Migration, state: ProjectState) -> Iterator[Breaking]:
    """What of a migration an older version does not bear. `state` is the one before it, then the one after it."""
    app = migration.app_label
    new: set[Key] = set()
    for operation in migration.operations:
        if not getattr(migration, "beside_older", ""):
            for reason in _reasons(operation, app, state, new):
                yield Breaking(f"{app}.{migration.name}", operation.describe(), reason)
        if isinstance(operation, migrations.CreateModel):
            new.add((app, operation.name_lower))
        operation.state_forwards(app, state)


def _reasons(operation: Operation, app: str, state: ProjectState, new: set[Key]) -> Iterator[str]:
    """Reasons in Chinese; none if the operation is harmless. `new` are models that no older version knows."""
    model = getattr(operation, "model_name_lower", getattr(operation, "name_lower", ""))
    if (app, model) in new:
        return
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _reasons(inner, app, state, new)
    elif isinstance(operation, migrations.AddField):
        yield from _of_new_column(operation.field)
    elif isinstance(operation, migrations.AlterField):
        old = state.models[app, model].fields[operation.name]
        yield from _of_changed_column(old, operation.field)
    elif reason := next((text for kind, text in REASONS if isinstance(operation, kind)), ""):
        yield reason


REASONS: list[tuple[type[Operation] | tuple[type[Operation], ...], str]] = [
    ((migrations.RemoveField, migrations.RenameField), "舊版仍會讀寫這個欄位"),
    ((migrations.DeleteModel, migrations.RenameModel, migrations.AlterModelTable), "舊版仍會讀寫這個資料表"),
    ((migrations.AddConstraint, migrations.AlterUniqueTogether), "舊版可能寫入新限制不允許的資料"),
    (migrations.RemoveConstraint, "舊版的 ON CONFLICT 可能依靠這個限制"),
    ((migrations.RunSQL, migrations.RunPython), "無法自動判斷；migration 的 beside_older 可說明為何無妨"),
]


def _of_new_column(field: models.Field) -> Iterator[str]:  # type: ignore[type-arg]
    if not (field.null or field.many_to_many or field.has_db_default() or getattr(field, "generated", False)):
        yield "舊版新增資料時不會填這個必填欄位；請允許空值，或給 db_default"


def _of_changed_column(old: models.Field, new: models.Field) -> Iterator[str]:  # type: ignore[type-arg]
    """Nothing if the column stays as it is, may be empty now, holds longer texts, or has a default of the database."""
    before, after = _column(old), _column(new)
    if after.pop("null", False):
        before.pop("null", None)
    if (after.get("max_length") or 0) >= (before.get("max_length") or 0):
        before.pop("max_length", None)
        after.pop("max_length", None)
    if "db_default" not in before:
        after.pop("db_default", None)
    if before != after:
        yield "欄位的型別、長度或限制改變，舊版可能無法讀寫"


def _column(field: models.Field) -> dict[str, Any]:  # type: ignore[type-arg]
    """What of a field concerns its column. A default is Python's."""
    _, path, args, values = field.deconstruct()
    kept = {name: value for name, value in values.items() if name not in {*field.non_db_attrs, "default"}}
    return {"": (path, tuple(args)), **kept}
