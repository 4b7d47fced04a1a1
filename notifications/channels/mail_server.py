"""Reads EMAIL_URL: the mail server, how the connection to it is protected, and our login."""

from __future__ import annotations

import math
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import idna
from django.core.exceptions import ImproperlyConfigured


class Security(StrEnum):
    """How the connection is protected, by the scheme of EMAIL_URL."""

    NONE = "smtp"
    STARTTLS = "smtp+tls"
    TLS = "smtps"


PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}
FORMS = "smtp://、smtp+tls:// 或 smtps://使用者:密碼@主機:連接埠"


@dataclass(frozen=True)
class MailServer:
    """Where and how to hand mails over; `timeout` is the seconds that one step may take."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30

    @property
    def name(self) -> str:
        """The server as people know it; without login and password."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_email_url(url: str, *, timeout: float) -> MailServer:
    """Take an EMAIL_URL apart; `timeout` holds where it names none.

    Raises ImproperlyConfigured with what is wrong; its text quotes nothing of the URL, which holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong("主機或連接埠不正確；密碼裡的特殊字元要用 % 編碼") from error
    if parts.scheme not in set(Security):
        raise _wrong(f"要寫成 {FORMS}")
    if parts.fragment or "#" in url or parts.path not in {"", "/"}:
        raise _wrong("主機之後只能有連接埠與 ?timeout=；密碼裡的特殊字元要用 % 編碼")
    if not parts.hostname or port == 0:
        raise _wrong("沒有寫主機，或連接埠不正確")
    security = Security(parts.scheme)
    user, password = _decoded(parts.username), _decoded(parts.password)
    if bool(user) != bool(password):
        raise _wrong("使用者與密碼要一起寫，或都不寫")
    return MailServer(
        host=_host(parts.hostname),
        port=port or PORTS[security],
        security=security,
        user=user,
        password=password,
        timeout=_timeout(parts.query, timeout),
    )


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Verifies certificate and name; `ca_file` (PEM) takes the place of the system's authorities.

    Raises ImproperlyConfigured when the file cannot be used.
    """
    if ca_file and not Path(ca_file).is_file():
        raise ImproperlyConfigured("EMAIL_CA_FILE 指的檔案不存在")
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise ImproperlyConfigured("EMAIL_CA_FILE 不是可以讀的 PEM 憑證檔") from error


def _wrong(why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"EMAIL_URL 不正確：{why}")


def _decoded(part: str | None) -> str:
    try:
        text = unquote(part or "", errors="strict")
    except UnicodeDecodeError as error:
        raise _wrong("使用者或密碼的 % 編碼不是 UTF-8") from error
    if "\0" in text:
        raise _wrong("使用者或密碼含有不能用的字元")  # it separates the two in AUTH PLAIN
    return text


def _host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise _wrong("主機名稱不正確") from error


def _timeout(query: str, otherwise: float) -> float:
    given = parse_qsl(query, keep_blank_values=True)
    if not given:
        return otherwise
    if [name for name, _ in given] != ["timeout"]:
        raise _wrong("? 之後只能是 timeout=秒數")
    try:
        seconds = float(given[0][1])
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 600:
        raise _wrong("timeout 要是 600 以內的正數（秒）")
    return seconds
