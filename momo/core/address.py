"""The client's address of a request, for lock-outs, throttles, login history and the audit log."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - stands for "no address"; a Unix socket has none


def _parse(text: str) -> str | None:
    """An IP address in its canonical form, without port, brackets or zone; None if `text` is not an address.

    A zone (`fe80::1%eth0`) names an interface of one machine, and PostgreSQL does not store it.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or IPv6Address(int(address))
    return str(address)


def client_address(request: HttpRequest) -> str:
    """The client's address as the outermost of our proxies saw it.

    `TRUSTED_PROXIES` is the number of our proxies that each request passes. Each proxy appends the address of its
    client to `X-Forwarded-For`, so the entry that many places from the right is the client's. Entries further left
    come from the client and are never trusted. With 0 proxies the header is ignored.
    """
    direct = _parse(request.META.get("REMOTE_ADDR") or "") or UNKNOWN
    proxies: int = settings.TRUSTED_PROXIES
    if proxies < 1:
        return direct
    forwarded = [entry for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    if not forwarded:
        return direct
    return _parse(forwarded[-min(proxies, len(forwarded))]) or direct
