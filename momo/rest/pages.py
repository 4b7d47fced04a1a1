"""Error pages of what no view has handled."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error as fault

from momo.core.errors import Unavailable
from momo.rest.errors import headers_of, status_of, to_service_error


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: 503 while the database or Redis is away, else 500."""
    error = sys.exc_info()[1]
    failure = to_service_error(error) if error is not None else None
    if not isinstance(failure, Unavailable):
        return fault(request)
    # Without the request: context processors would read the session, and with it the database.
    page = loader.render_to_string("503.html", {"failure": failure})
    return HttpResponse(page, status=status_of(failure), headers=headers_of(failure))
