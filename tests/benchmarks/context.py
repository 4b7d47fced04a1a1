"""Servers, databases and the shop that the benchmarks run on; all of them are made for one run and removed after it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from rich.console import Console

ROOT = Path(__file__).parents[2]
_TEMPLATE = "bench_empty"


class Shop:
    """The demo shop in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def day(self, day: int) -> None:
        """Move to a day, build its pages, and count requests anew."""
        self._control("day", {"day": day})

    def asked(self) -> dict[str, Any]:
        """What was asked since `day`."""
        return self._control("log")

    def forget_asked(self) -> None:
        """Count requests anew."""
        self._control("clear", {})

    def _control(self, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_control/{name}", data, timeout=300) as answer:
            return json.load(answer)


@dataclass
class Context:
    """What a benchmark may use. `quick` asks for sizes that only show that it works; `plans` for query plans."""

    console: Console
    quick: bool = False
    plans: bool = False
    _open: dict[str, BaseDatabaseWrapper] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Tell what is being done; the figures come in the table at the end."""
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')} {text}[/]", highlight=False)

    # Databases. Each has its own connection, which `use` puts in the place of Django's.

    def prepare(self) -> None:
        """Migrate the database that all others are copies of."""
        self._administer(f"CREATE DATABASE {_TEMPLATE}")
        self.use(_TEMPLATE)
        call_command("migrate", verbosity=0, interactive=False)
        self._close(_TEMPLATE)

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[None]:
        """A new migrated database, in use inside the block and gone after it."""
        before = connections["default"]
        self._administer(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        self.use(name)
        try:
            yield
        finally:
            self._close(name)
            connections["default"] = before
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def use(self, name: str) -> None:
        """Make `name` the database of all that follows, with cache entries of its own."""
        if name not in self._open:
            wrapper = connections.create_connection("default")
            wrapper.settings_dict = {**wrapper.settings_dict, "NAME": name}
            self._open[name] = wrapper
        connections["default"] = self._open[name]
        cache.key_prefix = f"bench-{name}"

    def environment(self) -> dict[str, str]:
        """The environment of a child process that is to use the database now in use."""
        name = connections["default"].settings_dict["NAME"]
        return os.environ | {"DATABASE_URL": f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"}

    def _close(self, name: str) -> None:
        self._open.pop(name).close()

    @staticmethod
    def _administer(statement: str) -> None:
        wrapper = connections.create_connection("default")
        with contextlib.closing(wrapper), wrapper.cursor() as cursor:
            cursor.execute(statement)

    # The shop

    @contextlib.contextmanager
    def shop(self, size: int) -> Iterator[Shop]:
        """A demo shop of `size` products, on day 0."""
        command = [sys.executable, "-m", "momo.local.shop", "--size", str(size)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError("the demo shop did not start")
            yield Shop(process, url)
        finally:
            process.terminate()
            process.wait(timeout=30)
