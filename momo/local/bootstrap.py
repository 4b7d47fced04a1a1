"""Starts the embedded servers where the environment names no others, and releases them when the process ends."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from momo.core.environment import BASE_DIR, Environment, read_env_file
from momo.local.given import DEMO_OR_REAL, foreign_data
from momo.local.processes import ServiceError
from momo.local.services import LocalServices


def set_defaults() -> None:
    """Read `.env`, then take a local machine for granted where nothing names another environment."""
    read_env_file()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "momo.settings")
    # The command line is a person's: production says so itself (MOMO_ENV=production in its image or `.env`).
    if not Environment()("MOMO_ENV"):  # empty counts as not set
        os.environ["MOMO_ENV"] = "local"


def finish(env: Environment) -> None:
    """End the process with a sentence for each setting that `env` found wrong."""
    try:
        env.finish()
    except ImproperlyConfigured as error:
        sys.exit(f"MOMO Pro: {error}")


def demo_wanted() -> bool:
    """Whether the demo shop stands in for momo, as in the settings: locally, unless DEMO=0 or MOMO_SHOP_URL says no."""
    env = Environment()
    return env("MOMO_ENV") == "local" and env.bool("DEMO", default=True) and not env("MOMO_SHOP_URL")


def local_dir() -> Path:
    """Where local servers and their data live; demo data and real data never share a folder."""
    env = Environment()
    env.bool("DEMO", default=True)  # on which the default depends
    default = BASE_DIR / (".local/demo" if demo_wanted() else ".local/live")
    found = Path(env.path("MOMO_LOCAL_DIR", default=default, example=".local/demo"))
    finish(env)
    return found


def use_local_services(*, crawls: bool = False) -> bool:
    """Start PostgreSQL, Valkey and the demo shop, except those that are configured; they stop with their last user.

    Returns whether a database was made just now. Does nothing in production, which must name its servers. `crawls`:
    prices are going to be written, so a database that has data other than the demo's ends the process: what the demo
    shop answers must not be mixed with it.
    """
    env = Environment()
    if env("MOMO_ENV") == "production":
        return False
    database, cache, demo = env("DATABASE_URL"), env("REDIS_URL"), demo_wanted()
    folder = local_dir()
    os.environ["MOMO_LOCAL_DIR"] = str(folder)
    if database and cache and not demo:
        return False
    services = LocalServices(folder, demo_shop=demo, database=not database, cache=not cache)
    try:
        if crawls and demo and database:
            _keep_apart("DATABASE_URL", database)
        addresses, created = services.acquire()
        atexit.register(services.release)
        if crawls and demo and not database and not created:
            _keep_apart(str(folder), addresses.database_url)
    except ServiceError as error:
        sys.exit(f"MOMO Pro: {error}")
    return created


def _keep_apart(name: str, database_url: str) -> None:
    """End the process when the database called `name` has data that are not the demo's."""
    if found := foreign_data(database_url):
        sys.exit(f"MOMO Pro: {name} 的資料庫{found}\n{DEMO_OR_REAL}")


def load_settings() -> None:
    """Read the settings; ends the process with a sentence for each that is wrong."""
    try:
        _ = settings.MOMO_ENV
    except ImproperlyConfigured as error:
        sys.exit(f"MOMO Pro: {error}")
