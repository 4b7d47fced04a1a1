"""``make run``: from an empty machine to a served page, then everything in one terminal until Ctrl-C.

Each step says what it does. The servers are children in sessions of their own; the kernel ends them should this
process be killed, and Ctrl-C ends them in order.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import FrameType

from momo.local.bootstrap import BASE_DIR, demo_wanted, use_local_services

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "momo.settings")
os.environ.setdefault("MOMO_ENV", "local")

STOP_SECONDS = 12.0
PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _die_with_parent() -> None:
    """In the child before exec: SIGTERM when the parent goes (Linux; elsewhere Ctrl-C still reaches all)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Serving:
    """Web, worker and beat as children; one that dies ends all."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def start(self) -> None:
        python = sys.executable
        quiet = ["--loglevel", os.environ.get("LOG_LEVEL", "WARNING")]
        web = [python, "-m", "gunicorn", "momo.wsgi", "--bind", f"{self.host}:{self.port}", "--workers", "2"]
        web += ["--worker-class", "gthread", "--threads", "8", "--timeout", "120", "--log-level", "warning"]
        web += ["--worker-tmp-dir", "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp"]  # noqa: S108
        celery = [python, "-m", "celery", "--quiet", "--app", "momo"]
        queues = "default,crawl,imports,messages"
        worker = [*celery, "worker", "--queues", queues, "--concurrency", "2", "--hostname", "momo@%h", *quiet]
        beat = [*celery, "beat", "--pidfile", "", *quiet]
        self._spawn("web", web, {"DATABASE_POOL_SIZE": os.environ.get("DATABASE_POOL_SIZE", "8")})
        self._spawn("worker", worker)
        self._spawn("beat", beat)

    def _spawn(self, name: str, command: list[str], extra: dict[str, str] | None = None) -> None:
        self.children[name] = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            # Celery warns of root at every start; in a container there is no one else to be.
            env=os.environ | {"PYTHONWARNINGS": "ignore:You're running the worker"} | (extra or {}),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def wait_until_served(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        url = f"http://127.0.0.1:{self.port}/login"
        while time.monotonic() < deadline and not self.stopping:
            self._check()
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.1)

    def _check(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None:
                self.stop()
                sys.exit(f"MOMO Pro: {name} ended with code {child.returncode}; its last words stand above.")

    def wait(self) -> None:
        while not self.stopping:
            self._check()
            time.sleep(0.5)

    def stop(self, *_: int | FrameType | None) -> None:
        """SIGTERM to every child, SIGKILL to whoever is left (and to what it started) after STOP_SECONDS."""
        if self.stopping:
            return
        self.stopping = True
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def require_free(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            sys.exit(f"MOMO Pro: {host}:{port} is taken ({error.strerror}). Choose another: PORT={port + 1} make run")


def main() -> None:
    os.chdir(BASE_DIR)
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "5000"))
    require_free(host, port)
    # Until the servers run, Ctrl-C is an ordinary interrupt: exit handlers stop what was started. Said outright, since
    # who is started in the background of a script inherits that it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say("PostgreSQL 與 Valkey" + ("、示範商店" if demo_wanted() else ""))
    use_local_services()

    # Settings read the addresses that the line above has written, so nothing of Django comes before it.
    import django
    from django.core.management import call_command

    django.setup()
    from momo.local import demo, demo_messages, demo_sales

    say("資料表")
    call_command("migrate", verbosity=0, interactive=False)
    say("管理員帳號")
    call_command("ensure_admin")
    if demo_wanted() and demo.load():
        say("示範資料：分類與過去兩週的價格")
    if demo_wanted():
        demo_messages.load(say)
    demo.crawl_once(say)
    if demo_wanted():
        demo_sales.load(say)

    serving = Serving(host, port)
    signal.signal(signal.SIGINT, serving.stop)
    signal.signal(signal.SIGTERM, serving.stop)
    say("網站、背景工作、排程")
    serving.start()
    serving.wait_until_served()
    if not serving.stopping:
        print(f"\n    MOMO Pro  http://localhost:{port}/　（Ctrl-C 結束）\n", flush=True)
    serving.wait()
    say("已結束")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
