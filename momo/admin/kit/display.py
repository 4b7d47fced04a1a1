"""Columns of admin pages, and values as HTML, for columns and, as the library `display`, for templates.

Red is up and green is down, as is usual in Taiwan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DecimalField, F, FloatField, GeneratedField, IntegerField, Model
from django.db.models.expressions import OrderBy
from django.template import Library
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from momo.core import formats
from momo.core.counting import up_to_most

NO_VALUE = "－"
# Tones of badges; static/admin_momo/admin.css gives each its colours.
GOOD, WARN, BAD, INFO, QUIET, BRAND = "good", "warn", "bad", "info", "quiet", "brand"
_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
_NUMBER_FIELDS = (IntegerField, DecimalField, FloatField)


def column(
    title: str, show: Callable[[Any], object] = str, *, of: str = "", order: Any = None, number: bool = False
) -> Any:
    """A column or read-only field of an admin page: `show` of the row or, if given, of its attribute `of`.

    Dots in `of` lead to related rows. `order` is what the heading sorts by. `number` is needed where neither `show` nor
    the model's field says that the column holds numbers, which lists align right.
    """
    value = attrgetter(of) if of else None

    @display(description=title, ordering=order)
    def shown(self: Any, obj: Any) -> object:
        return show(value(obj) if value else obj)

    shown.number, shown.of, shown.show = number or show in NUMBERS, of, show
    return shown


def holds_numbers(model: type[Model], name: str, attribute: Any) -> bool:
    """Whether a list's column holds numbers: as `column` says, or else as the model's field does."""
    if getattr(attribute, "number", False):
        return True
    field = _field(model, getattr(attribute, "of", "") or name)
    if isinstance(field, GeneratedField):
        field = field.output_field
    return isinstance(field, _NUMBER_FIELDS) and not field.choices and not field.primary_key


def _field(model: type[Model], path: str) -> Any:
    """The field that a path of attributes leads to; None if it leads elsewhere."""
    first, _, others = path.partition(".")
    try:
        field = model._meta.get_field(first)
    except FieldDoesNotExist:
        return None
    return _field(field.related_model, others) if others and isinstance(field.related_model, type) else field


def thousands(number: int) -> str:
    """A count with thousands separators."""
    return f"{number:,}"


def money(amount: formats.Number | None) -> str:
    """New Taiwan dollars with thousands separators, and with cents only if there are any."""
    return NO_VALUE if amount is None else formats.money(amount)


def difference(now: formats.Number | None, then: formats.Number | None) -> str:
    """The signed difference of two amounts or counts, without currency; NO_VALUE if either is unknown."""
    if now is None or then is None:
        return NO_VALUE
    change = formats.to_decimal(now) - formats.to_decimal(then)
    return f"{'+' if change > 0 else ''}{formats.amount(change)}"


def _coloured(sign: formats.Number, text: str) -> SafeString:
    return format_html('<span class="mo-{}">{}</span>', "up" if sign > 0 else "down", text)


def price_change(change: int | None) -> str:
    """A change in dollars with its arrow and colour."""
    if not change:
        return NO_VALUE
    return _coloured(change, f"{'▲' if change > 0 else '▼'} {formats.amount(abs(change))}")


def percent_change(percent: formats.Number | None) -> str:
    """A change in percent with its sign and colour."""
    if not percent:
        return NO_VALUE
    places = 2 if -1000 < percent < 1000 else 0
    return _coloured(percent, formats.percent(percent, places=places, fixed=True, sign=True, thousands=True))


def badge(text: object, tone: str = QUIET) -> SafeString:
    """A coloured label of a state."""
    return format_html('<span class="mo-badge mo-badge--{}">{}</span>', tone, text)


def choice_badge(tones: Mapping[Any, str], field: str = "status") -> Callable[[Any], SafeString]:
    """A function that shows the choice in a row's `field` as a badge; values without a tone are QUIET."""

    def show(row: Any) -> SafeString:
        return badge(getattr(row, f"get_{field}_display")(), tones.get(getattr(row, field), QUIET))

    return show


def active_badge(active: bool) -> SafeString:
    """Whether a row is in use, as a badge."""
    return badge("啟用", GOOD) if active else badge("停用", QUIET)


def span(css: str, text: object) -> SafeString:
    """Text with a class of our stylesheet, such as `mo-name` or `mo-wrap`."""
    return format_html('<span class="{}">{}</span>', css, text)


