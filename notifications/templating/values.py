"""Values of templates as text: what an output prints, and the filters' own forms."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils import timezone

# What no text may bring into a message: control characters, halves of surrogate pairs, and the marks that turn the
# direction of everything after them. Letters that are written from the right need none of these.
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean_text(text: str) -> str:
    """`text` without characters that no message may hold; line ends as `\\n`."""
    return UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))


def one_line(text: str) -> str:
    """Line ends and runs of blanks as one space, as a subject needs it."""
    return " ".join(text.split())


def decimal(value: float) -> Decimal:
    """A number as people wrote it, without the noise of binary fractions."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def plain_number(value: float, *, places: int | None = None, thousands: bool = False) -> str:
    """Digits without an exponent and without zeros at the end; `places` rounds, halves away from zero."""
    number = decimal(value)
    if places is not None:
        number = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{number:,f}" if thousands else f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def local_datetime(value: dt.datetime) -> str:
    """In Taipei time, to the minute."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"


def as_text(value: Any) -> str:
    """What `{{ value }}` prints; nothing for no value."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "是" if value else "否"
        case int() | float():
            return plain_number(value)
        case dt.datetime():
            return local_datetime(value)
        case dt.date():
            return f"{value:%Y-%m-%d}"
    # The words `empty` and `blank`, which are only to compare with.
    return ""
