"""API of imports: roles, answers, refusals."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from accounts.models import Role, User
from momo.jobs.models import Job
from momo.jobs.services import run_job, undo_job
from tests.jobs.importer import StockImporter, stock, workbook
from tests.kit.users import person, session_client, token_client
from tests.rest.test_failures import check

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stock_importer")]

Make = Callable[..., Job]
BAD = ((1001, 3, "甲"), (1002, "三", None))


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.jobs.urls"


@pytest.fixture
def api(manager: User) -> Client:
    return token_client(manager)


@pytest.fixture(params=[Role.USER, Role.MANAGER, Role.ADMIN])
def anybody(request: pytest.FixtureRequest, db: None) -> Client:
    return session_client(person("some", request.param))


def form(content: bytes | None = None, **values: Any) -> dict[str, Any]:
    content = workbook().getvalue() if content is None else content
    return {"job_type": "test_stock", "file": SimpleUploadedFile("庫存.xlsx", content), **values}


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    body = response.json()
    assert (body["success"], set(body)) == (True, {"success", "data", "message"})
    return body["data"]


def ran(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job


def test_upload(api: Client, manager: User) -> None:
    response = api.post("/api/import/upload", form(on_error="skip"))
    job = Job.objects.get()
    assert data(response, 202) == {"job_id": job.pk}
    assert response.json()["message"] == "匯入已開始"
    assert (job.source, job.file_name, job.created_by, job.on_error) == ("upload", "庫存.xlsx", manager, "skip")
    assert ran(job).status == "succeeded"


def test_upload_once_for_a_key(api: Client) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = api.post("/api/import/upload", form(), headers=headers)
    again = api.post("/api/import/upload", form(), headers=headers)
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    check(api.post("/api/import/upload", form(on_error="skip"), headers=headers), 409, "CONFLICT")
    job = Job.objects.get()
    assert job.size == len(workbook().getvalue()), "the digest's reading left nothing out"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"job_type": "other"}, "job_type"),
        ({"job_type": ""}, "job_type"),
        ({"on_error": "ignore"}, "on_error"),
        ({"file": ""}, "file"),
        ({"file": SimpleUploadedFile("a.xlsx", b"")}, "file"),
    ],
)
def test_upload_refused(api: Client, values: dict[str, Any], field: str) -> None:
    body = check(api.post("/api/import/upload", form(**values)), 400, "VALIDATION_ERROR")
    assert list(body["fields"]) == [field]
    assert re.search(r"[\u4e00-\u9fff]", body["fields"][field][0])
    assert not Job.objects.exists()


def test_upload_without_anything(api: Client) -> None:
    body = check(api.post("/api/import/upload", {}), 400, "VALIDATION_ERROR")
    assert set(body["fields"]) == {"file", "job_type"}
    check(api.post("/api/import/upload", {"a": 1}, content_type="application/json"), 400, "VALIDATION_ERROR")


def test_upload_too_large(api: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1000
    body = check(api.post("/api/import/upload", form(b"x" * 1001)), 413, "PAYLOAD_TOO_LARGE")
    assert "上限" in body["error"]
    check(api.post("/api/import/upload", form(b"x" * 200_000)), 413, "PAYLOAD_TOO_LARGE")
    assert not Job.objects.exists()


def test_a_job_from_waiting_to_undone(api: Client, job_of: Make) -> None:
    job = job_of()
    path = f"/api/import/jobs/{job.pk}"
    waiting = data(api.get(path))
    assert list(waiting) == [
        "id",
        "job_type",
        "source",
        "file_name",
        "status",
        "stage",
        "progress",
        "total_rows",
        "processed_rows",
        "created",
        "updated",
        "skipped",
        "error_count",
        "errors_url",
        "result",
        "message",
        "started_at",
        "finished_at",
        "created_at",
        "held",
        "confirm_loss",
        "errors",
        "error_groups",
    ]
    assert (waiting["status"], waiting["stage"], waiting["progress"]) == ("pending", "queued", 0)
    assert (waiting["started_at"], waiting["finished_at"], waiting["errors"]) == (None, None, [])
    ran(job)
    done = data(api.get(path))
    assert (done["status"], done["progress"], done["created"], done["errors_url"]) == ("succeeded", 100, 3, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+08:00", done["finished_at"])
    response = api.post(f"{path}/undo")
    undone = data(response)
    assert (undone["status"], undone["result"]["undo"]["by"]) == ("undone", "max")
    assert response.json()["message"] == "匯入已復原"
    assert stock() == {}
    assert "已經復原" in check(api.post(f"{path}/undo"), 409, "CONFLICT")["error"]


def test_the_first_hundred_errors(api: Client, job_of: Make, django_assert_num_queries: Any) -> None:
    job = ran(job_of(workbook([(code, "x", None) for code in range(1, 151)])))
    api.get("/api/import/jobs")  # notes the token's use, which the next minute's requests do not
    with django_assert_num_queries(3):  # the token with its user, the job, its errors
        found = data(api.get(f"/api/import/jobs/{job.pk}"))
    assert (found["status"], found["error_count"], len(found["errors"])) == ("failed", 150, 100)
    first = {"row": 2, "column": "數量", "value": "x", "message": "", "sheet": ""}
    assert found["errors"][0] | {"message": ""} == first
    assert [(group["rows"], group["column"], group["count"]) for group in found["error_groups"]] == [
        ("2–151", "數量", 150)
    ]
    assert found["errors"][0]["message"]
    assert found["errors_url"] == f"/api/import/jobs/{job.pk}/errors"


def test_the_workbook_of_errors(anybody: Client, job_of: Make) -> None:
    """The user's own file, marked, for managers and admins; the list alone for others."""
    job = ran(job_of(workbook(BAD)))
    response = anybody.get(f"/api/import/jobs/{job.pk}/errors")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]
    assert ("Sheet" in book.sheetnames) is not (User.objects.get(username="some").role == Role.USER)
    assert "匯入錯誤" in book.sheetnames
    good = ran(job_of())
    check(anybody.get(f"/api/import/jobs/{good.pk}/errors"), 404, "NOT_FOUND")


