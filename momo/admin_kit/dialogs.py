"""Questions before something is done: unfold opens them over the page and posts the answer, with its CSRF token.

The address of an action never acts on GET; it only asks.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString


def question(title: str, text: str, *, yes: str, form_class: Any = None) -> Any:
    """A dialog for unfold's `action`."""
    return {"title": title, "description": text, "form_class": form_class, "form_submit_text": yes}


def after_dialog(request: HttpRequest, fallback: str) -> HttpResponse:
    """Back to the page that the dialog stood on, with its filters; without script, to `fallback`."""
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(fallback)
    page = request.headers.get("HX-Current-URL", "")
    safe = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return HttpResponse(headers={"HX-Redirect": page if safe else fallback})


def dialog_link(url: str, text: str, *, icon: str = "") -> SafeString:
    """A link that opens the dialog of an action from within a page."""
    return format_html(
        '<a class="mo-link mo-nowrap" href="{0}" hx-get="{0}" hx-target="#modal-content" hx-select="#dialog" '
        'x-on:htmx:after-on-load="openModal = true">{1}{2}</a>',
        url,
        format_html('<span class="material-symbols-outlined">{}</span>', icon) if icon else "",
        text,
    )
