"""Headers of answers: no cache keeps those of the API, pages run only scripts from this server, secret ones none."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from momo.core.secret_paths import is_secret_path
from momo.rest.middleware import is_api_path

ADMIN = "/admin/"
# Of all answers below a secret path, failures of other middleware included: the address goes nowhere else.
SECRET_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def content_policy(path: str) -> str:
    """The Content-Security-Policy of a page.

    Alpine, on which the admin's theme is built, makes functions of the expressions in its pages, hence `unsafe-eval`
    there and nowhere else. No page has a script of its own, hence no `unsafe-inline`; styles need it, those of the
    theme, of charts and of mails in previews. Pictures of products are momo's, whose hosts change, or the demo shop's.
    """
    shop = urlsplit(settings.MOMO_SHOP_URL)
    scripts = "'self' 'unsafe-eval'" if path.startswith(ADMIN) else "'self'"
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: https: {shop.scheme}://{shop.netloc}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class HeadersMiddleware:
    """`Cache-Control` and `Vary` of the API, `Content-Security-Policy` of pages, unless the view has set its own;
    SECRET_HEADERS of secret paths."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_api_path(request.path_info):
            response.headers.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ("Cookie", "Authorization"))
        if is_secret_path(request.path_info):
            for name, value in SECRET_HEADERS.items():
                response[name] = value
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", content_policy(request.path_info))
        return response
