"""What is repeated while the database is away, and what is not."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, transaction

from momo.core.work import retry_transient


def test_work_is_repeated_until_the_database_takes_it() -> None:
    left = [OperationalError("away"), psycopg.InterfaceError("closed")]

    def work() -> str:
        if left:
            raise left.pop()
        return "done"

    assert retry_transient(work, seconds=10) == "done"


def test_repeating_ends() -> None:
    tries: list[int] = []

    def away() -> None:
        tries.append(1)
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        retry_transient(away, seconds=0.3)
    assert len(tries) > 2


@pytest.mark.parametrize("error", [DatabaseError("no such table"), ZeroDivisionError()])
def test_another_error_is_not_repeated(error: Exception) -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        retry_transient(work, seconds=10)
    assert len(tries) == 1


@pytest.mark.django_db
def test_nothing_is_repeated_inside_a_transaction() -> None:
    tries: list[int] = []

    def away() -> None:
        tries.append(1)
        raise OperationalError("away")

    with pytest.raises(OperationalError), transaction.atomic():
        retry_transient(away, seconds=10)
    assert len(tries) == 1
