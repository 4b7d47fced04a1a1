"""Addresses that exist only in tests: each fails, or answers, in one way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import kombu.exceptions
import psycopg
import redis.exceptions
from django.contrib import admin
from django.core import exceptions as django_errors
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import ProtectedError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django_filters import filters as django_filters
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.urls import urlpatterns as accounts_api
from accounts.idempotency import IdempotentView
from accounts.models import LoginAttempt, User
from momo.rest import errors
from momo.rest.filters import (
    DateRangeFilterSet,
    Ordering,
    OrderingBackend,
    StrictBooleanFilter,
    StrictFilterBackend,
)
from momo.rest.parsers import MultiPartParser
from momo.rest.permissions import ADMIN, MANAGER, PUBLIC, USER
from momo.rest.views import ApiView, DocsView, GenericApiView, SchemaView


def _unique_violation() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE twice (id int PRIMARY KEY) ON COMMIT DROP")
        cursor.execute("INSERT INTO twice VALUES (1), (1)")


def _statement_timeout() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 20")
        cursor.execute("SELECT pg_sleep(5)")


def _raise(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


FAILURES: dict[str, Any] = {
    "validation": _raise(drf.ValidationError({"price": ["太小"], "rows": [{}, {"name": ["必填"]}]})),
    "django-validation": _raise(django_errors.ValidationError({"name": ["必填"]})),
    "django-validation-plain": _raise(django_errors.ValidationError("不行")),
    "ours-validation": _raise(errors.ValidationFailed(fields={"a": ["一"], "b": ["二"]})),
    "auth-failed": _raise(errors.AuthFailed()),
    "not-found": _raise(Http404("secret")),
    "ours-not-found": _raise(errors.NotFound()),
    "denied": _raise(django_errors.PermissionDenied("secret")),
    "drf-denied": _raise(drf.PermissionDenied()),
    "conflict": _raise(errors.Conflict("已經復原過了")),
    "protected": _raise(ProtectedError("secret", set())),
    "unique": _unique_violation,
    "timeout": _statement_timeout,
    "too-large": _raise(errors.PayloadTooLarge()),
    "rate": _raise(drf.Throttled(wait=7.2)),
    "crash": _raise(RuntimeError("secret text")),
    "integrity": _raise(IntegrityError("secret")),
    "upstream": _raise(errors.UpstreamError("Ollama", "請確認 OLLAMA_URL")),
    "setting": _raise(errors.Unavailable("GEMINI_API_KEY", "請先設定")),
    "database": _raise(OperationalError("connection to server at 10.0.0.1 failed: secret")),
    "database-closed": _raise(InterfaceError("connection already closed")),
    "database-pool": _raise(psycopg.OperationalError("couldn't get a connection after 10 sec")),
    "redis": _raise(redis.exceptions.ConnectionError("secret")),
    "kombu": _raise(kombu.exceptions.OperationalError("secret")),
    "suspicious": _raise(django_errors.SuspiciousOperation("secret")),
    "unwritable": lambda: object(),
}


class FailView(ApiView):
    roles = {"GET": USER}

    def get(self, request: Request, kind: str) -> Response:
        return self.answer(FAILURES[kind]())


class EchoIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)
    price = serializers.IntegerField(min_value=0)
    when = serializers.DateTimeField(required=False)
    sure = serializers.BooleanField(required=False)


class EchoView(ApiView):
    roles = {"GET": USER, "POST": USER, "PUT": MANAGER, "DELETE": ADMIN}
    message = "做好了"

    def get(self, request: Request) -> Response:
        return self.answer(
            {
                "moment": dt.datetime(2026, 1, 29, 6, 0, tzinfo=dt.UTC),
                "day": dt.date(2026, 1, 29),
                "whole": Decimal("3280.00"),
                "part": Decimal("12.5"),
                "id": UUID(int=7),
                "text": "乳霜",
            }
        )

    def post(self, request: Request) -> Response:
        return self.answer(self.body(EchoIn), status=201, message="已新增")

    def put(self, request: Request) -> Response:
        return self.answer()

    def delete(self, request: Request) -> Response:
        return self.answer()


class BareView(ApiView):
    roles = {"GET": USER, "POST": USER}
    bare = frozenset({"GET"})

    def get(self, request: Request) -> Response:
        return self.answer([1, 2])

    def post(self, request: Request) -> Response:
        return self.answer([1, 2])


class FileView(ApiView):
    roles = {"GET": USER}

    def get(self, request: Request) -> FileResponse:
        return FileResponse([b"abc"], as_attachment=True, filename="報表.txt")


class NoRoleView(ApiView):
    def get(self, request: Request) -> Response:
        return self.answer()


class OpenView(ApiView):
    roles = {"POST": PUBLIC}

    def post(self, request: Request) -> Response:
        return self.answer()


class SlowScopeView(ApiView):
    roles = {"GET": USER}
    throttle_scope = "ai"

    def get(self, request: Request) -> Response:
        return self.answer()


class StartView(IdempotentView):
    """Starts something: each run leaves one row."""

    roles = {"POST": MANAGER}

    def post(self, request: Request) -> Response:
        if request.data.get("sleep"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [request.data["sleep"]])
        made = LoginAttempt.objects.create(
            username="started", address="10.0.0.1", success=True, reason=LoginAttempt.Reason.OK
        )
        if request.data.get("fail"):
            raise errors.Conflict("不行")
        if request.data.get("answer_400"):
            return Response({}, status=400)
        if request.data.get("lost"):
            transaction.on_commit(end_connection)
        return self.answer({"run_id": made.pk}, status=202, message="已開始")


def end_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


class UploadView(IdempotentView):
    roles = {"POST": MANAGER}
    parser_classes = (MultiPartParser,)

    def post(self, request: Request) -> Response:
        return self.answer({"size": len(request.FILES["file"].read())})


class AttemptFilter(DateRangeFilterSet):
    range_field = "time"
    success = StrictBooleanFilter()
    reason = django_filters.ChoiceFilter(choices=LoginAttempt.Reason.choices)
    number = django_filters.NumberFilter(field_name="id")

    class Meta:
        model = LoginAttempt
        fields = ("success",)


class AttemptOut(serializers.ModelSerializer[LoginAttempt]):
    class Meta:
        model = LoginAttempt
        fields = ("id", "username", "user_id")


class ListView(GenericApiView):
    roles = {"GET": USER}
    bare = True
    queryset = LoginAttempt.objects.all()
    filterset_class = AttemptFilter
    filter_backends = (StrictFilterBackend, OrderingBackend)
    ordering = Ordering({"name": "username", "user": "user_id"}, default="name", order="asc", nullable=("user_id",))

    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(self.get_queryset()), AttemptOut)


class CountedListView(ListView):
    def get_total(self, queryset: Any) -> int:
        return 1000


class AuditView(ApiView):
    roles = {"POST": USER}

    def post(self, request: Request) -> Response:
        user = User.objects.get(pk=request.user.pk)
        user.display_name = "改過"
        user.save()
        return self.answer()


def plain(request: HttpRequest) -> HttpResponse:
    """A view outside of REST framework."""
    return HttpResponse("plain")


def plain_crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret text")


def plain_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("secret text")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("plain", plain),
    path("api/", include(accounts_api)),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", DocsView.as_view(), name="docs"),
    path("api/t/fail/<str:kind>", FailView.as_view()),
    path("api/t/echo", EchoView.as_view()),
    path("api/t/bare", BareView.as_view()),
    path("api/t/file", FileView.as_view()),
    path("api/t/norole", NoRoleView.as_view()),
    path("api/t/open", OpenView.as_view()),
    path("api/t/slow", SlowScopeView.as_view()),
    path("api/t/start", StartView.as_view()),
    path("api/t/upload", UploadView.as_view()),
    path("api/t/list", ListView.as_view()),
    path("api/t/counted", CountedListView.as_view()),
    path("api/t/audit", AuditView.as_view()),
    path("api/t/plain", plain),
    path("api/t/plain-crash", plain_crash),
    path("api/t/plain-database", plain_database),
]
