"""The address a request came from, decided in one place: lock-outs, throttles, login history and the audit use it."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - stands for "no address": a Unix socket has none


def _parse(text: str) -> str | None:
    """An address as text in its plain form, without port or brackets; None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def client_address(request: HttpRequest) -> str:
    """The client's address as the outermost proxy of ours saw it.

    `TRUSTED_PROXIES` says how many proxies of ours each request passes. Each appends the address it was called from to
    `X-Forwarded-For`, so the entry that many places from the right is the client's; everything left of it is what the
    client claims and is never believed. With 0 proxies the header is ignored.
    """
    direct = _parse(request.META.get("REMOTE_ADDR") or "") or UNKNOWN
    proxies: int = settings.TRUSTED_PROXIES
    if proxies < 1:
        return direct
    forwarded = [entry for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    if not forwarded:
        return direct
    return _parse(forwarded[-min(proxies, len(forwarded))]) or direct
