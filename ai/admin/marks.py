"""A text with its warnings marked in place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ai.checks.warnings import Severity
from momo.admin.kit.display import BAD, INFO, QUIET, WARN, badge

CHECKS = {"facts": "事實", "claims": "法規"}
SEVERITIES = {Severity.HIGH: ("高", BAD), Severity.MEDIUM: ("中", WARN), Severity.LOW: ("低", INFO)}
_ORDER = list(SEVERITIES)


def marked(text: str, warnings: Sequence[dict[str, Any]]) -> SafeString:
    """`text` with a mark around each place that warnings are about, in the colour of the worst of them.

    Places may overlap: a mark then ends where one of them does. Behind each warning stands its number, from 1.
    """
    places = [(warning["start"], min(warning["end"], len(text)), number) for number, warning in enumerate(warnings, 1)]
    cuts = sorted({0, len(text), *(at for start, end, _ in places if start < end for at in (start, end))})
    return format_html_join("", "{}", ((_part(text, begin, end, places, warnings),) for begin, end in pairwise(cuts)))


def _part(
    text: str, begin: int, end: int, places: list[tuple[int, int, int]], warnings: Sequence[dict[str, Any]]
) -> SafeString:
    around = [number for start, stop, number in places if start <= begin and end <= stop]
    if not around:
        return format_html("{}", text[begin:end])
    worst = min((warnings[number - 1]["severity"] for number in around), key=_ORDER.index)
    ended = [number for start, stop, number in places if stop == end and start <= begin]
    notes = format_html_join("", '<sup><a href="#warning-{}">{}</a></sup>', ((number, number) for number in ended))
    return format_html('<mark class="mo-mark mo-mark--{}">{}</mark>{}', worst, text[begin:end], notes)


def rows_of(warnings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Warnings for a table."""
    return [
        {
            **warning,
            "number": number,
            "check": CHECKS.get(warning["check"], warning["check"]),
            "badge": badge(*SEVERITIES.get(warning["severity"], (warning["severity"], QUIET))),
        }
        for number, warning in enumerate(warnings, 1)
    ]
