"""Plans of the queries that something makes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from django.db import connection
from rich.console import Console

_PLANNED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


@contextlib.contextmanager
def explained(console: Console, title: str) -> Iterator[None]:
    """Print, after the block, EXPLAIN (ANALYZE, BUFFERS) of each query in it.

    A query is explained just before it runs and is undone again, so that those which write are shown as well.
    """
    plans: list[tuple[str, str]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not many and _PLANNED.match(sql):
            # A cursor of the driver's own: this one must not come back here.
            with connection.connection.transaction(force_rollback=True), connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                plans.append((" ".join(sql.split()), "\n".join(line for (line,) in cursor.fetchall())))
        return execute(sql, params, many, context)

    connection.ensure_connection()
    with connection.execute_wrapper(explain):
        yield
    for sql, plan in plans:
        console.rule(title)
        console.print(sql[:600], style="dim", markup=False, highlight=False, soft_wrap=True)
        console.print(plan, markup=False, highlight=False, soft_wrap=True)
