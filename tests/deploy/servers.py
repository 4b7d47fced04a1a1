"""PostgreSQL, Redis and PgBouncer as Debian packages have them, started on free ports by an account without rights."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from momo.local.processes import free_port
from tests.kit.processes import wait_until

BINARIES = Path("/usr/lib/postgresql/15/bin")
NEEDED = (str(BINARIES / "postgres"), "redis-server", "pgbouncer")
ACCOUNT = 65534  # nobody
POOLER = """[databases]
* = host=127.0.0.1 port={port} user=momo
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
"""


def missing() -> list[str]:
    """Programs that this machine does not have."""
    return [program for program in NEEDED if not shutil.which(program)]


@dataclass(frozen=True)
class Servers:
    """Ports of servers, which `serving` starts."""

    postgres: int
    pgbouncer: int
    redis: int

    def database(self, name: str, *, pooled: bool = False) -> str:
        """Address of a database."""
        return f"postgresql://momo:trusted@127.0.0.1:{self.pgbouncer if pooled else self.postgres}/{name}"

    def command(self, statement: str) -> None:
        """Run a statement outside of every transaction."""
        with psycopg.connect(self.database("postgres"), autocommit=True) as admin:
            admin.execute(statement)


@contextlib.contextmanager
def serving(folder: Path, *, pool_size: int = 3) -> Iterator[Servers]:
    """The three servers, until the end of the block. `folder` is empty and can be reached by every account."""
    os.chown(folder, ACCOUNT, ACCOUNT)
    found = Servers(free_port(), free_port(), free_port())
    data = folder / "data"
    _run([BINARIES / "initdb", "--encoding=UTF8", "--locale=C", "--username=momo", "--auth=trust", "-D", data])
    (folder / "pgbouncer.ini").write_text(POOLER.format(port=found.postgres, listens=found.pgbouncer, size=pool_size))
    postgres = [BINARIES / "postgres", "-D", data, "-p", str(found.postgres), "-h", "127.0.0.1", "-k", ""]
    commands: list[tuple[int, list[str | Path]]] = [
        (found.postgres, [*postgres, "-c", "fsync=off", "-c", "max_connections=200"]),
        (found.redis, ["redis-server", "--port", str(found.redis), "--bind", "127.0.0.1", "--save", ""]),
        (found.pgbouncer, ["pgbouncer", folder / "pgbouncer.ini"]),
    ]
    with contextlib.ExitStack() as stack:
        for port, command in commands:
            stack.enter_context(running(command, folder / f"{Path(command[0]).name}.log", cwd=folder))
            wait_until(lambda port=port: answers(port), f"{command[0]} to listen")  # type: ignore[misc]
        found.command("ALTER SYSTEM SET synchronous_commit = off")
        yield found


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _run(command: Sequence[str | Path]) -> None:
    subprocess.run(command, user=ACCOUNT, group=ACCOUNT, extra_groups=[], check=True, capture_output=True, cwd="/")


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
    account: int = ACCOUNT,
    patience: float = 60,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of an account without rights; SIGINT ends it, which PostgreSQL takes as a fast end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=output, stderr=output, user=account, group=account, extra_groups=[]
        )
    try:
        yield process
    finally:
        process.send_signal(2 if env is None else 15)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
