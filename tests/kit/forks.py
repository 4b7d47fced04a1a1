"""Starts Python programs by forking a process that has imported the libraries they use.

Most of what a Celery worker or a management command takes to start is imports: some 2 s of CPU, and the tests that kill
processes start hundreds. The template process imports libraries only, and no settings, so that a forked program reads
its own environment and sets itself up as any other does.

    process = fork(["-m", "celery", …], environment=…, log=…)

`python -m tests.kit.forks` is the template: it reads a request a line from its standard input, and writes the pid of
each fork and later its exit status to its standard output.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.kit.processes import ROOT

LIBRARIES = (
    *("celery.bin.worker", "celery.concurrency.prefork", "celery.worker.consumer", "kombu.transport.redis"),
    *("django.contrib.admin", "django.contrib.postgres.fields", "django.core.handlers.wsgi", "django.test"),
    *("django.db.backends.postgresql.base", "django.db.migrations.executor", "django_filters", "django_redis.client"),
    *("celery.fixups.django", "celery.loaders.app", "django.contrib.admin.views.main", "google.oauth2.service_account"),
    *("ahocorasick", "httpx", "import_export.resources", "jsonschema", "liquid", "nh3", "numpy", "psutil"),
    *("openpyxl", "psycopg_pool", "requests", "scrapy.crawler", "scrapy.core.downloader.handlers.http11", "segno"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "rest_framework.serializers", "telegram", "wcwidth"),
    *("scrapy.downloadermiddlewares.retry", "scrapy.extensions.throttle", "django.contrib.sessions.backends.base"),
    *("cron_descriptor", "django.core.management.commands.migrate", "django.template.loaders.cached", "environ"),
    *("drf_spectacular.types", "google.auth.transport.requests", "holidays", "lunardate", "opencc", "orjson"),
    *("python_calamine", "pythonjsonlogger.json", "rustpy_xlsxwriter", "tablib.formats"),
    *("tzdata", "whitenoise.middleware"),
    # Not prometheus_client: it reads the environment when it is imported.
    # The project's one module that takes long and knows neither Django nor settings: patterns of many words.
    "ai.checks.facts",
)


class Forked:
    """A program that was forked, with what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._over = threading.Event()

    def end(self, returncode: int) -> None:
        """Record that it has ended."""
        self.returncode = returncode
        self._over.set()

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended. Raises subprocess.TimeoutExpired."""
        if not self._over.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it, if it still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, to it alone."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)


class _Template:
    """The template process, and the programs forked from it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.forks"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
            | {"PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._programs: dict[int, Forked] = {}
        self._started = threading.Event()
        self._latest: Forked | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def fork(self, request: dict[str, Any]) -> Forked:
        """Fork a program."""
        assert self._process.stdin is not None
        self._started.clear()
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        assert self._started.wait(60), "the template process does not answer"
        assert self._latest is not None
        return self._latest

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            pid, status = json.loads(line)
            if status is None:
                self._latest = self._programs[pid] = Forked(pid)
                self._started.set()
            else:
                self._programs.pop(pid).end(status)

    def stop(self) -> None:
        """End the template process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@functools.cache
def _template() -> _Template:
    made = _Template()
    atexit.register(made.stop)
    return made


def fork(
    arguments: Sequence[str], *, environment: Mapping[str, str], log: Path, given: str = os.devnull, output: str = ""
) -> Forked:
    """Start Python with `arguments` in a session of its own.

    It reads the file `given`; what it prints is appended to `log`, or to `output` what is not for the standard error.
    """
    log.touch()  # the child opens it later than it may be read here
    request = {"arguments": list(arguments), "environment": dict(environment), "log": str(log)}
    return _template().fork(request | {"given": given, "output": output or str(log)})


# --- The template process ---------------------------------------------------------------------------------------------


def main() -> None:
    """Fork a program for each line of standard input; at its end, as when the tests were killed, end all of them."""
    for name in LIBRARIES:
        importlib.import_module(name)
    # Forked programs neither look through what was imported here nor copy its pages.
    gc.collect()
    gc.freeze()
    # A program that ends wakes `select` through this pipe.
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending = b""
    living: set[int] = set()
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            os.read(ended, 1024)
            living -= set(_report_ended())
        if 0 not in ready:
            continue
        data = os.read(0, 65_536)
        if not data:
            for pid in living:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            if not (pid := os.fork()):
                # The child reports its own start, once it has a session: `kill_session` finds no other.
                os.setsid()
                _report(os.getpid(), None)
                os.close(ended)
                os.close(wakes)
                _become(**json.loads(line))
            living.add(pid)


def _report_ended() -> Iterator[int]:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            _report(found[0], os.waitstatus_to_exitcode(found[1]))
            yield found[0]


def _report(pid: int, status: int | None) -> None:
    os.write(1, json.dumps([pid, status]).encode() + b"\n")


def _become(arguments: list[str], environment: dict[str, str], log: str, given: str, output: str) -> None:
    """Be the program, from here to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path, flags in ((0, given, os.O_RDONLY), (1, output, written), (2, log, written)):
        os.dup2(os.open(path, flags, 0o644), number)
    os.environ.clear()
    os.environ.update(environment)
    first, *rest = arguments
    status = 1
    try:
        if first == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif first == "-c":
            sys.argv = ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = arguments
            runpy.run_path(first, run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
