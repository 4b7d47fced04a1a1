"""The address of the list of sales lines, filtered to those that a figure adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.urls import reverse
from django.utils.http import urlencode

from sales.figures import NAMELESS


def address_of_lines(first: date, last: date, **filters: str | Sequence[str]) -> str:
    """The list of the lines from `first` to `last`; `filters` are its parameters, and "" stands for no value."""
    asked: dict[str, str | list[str]] = {"date_from": first.isoformat(), "date_to": last.isoformat()}
    for name, value in filters.items():
        asked[name] = [one or NAMELESS for one in ([value] if isinstance(value, str) else value)]
    return f"{reverse('admin:sales_salesline_changelist')}?{urlencode(asked, doseq=True)}"
