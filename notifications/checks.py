"""System checks of the settings of messages."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.email import check_addresses, mail_server
from notifications.channels.mail_server import MailServer, Security, tls_context


def check_email(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """notifications.E001: a setting of e-mail is wrong; W001: no server in production; W002: an open password."""
    try:
        check_addresses()
        server = mail_server()
        if server is not None and server.security is not Security.NONE:
            tls_context(settings.EMAIL_CA_FILE)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="notifications.E001")]
    if server is None:
        if settings.LOCAL:
            return []
        hint = "設定 EMAIL_URL=smtp+tls://使用者:密碼@主機"
        return [Warning("EMAIL_URL 沒有設定：郵件會留著，不會寄出", hint=hint, id="notifications.W001")]
    if server.user and server.security is Security.NONE and not _is_near(server):
        hint = "改用 smtp+tls:// 或 smtps://"
        return [Warning("EMAIL_URL 的密碼會不加密地送出", hint=hint, id="notifications.W002")]
    return []


def _is_near(server: MailServer) -> bool:
    """Whether the server is on this machine, where no network lies between."""
    try:
        return ipaddress.ip_address(server.host).is_loopback
    except ValueError:
        return server.host == "localhost"
