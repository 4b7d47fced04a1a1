"""Starts the embedded servers where the environment names no others, and releases them when the process ends."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

from momo.local.processes import ServiceError
from momo.local.services import LocalServices

BASE_DIR = Path(__file__).resolve().parents[2]


def _configured(name: str) -> bool:
    """Whether the environment or ``.env`` sets a value, read as the settings read it."""
    if os.environ.get(name):
        return True
    path = BASE_DIR / ".env"
    return path.is_file() and any(line.strip().startswith(f"{name}=") for line in path.read_text().splitlines())


def demo_wanted() -> bool:
    """Whether the demo shop stands in for momo: unless DEMO=0, or MOMO_SHOP_URL names another shop."""
    return os.environ.get("DEMO", "1") != "0" and not _configured("MOMO_SHOP_URL")


def local_dir() -> Path:
    """Where local servers and their data live; demo data and real data never share a folder."""
    named = os.environ.get("MOMO_LOCAL_DIR")
    return Path(named) if named else BASE_DIR / (".local/demo" if demo_wanted() else ".local/live")


def use_local_services() -> bool:
    """Start PostgreSQL and Valkey unless real ones are configured; they stop with the last process using them.

    Returns whether a database was made just now. Does nothing in production, which must name its servers.
    """
    if os.environ.get("MOMO_ENV") == "production" or (_configured("DATABASE_URL") and _configured("REDIS_URL")):
        return False
    os.environ["MOMO_LOCAL_DIR"] = str(local_dir())
    services = LocalServices(local_dir(), demo_shop=demo_wanted())
    try:
        _, created = services.acquire()
    except ServiceError as error:
        sys.exit(f"MOMO Pro: {error}")
    atexit.register(services.release)
    return created
