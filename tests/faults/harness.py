"""Servers and workers that tests kill: PostgreSQL, Valkey, the demo shop and Celery workers of their own.

`House` holds the servers, and databases that are made once: with tables only, with the shop's day 7 crawled, and what
an undisturbed crawl of day 8 makes of it. A `KillWorld` is a copy of one of them for one test, with processes that may
be killed in it; `World` is the one of crawls. Tests read and drive it through the same services as the product, since
Django's own connection leads there meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psutil
import psycopg
import redis
from celery import Celery
from django.conf import settings
from django.db import connection
from django.test import override_settings
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
from products.tasks import crawl_shard, sweep_crawls
from tests.kit.databases import fill_with_migrated
from tests.kit.forks import Forked, fork
from tests.kit.processes import kill_session, wait_until

MEDIA = "media"  # folder of uploads in a house; their names are never used twice, so its worlds may share it
SEED, SIZE, DAY = 7, 180, 7  # on day 8 of this shop every kind of event happens
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

Content = dict[str, list[tuple[Any, ...]]]
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


def read_tables(queries: dict[str, str]) -> Content:
    """What these queries find, by their names."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in queries.items():
            cursor.execute(query)
            found[name] = cursor.fetchall()
    return found


def content() -> Content:
    """What people would find in the tables, without ids, times and the shop's address, which differ in each test."""
    found = read_tables(CONTENT)
    found["products"] = [
        (*row[:4], urlsplit(row[4]).path, urlsplit(row[5]).path, *row[6:]) for row in found["products"]
    ]
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
        product.id
        for row in catalogue.categories
        for product in catalogue.listed(row.code, DAY + 1)
        if product.price(DAY) == product.price(DAY + 1)
    )
    shop.override(next(quiet), price=99_999)
    shop.override(next(quiet), price="洽客服")


def _ancestors(process: psutil.Process) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {parent.pid for parent in process.parents()}
    return set()


@dataclass(frozen=True)
class Crawled:
    """A database to copy, what people find in it, and what they find once the next day was crawled undisturbed."""

    template: str
    before: Content
    figures: dict[str, Any]
    after: Content


class House:
    """Servers of a folder of their own, and databases to copy; `furnished` has what another house has made."""

    def __init__(self, furnished: Path | None = None) -> None:
        # Below /tmp a service account can reach it when the suite runs as root.
        self.folder = Path(tempfile.mkdtemp(prefix="momo-faults-"))
        self.folder.chmod(0o755)
        self.services = LocalServices(self.folder, durable=True)
        self._made: dict[Any, Any] = {}
        if furnished is not None:
            self._move_in(furnished)
        self.addresses, _ = self.services.acquire()
        # What was written survives a killed process without it; a power cut is not tried.
        self.command("ALTER SYSTEM SET fsync = off")
        self.command("SELECT pg_reload_conf()")

    def once(self, name: Any, make: Callable[[], Any]) -> Any:
        """What `make` returns, which is made once for all houses that share their furniture."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def share(self, folder: Path) -> None:
        """Leave a copy of the databases and of what is known of them in `folder`, for other houses."""
        self.services.stop()
        folder.mkdir()
        for source in (self.services.postgres.home, self.folder / MEDIA, self.folder / "services.json"):
            subprocess.run(["cp", "-a", source, folder], check=True)
        (folder / "made").write_bytes(pickle.dumps(self._made))
        self.addresses, _ = self.services.acquire()

    def _move_in(self, furnished: Path) -> None:
        self._made = pickle.loads((furnished / "made").read_bytes())
        state = json.loads((furnished / "services.json").read_text())
        # Ports are this house's own.
        (self.folder / "services.json").write_text(json.dumps({"postgres_password": state["postgres_password"]}))
        home = self.services.postgres.home
        home.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", furnished / home.name, home], check=True)
        subprocess.run(["cp", "-a", furnished / MEDIA, self.folder], check=True)

    def close(self) -> None:
        """Stop and delete all of it."""
        self.services.delete()

    def address(self, database: str) -> str:
        """The URL of a database."""
        return f"{self.addresses.database_url.rpartition('/')[0]}/{database}"

    def command(self, statement: str, *names: str) -> None:
        """Run a statement outside of every transaction; `{}` are quoted names."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def copy(self, template: str, name: str) -> None:
        """Make the database `name`."""
        self.command("CREATE DATABASE {} TEMPLATE {}", name, template)

    @property
    def empty(self) -> str:
        """A database with tables, and what migrations put into them: a copy from the server of all tests."""
        name: str = self.once("empty", self._copy_migrated)
        return name

    def _copy_migrated(self) -> str:
        self.command("CREATE DATABASE {}", "empty")
        fill_with_migrated(self.address("empty"), folder=self.folder)
        return "empty"

    @property
    def crawled(self) -> Crawled:
        """The shop's past crawled, and the end state that every disturbed run must reach as well."""
        found: Crawled = self.once("crawled", self._crawl)
        return found

    def _crawl(self) -> Crawled:
        with DemoShop(Catalogue(SEED, SIZE), DAY) as shop, override_settings(**CRAWL, MOMO_SHOP_URL=shop.url):
            self.copy(self.empty, "before")
            with connected_to(self.address("before")):
                load_categories(shop.catalogue)
                start = timezone.now() - timedelta(days=DAY)
                for day in range(DAY):
                    load_day(shop.catalogue, day, at=start + timedelta(days=day))
                crawl_here()
                before = content()
            self.copy("before", "undisturbed")
            shop.set_day(DAY + 1)
            put_odd_prices(shop)
            with connected_to(self.address("undisturbed")):
                found = Crawled("before", before, figures(crawl_here()), content())
        assert found.figures["verdict"] == "ok"
        assert all(found.figures.values()), f"the day chosen shows too little: {found.figures}"
        return found

    def kill_postgres(self) -> None:
        """SIGKILL to the postmaster."""
        pid = self.services.postgres.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.services.postgres.pid() is None, "PostgreSQL to be dead")

    def restart_postgres(self) -> None:
        """Start it again at its old address."""
        # A dying process keeps its port a moment longer than its name.
        port = int(conninfo_to_dict(self.addresses.database_url)["port"])
        wait_until(lambda: port_is_free(port), "the dead server's port")
        addresses, made = self.services.acquire()
        assert not made
        assert addresses == self.addresses


