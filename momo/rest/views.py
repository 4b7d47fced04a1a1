"""Bases of the API's views, and the two that serve its description."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.filters import BaseFilterBackend
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from momo.rest import idempotency
from momo.rest.errors import AuthRequired
from momo.rest.filters import StrictFilterBackend
from momo.rest.pagination import Pagination
from momo.rest.permissions import USER
from momo.rest.renderers import EnvelopeRenderer
from momo.rest.throttles import throttle_address


class ApiView(APIView):
    """Base of every view; what one states about itself:

    `roles`: the lowest role for each method; a method without one is refused, and `manage.py check` complains.
    `bare`: True, or the methods that answer without the envelope. `message`: of the envelope, `操作成功` by default.
    `idempotent`: POST heeds `Idempotency-Key`. `throttle_scope`: a name of DEFAULT_THROTTLE_RATES, or one a method.
    `failures`: statuses beyond the usual ones, for the schema. `allow_password_change`: open to users who must first
    change their password.
    """

    roles: ClassVar[Mapping[str, str]] = {}
    bare: ClassVar[bool | frozenset[str]] = False
    message: ClassVar[str | None] = None
    idempotent: ClassVar[bool] = False
    throttle_scope: ClassVar[str | dict[str, str] | None] = None
    failures: ClassVar[frozenset[int]] = frozenset()
    allow_password_change: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.idempotent and request.method == "POST" and idempotency.HEADER in request.headers:
            # The handler is looked up on the instance after this; the instance lives for this request only.
            first: Any = getattr(self, "post", self.http_method_not_allowed)
            setattr(self, "post", functools.partial(idempotency.replay_or_run, handler=first))  # noqa: B010

    def perform_authentication(self, request: Request) -> None:
        """Whoever guesses tokens is nobody, and counted by address."""
        try:
            super().perform_authentication(request)
        except AuthRequired:
            throttle_address(request._request, scope="default")
            raise

    def check_permissions(self, request: Request) -> None:
        """Counts first, so that what is refused counts too."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Done before the permissions."""

    def handle_exception(self, exc: Exception) -> Response:
        response: Response = super().handle_exception(exc)
        # A failure is JSON, also where successes are files or pages.
        renderer = EnvelopeRenderer()
        self.request.accepted_renderer = renderer
        self.request.accepted_media_type = renderer.media_type
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Only the `Allow` header, which every answer has; not rendered, since a page's template has nothing to say."""
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
        """A success; `message` speaks instead of the view's."""
        response = Response(data, status=status, headers=dict(headers or {}))
        response.message = message  # type: ignore[attr-defined]
        return response

    def body(self, serializer: type[BaseSerializer[Any]], **kwargs: Any) -> dict[str, Any]:
        """The request's body as `serializer` reads it. Raises ValidationError (400 with `fields`)."""
        # A body of `null` is an empty one; REST framework's own word about it is English.
        data = {} if self.request.data is None else self.request.data
        made = serializer(data=data, context={"request": self.request}, **kwargs)
        made.is_valid(raise_exception=True)
        validated: dict[str, Any] = made.validated_data
        return validated

    def query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query string as `serializer` reads it; an empty value is none.

        Raises ValidationError (400 with `fields`).
        """
        given = self.request.query_params.copy()
        for name in [name for name, value in given.items() if value == ""]:
            del given[name]
        made = serializer(data=given, context={"request": self.request})
        made.is_valid(raise_exception=True)
        validated: dict[str, Any] = made.validated_data
        return validated

    def page(self, rows: Any, serializer: type[BaseSerializer[Any]]) -> Response:
        """One page of `rows` (queryset or list), as the query string asks."""
        pagination = Pagination()
        items = pagination.paginate_queryset(rows, self.request, self)
        written = serializer(items, many=True, context={"request": self.request})
        return self.answer(pagination.body(written.data))


class GenericApiView(ApiView, GenericAPIView[Any]):
    """Base of lists and details of one model; add REST framework's mixins, or write the handlers."""

    filter_backends: Sequence[type[BaseFilterBackend]] = (StrictFilterBackend,)
    pagination_class = Pagination


class SchemaView(ApiView, SpectacularAPIView):
    """GET /api/schema: the OpenAPI description, the same for everybody, so it is made once a process."""

    roles = {"GET": USER}
    permission_classes = APIView.permission_classes
    _made: ClassVar[Response | None] = None

    def _get_schema_response(self, request: Request) -> Response:
        kept = type(self)._made
        if kept is None:
            kept = type(self)._made = super()._get_schema_response(request)
        return Response(kept.data, headers={"Content-Disposition": 'inline; filename="momo-pro.yaml"'})


class DocsView(ApiView, SpectacularSwaggerSplitView):
    """GET /api/docs: Swagger UI, all of it from this server, without inline script."""

    roles = {"GET": USER}
    permission_classes = APIView.permission_classes
    url_name = "schema"
