"""``make run``: from an empty machine to a served page, then everything in one terminal until Ctrl-C.

Each step prints its name. The servers are children in sessions of their own; the kernel ends them if this process is
killed, and Ctrl-C ends them in order.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
import urllib.request
from types import FrameType

from momo.core.environment import BASE_DIR, Environment
from momo.local.bootstrap import demo_wanted, finish, load_settings, set_defaults, use_local_services
from momo.local.processes import port_is_free

set_defaults()

STOP_SECONDS = 12.0
PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    """Print a step."""
    print(f"==> {text}", flush=True)


def _die_with_parent() -> None:
    """In the child before exec: request SIGTERM for when the parent dies (Linux; elsewhere only Ctrl-C ends it)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Serving:
    """Web server, workers and beat as children; one that dies ends all."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def commands(self) -> dict[str, list[str]]:
        """Names and commands of the children.

        Crawls have a worker of their own: a shard takes up to an hour, and the few of one crawl would keep every import
        and message waiting.
        """
        env = Environment()
        quiet = ["--loglevel", env("LOG_LEVEL", default="WARNING")]
        web = ["gunicorn", "momo.wsgi", "--config", str(BASE_DIR / "gunicorn.conf.py")]
        web += ["--bind", f"{self.host}:{self.port}", "--workers", "2"]
        # Each generation of copy takes a thread for minutes; eight more are for everything else.
        threads = 8 + Environment().int("AI_MAX_STREAMS", default=50, least=1, most=10_000)
        web += ["--threads", str(threads), "--log-level", "warning"]
        web += ["--env", f"DATABASE_POOL_SIZE={env.int('DATABASE_POOL_SIZE', default=8)}"]
        worker = ["celery", "--quiet", "--app", "momo", "worker", "--concurrency", "2", *quiet]
        return {
            "web": web,
            "worker": [*worker, "--queues", "default,imports,messages", "--hostname", "momo@%h"],
            # Somebody waits for each answer, so no import keeps it waiting.
            "bot worker": [*worker, "--queues", "bot", "--hostname", "bot@%h"],
            "crawl worker": [*worker, "--queues", "crawl", "--hostname", "crawl@%h"],
            "beat": ["celery", "--quiet", "--app", "momo", "beat", "--pidfile", "", *quiet],
        }

    def start(self, *names: str) -> None:
        """Start the children of these names, unless a signal has come."""
        for name, command in self.commands().items():
            if name not in names or self.stopping:
                continue
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=BASE_DIR,
                # Celery warns of root at every start; a container often has no other account.
                # Tasks that take longer to end than this terminal waits are given back to the next start.
                env=os.environ
                | {"PYTHONWARNINGS": "ignore:You're running the worker", "WORKER_STOP_SECONDS": str(STOP_SECONDS / 2)},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def wait(self) -> None:
        """Print the address once it is served, and start the other children; return on `stop`. Exits if a child dies.

        Started together, the workers would take the processor from the page that somebody waits for.
        """
        url = f"http://127.0.0.1:{self.port}/login"
        served = False
        while not self.stopping:
            for name, child in list(self.children.items()):
                if child.poll() is not None and not self.stopping:
                    self.stop()
                    sys.exit(f"MOMO Pro: {name} ended with code {child.returncode}; its log stands above.")
            if not served:
                with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
                    served = True
                if served:
                    self.start(*(self.commands().keys() - self.children.keys()))
                    print(f"\n    MOMO Pro  http://localhost:{self.port}/　（Ctrl-C 結束）\n", flush=True)
            time.sleep(0.5 if served else 0.1)

    def stop(self, *_: int | FrameType | None) -> None:
        """Send SIGTERM to every child, and after STOP_SECONDS SIGKILL to the sessions of the remaining ones."""
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


def _place() -> tuple[str, int]:
    """HOST and PORT; ends the process with a sentence when one of them is wrong."""
    env = Environment()
    host = env("HOST", default="127.0.0.1", form=r"[0-9A-Za-z_.:-]{1,253}", needed="an address of this machine")
    port = env.int("PORT", default=5000, least=1, most=65_535)
    finish(env)
    return host, port


def _servers() -> str:
    """Which servers and which shop are used, for the console."""
    env = Environment()
    own = [name for name, variable in (("PostgreSQL", "DATABASE_URL"), ("Valkey", "REDIS_URL")) if not env(variable)]
    given = [variable for variable in ("DATABASE_URL", "REDIS_URL") if env(variable)]
    shop = "示範商店" if demo_wanted() else env("MOMO_SHOP_URL", default="真正的 momo購物網")
    started = " 與 ".join(own)
    named = f"{' 與 '.join(given)} 指定的伺服器" if given else ""
    return "、".join(filter(None, (started, named, shop)))


def main() -> None:
    """Start the servers, prepare the database, and serve until a signal."""
    os.chdir(BASE_DIR)
    host, port = _place()
    if not port_is_free(port, host):
        sys.exit(f"MOMO Pro: {host}:{port} is taken or not permitted. Choose another: PORT={port + 1} make run")
    # Until the servers run, Ctrl-C is an ordinary interrupt: exit handlers stop what was started. Set explicitly, since
    # a process started in the background of a script inherits that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say(_servers())
    use_local_services(crawls=True)
    load_settings()

    # Settings read the addresses that the lines above have written, so Django is imported after them.
    import django
    from django.core.management import call_command
    from django.core.management.base import CommandError

    django.setup()
    from momo.local import demo

    say("資料表")
    try:
        # Models of each migration live until the next one: looking for garbage among them takes a sixth of the time.
        gc.disable()
        # With its checks: a database that cannot hold our texts is refused before anything is written.
        call_command("migrate", verbosity=0, interactive=False, skip_checks=False)
        gc.enable()
    except CommandError as error:
        sys.exit(f"MOMO Pro: {error}")
    say("管理員帳號")
    call_command("ensure_admin")
    if demo_wanted():
        demo.load_past(say)
        demo.load_subscriptions(say)
    demo.crawl_once(say)
    if demo_wanted():
        demo.load_sales(say)
        demo.load_targets(say)
        demo.load_stockouts(say)

    serving = Serving(host, port)
    signal.signal(signal.SIGINT, serving.stop)
    signal.signal(signal.SIGTERM, serving.stop)
    say("網站、背景工作、排程")
    serving.start("web")
    serving.wait()
    say("已結束")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
