"""Every contract test behind PgBouncer with pools by transaction, on Debian's PostgreSQL and Redis.

The tables are made over PostgreSQL's own address, as docs/operations.md says; all that the tests do goes through
PgBouncer: a server's connection serves another client after each transaction.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.servers import Servers, missing, serving
from tests.kit.processes import ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(bool(missing()) or os.geteuid() != 0, reason=f"needs root, and Debian's {missing()}"),
]

CONNECTIONS = 20  # of a database, to PostgreSQL
PREPARE = """
import django
django.setup()
from django.core.management import call_command
from tests.kit.restoring import keep_rows
call_command("migrate", verbosity=0, interactive=False)
keep_rows()
"""


@pytest.fixture
def servers() -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="momo-pooled-"))
    try:
        with serving(folder, pool_size=CONNECTIONS) as found:
            yield found
    finally:
        shutil.rmtree(folder)


def test_contract_tests_pass_behind_pgbouncer(servers: Servers, tmp_path: Path) -> None:
    # Not of the run that this test is part of.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "REDIS_"))}
    environment = inherited | {
        "MOMO_ENV": "test",
        "DJANGO_SETTINGS_MODULE": "momo.settings",
        "MOMO_TEST_SERVICES": "1",
        "MOMO_LOCAL_DIR": str(tmp_path),
        "SECRET_KEY": "tests-only-" + "0" * 50,
        "DATABASE_PREPARE": "0",
        "REDIS_URL": f"redis://127.0.0.1:{servers.redis}",
    }
    # Found there, `migrated` is what each worker of the run copies.
    servers.command("CREATE DATABASE migrated")
    made = environment | {"DATABASE_URL": servers.database("migrated")}
    subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=made, check=True, timeout=600)

    pooled = environment | {"DATABASE_URL": servers.database("momo", pooled=True)}
    command = [sys.executable, "-m", "pytest", "tests/contract", "-n", "2", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, env=pooled, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout[-20_000:])
    assert done.returncode == 0
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 1000, "all of them, not a few"