def nowrap(text: object) -> SafeString:
    """Text on one line."""
    return span("mo-nowrap", text)


def full_name(text: object) -> SafeString:
    """A long name, which may take two lines of a list."""
    return span("mo-name", text)


def with_sub(text: object, sub: object) -> SafeString:
    """Text, and below it a smaller one."""
    return format_html("{}{}", text, span("mo-sub", sub))


def goods(name: object, code: object) -> SafeString:
    """The name of a product over its code."""
    return format_html('<div class="mo-goods">{}</div>', with_sub(full_name(name), code))


def full_time(moment: datetime | None) -> str:
    """Taipei time to the second."""
    return NO_VALUE if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def when(moment: datetime | None) -> str:
    """Taipei time in short: month and time in this year, else the date. The full time is shown on hovering."""
    if moment is None:
        return NO_VALUE
    local = timezone.localtime(moment)
    short = f"{local:%m-%d %H:%M}" if local.year == timezone.localtime().year else f"{local:%Y-%m-%d}"
    return format_html(
        '<time class="mo-nowrap" datetime="{}" title="{}">{}</time>', local.isoformat(), full_time(moment), short
    )


def with_weekday(day: date) -> str:
    """The date with its day of the week: `2026-01-29（四）`."""
    return f"{day:%Y-%m-%d}（{'一二三四五六日'[day.weekday()]}）"


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


def took(begun: datetime | None, ended: datetime | None) -> str:
    """How long something took, or has taken so far; NO_VALUE if it has not begun."""
    return NO_VALUE if begun is None else duration((ended or timezone.now()) - begun)


def link(url: str, text: object, *, new_tab: bool = False) -> SafeString:
    """A link, to paths and http(s) only: a stored URL such as `javascript:` becomes plain text."""
    if not url.startswith(("/", "http://", "https://")):
        return format_html("{}", text)
    if new_tab:
        return format_html('<a class="mo-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, text)
    return format_html('<a class="mo-link" href="{}">{}</a>', url, text)


def page_link(model: str, pk: object, text: object) -> SafeString:
    """A link to the admin page of one row; `model` is app_model."""
    return link(reverse(f"admin:{model}_change", args=[pk]), text)


def picture(url: str) -> SafeString:
    """A thumbnail, loaded when scrolled to, without a `Referer` to the picture's host."""
    if not url.startswith(("http://", "https://")):
        return format_html('<span class="mo-thumb mo-thumb--none material-symbols-outlined">{}</span>', "image")
    return format_html(
        '<img class="mo-thumb" src="{}" alt="" width="40" height="40" loading="lazy" decoding="async" '
        'referrerpolicy="no-referrer">',
        url,
    )


def action_title(verb: str, name: str) -> str:
    """A verb and what it is about, apart where that begins with Latin letters: 新增廠商, 新增 API 權杖."""
    return f"{verb} {name}" if name[:1].isascii() else f"{verb}{name}"


def close_up(html: str) -> SafeString:
    """Escaped HTML without the single spaces between Chinese characters that templates for English put there."""
    return SafeString(_GAP.sub("", html))


def with_code(text: str) -> SafeString:
    """A text in which what stands between two ` is typed as it is."""
    parts = enumerate(text.split("`"))
    return format_html_join("", "{}", ((format_html("<code>{}</code>", one) if at % 2 else one,) for at, one in parts))


class EmptyLast(OrderBy):
    """An ordering that keeps rows without a value at the end, in both directions of a column heading."""

    def reverse_ordering(self) -> EmptyLast:
        self.descending = not self.descending
        # Stated only where it differs from PostgreSQL's default, or the planner would not use the ascending index.
        self.nulls_last = True if self.descending else None  # type: ignore[assignment]
        return self


def empty_last(field: str) -> Any:
    """`EmptyLast` over `field`, ascending."""
    return cast(Any, EmptyLast(F(field)))


# Functions whose result is a number: `column` knows that what they show is aligned right.
NUMBERS: tuple[Callable[..., object], ...] = (thousands, money, price_change, percent_change)

register = Library()
for _shown in (
    thousands,
    up_to_most,
    money,
    price_change,
    percent_change,
    full_time,
    when,
    duration,
    close_up,
    with_code,
):
    register.filter(_shown)
