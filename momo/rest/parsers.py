"""Parsers of request bodies, JSON and forms with files: strict and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from momo.core.errors import ValidationFailed
from momo.core.texts import parse_json


class JSONParser(parsers.JSONParser):
    """UTF-8 JSON without NaN, infinity or nesting that exhausts the stack.

    A subclass of REST framework's parser, since only for those Django's limit on the size of a body applies.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises ParseError if the body is not JSON."""
        try:
            return parse_json(stream.read().decode("utf-8-sig"))
        except ValueError as error:
            raise ParseError from error


class _TailStream:
    """A stream that keeps the last `keep` bytes read."""

    def __init__(self, stream: IO[bytes], keep: int) -> None:
        self.stream, self.keep, self.last = stream, keep, b""

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.last = (self.last + data)[-self.keep :]
        return data


class MultiPartParser(parsers.MultiPartParser):
    """A form with files, refused if its end is missing.

    Django accepts a body that was cut off: later fields are then missing, and the last value may be half a value.
    """

    EPILOGUE = 1024  # bytes that may follow the end; clients send a line break at most

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises ParseError if the body is not a form, ValidationFailed if its end is missing."""
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        end = f"--{boundary}--".encode("ascii", "replace")
        stream_with_tail: Any = _TailStream(stream, len(end) + self.EPILOGUE)
        made = super().parse(stream_with_tail, media_type, parser_context)
        if end not in stream_with_tail.last:
            for _, files in made.files.lists():
                for file in files:
                    file.close()
            raise ValidationFailed("送出的表單不完整，請重新上傳")
        return made