def test_the_list(anybody: Client, job_of: Make, django_assert_num_queries: Any) -> None:
    jobs = [ran(job_of()), ran(job_of(workbook(BAD))), job_of()]
    listed = data(anybody.get("/api/import/jobs"))
    assert [item["id"] for item in listed["items"]] == [job.pk for job in reversed(jobs)]
    assert (listed["total"], listed["page"], listed["per_page"], listed["total_pages"]) == (3, 1, 50, 1)
    assert "errors" not in listed["items"][0]

    def found(query: str) -> list[int]:
        return [item["id"] for item in data(anybody.get(f"/api/import/jobs?{query}"))["items"]]

    assert found("status=failed") == [jobs[1].pk]
    assert found("status=pending&job_type=test_stock") == [jobs[2].pk]
    assert found("per_page=1&page=2") == [jobs[1].pk]
    for query in ("status=other", "job_type=other", "page=0"):
        check(anybody.get(f"/api/import/jobs?{query}"), 400, "VALIDATION_ERROR")


def test_cancel_and_retry(api: Client, job_of: Make) -> None:
    job = job_of()
    path = f"/api/import/jobs/{job.pk}"
    response = api.post(f"{path}/cancel")
    assert (data(response)["status"], response.json()["message"]) == ("cancelled", "匯入已取消")
    check(api.post(f"{path}/cancel"), 409, "CONFLICT")
    check(api.post(f"{path}/undo"), 409, "CONFLICT")

    def retry() -> Any:
        return api.post(f"{path}/retry", content_type="application/json", headers={"Idempotency-Key": "k"})

    again = data(retry(), 202)
    assert data(retry(), 202) == again
    assert Job.objects.count() == 2
    assert ran(Job.objects.get(pk=again["job_id"])).status == "succeeded"
    check(api.post(f"/api/import/jobs/{again['job_id']}/retry"), 409, "CONFLICT")


def test_retry_treats_errors_as_it_is_told(api: Client, job_of: Make) -> None:
    job = ran(job_of(workbook(BAD)))
    path = f"/api/import/jobs/{job.pk}/retry"
    bad = api.post(path, {"on_error": "ignore"}, content_type="application/json")
    assert list(check(bad, 400, "VALIDATION_ERROR")["fields"]) == ["on_error"]
    check(api.post(path, {"on_error": "skip"}), 400, "VALIDATION_ERROR")  # a form is refused, not ignored
    again = data(api.post(path, {"on_error": "skip"}, content_type="application/json"), 202)
    assert ran(Job.objects.get(pk=again["job_id"])).status == "succeeded"
    assert stock() == {"1001": 3}


