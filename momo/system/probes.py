"""/health and /metrics, which `momo.system.middleware` answers before sessions, host names and redirects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from momo.core.address import client_address
from momo.rest.encoding import dumps
from momo.system import health
from momo.system.metrics import scrape

TEXT = "text/plain; charset=utf-8"
NO_STORE = {"Cache-Control": "no-store"}


def health_page(request: HttpRequest) -> HttpResponse:
    """GET /health: `OK` while the process serves (liveness).

    `?ready=1`: the database answers and has this version's migrations (readiness, start-up). `?full=1`: database,
    broker and workers. Both answer JSON that names each check, and 503 if one fails.
    """
    if request.GET.get("full") == "1":
        checks = health.full()
    elif request.GET.get("ready") == "1":
        checks = health.ready()
    else:
        return HttpResponse("OK", content_type=TEXT, headers=NO_STORE)
    ok = all(check.ok for check in checks.values())
    body = {"status": "ok" if ok else "fail", "checks": {name: check.as_dict() for name, check in checks.items()}}
    status = 200 if ok else 503
    return HttpResponse(dumps(body), status=status, content_type="application/json", headers=NO_STORE)


def metrics_page(request: HttpRequest) -> HttpResponse:
    """GET /metrics, for METRICS_NETWORKS and for the bearer of METRICS_TOKEN."""
    if not _may_scrape(request):
        if settings.METRICS_TOKEN:
            challenge = NO_STORE | {"WWW-Authenticate": 'Bearer realm="metrics"'}
            return HttpResponse("METRICS_TOKEN is needed\n", status=401, content_type=TEXT, headers=challenge)
        text = "METRICS_NETWORKS does not contain this address\n"
        return HttpResponse(text, status=403, content_type=TEXT, headers=NO_STORE)
    return HttpResponse(scrape(), content_type=CONTENT_TYPE_LATEST, headers=NO_STORE)


def _may_scrape(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and constant_time_compare(given.strip(), token):
        return True
    address = ip_address(client_address(request))
    return any(address in network for network in settings.METRICS_NETWORKS)


def _reading(page: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """`page` for GET and HEAD, 405 for other methods."""

    def answered(request: HttpRequest) -> HttpResponse:
        return page(request) if request.method in {"GET", "HEAD"} else HttpResponseNotAllowed(["GET", "HEAD"])

    return answered


PROBES: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health": _reading(health_page),
    "/metrics": _reading(metrics_page),
}
