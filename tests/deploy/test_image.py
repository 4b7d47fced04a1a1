"""What the image starts, without a builder: its steps in a folder, its commands, no rights, a tree not to be written.

On Debian's PostgreSQL and Redis, directly and through PgBouncer with pools by transaction, the documented calls are
answered, and a worker imports what was uploaded.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import global_settings
from pytest_django.plugin import DjangoDbBlocker

from deploy.steps import TREE
from momo.local.processes import free_port
from tests.admin.makers import workbook
from tests.contract import test_api_md as documented
from tests.contract.conftest import drive_settings
from tests.contract.sales_story import XLSX
from tests.contract.world import SETTINGS, SOLD
from tests.deploy.servers import Servers, missing, running, serving
from tests.deploy.test_files import compose
from tests.faults.harness import connected_to
from tests.kit.processes import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()) or os.geteuid() != 0, reason=f"needs root, and Debian's {missing()}"),
]


@dataclass(frozen=True)
class Image:
    """A folder that was made by the steps of the Dockerfile."""

    folder: Path
    env: dict[str, str]
    workdir: Path
    user: int
    command: list[str]

    def environment(self, **more: str) -> dict[str, str]:
        """What the container has, and nothing of this machine."""
        return {"LANG": "C.UTF-8", "HOME": "/nonexistent", **self.env, **more}

    @contextlib.contextmanager
    def started(self, command: list[str], log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command as its account, in its folder."""
        program = Path(self.env["PATH"].split(":")[0]) / command[0]
        with running(
            [program, *command[1:]], log, cwd=self.workdir, env=self.environment(**env), account=self.user
        ) as process:
            yield process


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    parent = Path(tempfile.mkdtemp(prefix="momo-image-"))
    parent.chmod(0o755)
    try:
        steps = [sys.executable, str(TREE / "deploy" / "steps.py"), str(parent / "srv")]
        made = json.loads(subprocess.run(steps, check=True, stdout=subprocess.PIPE, text=True).stdout)
        shutil.rmtree(parent / "srv.build")
        user = int(made["user"].split(":")[0])
        yield Image(parent / "srv", made["env"], Path(made["workdir"]), user, made["command"])
    finally:
        shutil.rmtree(parent)


@pytest.fixture(scope="module")
def servers(image: Image) -> Iterator[Servers]:
    """With the database `momo`, whose tables the image has made."""
    folder = Path(tempfile.mkdtemp(prefix="momo-servers-"))
    try:
        with serving(folder) as found:
            found.command("CREATE DATABASE momo")
            env = base(found, "momo")
            with image.started(["python", "manage.py", "migrate", "--no-input"], folder / "migrate", **env) as process:
                assert process.wait(300) == 0, (folder / "migrate").read_text()
            yield found
    finally:
        shutil.rmtree(folder)


def base(servers: Servers, name: str, *, pooled: bool = False) -> dict[str, str]:
    """Settings that a deployment has to give."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(60),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": servers.database(name, pooled=pooled),
        "DATABASE_PREPARE": str(int(not pooled)),
        "DATABASE_POOL_SIZE": "8",
        "REDIS_URL": f"redis://127.0.0.1:{servers.redis}",
        "SECURE_SSL_REDIRECT": "0",
        "TRUSTED_PROXIES": "0",
        "RATE_DEFAULT": "",
        "TMPDIR": "/tmp",
    }


@pytest.mark.parametrize(("way", "pooled"), [("cookie", False), ("token", True)])
def test_documented_calls_of_what_the_image_starts(
    way: str, pooled: bool, image: Image, servers: Servers, settings: Any, django_db_blocker: DjangoDbBlocker
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="momo-served-"))
    folder.chmod(0o755)
    name = f"story_{way}"
    servers.command(f"CREATE DATABASE {name} TEMPLATE momo")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        lead = stack.enter_context(drive_settings(folder))
        for key, value in {**SETTINGS, **lead}.items():
            setattr(settings, key, value)
        # Both hash passwords, and both read what was uploaded.
        settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
        settings.MEDIA_ROOT = image.env["MEDIA_ROOT"]
        env = base(servers, name, pooled=pooled) | {key: str(value) for key, value in lead.items()}
        env |= {key: str(SETTINGS[key]) for key in ("TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID")}
        port = free_port()
        env["GUNICORN_CMD_ARGS"] = f"--bind=127.0.0.1:{port} --threads=8"
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(connected_to(servers.database(name)))
        log = folder / "web.log"
        web = stack.enter_context(image.started(image.command, log, **env))
        site = f"http://127.0.0.1:{port}"
        wait_until(lambda: web.poll() is not None or responds(f"{site}/login"), "the web server to answer")
        assert web.poll() is None, log.read_text()

        for caller in documented.inside(way, site):
            documented.test_documented_calls(caller)
        assert_json_lines(log)
        imported_by_a_worker(image, site, folder, env)
    assert web.returncode == 0, "SIGTERM is no failure"


def responds(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(url, timeout=20).ok
    return False


def assert_json_lines(log: Path) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [line for line in lines if line["logger"] == "gunicorn.access"]
    assert {"method", "path", "status", "milliseconds", "request_id"} <= set(asked[-1])
    assert not [line for line in lines if line["level"] in {"ERROR", "CRITICAL"}]


def imported_by_a_worker(image: Image, site: str, folder: Path, env: dict[str, str]) -> None:
    """Beat and a worker as compose.yaml starts them, and a file that they find in the folder of uploads."""
    from accounts.models import User
    from accounts.services import create_token

    services, log = compose()["services"], folder / "tasks.log"
    env = env | {"WORKER_HEARTBEAT_FILE": "/tmp/momo-test-heartbeat", "DATABASE_POOL_SIZE": "0"}
    token = create_token(user=User.objects.get(username="ada"), name="worker").text
    headers = {"Authorization": f"Bearer {token}"}
    with (
        image.started(services["beat"]["command"], log, **env) as beat,
        image.started(services["worker-imports"]["command"], log, **env) as worker,
    ):
        file = {"file": ("每日銷售.xlsx", workbook(*SOLD), XLSX)}
        given = {"files": file, "data": {"job_type": "daily_sales"}, "headers": headers, "timeout": 60}
        number = requests.post(f"{site}/api/import/upload", **given).json()["data"]["job_id"]  # type: ignore[arg-type]

        def status() -> str:
            answer = requests.get(f"{site}/api/import/jobs/{number}", headers=headers, timeout=60)
            found: str = answer.json()["data"]["status"]
            return found

        wait_until(lambda: worker.poll() is not None or status() not in {"pending", "running"}, "the import to end")
        assert worker.poll() is None, log.read_text()
        assert status() in {"succeeded", "unchanged"}, log.read_text()
        assert time.time() - Path(env["WORKER_HEARTBEAT_FILE"]).stat().st_mtime < 60
        assert beat.poll() is None, log.read_text()
    assert (worker.returncode, beat.returncode) == (0, 0)
    assert "Permission" not in log.read_text()


def test_nobody_may_write_into_the_tree(image: Image) -> None:
    found = ["find", str(image.folder), "-writable", "-not", "-type", "l", "-print", "-prune"]
    writable = subprocess.run(found, user=image.user, group=image.user, extra_groups=[], capture_output=True, text=True)
    assert writable.stdout.split() == [str(image.folder / "media")]
