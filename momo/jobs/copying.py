"""Rows of a checked report in COPY's text format: many times as fast as psycopg's `write_row`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

BLOCK_ROWS = 4_000  # small, so that PostgreSQL reads one block while the next is built
# Escapes of COPY's text format. PostgreSQL has no NUL in text.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": None})


def copy_blocks(columns: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """Yield the rows of `columns` of equal length, BLOCK_ROWS at a time."""
    rows = map("\t".join, zip(*columns, strict=True))
    while block := list(islice(rows, BLOCK_ROWS)):
        # A lone surrogate, which no valid file has, becomes a question mark.
        yield ("\n".join(block) + "\n").encode("utf-8", "replace")


def copied_numbers(values: Sequence[int | None] | None, rows: int) -> Iterable[str]:
    """Integers of `rows` rows; NULL for None, and for a column that the report does not have."""
    if values is None:
        return [r"\N"] * rows
    if None in values:
        return (r"\N" if value is None else str(value) for value in values)
    return map(str, values)


def copied_cents(values: Sequence[int | None] | None, rows: int) -> Iterable[str]:
    """As `copied_numbers`, of amounts in cents for columns in dollars."""
    if values is None:
        return [r"\N"] * rows
    written: dict[int | None, str] = {value: f"{value}e-2" for value in set(values)} | {None: r"\N"}
    return map(written.__getitem__, values)


def copied_texts(values: Sequence[str | None] | None, rows: int) -> Sequence[str]:
    """Texts of `rows` rows; empty for None, and for a column that the report does not have."""
    if values is None:
        return [""] * rows
    distinct = set(values)
    # What is escaped is a backslash, or not printable.
    named: dict[str | None, str] = {
        value: value.translate(_ESCAPES)
        for value in distinct
        if value is not None and ("\\" in value or not value.isprintable())
    }
    if None in distinct:
        named[None] = ""
    if not named:
        return values  # type: ignore[return-value]
    return [named.get(value, value) for value in values]  # type: ignore[misc]
