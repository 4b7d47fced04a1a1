"""Mails kept as files, where there is no server that would take them: what a developer opens instead of a mailbox."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import content_disposition_header

from momo.admin_kit.display import full_time
from momo.rest.errors import NotFound
from notifications.admin.looks import frame, plain
from notifications.channels.files import KeptMail, kept_mail, kept_mails

SHOWN = 200
LIST = "admin:notifications_outboxmessage_mails"


def are_kept() -> bool:
    """Whether mails go to files: there is no server for them."""
    return not settings.EMAIL_URL


class KeptMailPages:
    """Mixed into the outbox's admin; only for who may act on messages, since mails hold addresses and what was said."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        name = "notifications_outboxmessage"
        own = [
            path("mails/", view(self.mails_page), name=f"{name}_mails"),
            path("mails/<path:mail>/raw/", view(self.mail_file), name=f"{name}_mail_file"),
            path("mails/<path:mail>/", view(self.mail_page), name=f"{name}_mail"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def _let_in(self, request: HttpRequest) -> None:
        """Raises PermissionDenied, and Http404 where mails go to a server."""
        if not self.has_decide_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if not are_kept():
            raise Http404("有郵件伺服器的時候不留檔案")

    def mails_page(self, request: HttpRequest) -> HttpResponse:
        """The newest of them."""
        self._let_in(request)
        mails = kept_mails(SHOWN)
        context = {
            **self.admin_site.each_context(request),
            "title": "本機郵件",
            "opts": self.opts,
            "mails": [_row(mail) for mail in mails],
            "limit": SHOWN if len(mails) == SHOWN else 0,
        }
        return TemplateResponse(request, "admin/notifications/mails.html", context)

    def mail_page(self, request: HttpRequest, mail: str) -> HttpResponse:
        """One of them: what it says, to whom, and with which files."""
        self._let_in(request)
        kept = _kept(mail)
        context = {
            **self.admin_site.each_context(request),
            "title": kept.subject or "（沒有主旨）",
            "opts": self.opts,
            "facts": [
                ("收件者", kept.to),
                ("主旨", kept.subject or "（沒有主旨）"),
                ("時間", full_time(kept.time)),
                ("大小", _size(kept.size)),
                ("檔案", kept.name),
            ],
            "headers": plain(_headers(kept)),
            "html": frame(kept.html, title="電子郵件 HTML") if kept.html else "",
            "text": plain(kept.text) if kept.text else "",
            "files": [(file.name, file.content_type, _size(file.size)) for file in kept.attachments],
            "raw_url": reverse("admin:notifications_outboxmessage_mail_file", args=[kept.name]),
            "back": reverse(LIST),
        }
        return TemplateResponse(request, "admin/notifications/mail.html", context)

    def mail_file(self, request: HttpRequest, mail: str) -> HttpResponse:
        """The file itself, for a mail program."""
        self._let_in(request)
        kept = _kept(mail)
        response = HttpResponse(kept.raw, content_type="application/octet-stream")
        # A mail program opens it; a browser must not.
        disposition = content_disposition_header(as_attachment=True, filename=kept.name.rsplit("/", 1)[-1])
        response["Content-Disposition"] = disposition or "attachment"
        return response


def _kept(name: str) -> KeptMail:
    """Raises Http404."""
    try:
        return kept_mail(name)
    except NotFound as error:
        raise Http404(str(error)) from error


def _headers(mail: KeptMail) -> str:
    """As they stand in the file, up to the empty line."""
    head = mail.raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return head.decode("utf-8", "replace")


def _size(octets: int) -> str:
    return f"{octets / 1024:,.1f} KB" if octets >= 1024 else f"{octets} 位元組"


def _row(mail: KeptMail) -> dict[str, Any]:
    return {
        "time": full_time(mail.time),
        "to": mail.to,
        "subject": mail.subject or "（沒有主旨）",
        "size": _size(mail.size),
        "url": reverse("admin:notifications_outboxmessage_mail", args=[mail.name]),
    }
