"""A house that may be set on fire: PostgreSQL, Valkey, the demo shop and Celery workers of a test's own.

`House` holds the servers and two databases made once: the shop's day 7 crawled, and what an undisturbed crawl of day 8
makes of it. `World` is a copy of the first for one test, with workers that may be killed in it. Tests read and drive it
through the same services as the product, since Django's own connection leads there meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import redis
from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from momo.celery import app as own_app
from momo.local.demo import load_categories, load_day
from momo.local.processes import port_is_free
from momo.local.services import LocalServices
from momo.local.shop import Catalogue, DemoShop
from products.models import Alert, CrawlRun
from products.services.apply import apply_run
from products.services.runs import start_run
from products.services.shards import run_shard
from products.tasks import crawl_shard, crawl_watch

ROOT = Path(__file__).resolve().parents[2]
SEED, SIZE, DAY = 1, 180, 7  # on day 8 of this shop every kind of event happens
PATIENCE = 45.0  # seconds until a wait has failed; none of them takes as long on a machine that works
STALL = 4.0  # seconds that a stalled answer takes: long enough to strike meanwhile, however busy the machine

CRAWL = {
    "CRAWL_SHARDS": 2,
    "CRAWL_DELAY": 0,
    "CRAWL_AUTOTHROTTLE": False,
    "CRAWL_BACKOFF": 0.05,
    "CRAWL_HEARTBEAT_TIMEOUT": 2,
    "CRAWL_LOST_AFTER": 120,
    # A loaded machine may miss a heartbeat of two seconds; giving up is shown elsewhere.
    "CRAWL_SHARD_ATTEMPTS": 50,
}

CONTENT = {
    "products": """
        SELECT p.product_id, p.name, p.brand, c.code, p.url, p.image_url, p.status, p.price, p.list_price,
               p.previous_price, p.misses, p.price_changed_at IS NOT NULL, p.delisted_at IS NOT NULL
        FROM products_product p JOIN products_category c ON c.id = p.category_id ORDER BY 1""",
    "spans": """
        SELECT p.product_id, s.price, s.last_seen_at IS NULL
        FROM products_pricespan s JOIN products_product p ON p.id = s.product_id ORDER BY 1, s.observed_at""",
    "events": """
        SELECT p.product_id, e.kind, e.old_price, e.new_price
        FROM products_priceevent e JOIN products_product p ON p.id = e.product_id ORDER BY 1, 2, 3, 4""",
    "held": "SELECT code, price, known_price, reason, status FROM products_quarantinedprice ORDER BY 1, 2",
    "results": """
        SELECT c.code, r.outcome, r.pages, r.max_page, r.total, r.seen, r.missing, r.suspect, r.message
        FROM products_categoryresult r JOIN products_category c ON c.id = r.category_id
        WHERE r.run_id = (SELECT max(id) FROM products_crawlrun WHERE status = 'applied') ORDER BY 1""",
    "errors": """
        SELECT category_code, kind, code, value, message FROM products_crawlerror
        WHERE run_id = (SELECT max(id) FROM products_crawlrun WHERE status = 'applied') ORDER BY 1, 2, 3, 4""",
    "words": """
        SELECT p.product_id, s.haystack, cardinality(s.grams)
        FROM products_productsearch s JOIN products_product p ON p.id = s.product_id ORDER BY 1""",
}

# Times differ from run to run, but whatever they are, one price ends before the next begins.
OVERLAPS = """
    SELECT count(*) FROM (
        SELECT observed_at, last_seen_at, lead(observed_at) OVER (PARTITION BY product_id ORDER BY observed_at) AS next
        FROM products_pricespan) s
    WHERE last_seen_at < observed_at OR (next IS NOT NULL AND (last_seen_at IS NULL OR last_seen_at > next))"""


def wait_until(happened: Callable[[], Any], what: str, *, every: float = 0.01, patience: float = PATIENCE) -> None:
    """Return once `happened()` is true; fail with `what` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"waited {patience:g} seconds in vain: {what}"
        time.sleep(every)


