"""Whatever goes wrong: status, code, envelope, request id, and nothing of ours in it.

What is decided in a view is tried on every operation. What is decided before a view, or in a parser that views share,
is tried on one operation of each kind (KINDS), with and without DEBUG; `test_every_view_is_of_a_kind` holds every view
to the code that is tried so. Which caller may use which operation is the matter of test_matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client, override_settings
from django.utils.module_loading import import_string
from rest_framework.views import APIView

from accounts.idempotency import IdempotentView
from momo.jobs.models import Job
from momo.rest.parsers import JSONParser, MultiPartParser
from momo.rest.routes import api_routes
from momo.rest.views import ApiView
from tests.contract.bodies import MULTIPART, Form, sent
from tests.contract.conftest import undone
from tests.contract.description import JSON, Operation, check_described, operations
from tests.contract.matrix import BODIES, METHODS, REPORT
from tests.contract.world import ELSEWHERE, TELEGRAM, WEBHOOK, World
from tests.rest.test_failures import _with_database_away, check

# One operation of each kind of view.
KINDS: dict[str, Operation] = {
    "list": ("GET", "/api/users"),
    "file": ("GET", "/api/export/daily_sales"),
    "JSON": ("POST", "/api/users"),
    "JSON of something": ("PUT", "/api/notification/templates/{code}"),
    "no body": ("DELETE", "/api/users/{user_id}"),
    "form": ("POST", "/api/import/upload"),
    "form of stockouts": ("POST", "/api/vendor/stockout/import"),
    "own failures": ("POST", "/api/run_task"),
}
JSON_KIND, FORM_KIND = KINDS["JSON"], KINDS["form"]
# Views that change a step before or after their handlers; each is one of KINDS.
CHANGED_STEPS = {"UploadView": {"initial"}, "StockoutImportView": {"initial"}}
# The steps of a request outside of its handler: whose they are.
STEPS: dict[str, type] = {
    **dict.fromkeys(("dispatch", "initialize_request", "finalize_response", "get_parsers"), APIView),
    "http_method_not_allowed": APIView,
    **dict.fromkeys(("get_authenticators", "get_permissions", "get_throttles", "get_exception_handler"), APIView),
    **dict.fromkeys(("initial", "perform_authentication", "check_permissions", "check_throttles"), ApiView),
    **dict.fromkeys(("handle_exception", "options"), ApiView),
}

WITH_BODY = sorted(BODIES)
FORMS = sorted(operation for operation, body in BODIES.items() if isinstance(body, Form))
# Words that only the inside knows.
INSIDE = (
    "Traceback",
    "psycopg",
    "django",
    "relation",
    "SELECT",
    "accounts_",
    "jobs_",
    "sales_",
    "googleapis",
    "sessionid",
    "127.0.0.1",
    "/momo/",
    ".py",
)

each_operation = pytest.mark.parametrize("operation", sorted(operations()), ids=" ".join)
each_kind = pytest.mark.parametrize("operation", KINDS.values(), ids=KINDS)
each_with_body = pytest.mark.parametrize("operation", WITH_BODY, ids=" ".join)
each_with_json = pytest.mark.parametrize("operation", sorted(set(WITH_BODY) - set(FORMS)), ids=" ".join)
each_form = pytest.mark.parametrize("operation", FORMS, ids=" ".join)
# Where Django itself might answer, which shows more with DEBUG.
with_and_without_debug = pytest.mark.usefixtures("debug")


@pytest.fixture(params=[False, True], ids=["", "DEBUG"])
def debug(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DEBUG = request.param


def failed(response: Any, status: int, code: str, operation: Operation | None = None) -> dict[str, Any]:
    body = check(response, status, code)
    text = response.content.decode()
    assert [word for word in INSIDE if word in text] == []
    if operation is not None:
        check_described(response, operation)
    return body


def path_of(operation: Operation, world: World) -> str:
    return operation[1].format(**world.paths(operation[1]))


def ask(client: Client, operation: Operation, world: World, **given: Any) -> Any:
    if "data" not in given:
        given |= sent(BODIES.get(operation))
    path = path_of(operation, world) + given.pop("query", "")
    given["headers"] = (TELEGRAM if operation == WEBHOOK else {}) | given.get("headers", {})
    with undone():
        return getattr(client, operation[0].lower())(path, **given)


@pytest.fixture
def admin(world: World) -> Client:
    return world.actors["admin"]["token"]


# --- Kinds of views -------------------------------------------------------------------------------------------------


def test_every_view_is_of_a_kind() -> None:
    """No view has another way to be reached, to read a body or to fail than those of KINDS."""
    views = {import_string(route.view) for route in api_routes()}
    tried = {
        import_string(route.view).__name__ for route in api_routes() if (route.method, route.path) in KINDS.values()
    }
    assert tried >= set(CHANGED_STEPS)
    for view in views:
        assert issubclass(view, ApiView)
        # A view with stored answers looks for one before its handler; nothing else differs.
        base = IdempotentView if issubclass(view, IdempotentView) else ApiView
        steps = {name: base if owner is ApiView else owner for name, owner in STEPS.items()}
        changed = {name for name, owner in steps.items() if getattr(view, name) is not getattr(owner, name)}
        assert changed == CHANGED_STEPS.get(view.__name__, set()), view
        for name in ("authentication_classes", "permission_classes", "throttle_classes"):
            assert getattr(view, name) == getattr(APIView, name), view
        assert view.parser_classes in ([JSONParser], [MultiPartParser]), view
    forms = [
        (route.method, route.path)
        for route in api_routes()
        if import_string(route.view).parser_classes == [MultiPartParser]
    ]
    assert sorted(forms) == FORMS


# --- Requests that are none -----------------------------------------------------------------------------------------


@with_and_without_debug
@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nowhere",
        "/api//products",
        "/api/products/more",
        "/api/users/x",
        "/api/users/-1",
        "/api/%",
    ],
)
def test_no_such_path(path: str, world: World, admin: Client) -> None:
    for client in (world.actors["nobody"]["nothing"], admin):
        for method in METHODS:
            if method != "HEAD":
                failed(client.generic(method, path), 404, "NOT_FOUND")


@with_and_without_debug
@each_kind
def test_nul(operation: Operation, world: World, admin: Client) -> None:
    failed(ask(admin, operation, world, query="?q=%00"), 400, "VALIDATION_ERROR", operation)


@with_and_without_debug
@each_kind
def test_another_host(operation: Operation, world: World, admin: Client) -> None:
    response = ask(admin, operation, world, headers={"Host": "evil.example"})
    failed(response, 400, "VALIDATION_ERROR", operation)


@with_and_without_debug
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"username": NaN}',
        b'{"display_name": 1e999}',
        b"[" * 100_000,
    ],
    ids=["cut", "UTF-16", "NaN", "infinite", "deep"],
)
def test_broken_bodies(body: bytes, world: World, admin: Client) -> None:
    """The parser refuses them, the same one for all operations that read JSON."""
    failed(ask(admin, JSON_KIND, world, data=body, content_type=JSON), 400, "VALIDATION_ERROR", JSON_KIND)


@each_with_json
def test_bodies_of_another_kind(operation: Operation, world: World, admin: Client) -> None:
    """JSON that is no object, and an object whose values are of other types."""
    types = (
        b'{"categories": 7, "current_password": {}, "new_password": [], "password": {}, "display_name": {}, '
        b'"title": []}'
    )
    for body in (b'"text"', b"[]", b"7", types):
        failed(ask(admin, operation, world, data=body, content_type=JSON), 400, "VALIDATION_ERROR", operation)


@each_with_body
def test_no_body(operation: Operation, world: World, admin: Client) -> None:
    response = ask(admin, operation, world, data=b"", content_type=JSON)
    if operations()[operation]["requestBody"].get("required"):
        failed(response, 400, "VALIDATION_ERROR", operation)
    else:
        assert response.status_code < 300


@with_and_without_debug
@pytest.mark.parametrize("operation", [JSON_KIND, FORM_KIND], ids=" ".join)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/mixed", "nonsense"]
)
def test_other_content_types(operation: Operation, kind: str, world: World, admin: Client) -> None:
    response = ask(admin, operation, world, data=b"username=x", content_type=kind)
    failed(response, 400, "VALIDATION_ERROR", operation)


@with_and_without_debug
def test_body_beyond_the_limit(world: World, admin: Client) -> None:
    body = b'{"display_name": "' + b"x" * django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    failed(ask(admin, JSON_KIND, world, data=body, content_type=JSON), 413, "PAYLOAD_TOO_LARGE", JSON_KIND)


EDGE = "edge-of-a-form"
PART = b'--edge-of-a-form\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
TYPE = PART % (b"job_type", b"", b"daily_sales")
END = b"--edge-of-a-form--\r\n"
FILE = PART % (b"file", b'; filename="a.csv"', REPORT)
NO_FORMS: dict[str, tuple[bytes, str]] = {
    "JSON": (b'{"job_type": "daily_sales"}', JSON),
    "no boundary": (TYPE + FILE + END, MULTIPART),
    "no sane boundary": (TYPE + FILE + END, f"{MULTIPART}; boundary={'x' * 300}"),
    "boundary that is not ASCII": (TYPE + FILE + END, f"{MULTIPART}; boundary=\xe9"),
    "another boundary": (TYPE + FILE + END, f"{MULTIPART}; boundary=other"),
    "nothing": (END, f"{MULTIPART}; boundary={EDGE}"),
    "no file": (TYPE + END, f"{MULTIPART}; boundary={EDGE}"),
    "text for a file": (TYPE + PART % (b"file", b"", b"a.csv") + END, f"{MULTIPART}; boundary={EDGE}"),
    "file without a name": (TYPE + PART % (b"file", b'; filename=""', REPORT) + END, f"{MULTIPART}; boundary={EDGE}"),
    "empty file": (TYPE + PART % (b"file", b'; filename="a.csv"', b"") + END, f"{MULTIPART}; boundary={EDGE}"),
    "no type": (FILE + END, f"{MULTIPART}; boundary={EDGE}"),
    "unknown type": (PART % (b"job_type", b"", b"x") + FILE + END, f"{MULTIPART}; boundary={EDGE}"),
    "file for a type": (
        PART % (b"job_type", b'; filename="a"', b"daily_sales") + FILE + END,
        f"{MULTIPART}; boundary={EDGE}",
    ),
    "unknown way with errors": (
        TYPE + PART % (b"on_error", b"", b"explode") + FILE + END,
        f"{MULTIPART}; boundary={EDGE}",
    ),
    "cut inside of the file": ((TYPE + FILE)[:-20], f"{MULTIPART}; boundary={EDGE}"),
    "cut before its end": (TYPE + FILE, f"{MULTIPART}; boundary={EDGE}"),
    "cut inside of its end": (TYPE + FILE + END[:-6], f"{MULTIPART}; boundary={EDGE}"),
}


# The form of stockouts has no type.
OF_TYPES = {"no type", "unknown type", "file for a type"}


@with_and_without_debug
@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (operation, kind)
        for operation in FORMS
        for kind in NO_FORMS
        if kind not in OF_TYPES or operation[1] == "/api/import/upload"
    ],
    ids=str,
)
def test_broken_forms(operation: Operation, kind: str, world: World, admin: Client) -> None:
    body, content_type = NO_FORMS[kind]
    before = Job.objects.count()
    failed(ask(admin, operation, world, data=body, content_type=content_type), 400, "VALIDATION_ERROR", operation)
    assert Job.objects.count() == before


@each_form
def test_forms_beyond_the_limits(operation: Operation, world: World, admin: Client, settings: Any) -> None:
    """A file that says so, one that only shows it when it is read, text beside it, and too many fields."""
    kind = f"{MULTIPART}; boundary={EDGE}"
    long = TYPE + PART % (b"more", b"", b"x" * (django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)) + FILE + END
    many = TYPE + PART % (b"x", b"", b"") * (django_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1) + FILE + END
    for body in (long, many):
        failed(ask(admin, operation, world, data=body, content_type=kind), 413, "PAYLOAD_TOO_LARGE", operation)
    settings.IMPORT_MAX_BYTES = len(REPORT) - 1
    refusals = []
    for more in (b"", b"x" * 100_000):
        body = TYPE + PART % (b"file", b'; filename="a.csv"', REPORT + more) + END
        response = ask(admin, operation, world, data=body, content_type=kind)
        refusals.append(failed(response, 413, "PAYLOAD_TOO_LARGE", operation)["error"])
    assert all("上限" in refusal for refusal in refusals)


# --- People who may not ---------------------------------------------------------------------------------------------


@with_and_without_debug
@each_kind
def test_not_inside(operation: Operation, world: World) -> None:
    for client in (*world.actors["nobody"].values(), *world.actors["dead"].values()):
        body = failed(ask(client, operation, world), 401, "AUTH_REQUIRED", operation)
        assert "登入" in body["error"] or "權杖" in body["error"]


@with_and_without_debug
@each_kind
def test_not_allowed(operation: Operation, world: World) -> None:
    failed(ask(world.actors["must"]["token"], operation, world), 403, "PERMISSION_DENIED", operation)
    if operations()[operation]["x-role"] != "user":
        failed(ask(world.actors["user"]["token"], operation, world), 403, "PERMISSION_DENIED", operation)
    if operation[0] != "GET":
        response = ask(world.actors["admin"]["cookie"], operation, world, headers={"Origin": ELSEWHERE})
        failed(response, 403, "PERMISSION_DENIED", operation)


@with_and_without_debug
@each_kind
def test_too_often(operation: Operation, world: World, admin: Client, settings: Any) -> None:
    rates = {"DEFAULT_THROTTLE_RATES": {"default": "1/min"}}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **rates}
    with time_machine.travel("2026-01-29T06:00:18Z", tick=False):
        assert ask(admin, operation, world).status_code < 300
        response = ask(admin, operation, world)
    failed(response, 429, "RATE_LIMITED", operation)
    assert response["Retry-After"] == "42"


# --- Faults of ours -------------------------------------------------------------------------------------------------


@with_and_without_debug
@each_kind
@pytest.mark.parametrize(("way", "table"), [("token", "accounts_apitoken"), ("cookie", "accounts_loginsession")])
def test_crash(operation: Operation, way: str, table: str, world: World) -> None:
    """A table that is missing: the database's words stay inside. By cookie it fails before any view."""
    with undone():
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
        response = ask(world.actors["admin"][way], operation, world, headers={"X-Request-ID": "from-n8n.7"})
    failed(response, 500, "SERVER_ERROR", operation)
    assert response["X-Request-ID"] == "from-n8n.7"