def test_cancel_while_it_runs(api: Client, job_of: Make, stock_importer: StockImporter) -> None:
    job = job_of()

    def cancel(_: Any) -> None:
        response = api.post(f"/api/import/jobs/{job.pk}/cancel")
        assert (data(response)["status"], response.json()["message"]) == ("running", "匯入即將取消")

    stock_importer.on_check = cancel
    assert ran(job).status == "cancelled"


@pytest.mark.parametrize("action", ["", "/errors", "/undo", "/cancel", "/retry"])
@pytest.mark.parametrize("job_id", [999_999, 10**30])
def test_no_such_job(api: Client, action: str, job_id: int) -> None:
    ask = api.post if action in ("/undo", "/cancel", "/retry") else api.get
    check(ask(f"/api/import/jobs/{job_id}{action}"), 404, "NOT_FOUND")


WRITES = ("upload", "drive/import", "jobs/{}/undo", "jobs/{}/cancel", "jobs/{}/retry")
READS = ("jobs", "jobs/{}", "jobs/{}/errors")


def test_roles(job_of: Make) -> None:
    job = ran(job_of(workbook(BAD)))
    user, nobody = session_client(person("amy")), Client(raise_request_exception=False)
    for path in WRITES:
        address = f"/api/import/{path.format(job.pk)}"
        check(user.post(address), 403, "PERMISSION_DENIED")
        check(nobody.post(address), 401, "AUTH_REQUIRED")
        check(user.get(address), 405, "METHOD_NOT_ALLOWED")
    for path in READS:
        address = f"/api/import/{path.format(job.pk)}"
        assert user.get(address).status_code == 200
        check(nobody.get(address), 401, "AUTH_REQUIRED")
    check(user.get("/api/import/drive/files"), 403, "PERMISSION_DENIED")
    check(nobody.get("/api/import/drive/files"), 401, "AUTH_REQUIRED")


def test_an_admin_may_as_well(job_of: Make) -> None:
    admin = session_client(person("ada", Role.ADMIN))
    data(admin.post("/api/import/upload", form()), 202)
    job = ran(job_of())
    assert data(admin.post(f"/api/import/jobs/{job.pk}/undo"))["status"] == "undone"


def test_drive_that_is_not_configured(api: Client, settings: Any) -> None:
    settings.GOOGLE_DRIVE_FOLDER_ID = settings.GOOGLE_SERVICE_ACCOUNT_FILE = ""
    body = check(api.get("/api/import/drive/files"), 503, "UNAVAILABLE")
    assert "GOOGLE_" in body["error"]
    given = {"file_id": "abc", "job_type": "test_stock"}
    check(api.post("/api/import/drive/import", given, content_type="application/json"), 503, "UNAVAILABLE")
    for query in ("page_size=0", "page_size=201", "page_size=x"):
        assert "page_size" in check(api.get(f"/api/import/drive/files?{query}"), 400, "VALIDATION_ERROR")["fields"]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"file_id", "job_type"}),
        ({"file_id": "a b", "job_type": "test_stock"}, {"file_id"}),
        ({"file_id": "../x", "job_type": "other"}, {"file_id", "job_type"}),
        ({"file_id": "x", "job_type": "test_stock", "on_error": "no"}, {"on_error"}),
    ],
)
def test_what_drive_is_not_even_asked(api: Client, given: dict[str, Any], fields: set[str]) -> None:
    response = api.post("/api/import/drive/import", json.dumps(given), content_type="application/json")
    assert set(check(response, 400, "VALIDATION_ERROR")["fields"]) == fields


def test_the_description_is_valid(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_undone_by_a_deleted_user(api: Client, manager: User, job_of: Make) -> None:
    job = ran(job_of(user=manager))
    undo_job(job=job, user=manager)
    manager.delete()
    found = Job.objects.get(pk=job.pk)
    assert (found.created_by, found.result["undo"]["by"]) == (None, "max")