@contextlib.contextmanager
def connected_to(address: str) -> Iterator[None]:
    """Lead Django's connection to another database."""
    wanted = conninfo_to_dict(address)
    names = {"NAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    kept = {key: connection.settings_dict[key] for key in names}
    connection.close()
    connection.settings_dict.update({key: wanted[name] for key, name in names.items()})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def content() -> dict[str, list[tuple[Any, ...]]]:
    """What people would find in the tables, without ids and times."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in CONTENT.items():
            cursor.execute(query)
            found[name] = cursor.fetchall()
    return found


def crawl_here() -> CrawlRun:
    """One undisturbed run in this process, each shard with a child of its own."""
    run = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False).run
    for shard in run.shards.all():
        run_shard(shard.pk)
    assert apply_run(run.pk)
    run.refresh_from_db()
    return run


def figures(run: CrawlRun) -> dict[str, Any]:
    """What a run says of itself."""
    names = ("verdict", "seen", "new", "increased", "decreased", "delisted", "relisted", "sold_out", "restocked")
    return {name: getattr(run, name) for name in (*names, "quarantined", "error_count")}


def put_odd_prices(shop: DemoShop) -> None:
    """Let the day's crawl find a price to hold and one that cannot be read, besides all that the day itself brings."""
    catalogue = shop.catalogue
    quiet = (
        code
        for row in catalogue.categories()
        for code in sorted(catalogue.listed(row.code, DAY + 1))
        if code in catalogue.product_ids(DAY) and catalogue.price(code, DAY) == catalogue.price(code, DAY + 1)
    )
    shop.override(next(quiet), price=99_999)
    shop.override(next(quiet), price="洽客服")


def _ancestors(process: psutil.Process) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {parent.pid for parent in process.parents()}
    return set()


class House:
    """Servers of a folder of their own, the database `before`, and what an undisturbed crawl makes of it."""

    def __init__(self) -> None:
        # Below /tmp a service account can reach it when the suite runs as root.
        self.folder = Path(tempfile.mkdtemp(prefix="momo-faults-"))
        self.folder.chmod(0o755)
        self.services = LocalServices(self.folder, durable=True)
        self.addresses, _ = self.services.acquire()

    def close(self) -> None:
        self.services.delete()

    def address(self, database: str) -> str:
        return f"{self.addresses.database_url.rpartition('/')[0]}/{database}"

    def command(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def furnish(self) -> None:
        """Make `before`, and the end state that every disturbed run must reach as well."""
        self.command("CREATE DATABASE {}", "before")
        with DemoShop(Catalogue(SEED, SIZE), DAY) as shop:
            settings.MOMO_SHOP_URL = shop.url
            with connected_to(self.address("before")):
                call_command("migrate", verbosity=0, interactive=False)
                load_categories(shop.catalogue)
                start = timezone.now() - timedelta(days=DAY)
                for day in range(DAY):
                    load_day(shop.catalogue, day, at=start + timedelta(days=day))
                crawl_here()
                self.before = self._plain(content())
            self.command("CREATE DATABASE {} TEMPLATE {}", "undisturbed", "before")
            shop.set_day(DAY + 1)
            put_odd_prices(shop)
            with connected_to(self.address("undisturbed")):
                self.figures = figures(crawl_here())
                self.after = self._plain(content())
        assert self.figures["verdict"] == "ok"
        assert all(self.figures.values()), f"the day chosen shows too little: {self.figures}"

    @staticmethod
    def _plain(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
        """Addresses name the shop's host and port, which are others in each test."""
        found["products"] = [
            (*row[:4], urlsplit(row[4]).path, urlsplit(row[5]).path, *row[6:]) for row in found["products"]
        ]
        return found

    def kill_postgres(self) -> None:
        """SIGKILL to the postmaster."""
        pid = self.services.postgres.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.services.postgres.pid() is None, "PostgreSQL to be dead")

    def restart_postgres(self) -> None:
        # A dying process keeps its port a moment longer than its name.
        port = int(conninfo_to_dict(self.addresses.database_url)["port"])
        wait_until(lambda: port_is_free(port), "the dead server's port")
        addresses, made = self.services.acquire()
        assert not made
        assert addresses == self.addresses


class World:
    """One test's copy of `before`, on the shop's next day, with workers in an environment of their own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.name = f"world_{uuid.uuid4().hex[:12]}"
        self.address = house.address(self.name)
        self.shop = DemoShop(Catalogue(SEED, SIZE), DAY + 1)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.log = house.folder / f"{self.name}.log"

    @contextlib.contextmanager
    def opened(self) -> Iterator[World]:
        self.house.command("CREATE DATABASE {} TEMPLATE {}", self.name, "before")
        redis.Redis.from_url(self.house.addresses.redis_url).flushall()
        app = Celery("faults")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.conf.broker_url = f"{self.house.addresses.redis_url}/0"
        try:
            with self.shop, connected_to(self.address):
                settings.MOMO_SHOP_URL = self.shop.url
                put_odd_prices(self.shop)
                yield self
        finally:
            self.stop_workers()
            # For whoever reads why a test failed.
            with contextlib.suppress(FileNotFoundError):
                print(self.log.read_text())
            own_app.set_current()
            app.close()
            self.house.command("DROP DATABASE {} WITH (FORCE)", self.name)

    # --- Workers ----------------------------------------------------------------------------------------------------

    def start_worker(self) -> subprocess.Popen[bytes]:
        """A worker as `make run` starts it, in a session of its own."""
        environment = os.environ | {
            "MOMO_ENV": "test",
            "DATABASE_URL": self.address,
            "REDIS_URL": self.house.addresses.redis_url,
            "REDIS_FIRST_DATABASE": "0",
            "MOMO_LOCAL_DIR": str(self.house.folder),
            "MOMO_SHOP_URL": self.shop.url,
            "MOMO_FAULTS_WORLD": self.name,
            "PYTHONWARNINGS": "ignore",
        }
        for name in ("SHARDS", "DELAY", "AUTOTHROTTLE", "BACKOFF", "HEARTBEAT_TIMEOUT", "LOST_AFTER", "SHARD_ATTEMPTS"):
            environment[f"CRAWL_{name}"] = str(getattr(settings, f"CRAWL_{name}"))
        command = [sys.executable, "-m", "celery", "--quiet", "--app", "momo", "worker", "--queues", "default,crawl"]
        # Without the greetings among workers, which take a second at the start.
        command += ["--concurrency", "2", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
        command += ["--hostname", f"{uuid.uuid4().hex}@%h"]
        with open(self.log, "ab") as log:
            worker = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Living processes of this world whose command line holds `word`."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get("MOMO_FAULTS_WORLD") == self.name
                    and process.status() != psutil.STATUS_ZOMBIE
                    and any(word in part for part in process.cmdline())
                ):
                    found.append(process)
        return found

    def children(self) -> list[psutil.Process]:
        """Crawling processes."""
        return self.processes("products.spiders.child")

    # --- Moments ----------------------------------------------------------------------------------------------------

    def stall_after(self, requests: int) -> None:
        """Let the shop answer so many requests at once and then keep everybody waiting, until `await_stall`."""
        self.shop.reset("log")
        self.shop.faults([{"kind": "slow", "delay": 0, "times": requests}, {"kind": "slow", "delay": STALL}])

    def stall(self, *matches: dict[str, str]) -> None:
        """Keep whoever asks for something of this kind waiting, until `await_stall`."""
        self.shop.reset("log")
        self.shop.faults([{"kind": "slow", "match": match, "delay": STALL} for match in matches])

    def await_stall(self, answers: int = 0) -> None:
        """Return once somebody waits for the shop; whoever asks from now on is answered at once.

        `answers` is what `stall_after` was told: so many answers were no stall.
        """
        wait_until(lambda: self.shop.log()["faults"].get("slow", 0) > answers, "somebody to wait for the shop")
        self.shop.faults([])

    @contextlib.contextmanager
    def held_at(self, table: str) -> Iterator[None]:
        """Hold up whoever wants to write into `table`: enter it before the run, `await_held` waits for the victim."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.address) as holder:
            holder.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
            yield

    def await_held(self, table: str) -> None:
        query = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"

        def waits() -> bool:
            with connection.cursor() as cursor:
                cursor.execute(query, [table])
                return cursor.fetchone()[0] > 0

        wait_until(waits, f"somebody to write into {table}")

    # --- Run --------------------------------------------------------------------------------------------------------

    def start(self) -> CrawlRun:
        return start_run(trigger=CrawlRun.Trigger.SCHEDULE).run

    def recover(self, run: CrawlRun) -> None:
        """Watch, as the schedule does, until the run has ended."""

        def ended() -> bool:
            crawl_watch()
            run.refresh_from_db()
            return run.status != CrawlRun.Status.RUNNING

        wait_until(ended, f"run {run} to end", every=0.4)

    def deliver_again(self, run: CrawlRun) -> None:
        """Do each task of a run once more, as a broker makes somebody do that was never told of its end."""
        for shard in run.shards.all():
            crawl_shard(shard.pk)
        crawl_watch()

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        return self.house._plain(content())

    def assert_nothing_applied(self) -> None:
        assert self.content() == self.house.before

    def assert_as_if_nothing_had_happened(self, run: CrawlRun) -> None:
        assert run.status == CrawlRun.Status.APPLIED
        assert figures(run) == self.house.figures
        assert self.content() == self.house.after
        assert not CrawlRun.objects.filter(status=CrawlRun.Status.RUNNING).exists()
        assert not Alert.objects.filter(resolved_at=None).exists()
        with connection.cursor() as cursor:
            cursor.execute(OVERLAPS)
            assert cursor.fetchone() == (0,)

    def assert_no_orphans(self) -> None:
        """No crawling process remains, and of the workers only those that live, with their pools."""
        living = {worker.pid for worker in self.workers if worker.poll() is None}

        def orphans() -> list[psutil.Process]:
            return [one for one in self.processes() if not {one.pid, *_ancestors(one)} & living]

        wait_until(lambda: not self.children(), "the crawling processes to be gone", every=0.05)
        wait_until(lambda: not orphans(), "what a dead worker has left to be gone", every=0.05)