# What each needs before it can answer, by the beginning of its path.
TABLES = {
    "/api/ai/generate": "ai_style",
    "/api/ai/history": "ai_generation",
    "/api/ai/providers": "ai_modelprice",
    "/api/ai/usage": "ai_call",
    "/api/daily_sales": "sales_daytotal",
    "/api/export/daily_sales": "sales_dayowner",
    "/api/export/excel": "products_product",
    "/api/history": "products_product",
    "/api/import": "jobs_job",
    "/api/monthly_summary": "sales_daytotal",
    "/api/products": "products_product",
    "/api/run_task": "products_crawlrun",
    "/api/products/watches": "products_watch",
    "/api/sales/alarms": "sales_alarm",
    "/api/sales/campaigns": "sales_campaign",
    "/api/sales/notes": "sales_daynote",
    "/api/sales/targets": "sales_target",
    "/api/sales/targets/attainment": "sales_daytotal",
    "/api/sales/trend": "sales_daytotal",
    "/api/system/crawler": "products_crawlrun",
    "/api/users/login_history": "accounts_loginattempt",
}


@pytest.mark.parametrize(
    ("operation", "table"),
    [
        pytest.param(operation, TABLES[max(found, key=len)], id=" ".join(operation))
        for operation in sorted(operations())
        if (found := [beginning for beginning in TABLES if operation[1].startswith(beginning)])
    ],
)
def test_crash_of_a_view(operation: Operation, table: str, world: World, admin: Client) -> None:
    """The same where the view itself fails."""
    with undone():
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
        response = ask(admin, operation, world)
    failed(response, 500, "SERVER_ERROR", operation)


