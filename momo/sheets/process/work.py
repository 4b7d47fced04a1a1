"""What a reading process does: one task on one file, whose result it sends in parts.

Parts are pickled, so that values keep their types; the asker loads only types of `momo.sheets` and plain values.
"""

from __future__ import annotations

import contextlib
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from momo.sheets.cells import Converted, columns_of
from momo.sheets.columns import Field
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import Limits, too_much_text
from momo.sheets.formats.text import CSV_SHEET, comma_separated
from momo.sheets.marks import Error, Group, marked_workbook
from momo.sheets.read import Report, read_rows, read_sheets, sheets_of

EXIT_MEMORY = 90
EXIT_UNHEARD = 91
COLUMN_PART = 8_192  # values
ROWS_PART = 200  # rows
SAMPLE_LENGTH = 200  # characters of a cell
FILE_PART = 256 * 1024  # bytes
PROTOCOL = 5


@dataclass(frozen=True)
class Request:
    """A task by its name in TASKS, and its bounds: bytes beyond those of the bare process, and seconds."""

    task: str
    arguments: Mapping[str, Any]
    memory: int
    seconds: float


@dataclass(frozen=True)
class End:
    """The result is complete; `peak` is the most memory that the process had, in bytes."""

    peak: int


@dataclass(frozen=True)
class Failed:
    """A fault of our own: the traceback as text."""

    traceback: str


def run(connection: Connection) -> int:
    """Read the request, do it and send the result. Returns the exit status."""
    try:
        request: Request = connection.recv()
        set_bounds(memory=request.memory, seconds=request.seconds)
        for part in TASKS[request.task](**request.arguments):
            connection.send_bytes(pickle.dumps(part, PROTOCOL))
        connection.send_bytes(pickle.dumps(End(_peak()), PROTOCOL))
    except MemoryError:
        return EXIT_MEMORY
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return EXIT_UNHEARD
    except SheetError as error:
        connection.send_bytes(_pickled(error))
    except Exception:
        connection.send_bytes(pickle.dumps(Failed(traceback.format_exc()), PROTOCOL))
    return 0


def set_bounds(*, memory: int, seconds: float) -> None:
    """Let the kernel hold the bounds, whatever native code does: allocation fails, SIGALRM ends the process.

    `memory` is counted beyond what the process has mapped now, which is its libraries.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # others do not hold RLIMIT_AS
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _peak() -> int:
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024
    return 0


def _pickled(error: SheetError) -> bytes:
    try:
        data = pickle.dumps(error, PROTOCOL)
        pickle.loads(data)  # noqa: S301 - our own; an error whose class asks for more than its text fails here
        return data
    except Exception:  # an error with details that cannot be sent is still a text
        return pickle.dumps(SheetError(str(error)), PROTOCOL)


# --- Tasks ------------------------------------------------------------------------------------------------------------


def read_tables(
    *,
    path: Path,
    name: str,
    limits: Limits,
    fields: Sequence[Field],
    aliases: Mapping[str, Sequence[str]],
    max_errors: int,
    sample: int,
    sheets: Sequence[str] = (),
    skip_hidden: bool = False,
) -> Iterator[tuple[str, Any]]:
    """The tables of `sheets`, or of the one that fits best, with at most `limits.rows` rows of data together."""
    total = 0
    for report in read_sheets(
        path, name=name, limits=limits, fields=fields, aliases=aliases, sheets=sheets, skip_hidden=skip_hidden
    ):
        total += report.total
        if total > limits.rows:
            raise SheetError(f"選的工作表共有超過 {limits.rows:,} 列；請分次匯入。")
        yield from _table(report, fields, max_errors=max_errors, sample=sample)
        report.rows.clear()  # or they would be in memory while the next sheet is read


def _table(report: Report, fields: Sequence[Field], *, max_errors: int, sample: int) -> Iterator[tuple[str, Any]]:
    """The report without its rows, the converted columns, the first `sample` rows as they are, if not long, the rest.

    The asker takes each column while the next one is converted.
    """
    yield "report", replace(report, rows=[], merged=(), lengths=None, skipped=())
    converted = Converted([], {})
    for field, column in columns_of(report, fields, converted, max_errors=max_errors):
        yield "column", field
        for values in _pieces(column, COLUMN_PART):
            yield "values", values
    for numbers in _pieces(converted.numbers, COLUMN_PART):
        yield "numbers", numbers
    shown = converted.numbers[:sample]
    yield "sample", {number: list(map(_shortened, report.rows[number - report.first_row])) for number in shown}
    yield "converted", replace(converted, numbers=[])


def _shortened(cell: Any) -> Any:
    """The cell, of a long text its start: cells of one row may hold more than a part may."""
    return cell[:SAMPLE_LENGTH] if isinstance(cell, str) else cell


def look(
    *, path: Path, name: str, limits: Limits, fields: Sequence[Field], aliases: Mapping[str, Sequence[str]]
) -> Iterator[Any]:
    """The report without its rows: whether the file can be read, and which columns it has."""
    report = read_rows(path, name=name, limits=limits, fields=fields, aliases=aliases)
    yield replace(report, rows=[], merged=(), lengths=None)


def first_sheet(*, path: Path, name: str, limits: Limits) -> Iterator[list[list[Any]]]:
    """The rows of the first visible sheet of a workbook."""
    with sheets_of(path, name=name, limits=limits) as (sheets, _):
        sheet = next(sheets, None)
        if sheet is None:
            raise SheetError("檔案裡沒有看得見的工作表")
        rows = sheet.rows()
    yield from _bounded_pieces(rows, sheet.name, limits)


def comma_separated_rows(*, path: Path, name: str, limits: Limits) -> Iterator[list[list[str]]]:
    """The rows of comma-separated text, whose delimiter is not guessed."""
    yield from _bounded_pieces(comma_separated(path, name=name, limits=limits), CSV_SHEET, limits)


def _bounded_pieces(rows: list[list[Any]], sheet: str, limits: Limits) -> Iterator[list[list[Any]]]:
    """Parts of rows as they are, up to the text that `limits` allow: the asker keeps all of it."""
    text = 0
    for part in _pieces(rows, ROWS_PART):
        text += sum(len(cell) for row in part for cell in row if isinstance(cell, str))
        if text > limits.text:
            raise too_much_text(sheet, limits)
        yield part


def mark(
    *,
    path: Path,
    name: str,
    sheet: str,
    errors: Sequence[Error],
    groups: Sequence[Group],
    note: str,
    whole_rows: int,
) -> Iterator[bytes]:
    """The workbook with its bad cells marked, in pieces."""
    with marked_workbook(
        path, name=name, sheet=sheet, errors=errors, groups=groups, note=note, whole_rows=whole_rows
    ) as made:
        while piece := made.read(FILE_PART):
            yield piece


def _pieces(values: list[Any], length: int) -> Iterator[list[Any]]:
    for start in range(0, len(values), length):
        yield values[start : start + length]


TASKS: Mapping[str, Callable[..., Iterable[Any]]] = {
    each.__name__: each for each in (read_tables, look, first_sheet, comma_separated_rows, mark)
}
