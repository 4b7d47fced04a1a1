"""Bodies as they come in, JSON and forms with files: strict, and never able to break the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from momo.rest.encoding import finite_float
from momo.rest.errors import ValidationFailed


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


class _Remembering:
    """A stream that knows its last bytes."""

    def __init__(self, stream: IO[bytes], keep: int) -> None:
        self.stream, self.keep, self.last = stream, keep, b""

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.last = (self.last + data)[-self.keep :]
        return data


class MultiPartParser(parsers.MultiPartParser):
    """A form with files, to its very end.

    Django takes what came of a body that was cut off for the whole: what follows the cut is missing, or half a value.
    """

    EPILOGUE = 1024  # what may follow the end; clients send a line break at most

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises ParseError for what is no form, ValidationFailed for one without its end."""
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        end = f"--{boundary}--".encode("ascii", "replace")
        remembering: Any = _Remembering(stream, len(end) + self.EPILOGUE)
        made = super().parse(remembering, media_type, parser_context)
        if end not in remembering.last:
            for _, files in made.files.lists():
                for file in files:
                    file.close()
            raise ValidationFailed("送出的表單不完整，請重新上傳")
        return made
