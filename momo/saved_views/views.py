"""The CSV address of a saved view, for spreadsheets that cannot log in. Its token is all that it asks for."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from momo.admin.kit.exports import FoundList, find_list
from momo.core.errors import ServiceError
from momo.rest.errors import headers_of, status_of, to_service_error
from momo.rest.throttles import throttle, throttle_address
from momo.saved_views.lists import list_of
from momo.saved_views.services import view_of_token
from momo.sheets.write import CONTENT_TYPES


# Only read, whatever the method; without this other methods would be answered 403 instead of 405.
@method_decorator(csrf_exempt, name="dispatch")
class CsvView(View):
    """GET /views/<token>.csv: what the list shows its owner now, with the owner's permissions of now."""

    http_method_names = ["get", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            throttle_address(request, scope="default")
            return super().dispatch(request, *args, **kwargs)
        except Exception as error:
            failure = to_service_error(error)
            if failure is None:
                raise
            return _failure(failure)

    def get(self, request: HttpRequest, token: str) -> FileResponse:
        found = _found(token)
        handle = found.admin.export_file(found, "csv")
        return FileResponse(
            handle, as_attachment=True, filename=found.file_name("csv"), content_type=CONTENT_TYPES["csv"]
        )

    def head(self, request: HttpRequest, token: str) -> HttpResponse:
        _found(token)
        return HttpResponse(content_type=CONTENT_TYPES["csv"])


def _found(token: str) -> FoundList:
    view = view_of_token(token)
    throttle(scope="view", identity=f"view:{view.pk}")
    return find_list(list_of(view.model), user=view.user, query=view.query)


def _failure(failure: ServiceError) -> HttpResponse:
    """One line of text: spreadsheets show the status, browsers the reason."""
    answer = HttpResponse(failure.message, status=status_of(failure), content_type="text/plain; charset=utf-8")
    for name, value in headers_of(failure).items():
        answer[name] = value
    return answer
