"""JSON as it comes in: strict, and never able to break the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

from momo.rest.encoding import finite_float


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


class JSONParser(parsers.JSONParser):
    """UTF-8 JSON without NaN, infinity or nesting that exhausts the stack.

    A subclass, because for those REST framework reads the body through Django's limit on its size.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises ParseError for anything that is not JSON."""
        try:
            return json.loads(stream.read().decode("utf-8-sig"), parse_constant=_no_constant, parse_float=finite_float)
        except (ValueError, RecursionError) as error:
            raise ParseError from error
