"""The embedded servers: started once, shared, stopped by the last, and careful with other people's folders."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from momo.local.processes import others_can_reach, process_runs
from momo.local.services import LocalServices

BASE_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[LocalServices]:
    made = LocalServices(tmp_path / "local")
    yield made
    made.delete()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_both_answer_and_keep_their_data(services: LocalServices) -> None:
    addresses, created = services.acquire()
    assert created
    with psycopg.connect(addresses.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    redis.Redis.from_url(addresses.redis_url).set("kept", "42")
    services.release()
    assert (services.postgres.pid(), services.valkey_pid()) == (None, None)
    addresses, created = services.acquire()
    assert not created
    with psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert redis.Redis.from_url(addresses.redis_url).get("kept") == b"42"


def test_strangers_are_refused(services: LocalServices) -> None:
    addresses, _ = services.acquire()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(addresses.database_url.replace("momo:", "momo:not"))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=redis.Redis.from_url(addresses.redis_url).connection_pool.connection_kwargs["port"]).ping()
    assert mode(services.folder / "services.json") == 0o600


def test_the_last_user_stops_them_even_after_kill_9(services: LocalServices) -> None:
    services.acquire()
    code = (
        "import sys, time; from pathlib import Path; from momo.local.services import LocalServices\n"
        "services = LocalServices(Path(sys.argv[1])); services.acquire(); print('up', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(services.folder)], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    services.release()
    pid = services.postgres.pid()
    assert pid is not None, "another process still uses it"
    other.kill()
    other.wait()
    services.acquire()
    assert services.postgres.pid() == pid, "the same server goes on"
    services.release()
    assert not process_runs(pid, "postgres")


def test_postgres_comes_back_after_kill_9(services: LocalServices) -> None:
    addresses, _ = services.acquire()
    with psycopg.connect(addresses.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = services.postgres.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    addresses, created = services.acquire()
    assert not created
    with psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_no_permission_outside_its_folder_changes(tmp_path: Path) -> None:
    home = tmp_path / "closed"
    home.mkdir(mode=0o700)
    watched = [home, *home.parents, Path(sys.prefix), *Path(sys.prefix).parents]
    before = {path: mode(path) for path in watched}
    services = LocalServices(home / "tree" / ".local")
    try:
        services.acquire()
        assert {path: mode(path) for path in watched} == before
        assert not others_can_reach(home / "tree")
        if os.geteuid() == 0:
            assert services.folder not in services.postgres.home.parents
    finally:
        services.delete()
    assert not services.postgres.home.exists()