class KillWorld:
    """One test's copy of a database of the house, and processes of its own that may be killed in it."""

    queues, concurrency = "default", 1  # of its workers

    def __init__(self, house: House) -> None:
        self.house = house
        self.name = f"world_{uuid.uuid4().hex[:12]}"
        self.address = house.address(self.name)
        self.log = house.folder / f"{self.name}.log"
        self.workers: list[Forked] = []
        self.others: list[Forked] = []

    @contextlib.contextmanager
    def opened(self, template: str, *, worker: bool = False) -> Iterator[Self]:
        """Copy `template`; with `worker`, while one starts, which takes as long."""
        redis.Redis.from_url(self.house.addresses.redis_url).flushall()
        app = Celery("faults")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.conf.broker_url = f"{self.house.addresses.redis_url}/0"
        try:
            if worker:
                self.start_worker()
            self.house.copy(template, self.name)
            with connected_to(self.address):
                yield self
        finally:
            for process in self.workers + self.others:
                kill_session(process)
            # For somebody who reads why a test failed.
            with contextlib.suppress(FileNotFoundError):
                print(self.log.read_text())
            own_app.set_current()
            app.close()
            self.house.command("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)

    # --- Processes --------------------------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """What its processes find in their environment."""
        return os.environ | {
            "MOMO_ENV": "test",
            "DJANGO_SETTINGS_MODULE": "momo.settings",
            "DATABASE_URL": self.address,
            "REDIS_URL": self.house.addresses.redis_url,
            "REDIS_FIRST_DATABASE": "0",
            "MOMO_LOCAL_DIR": str(self.house.folder),
            "MOMO_FAULTS_WORLD": self.name,
            "PYTHONWARNINGS": "ignore",
        }

    def start_worker(self) -> Forked:
        """A worker as `make run` starts it, in a session of its own."""
        command = ["-m", "celery", "--quiet", "--app", "momo", "worker", "--queues", self.queues]
        # Without the greetings among workers, which take a second at the start.
        command += ["--concurrency", str(self.concurrency), "--loglevel", "INFO", "--without-mingle"]
        command += ["--without-gossip", "--hostname", f"{uuid.uuid4().hex}@%h"]
        worker = fork(command, environment=self.environment(), log=self.log)
        self.workers.append(worker)
        return worker

    def start_program(self, code: str) -> Forked:
        """A process that does this with the project set up, in a session of its own."""
        program = fork(["-c", f"import django\ndjango.setup()\n{code}"], environment=self.environment(), log=self.log)
        self.others.append(program)
        return program

    # --- Moments ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def elsewhere(self) -> Iterator[psycopg.Connection]:
        """A connection that may die with its server."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.address) as other:
            yield other

    @contextlib.contextmanager
    def held_at(self, table: str) -> Iterator[None]:
        """Hold up every writer into `table`: enter it before the work, `await_held` waits for the victim."""
        with self.elsewhere() as holder:
            holder.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
            yield

    def await_held(self, table: str) -> None:
        """Return once a writer waits for `table`."""
        query = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"

        def waits() -> bool:
            with connection.cursor() as cursor:
                cursor.execute(query, [table])
                return cursor.fetchone()[0] > 0

        wait_until(waits, f"a writer into {table}")


class World(KillWorld):
    """On the shop's next day, with workers that crawl."""

    queues, concurrency = "default,crawl", 2

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.crawled = house.crawled
        self.shop = DemoShop(Catalogue(SEED, SIZE), DAY + 1)

    @contextlib.contextmanager
    def opened(self, template: str = "before", *, worker: bool = False) -> Iterator[Self]:
        """As all worlds; the crawl of this process leads to its shop as well."""
        with self.shop, super().opened(template, worker=worker):
            settings.MOMO_SHOP_URL = self.shop.url
            put_odd_prices(self.shop)
            yield self

    def environment(self) -> dict[str, str]:
        """With the crawl's settings of this process."""
        found = super().environment() | {"MOMO_SHOP_URL": self.shop.url}
        return found | {name: str(getattr(settings, name)) for name in CRAWL}

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Living processes of this world whose command line holds `word`."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if (
                    self._started(process)
                    and process.status() != psutil.STATUS_ZOMBIE
                    and any(word in part for part in process.cmdline())
                ):
                    found.append(process)
        return found

    def _started(self, process: psutil.Process) -> bool:
        """Whether a worker started it: as part of its own session, or with its environment."""
        return (
            os.getsid(process.pid) in {worker.pid for worker in self.workers}
            or process.environ().get("MOMO_FAULTS_WORLD") == self.name
        )

    def children(self) -> list[psutil.Process]:
        """Crawling processes."""
        return self.processes("products.spiders.child")

    # --- Moments ----------------------------------------------------------------------------------------------------

    def stall_after(self, requests: int) -> None:
        """Let the shop answer so many requests at once and then keep the others waiting, until `await_stall`."""
        self.shop.clear_log()
        self.shop.faults([{"kind": "slow", "delay": 0, "times": requests}, {"kind": "slow", "delay": STALL}])

    def stall(self, *matches: dict[str, str]) -> None:
        """Keep requests of these kinds waiting, until `await_stall`."""
        self.shop.clear_log()
        self.shop.faults([{"kind": "slow", "match": match, "delay": STALL} for match in matches])

    def await_stall(self, answers: int = 0) -> None:
        """Return once a request waits for the shop; later ones are answered at once.

        `answers` is what `stall_after` was given: so many answers were no stall.
        """
        wait_until(lambda: self.shop.log()["faults"].get("slow", 0) > answers, "a request to wait for the shop")
        self.shop.faults([])

    # --- Run --------------------------------------------------------------------------------------------------------

    def start(self) -> CrawlRun:
        """A run, as the schedule starts it."""
        return start_run(trigger=CrawlRun.Trigger.SCHEDULE).run

    def recover(self, run: CrawlRun) -> None:
        """Sweep, as the schedule does, until the run has ended."""

        def ended() -> bool:
            sweep_crawls()
            run.refresh_from_db()
            return run.status != CrawlRun.Status.RUNNING

        wait_until(ended, f"run {run} to end", every=0.4)

    def deliver_again(self, run: CrawlRun) -> None:
        """Do each task of a run once more, as a broker does whose message was never acknowledged."""
        for shard in run.shards.all():
            crawl_shard(shard.pk)
        sweep_crawls()

    def assert_nothing_applied(self) -> None:
        """The tables are as before the run."""
        assert content() == self.crawled.before

    def assert_as_if_nothing_had_happened(self, run: CrawlRun) -> None:
        """The run is applied, and the tables are as after an undisturbed one."""
        assert run.status == CrawlRun.Status.APPLIED
        assert figures(run) == self.crawled.figures
        assert content() == self.crawled.after
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
