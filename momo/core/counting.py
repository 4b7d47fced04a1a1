"""Counts of rows of many tables in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

# Rows to count. Several querysets have no row in common and are counted one by one: each uses its own index, which a
# condition with OR would not.
Rows = QuerySet[Any] | Sequence[QuerySet[Any]]
MOST = 10_000  # of one queryset; further rows are not read


def count_all(parts: Sequence[Rows]) -> list[int]:
    """The number of rows of each part, read by one SELECT of scalar subqueries; none reads more than MOST rows."""
    columns: list[str] = []
    values: list[Any] = []
    for part in parts:
        found = [_count(rows) for rows in ([part] if isinstance(part, QuerySet) else part)]
        columns.append(" + ".join(sql for sql, _ in found) or "0")
        values += [value for _, parameters in found for value in parameters]
    if not columns:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)}", values)
        return [int(number) for number in cursor.fetchone()]


def up_to_most(number: int) -> str:
    """A count as it is shown: of more than MOST rows nobody knows how many there are."""
    return f"{MOST:,}+" if number >= MOST else f"{number:,}"


def _count(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    try:
        sql, values = rows.order_by().values("pk")[:MOST].query.sql_with_params()
    except EmptyResultSet:
        return "0", ()
    return f"(SELECT count(*) FROM ({sql}) AS found)", tuple(values)  # noqa: S608 - Django's own SQL