DRIVE = [operation for operation in sorted(operations()) if "/drive/" in operation[1]]
AWAY = {"GOOGLE_DRIVE_URL": "http://127.0.0.1:1", "GOOGLE_DRIVE_RETRIES": 0}
NOT_SET: dict[str, dict[str, Any]] = {
    "GOOGLE_SERVICE_ACCOUNT_FILE": {"GOOGLE_SERVICE_ACCOUNT_FILE": ""},
    "GOOGLE_DRIVE_FOLDER_ID": {"GOOGLE_DRIVE_FOLDER_ID": ""},
}


@pytest.mark.parametrize("operation", DRIVE, ids=" ".join)
def test_drive_away(operation: Operation, world: World, admin: Client) -> None:
    with override_settings(**AWAY):
        body = failed(ask(admin, operation, world), 502, "UPSTREAM_ERROR", operation)
    assert "Google 雲端硬碟" in body["error"]


@pytest.mark.parametrize("operation", DRIVE, ids=" ".join)
@pytest.mark.parametrize("setting", NOT_SET)
def test_drive_not_configured(operation: Operation, setting: str, world: World, admin: Client) -> None:
    with override_settings(**NOT_SET[setting]):
        body = failed(ask(admin, operation, world), 503, "UNAVAILABLE", operation)
    assert setting in body["error"]


