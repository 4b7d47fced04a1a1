"""What services refuse, as messages of the admin."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from momo.core.errors import Conflict, ServiceError, ValidationFailed


def show_refusal(request: HttpRequest, refusal: ServiceError) -> None:
    """Show a service's error: as a warning where the wish did not fit, as an error where something failed."""
    show = messages.warning if isinstance(refusal, (Conflict, ValidationFailed)) else messages.error
    text = str(refusal)
    for name in filter(str.isascii, refusal.fields):  # as the API calls it
        text = text.removeprefix(f"{name}：")
    show(request, text)
