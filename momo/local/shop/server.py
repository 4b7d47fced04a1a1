"""The demo shop as a running server, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from . import control
from .app import Shop
from .catalogue import Catalogue
from .days import State
from .faults import Rule
from .http import Connection, Request, Response

_START_SECONDS = 10.0


class DemoShop:
    """momo's shop on loopback. Use it as a context manager, or call start() and stop().

    `port` 0 takes a free one. `public_url` is what links in its answers begin with, where visitors reach it
    under another address than the one it listens on.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        day: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str | None = None,
    ) -> None:
        self.catalogue = catalogue if catalogue is not None else Catalogue()
        self._shop = Shop(self.catalogue, day)
        self._host, self._port, self._public_url = host, port, public_url
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self.url = ""

    # Running

    def start(self) -> Self:
        """Listen, and return once visitors can come. OSError if the port is taken."""
        if self._thread is not None:
            raise RuntimeError("the demo shop is open already")
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="demo-shop", daemon=True)
        self._thread.start()
        opened = self._ready.wait(_START_SECONDS)
        if self._failure is not None or not opened:
            self._thread = None
            raise self._failure or TimeoutError("the demo shop did not open")
        return self

    def stop(self) -> None:
        """Close the shop and every connection; does nothing if it is closed."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START_SECONDS)
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        open_now: set[Connection] = set()
        server = await self._loop.create_server(
            lambda: Connection(self._handle, self._shop.gauge, open_now), self._host, self._port, backlog=512
        )
        host, port = server.sockets[0].getsockname()[:2]
        if host in ("0.0.0.0", "::"):
            host = "127.0.0.1"
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._shop.base = (self._public_url or self.url).rstrip("/")
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            server.close()
            for connection in list(open_now):
                connection.transport.abort()
            # One turn of the loop, in which the aborted connections are told so.
            await asyncio.sleep(0)

    def _handle(self, request: Request) -> Response:
        if request.target.startswith(control.PREFIX):
            return control.handle(self._shop, request)
        return self._shop.handle(request)

    # Steering: the same as the control plane, from Python

    @property
    def day(self) -> int:
        """The day it is in the shop."""
        return self._shop.day

    def set_day(self, day: int) -> None:
        """Make it that day."""
        if day < 0:
            raise ValueError("day must be a whole number from 0 on")
        self._shop.day = day

    def prepare(self) -> None:
        """Build today's category pages ahead, so that a measurement of a crawler holds none of that work."""
        self._shop.prepare()

    def override(
        self,
        product_id: str,
        *,
        price: int | str | None = None,
        state: State | str | None = None,
        removed: bool = False,
        name: str | None = None,
    ) -> None:
        """Replace the model's answers for one product, see Shop.override; nothing given takes it away."""
        self._shop.override(product_id, price=price, state=state, removed=removed, name=name)

    def fault(self, kind: str, match: dict[str, Any] | None = None, **rule: Any) -> None:
        """Add one fault rule, see faults.py. ValueError names what is wrong with it."""
        self._shop.rules = [*self._shop.rules, Rule.read({"kind": kind, "match": match or {}, **rule})]

    def faults(self, rules: Iterable[dict[str, Any]]) -> None:
        """Replace all fault rules; an empty list ends all trouble."""
        self._shop.rules = [Rule.read(rule) for rule in rules]

    def reset(self, *only: str) -> None:
        """Put back the named ones of day, overrides, faults, log; all of them if none is named."""
        self._shop.reset(only)

    def log(self) -> dict[str, Any]:
        """Counters since the last reset, see Shop.log."""
        return self._shop.log()

    def truth(self, day: int | None = None) -> dict[str, Any]:
        """Categories and products on `day` (today if None), overrides included, see Shop.truth."""
        return self._shop.truth(self._shop.day if day is None else day)
