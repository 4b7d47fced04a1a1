"""What a generation costs beside its provider, and what slow ones leave of the product list.

Our share: POST /api/ai/generate through the whole stack, beside a bare httpx client that reads the same stream from the
same stand-in; the difference is reservation, prompt, reading thread, conversion, checks and rows.

Fifty streams that last as long as the measurement: the web server as `make run` starts it, and GET /api/products over
one connection, before them and during them. Stand-in and web server are processes of their own.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import httpx
from django.db import connections
from django.test import RequestFactory, override_settings

from accounts.services import create_token, create_user
from momo.local.processes import free_port
from momo.local.run import Serving
from tests.benchmarks import catalogue
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import ROOT, Context
from tests.benchmarks.report import Row, interleave
from tests.fakes.ollama import MODEL
from tests.kit.processes import kill_session, wait_until

PRODUCTS, STREAMS = 5_600, 50
LIMIT, SLOWER = 15, 1.5
GENERATE, LIST = "/api/ai/generate", "/api/products"
ORDER = {
    "product_name": "水潤玻尿酸精華液 30ml",
    "keywords": ["保濕", "清爽"],
    "facts": {"price": 1280, "content": "30ml"},
}
# Some 160 characters in some 80 pieces, as a model sends them.
TEXT = "水潤的玻尿酸精華液，30ml 剛好帶著走。清爽不黏膩，只要1280元。" * 4
PIECES = [TEXT[place : place + 2] for place in range(0, len(TEXT), 2)]
STAND_IN = """
import json, sys, time
from tests.fakes.ollama import Ollama
values = json.loads(sys.argv[1])
with Ollama() as ollama:
    ollama.says(*values.pop("pieces"), **values)
    print(ollama.url, flush=True)
    sys.stdin.read()
"""


def run(context: Context) -> list[Row]:
    """Milliseconds of a generation and of a request to the list."""
    with context.database("bench_generate"):
        size, streams = (300, 4) if context.quick else (PRODUCTS, STREAMS)
        context.say(f"{size:,} products with their past …")
        catalogue.fill(size)
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        token = create_token(user=user, name="bench").text
        return [*_share(context, token), _beside_streams(context, token, streams)]


@contextlib.contextmanager
def _ollama(**values: object) -> Iterator[str]:
    command = [sys.executable, "-c", STAND_IN, json.dumps(values)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


# --- Our share --------------------------------------------------------------------------------------------------------


def _share(context: Context, token: str) -> list[Row]:
    caller = Caller()
    body = json.dumps(ORDER)
    with _ollama(pieces=PIECES) as url, override_settings(OLLAMA_URL=url), httpx.Client() as client, _pool():
        sent = {"model": MODEL, "prompt": "寫", "options": {"num_ctx": 8192}}

        def bare() -> float:
            began = time.perf_counter()
            with client.stream("POST", f"{url}/api/generate", json=sent) as answer:
                for _ in answer.iter_lines():
                    pass
            return 1000 * (time.perf_counter() - began)

        def ours() -> float:
            request = RequestFactory(SERVER_NAME="localhost").post(
                GENERATE, body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token}"
            )
            began = time.perf_counter()
            answer = caller.answer(request.environ)
            assert json.loads(answer)["content"]
            return 1000 * (time.perf_counter() - began)

        warm(ours, 3)
        warm(bare, 3)
        repeats = 3 if context.quick else 100
        floor, whole = interleave(repeats, bare, ours)
        floor_busy, whole_busy = interleave(repeats, _processor(bare), _processor(ours))
    return [
        Row("a whole generation", "bare httpx", floor, whole, "ms"),
        Row("generation, our share", "without the provider's part", None, whole - floor, "ms", LIMIT, "value"),
        Row("our share, processor time", "without the provider's part", None, whole_busy - floor_busy, "ms"),
    ]


def _processor(work: Callable[[], float]) -> Callable[[], float]:
    """Milliseconds of processor time of this process, whatever else runs on the machine."""

    def measured() -> float:
        began = time.process_time()
        work()
        return 1000 * (time.process_time() - began)

    return measured


@contextlib.contextmanager
def _pool() -> Iterator[None]:
    """Connections from a pool, as the web server has them: a generation gives its own back while it waits."""
    wrapper = connections["default"]
    wrapper.close()
    before = wrapper.settings_dict
    options = {**before["OPTIONS"], "pool": {"min_size": 1, "max_size": 4}}
    wrapper.settings_dict = {**before, "OPTIONS": options, "CONN_MAX_AGE": 0}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.close_pool()
        wrapper.settings_dict = before


# --- Beside slow streams ----------------------------------------------------------------------------------------------


def _beside_streams(context: Context, token: str, streams: int) -> Row:
    repeats = 20 if context.quick else 300
    port = free_port()
    with _ollama(pieces=["字"] * 10_000, pause=0.5) as url:
        environment = context.environment() | {"OLLAMA_URL": url, "RATE_AI": "", "AI_TIMEOUT": "3600"}
        command = [sys.executable, "-m", *Serving("127.0.0.1", port).commands()["web"]]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            wait_until(lambda: _answers(port), "the web server", every=0.1)
            _median(port, token, 30)
            quiet = _median(port, token, repeats)
            context.say(f"{streams} slow generations …")
            with _slow(port, token, streams):
                busy = _median(port, token, repeats)
        finally:
            kill_session(server)
    return Row(f"GET products beside {streams} slow generations", "without them", quiet, busy, "ms", SLOWER)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{LIST}", headers={"Host": "localhost"}, timeout=5).status_code == 401
    except httpx.HTTPError:
        return False


def _median(port: int, token: str, repeats: int) -> float:
    """Milliseconds of a request over a connection that stays open."""
    took = []
    headers = {"Authorization": f"Bearer {token}", "Host": "localhost"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        for _ in range(repeats):
            began = time.perf_counter()
            client.get(LIST).raise_for_status()
            took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


@contextlib.contextmanager
def _slow(port: int, token: str, streams: int) -> Iterator[None]:
    """As many generations that write half a second a character, each read by a thread; all have begun."""
    body = json.dumps({**ORDER, "stream": True}).encode()
    head = (
        f"POST {GENERATE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    begun = threading.Semaphore(0)
    open_now = [socket.create_connection(("127.0.0.1", port)) for _ in range(streams)]

    def read(connection: socket.socket) -> None:
        connection.sendall(head.encode() + body)
        received, told = b"", False
        with contextlib.suppress(OSError):
            while data := connection.recv(65_536):
                received = b"" if told else received + data
                if not told and b"event: delta" in received:
                    told = True
                    begun.release()

    threads = [threading.Thread(target=read, args=(connection,), daemon=True) for connection in open_now]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            if not begun.acquire(timeout=60):
                raise RuntimeError("not every generation has begun")
        yield
    finally:
        for connection in open_now:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in threads:
            thread.join()
