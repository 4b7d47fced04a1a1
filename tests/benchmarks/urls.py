"""The project's addresses, and one that answers with bytes from memory: the floor of every other."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import connection
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from momo.rest.permissions import PUBLIC, USER
from momo.rest.views import ApiView
from momo.urls import urlpatterns as project


class RememberedView(ApiView):
    """GET: the bytes kept under a name, through the same authentication, role and rate limit as any view."""

    roles = {"GET": USER}
    answers: ClassVar[dict[str, bytes]] = {}

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """The answer whose name is the query string."""
        return HttpResponse(self.answers[request.META["QUERY_STRING"]], content_type="application/json")


class OpenView(RememberedView):
    """The same for nobody in particular: what is left of a request without its authentication.

    It takes the connection up as every request of ours does, with or without a user, with the check that it is alive.
    """

    roles = {"GET": PUBLIC}
    authentication_classes = ()

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        with connection.cursor():
            return super().get(request, **kwargs)


class EmptyView(ApiView):
    """POST: does nothing, and answers in the envelope as every view does."""

    roles = {"POST": PUBLIC}

    def post(self, request: Request) -> Response:
        """An empty answer."""
        return self.answer()


urlpatterns = [
    *project,
    path("api/remembered", RememberedView.as_view()),
    path("api/open", OpenView.as_view()),
    path("api/empty", EmptyView.as_view()),
]
