"""Broker and cache away: a crawl says so and leaves nothing half begun; an import waits; everything else goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.db import connection

from accounts.models import IdempotencyRecord, Role
from accounts.services import create_token
from momo.jobs.models import Job
from products.models import CrawlRun
from tests.contract.matrix import REPORT
from tests.kit.users import PASSWORD, person
from tests.products.factories import category

# A process of its own, because Celery and the cache keep their connections for its life.
WITHOUT_REDIS = """
import json, sys
import django
django.setup()
from django.test import Client
from tests.contract.bodies import Form, sent
asked = json.load(sys.stdin)
answered = []
for headers, method, path, data in asked:
    client = Client(raise_request_exception=False, headers=headers)
    given = sent(Form({"job_type": "daily_sales"}, data.encode()) if isinstance(data, str) else data)
    answer = getattr(client, method)(path, **given)
    answered.append([answer.status_code, json.loads(answer.content), answer.headers.get("Retry-After")])
print(json.dumps(answered))
"""


def without_redis(asked: list[Any], *, debug: bool) -> list[Any]:
    """What a process answers whose broker and cache are at a closed port; the database is this one's."""
    base = connection.settings_dict
    address = f"postgresql://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_REDIS],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "momo.settings",
            "DATABASE_URL": address,
            "REDIS_URL": "redis://127.0.0.1:1",
            "DEBUG": str(int(debug)),
        },
    )
    assert process.returncode == 0, process.stderr
    answers: list[Any] = json.loads(process.stdout)
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [False, True])
def test_redis_away(debug: bool, settings: Any) -> None:
    category()
    # The other process, which checks the password, has the hashers of Django.
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    token = create_token(user=person("ada", Role.ADMIN), name="contract").text
    headers = {"Authorization": f"Bearer {token}"}
    keyed = {**headers, "Idempotency-Key": "k1"}
    change = {"current_password": PASSWORD, "new_password": "Another-pass-2026"}
    answers = without_redis(
        [
            [headers, "post", "/api/run_task", {}],
            [keyed, "post", "/api/run_task", {}],
            [keyed, "post", "/api/run_task", {}],
            [headers, "get", "/api/products", None],
            [headers, "get", "/api/system/crawler/status", None],
            [headers, "get", "/api/system/status", None],
            [headers, "get", "/api/users", None],
            [headers, "post", "/api/user/change_password", change],
            [headers, "get", "/api/daily_sales", None],
            [headers, "post", "/api/import/upload", REPORT.decode()],
            [keyed, "post", "/api/import/upload", REPORT.decode()],
            [keyed, "post", "/api/import/upload", REPORT.decode()],
        ],
        debug=debug,
    )
    for status, body, retry_after in answers[:3]:
        assert (status, body["code"], retry_after) == (503, "UNAVAILABLE", "5")
        assert body["error"].startswith("訊息佇列目前無法使用")
        assert "REDIS_URL" in body["error"]
    assert [status for status, _, _ in answers[3:]] == [200] * 6 + [202] * 3
    assert {run.status for run in CrawlRun.objects.all()} == {CrawlRun.Status.FAILED}
    jobs = {job.pk: job for job in Job.objects.all()}
    assert len(jobs) == 2
    assert [body["data"]["job_id"] in jobs for _, body, _ in answers[9:]] == [True] * 3
    # The sweep sends them once the broker is back.
    assert {(job.status, job.heartbeat_at) for job in jobs.values()} == {(Job.Status.PENDING, None)}
    assert {record.path for record in IdempotencyRecord.objects.all()} == {"/api/import/upload"}
