"""Observations: the rows of what a run saw, and how they reach their table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from products.models import Observation


class ObservationRow(NamedTuple):
    """One product that one shard saw in one category; its fields are the columns of the COPY.

    Prices are New Taiwan dollars, None where unreadable; `observed_at` may be ISO 8601. An `absent` product has a page
    that does not know it: only `code` and `category_id` mean anything then.
    """

    run_id: int
    shard_id: int
    category_id: int
    code: str
    observed_at: datetime | str
    name: str = ""
    brand: str = ""
    url: str = ""
    image_url: str = ""
    price: int | None = None
    list_price: int | None = None
    in_stock: bool = True
    absent: bool = False
    source: str = Observation.Source.LIST.value


def copy_observations(rows: Iterable[ObservationRow], *, table: str = Observation._meta.db_table) -> None:
    """COPY rows into the table of observations (or one with the same columns), inside the caller's transaction."""
    columns = ", ".join(ObservationRow._fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
