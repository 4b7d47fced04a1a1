"""A real Prometheus (Debian's) scrapes a site of four web processes, which are killed and replaced meanwhile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.db import connection

from momo.celery import queues
from momo.local.processes import free_port
from tests.kit.forks import Forked, fork
from tests.kit.processes import wait_until
from tests.system.test_metrics import RULES

PROCESSES = 4
ASKED = 'django_http_responses_total_by_status_view_method_total{view="login",status="200",method="GET"}'


@contextmanager
def site(log: Path) -> Iterator[tuple[Forked, str]]:
    base = connection.settings_dict
    port = free_port()
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "momo.settings",
        "DATABASE_URL": f"postgresql://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}",
    }
    command = ["-m", "gunicorn", "momo.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", str(PROCESSES)]
    web = fork([*command, "--worker-class", "gthread", "--threads", "2"], environment=env, log=log)
    try:
        yield web, f"127.0.0.1:{port}"
    finally:
        web.terminate()
        web.wait(30)


@contextmanager
def prometheus(target: str, folder: Path) -> Iterator[str]:
    port = free_port()
    jobs = [{"job_name": "momo", "static_configs": [{"targets": [target]}]}]
    config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(config | {"rule_files": [str(RULES)]}))
    program = shutil.which("prometheus") or "prometheus"
    with (folder / "prometheus.log").open("w") as log:
        running = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(30)


def value(base: str, expression: str) -> float | None:
    """The first value that Prometheus has for it; None while it has none."""
    try:
        answer = requests.get(f"{base}/api/v1/query", {"query": expression}, timeout=10)
    except requests.ConnectionError:
        return None
    found: list[Any] = answer.json()["data"]["result"] if answer.ok else []
    return float(found[0]["value"][1]) if found else None


def serves(target: str) -> bool:
    try:
        return requests.get(f"http://{target}/health", timeout=10).ok
    except requests.ConnectionError:
        return False


def asks(target: str, times: int) -> None:
    for _ in range(times):
        assert requests.get(f"http://{target}/login", timeout=30).status_code == 200


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_counters_never_go_back_while_web_processes_are_replaced(tmp_path: Path) -> None:
    with site(tmp_path / "web.log") as (web, target), ExitStack() as stack:
        wait_until(lambda: serves(target), "the site")
        base = stack.enter_context(prometheus(target, tmp_path))
        wait_until(lambda: value(base, "min(up)") == 1, "a scrape")
        master, sent = psutil.Process(web.pid), 0
        for round_ in range(PROCESSES):
            asks(target, 20)
            sent += 20
            old = master.children()
            if round_ % 2:
                web.send_signal(signal.SIGHUP)  # every process is replaced
            else:
                del old[1:]
                old[0].kill()
            # One that is about to end drops what it has just accepted.
            assert psutil.wait_procs(old, timeout=60)[1] == []
            wait_until(lambda: len(master.children()) >= PROCESSES, "all processes again")
            asks(target, 4)
            sent += 4
            total = sent
            wait_until(lambda total=total: (value(base, ASKED) or 0) >= total, f"{total} requests counted")
        assert value(base, ASKED) == sent, "none is counted twice"
        names = requests.get(f"{base}/api/v1/label/__name__/values", timeout=10).json()["data"]
        counters = [name for name in names if re.fullmatch("(django|momo)_.*_(total|count|bucket|sum)", name)]
        assert len(counters) >= 6
        assert {name: value(base, f"max(resets({name}[10m]))") for name in counters} == dict.fromkeys(counters, 0)
        unserved = "count(ALERTS{alertname='MomoNoWorker'})"
        wait_until(lambda: value(base, unserved) == len(queues()), "an alert on each queue")
        rules = requests.get(f"{base}/api/v1/rules", timeout=10).json()["data"]["groups"]
        assert {rule["health"] for group in rules for rule in group["rules"]} == {"ok"}
