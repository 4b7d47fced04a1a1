"""What is shown once, what a service refuses, and how a token stands."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from accounts.models import ApiToken
from momo.admin_kit.display import BAD, GOOD, QUIET, badge
from momo.rest.errors import ApiError, Conflict


def show_secret(
    request: HttpRequest, model_admin: ModelAdmin, *, title: str, secret: str, text: str, back: str
) -> HttpResponse:
    """A page with something that is shown once; no cache keeps it."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.model._meta,
        "secret": secret,
        "text": text,
        "back": back,
    }
    response = TemplateResponse(request, "admin/accounts/secret.html", context)
    response["Cache-Control"] = "no-store, private"
    return response


class SaysWhy:
    """Shows what a service refuses, where Django would show an error page."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]
        except (ApiError, ValidationError) as error:
            messages.error(request, _words(error))
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)  # type: ignore[misc]
        except Conflict as error:
            messages.error(request, _words(error))
            return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[object_id]))


def _words(error: Exception) -> str:
    return "；".join(error.messages) if isinstance(error, ValidationError) else str(error)


def token_badge(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return badge("已撤銷", BAD)
    return badge("有效", GOOD) if token.is_usable() else badge("已到期", QUIET)
