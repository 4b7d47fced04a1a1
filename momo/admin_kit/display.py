"""How prices, changes, states and times look in the admin. Red is up and green is down, as everywhere in Taiwan."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.db.models import F
from django.db.models.expressions import OrderBy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "－"
# Tones of badges; static/admin_momo/admin.css gives each its colours.
GOOD, WARN, BAD, INFO, QUIET, BRAND = "good", "warn", "bad", "info", "quiet", "brand"


def money(amount: int | None) -> str:
    """New Taiwan dollars with thousands separators."""
    return NOTHING if amount is None else f"${amount:,}"


def percent_of(old: int | None, new: int | None) -> Decimal | None:
    """Change from `old` to `new` in percent, two decimals; None where there is nothing to compare."""
    if not old or new is None:
        return None
    return round(Decimal(new - old) * 100 / old, 2)


def _coloured(sign: float | Decimal, text: str) -> SafeString:
    return format_html('<span class="mo-{}">{}</span>', "up" if sign > 0 else "down", text)


def price_change(change: int | None) -> str:
    """A change in dollars with its arrow and colour."""
    if not change:
        return NOTHING
    return _coloured(change, f"{'▲' if change > 0 else '▼'} {abs(change):,}")


def percent_change(percent: Decimal | None) -> str:
    """A change in percent with its sign and colour."""
    if not percent:
        return NOTHING
    return _coloured(percent, f"{percent:+.2f}%" if abs(percent) < 1000 else f"{percent:+,.0f}%")


def badge(text: object, tone: str = QUIET) -> SafeString:
    return format_html('<span class="mo-badge mo-badge--{}">{}</span>', tone, text)


def full_time(moment: datetime | None) -> str:
    """Taipei time to the second."""
    return NOTHING if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def when(moment: datetime | None) -> str:
    """Taipei time as short as it can be said: without the year when it is this one; all of it on hovering."""
    if moment is None:
        return NOTHING
    local = timezone.localtime(moment)
    short = f"{local:%m-%d %H:%M}" if local.year == timezone.localtime().year else f"{local:%Y-%m-%d}"
    return format_html(
        '<time class="mo-nowrap" datetime="{}" title="{}">{}</time>', local.isoformat(), full_time(moment), short
    )


def duration(span: timedelta) -> str:
    """A span of time in its two largest units."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} 秒"
    if seconds < 3600:
        return f"{seconds // 60} 分 {seconds % 60} 秒"
    if seconds < 86400:
        return f"{seconds // 3600} 時 {seconds % 3600 // 60} 分"
    return f"{seconds // 86400} 天 {seconds % 86400 // 3600} 時"


def link(url: str, text: object, *, new_tab: bool = False) -> SafeString:
    """A link; elsewhere only to http(s), so that a stored address cannot carry a script."""
    if not url.startswith(("/", "http://", "https://")):
        return format_html("{}", text)
    if new_tab:
        return format_html('<a class="mo-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, text)
    return format_html('<a class="mo-link" href="{}">{}</a>', url, text)


def picture(url: str) -> SafeString:
    """A thumbnail that is loaded when scrolled to, without telling the picture's host where it is shown."""
    if not url.startswith(("http://", "https://")):
        return format_html('<span class="mo-thumb mo-thumb--none material-symbols-outlined">{}</span>', "image")
    return format_html(
        '<img class="mo-thumb" src="{}" alt="" width="40" height="40" loading="lazy" decoding="async" '
        'referrerpolicy="no-referrer">',
        url,
    )


class EmptyLast(OrderBy):
    """An ordering that keeps rows without a value at the end in both directions, when a column heading turns it."""

    def reverse_ordering(self) -> EmptyLast:
        self.descending = not self.descending
        # Said only where it differs from PostgreSQL's own order, or the ascending index would not be recognised.
        self.nulls_last = True if self.descending else None  # type: ignore[assignment]
        return self


def empty_last(field: str) -> Any:
    return cast(Any, EmptyLast(F(field)))
