"""Parts that the admin pages of accounts share: pages of secrets, errors of services, columns of tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import ApiToken
from momo.admin.kit.display import BAD, GOOD, badge, column, when
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import BaseAdmin
from momo.core.errors import Conflict


def show_secret(request: HttpRequest, model_admin: BaseAdmin, **context: str) -> HttpResponse:
    """A page with a secret that is shown once (`title`, `secret`, `text`, `back`); no cache stores it."""
    response = model_admin.own_page(request, "admin/accounts/secret.html", **context)
    response["Cache-Control"] = "no-store, private"
    return response


class ServiceErrorMessages:
    """Shows refusals of the password rules and of deletions as messages, where Django would show an error page."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)  # type: ignore[misc]
        except Conflict as refusal:
            show_refusal(request, refusal)
            return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[object_id]))


def _token_state(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return badge("已撤銷", BAD)
    return badge("有效", GOOD) if token.is_usable() else badge("已到期")


class TokenColumns:
    """Columns of a list of tokens."""

    state = column("狀態", _token_state)
    created = column("建立時間", when, of="created_at")
    expires = column("到期時間", lambda at: when(at) if at else "不會到期", of="expires_at")
    used = column("最後使用", when, of="last_used_at")
