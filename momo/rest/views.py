"""Base classes of API views, and the views of the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, QueryDict
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.filters import BaseFilterBackend
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from momo.core.errors import NO_FIELD, AuthRequired, ValidationFailed
from momo.rest.errors import flatten
from momo.rest.filters import StrictFilterBackend
from momo.rest.pagination import Pagination
from momo.rest.permissions import USER
from momo.rest.renderers import EnvelopeRenderer
from momo.rest.serializers import wrong_types
from momo.rest.throttles import throttle_address


class ApiView(APIView):
    """Base of every view. Its class attributes:

    `roles`: the lowest role for each method; a method without a role is refused and fails `manage.py check`.
    `bare`: True, or the methods that answer without the envelope. `message`: of the envelope, `操作成功` by default.
    `idempotent`: set by `accounts.idempotency`. `throttle_scope`: a name in DEFAULT_THROTTLE_RATES, or one a method.
    `failures`: further statuses for the schema. `allow_password_change`: open to users who must change their password.
    """

    roles: ClassVar[Mapping[str, str]] = {}
    bare: ClassVar[bool | frozenset[str]] = False
    message: ClassVar[str | None] = None
    idempotent: ClassVar[bool] = False
    throttle_scope: ClassVar[str | dict[str, str] | None] = None
    failures: ClassVar[frozenset[int]] = frozenset()
    allow_password_change: ClassVar[bool] = False

    def perform_authentication(self, request: Request) -> None:
        """A request with an invalid token has no user, so it counts by address."""
        try:
            super().perform_authentication(request)
        except AuthRequired:
            throttle_address(request._request, scope="default")
            raise

    def check_permissions(self, request: Request) -> None:
        """Throttles first, so that refused requests count too."""
        if self.is_counted(request):
            super().check_throttles(request)
        super().check_permissions(request)

    def is_counted(self, request: Request) -> bool:
        """Whether rate limits count the request."""
        return True

    def check_throttles(self, request: Request) -> None:
        """Done in `check_permissions`."""

    def handle_exception(self, exc: Exception) -> Response:
        response: Response = super().handle_exception(exc)
        # A failure is JSON, also for a view that answers files or pages.
        renderer = EnvelopeRenderer()
        self.request.accepted_renderer = renderer
        self.request.accepted_media_type = renderer.media_type
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Only the `Allow` header, which every answer has; no body to render."""
        response = HttpResponse(status=204)
        del response["Content-Type"]
        return response

    def answer(
        self,
        data: Any = None,
        *,
        message: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A successful response; `message` replaces the view's."""
        response = Response(data, status=status, headers=dict(headers or {}))
        response.message = message  # type: ignore[attr-defined]
        return response

    def body(self, serializer: type[BaseSerializer[Any]], **kwargs: Any) -> dict[str, Any]:
        """The request's body, validated by `serializer`. Raises ValidationError (400 with `fields`).

        JSON has to be an object with values of the types that the schema describes.
        """
        data = self.request.data
        if data is None:
            # REST framework's own message is English.
            raise ValidationFailed(fields={NO_FIELD: ["請送出 JSON 物件，不可以是 null"]})
        made = serializer(data=data, context={"request": self.request}, **kwargs)
        wrong = {} if isinstance(data, QueryDict) else {name: [text] for name, text in wrong_types(made, data)}
        if not made.is_valid() or wrong:
            raise ValidationFailed(fields={**flatten(made.errors), **wrong})
        validated: dict[str, Any] = made.validated_data
        return validated

    def query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query string, validated as `body` is; an empty value counts as missing."""
        given = self.request.query_params.copy()
        for name in [name for name, value in given.items() if value == ""]:
            del given[name]
        made = serializer(data=given, context={"request": self.request})
        made.is_valid(raise_exception=True)
        validated: dict[str, Any] = made.validated_data
        return validated

    def page(self, rows: Any, serializer: type[BaseSerializer[Any]]) -> Response:
        """The page of `rows` (queryset or list) that the query string names."""
        pagination = Pagination()
        items = pagination.paginate_queryset(rows, self.request, self)
        written = serializer(items, many=True, context={"request": self.request})
        return self.answer(pagination.body(written.data))


class GenericApiView(ApiView, GenericAPIView[Any]):
    """Base of list and detail views of one model; add REST framework's mixins, or write the handlers."""

    filter_backends: Sequence[type[BaseFilterBackend]] = (StrictFilterBackend,)
    pagination_class = Pagination


class SchemaView(ApiView, SpectacularAPIView):
    """GET /api/schema. The same for every user, so each process generates it once."""

    roles = {"GET": USER}
    permission_classes = APIView.permission_classes
    _generated: ClassVar[Response | None] = None

    def _get_schema_response(self, request: Request) -> Response:
        cached = type(self)._generated
        if cached is None:
            hooks: Any = super()  # without annotations
            cached = type(self)._generated = hooks._get_schema_response(request)
        return Response(cached.data, headers={"Content-Disposition": 'inline; filename="momo-pro.yaml"'})


class DocsView(ApiView, SpectacularSwaggerSplitView):
    """GET /api/docs. Swagger UI, all of it from this server, without inline script."""

    roles = {"GET": USER}
    permission_classes = APIView.permission_classes
    url_name = "schema"
