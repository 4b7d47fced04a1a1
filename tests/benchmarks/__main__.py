"""`python -m tests.benchmarks [name …] [--quick] [--plans]`; see the package's own words."""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from rich.console import Console

from momo.local.services import LocalServices
from tests.benchmarks import BENCHMARKS

# As a deployment has it, but over plain HTTP, with a rate limit that counts and never strikes, and no polite pauses.
_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "momo.settings",
    "MOMO_ENV": "production",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "localhost",
    "SECURE_SSL_REDIRECT": "0",
    "TRUSTED_PROXIES": "0",
    "RATE_DEFAULT": "1000000000/min",
    "RATE_AI": "1000000000/min",
    "CACHE_PREFIX": "bench",
    "LOG_LEVEL": "ERROR",
    "CRAWL_SHARDS": "1",
    "CRAWL_DELAY": "0",
    "CRAWL_AUTOTHROTTLE": "0",
    "DATABASE_POOL_SIZE": "0",
}


def main() -> int:
    """Run the named benchmarks, all by default. Exit code 1 only if one of them crashed."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small sizes, few repeats: shows only that all works")
    parser.add_argument("--plans", action="store_true", help="print the plan of every query that is measured")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")

    # An end by SIGTERM stops the servers as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Below /tmp a service account can reach it when this runs as root.
    folder = Path(tempfile.mkdtemp(prefix="momo-bench-"))
    folder.chmod(0o755)
    services = LocalServices(folder)
    try:
        addresses, _ = services.acquire()
        for name in ("static", "metrics"):
            (folder / name).mkdir()
        os.environ.update(_SETTINGS)
        os.environ.update(
            SECRET_KEY=secrets.token_urlsafe(64),
            DATABASE_URL=addresses.database_url,
            REDIS_URL=addresses.redis_url,
            STATIC_ROOT=str(folder / "static"),
            MEDIA_ROOT=str(folder / "media"),
            PROMETHEUS_MULTIPROC_DIR=str(folder / "metrics"),
        )
        return _run([name for name in BENCHMARKS if name in (given.names or BENCHMARKS)], given)
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _run(names: list[str], given: argparse.Namespace) -> int:
    import django

    django.setup()
    from tests.benchmarks.context import Context
    from tests.benchmarks.report import Row, show

    # A pipe has no width: without one the table would be cut.
    console = Console(width=None if sys.stdout.isatty() else 170)
    context = Context(console, quick=given.quick, plans=given.plans)
    context.prepare()
    rows: list[Row] = []
    crashed = []
    for name in names:
        context.say(f"{name} …")
        try:
            rows += importlib.import_module(BENCHMARKS[name]).run(context)
        except Exception:
            traceback.print_exc()
            crashed.append(name)
    show(rows, console)
    if crashed:
        console.print(f"[bold red]crashed: {', '.join(crashed)}[/]")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
