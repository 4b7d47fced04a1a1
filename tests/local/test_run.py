"""`make run`, as a newcomer meets it: set up, crawl, serve, end without a trace; again, faster."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from django.conf import settings

from momo.local.processes import free_port, port_is_free
from momo.local.run import Serving
from momo.local.services import LocalServices
from tests.kit.databases import copy_of_migrated
from tests.kit.processes import ROOT, wait_until
from tests.kit.users import PASSWORD

OURS = ("DATABASE_URL", "REDIS_URL", "REDIS_FIRST_DATABASE", "MOMO_ENV", "MOMO_TEST_SERVICES", "SECRET_KEY", "DEMO")


class Run:
    """One `make run` with a folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        return kept | {"MOMO_LOCAL_DIR": str(self.folder), "PORT": str(self.port)} | more

    def start(self, until: str = "http://localhost:", **more: str) -> str:
        """Start, wait until it says that it serves (or something else), and answer what it has said."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "momo.local.run"],
            cwd=ROOT,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if until in line:
                return said
        pytest.fail(f"it ended: {said}")

    def family(self) -> list[psutil.Process]:
        """Every process with this folder in its environment, whatever its parent."""
        mark = f"MOMO_LOCAL_DIR={self.folder}".encode()
        found = []
        for process in psutil.process_iter():
            try:
                if mark in Path(f"/proc/{process.pid}/environ").read_bytes():
                    found.append(process)
            except OSError:
                continue
        return found

    def stop(self) -> str:
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        rest = self.process.stdout.read()
        self.process.wait(timeout=30)
        return rest


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path / "local")
    yield made
    LocalServices(made.folder).delete()


@pytest.fixture
def given(django_db_setup: None) -> Iterator[dict[str, str]]:
    """The servers of somebody: a database with tables and without rows, two databases of Redis that no test uses.

    That empty servers are filled shows `test_from_nothing_to_served_and_back`.
    """
    with copy_of_migrated("given") as address:
        yield {
            "DATABASE_URL": address,
            "REDIS_URL": os.environ["REDIS_URL"],
            "REDIS_FIRST_DATABASE": str(40 + int(os.environ["REDIS_FIRST_DATABASE"])),
        }


def test_from_nothing_to_served_and_back(run: Run) -> None:
    begun = time.monotonic()
    said = run.start()
    first = time.monotonic() - begun
    assert re.search(r"密碼：\S{8,}", said), said
    assert "價格更新 #15" in said, "two weeks of demo past, then one real crawl"
    with httpx.Client(base_url=run.url, timeout=10) as client:
        page = client.get("/login")
        assert (page.status_code, "MOMO Pro" in page.text) == (200, True)
        password = re.search(r"密碼：(\S+)", said)
        assert password is not None
        assert client.post("/login", data={"username": "admin", "password": password[1]}).status_code == 302
        listed = client.get("/api/products").json()
        assert listed["total"] > 550
        assert client.get("/api/products", params={"filter": "increase"}).json()["total"] > 0
        wait_until(
            lambda: client.get("/api/system/crawler/status").json()["data"]["workers_alive"],
            "the worker to give a sign of life",
            every=0.2,
        )
        assert client.get("/admin/").status_code == 200
        postgres = run.folder / "services.json"
        assert postgres.stat().st_mode & 0o077 == 0
    run.stop()
    assert [process.cmdline() for process in run.family()] == []

    begun = time.monotonic()
    said = run.start()
    # Ten seconds on a machine that has nothing else to do; on another one, which made the first start slow as well,
    # still the lesser part of that.
    assert time.monotonic() - begun < max(10, first / 2), said
    assert "密碼" not in said
    assert "價格更新 #" not in said
    with httpx.Client(base_url=run.url, timeout=10) as client:
        assert client.post("/login", data={"username": "admin", "password": password[1]}).status_code == 302
        assert client.get("/api/products").json()["total"] == listed["total"]
    run.stop()
    assert run.family() == []


@pytest.mark.long
def test_interrupted_in_the_first_crawl_and_started_again(run: Run) -> None:
    # A crawl that is not given back would count as alive for an hour.
    patient = {"CRAWL_HEARTBEAT_TIMEOUT": "3600"}
    run.start(until="第一次更新價格", MOMO_ADMIN_PASSWORD=PASSWORD, **patient)
    wait_until(
        lambda: any("products.spiders.child" in one.cmdline() for one in run.family()), "a crawl to begin", every=0.02
    )
    run.stop()
    assert run.process.returncode == 130
    assert [process.cmdline() for process in run.family()] == []

    # It goes on where it was, instead of waiting until the dead crawl counts as silent.
    said = run.start(until="正常", **patient)
    assert "接手未完成的部分" in said
    run.stop()
    assert run.family() == []


@pytest.mark.long
def test_without_the_demo_it_starts_empty_against_the_real_shop_and_killed_leaves_no_child(
    run: Run, given: dict[str, str]
) -> None:
    said = run.start(DEMO="0", MOMO_ADMIN_PASSWORD=PASSWORD, **given)
    assert PASSWORD not in said
    assert "還沒有分類" in said
    assert not any("momo.local.shop" in one.cmdline() for one in run.family())
    web = next(one for one in run.family() if "gunicorn" in one.cmdline())
    asked = "import django; django.setup(); from django.conf import settings; print(settings.MOMO_SHOP_URL)"
    answer = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=web.environ(), capture_output=True, text=True, timeout=30
    )
    assert answer.stdout.strip() == "https://www.momoshop.com.tw"
    with httpx.Client(base_url=run.url, timeout=10) as client:
        assert client.post("/login", data={"username": "admin", "password": PASSWORD}).status_code == 302
        assert client.get("/api/products").json()["total"] == 0
    run.process.kill()
    run.process.wait()
    wait_until(
        lambda: not any({"gunicorn", "celery"} & set(one.cmdline()) for one in run.family()),
        "the web server and the workers to end",
        every=0.2,
    )


def test_every_queue_has_a_worker_and_crawls_keep_no_other_work_waiting() -> None:
    commands = Serving("127.0.0.1", 5000).commands().values()
    served = [set(one[one.index("--queues") + 1].split(",")) for one in commands if "--queues" in one]
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert {"crawl"} in served
    assert set().union(*served) == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}
    assert sum(map(len, served)) == len(set().union(*served))


@pytest.mark.long
def test_on_servers_that_somebody_names_it_crawls_the_demo_shop_too(run: Run, given: dict[str, str]) -> None:
    said = run.start(until="價格更新 #15", **given)
    assert "DATABASE_URL 與 REDIS_URL 指定的伺服器、示範商店" in said
    own = [one.cmdline() for one in run.family()]
    assert any("momo.local.shop" in command for command in own)
    assert not any("postgres" in command[0] or "valkey" in command[0] for command in own)
    run.stop()
    with psycopg.connect(given["DATABASE_URL"], autocommit=True) as database:
        shops = database.execute("SELECT DISTINCT split_part(url, '/product/', 1) FROM products_product").fetchall()
        assert len(shops) == 1
        assert shops[0][0].startswith("http://127.0.0.1:")

        # The same database, if it were somebody's own.
        database.execute("UPDATE products_category SET name = name || '（我的）'")
        ended = subprocess.run(
            [sys.executable, "-m", "momo.local.run"],
            cwd=ROOT,
            env=run.environment(**given),
            capture_output=True,
            text=True,
            timeout=30,
        )
        runs = database.execute("SELECT count(*) FROM products_crawlrun").fetchone()
    assert ended.returncode != 0
    assert "不是示範資料" in ended.stderr
    assert "DEMO=0 make run" in ended.stderr
    assert runs == (15,)
    assert run.family() == []


def test_a_taken_port_is_reported_before_anything_starts(run: Run) -> None:
    command = [sys.executable, "-m", "momo.local.run"]
    with subprocess.Popen([sys.executable, "-m", "http.server", str(run.port), "--bind", "127.0.0.1"]) as other:
        wait_until(lambda: not port_is_free(run.port), "the other server to listen")
        ended = subprocess.run(command, cwd=ROOT, env=run.environment(), capture_output=True, text=True, timeout=30)
        other.kill()
    assert ended.returncode != 0
    assert f"PORT={run.port + 1} make run" in ended.stderr
    assert not run.folder.exists()


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"])
def test_production_names_what_it_misses(run: Run, missing: str) -> None:
    given = {
        "MOMO_ENV": "production",
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": "postgresql://momo@db.invalid/momo",
        "REDIS_URL": "redis://redis.invalid",
        "ALLOWED_HOSTS": "mo.wooo.work",
    }
    del given[missing]
    ended = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT,
        env=run.environment(DJANGO_SETTINGS_MODULE="momo.settings", **given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode != 0
    assert missing in ended.stderr.strip().splitlines()[-1]
    assert not run.folder.exists()


def test_production_refuses_debug(run: Run) -> None:
    environment = run.environment(DJANGO_SETTINGS_MODULE="momo.settings", MOMO_ENV="production", DEBUG="1")
    environment |= {"SECRET_KEY": "x" * 60, "DATABASE_URL": "postgresql://d/d", "REDIS_URL": "redis://r"}
    environment |= {"ALLOWED_HOSTS": "a"}
    command = [sys.executable, "-c", "import django; django.setup()"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert "DEBUG" in ended.stderr.strip().splitlines()[-1]
