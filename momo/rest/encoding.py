"""JSON as this API writes it: UTF-8, decimals as numbers, moments in Taipei time with offset."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise


def _plain(value: Any) -> Any:
    """What the C encoder asks for a value that JSON has no word for."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, (UUID, Promise)):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, QuerySet):
        return list(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def dumps(value: Any) -> bytes:
    """`value` as JSON in UTF-8; an `orjson.Fragment` in it goes out as it is.

    NaN and infinity become null. Raises TypeError for a type without a form.
    """
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # A lone surrogate that a client sent comes back in a message: escaped it is still valid JSON. And whole numbers
        # beyond 64 bits.
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode()


def finite_float(text: str) -> float:
    """A JSON number as float; raises ValueError where it would become infinity (``1e999``)."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"number out of range: {text[:40]}")
    return value
