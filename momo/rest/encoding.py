"""JSON as the API writes it: UTF-8, decimals as numbers, datetimes in Taipei time with offset."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import orjson
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder


def _plain(value: Any) -> Any:
    """orjson's `default`: the JSON form of a type that JSON does not have."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return JSONEncoder().default(value)


def dumps(value: Any) -> bytes:
    """`value` as JSON in UTF-8; an `orjson.Fragment` in it is written unchanged.

    NaN and infinity become null. Raises TypeError for a type that has no JSON form.
    """
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # orjson refuses lone surrogates (an error message may quote one that a client sent) and integers beyond
        # 64 bits; escaped, both are valid JSON.
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode()