def test_the_writer_of_copy_away(world: World, admin: Client) -> None:
    operation: Operation = ("POST", "/api/ai/generate")
    with override_settings(OLLAMA_URL="http://127.0.0.1:1"):
        body = failed(ask(admin, operation, world), 502, "UPSTREAM_ERROR", operation)
    assert "Ollama" in body["error"]


@with_and_without_debug
@each_kind
def test_database_away(operation: Operation, world: World) -> None:
    method, path = operation[0].lower(), path_of(operation, world)
    for client in world.actors["admin"].values():
        response = _with_database_away(
            lambda client=client: getattr(client, method)(path, **sent(BODIES.get(operation)))
        )
        assert "資料庫" in failed(response, 503, "UNAVAILABLE", operation)["error"]
        assert response["Retry-After"] == "5"


# --- Login and logout ----------------------------------------------------------------------------------------------

LOGINS: dict[str, tuple[Callable[[Client], Any], int, str]] = {
    "wrong password": (
        lambda one: one.post("/login", {"username": "admin", "password": "x"}),
        401,
        "AUTH_FAILED",
    ),
    "nobody": (lambda one: one.post("/login", {"username": "ghost", "password": "x"}), 401, "AUTH_FAILED"),
    "nothing": (lambda one: one.post("/login"), 401, "AUTH_FAILED"),
    "method": (lambda one: one.put("/login"), 405, "METHOD_NOT_ALLOWED"),
    "logout": (lambda one: one.put("/logout"), 405, "METHOD_NOT_ALLOWED"),
    "elsewhere": (lambda one: one.post("/login", headers={"Origin": ELSEWHERE}), 403, "PERMISSION_DENIED"),
    "host": (lambda one: one.post("/login", headers={"Host": "evil.example"}), 400, "VALIDATION_ERROR"),
    "database": (
        lambda one: _with_database_away(lambda: one.post("/login", {"username": "a", "password": "x"})),
        503,
        "UNAVAILABLE",
    ),
}


@with_and_without_debug
@pytest.mark.parametrize("kind", LOGINS)
def test_login_and_logout(kind: str, world: World) -> None:
    act, status, code = LOGINS[kind]
    with undone():
        failed(act(Client(raise_request_exception=False, headers={"Accept": JSON})), status, code)
