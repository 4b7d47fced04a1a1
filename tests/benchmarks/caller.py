"""Requests through the whole stack of the site, as gunicorn hands them over, without a socket."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

Site = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Caller:
    """Asks the site as the owner of a token, in a browser as that of a session, or as nobody."""

    def __init__(self) -> None:
        self._site: Site = get_wsgi_application()

    def get(self, address: str, token: str = "", session: str = "") -> tuple[bytes, float]:
        """Body and milliseconds of one GET. Raises RuntimeError unless it is answered with 200."""
        path, _, query = address.partition("?")
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        if session:
            headers["HTTP_ACCEPT_ENCODING"] = "gzip"
            headers["HTTP_COOKIE"] = f"{settings.SESSION_COOKIE_NAME}={session}"
        request = RequestFactory(SERVER_NAME="localhost").get(path, **headers)
        environ = request.environ | {"QUERY_STRING": query}
        began = time.perf_counter()
        body = self.answer(environ)
        return body, 1000 * (time.perf_counter() - began)

    def answer(self, environ: dict[str, Any]) -> bytes:
        """Body of one request. Raises RuntimeError unless it is answered with 200."""
        seen: list[str] = []
        response = self._site(environ, lambda status, headers, *_: seen.append(status))
        body = b"".join(response)
        response.close()
        if not seen[0].startswith("200"):
            raise RuntimeError(f"{environ['PATH_INFO']}: {seen[0]} {body[:300]!r}")
        return body


def warm(work: Callable[[], object], times: int) -> None:
    """Do `work` some times unmeasured: imports, plans and caches of the first requests are no one's speed."""
    for _ in range(times):
        work()
    gc.collect()
