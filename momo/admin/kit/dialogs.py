"""Dialogs that ask for confirmation of an action: unfold opens them over the page and posts their form.

GET of an action's address returns the dialog and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant

from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import PageAdmin
from momo.core.errors import ServiceError


def confirm_dialog(title: str, text: str, *, yes: str, form_class: Any = None) -> Any:
    """A dialog for unfold's `action`."""
    return {"title": title, "description": text, "form_class": form_class, "form_submit_text": yes}


def dialog_action(
    description: str,
    icon: str,
    *,
    permission: str,
    dialog: Any,
    fits: Callable[[Any], bool] | None = None,
    variant: ActionVariant = ActionVariant.DEFAULT,
    url_path: str | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Make a method an action that asks first, calls a service, and shows the outcome as a message.

    The method takes the request, the dialog's form and, if the action is of one row, the row. It returns the message of
    success, or a response of its own. Without script, the user comes back to the page of the row, or to the list where
    rows have no page of their own. The page of a row offers the action only if `fits` says so (`BaseAdmin`).

    `permission` is the middle of a method `has_…_permission`: with a dotted permission unfold's system check queries
    the database, and fails on one without tables.
    """

    def decorate(method: Callable[..., Any]) -> Any:
        @wraps(method)
        def run(model_admin: Any, request: HttpRequest, form: Any, **kwargs: Any) -> HttpResponse:
            rows = [get_object_or_404(model_admin.model, pk=pk) for pk in kwargs.values()]
            try:
                done = method(model_admin, request, form, *rows)
            except ServiceError as refusal:
                show_refusal(request, refusal)
            else:
                if isinstance(done, HttpResponse):
                    return done
                messages.success(request, done)
            name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}"
            if rows and isinstance(model_admin, PageAdmin):
                return after_dialog(request, reverse(f"{name}_change", args=[rows[0].pk]))
            return after_dialog(request, reverse(f"{name}_changelist"))

        made = action(
            run,
            description=description,
            icon=icon,
            permissions=[permission],
            dialog=dialog,
            variant=variant,
            url_path=url_path,
        )
        made.fits = fits
        return made

    return decorate


def after_dialog(request: HttpRequest, fallback: str) -> HttpResponse:
    """Redirect to the page below the dialog, with its filters; without script, to `fallback`."""
    page = request.headers.get("HX-Current-URL", "")
    safe = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return leave_dialog(request, page if safe and request.headers.get("HX-Request") else fallback)


def leave_dialog(request: HttpRequest, page: str) -> HttpResponse:
    """Redirect to another page than that below the dialog."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": page})
    return HttpResponseRedirect(page)


def dialog_link(url: str, text: str, *, icon: str = "") -> SafeString:
    """A link that opens the dialog of an action from within a page."""
    return format_html(
        '<a class="mo-link mo-nowrap" href="{0}" hx-get="{0}" hx-target="#modal-content" hx-select="#dialog" '
        'x-on:htmx:after-on-load="openModal = true">{1}{2}</a>',
        url,
        format_html('<span class="material-symbols-outlined">{}</span>', icon) if icon else "",
        text,
    )
