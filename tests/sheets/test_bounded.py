"""Files are read in processes of their own: what such a process may take, and what its end does to others."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from momo.sheets import bounded
from momo.sheets.bounded import Bounds, Reading
from momo.sheets.errors import DuplicateColumn, SheetError
from momo.sheets.formats.base import MEBIBYTE, Limits
from momo.sheets.process import pool as asking
from momo.sheets.process.pool import Pool, ReadingFailed
from momo.sheets.process.work import ROWS_PART, _pickled
from tests.kit.processes import ROOT, wait_until
from tests.sheets import files
from tests.sheets.cases import EXPECTED, FIELDS, HEADER, NAMES, TABLE
from tests.sheets.test_edges import _ods

LIMITS = Limits(
    bytes=50 * MEBIBYTE,
    unpacked_bytes=600 * MEBIBYTE,
    rows=30_000,
    columns=200,
    cells=120_000,
    text=32 * MEBIBYTE,
)
BOUNDS = Bounds(memory_mib=256, seconds=20)
NAME = "銷售.xlsx"
DIED = "2 次都意外結束"


@pytest.fixture
def own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A server for this test alone."""
    pool = Pool()
    monkeypatch.setattr(bounded, "pool", pool)
    yield pool
    pool.close()


def read(path: Path, data: bytes | None = None, *, bounds: Bounds = BOUNDS, **more: Any) -> Reading:
    if data is not None:
        path.write_bytes(data)
    given: dict[str, Any] = {"limits": LIMITS, "fields": FIELDS, "aliases": {}, "max_errors": 100, **more}
    (reading,) = bounded.read_tables(path, name=NAME, bounds=bounds, **given)
    return reading


def rows_of(reading: Reading) -> list[tuple[Any, ...]]:
    return list(zip(*(reading.converted.columns[name] for name in NAMES), strict=True))


def server_of(pool: Pool) -> psutil.Process:
    assert pool._process is not None
    return psutil.Process(pool._process.pid)


class Blocked(threading.Thread):
    """Reads a pipe to which nobody writes, so that its process stands in the middle of reading."""

    def __init__(self, folder: Path, pool: Pool, **more: Any) -> None:
        super().__init__(daemon=True)
        self.path, self.pool, self.more = folder / "pipe", pool, more
        self.result: Reading | Exception | None = None
        os.mkfifo(self.path)
        self.start()

    def run(self) -> None:
        try:
            self.result = read(self.path, **self.more)
        except Exception as error:
            self.result = error

    def reader(self, *, but: int = 0) -> psutil.Process:
        """The process that reads, which is not `but`."""
        readers: list[psutil.Process] = []

        def found() -> list[psutil.Process]:
            if self.pool._process is not None:  # the server may just be replaced
                readers[:] = [each for each in server_of(self.pool).children() if each.pid != but]
            return readers

        wait_until(found, "a reading process")
        return readers[0]


# --- What is read ----------------------------------------------------------------------------------------------------


def test_a_table_is_what_it_is_without_a_process(tmp_path: Path) -> None:
    rows = [*TABLE, ("2025/11/24", "A3", "x", "三", 1)] + [("2025/11/24", f"B{n}", "y", 1, n) for n in range(20_000)]
    reading = read(tmp_path / "a.xlsx", files.csv(rows), sample=3)
    assert rows_of(reading)[:2] == list(EXPECTED)
    assert rows_of(reading)[-1][1:] == ("B19999", "y", 1, 1_999_900)
    assert (reading.report.rows, reading.report.total, len(reading.converted.numbers)) == ([], 20_003, 20_003)
    assert reading.sample[4] == ["2025/11/24", "A3", "x", "三", "1"]
    assert [error[:3] for error in reading.converted.errors] == [(2, "quantity", "三")]
    # Equal values are one object again, as in the process that read them.
    assert reading.converted.columns["product_name"][3] is reading.converted.columns["product_name"][-1]


def test_several_sheets_are_read_in_one_process(
    tmp_path: Path, own_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the bounds of a file are those of all its sheets, in the order in which they are asked for."""
    started: list[Any] = []
    ask = own_pool._ask
    monkeypatch.setattr(own_pool, "_ask", lambda: started.append(ask()) or started[-1])
    path = tmp_path / "a.xlsx"
    path.write_bytes(files.edited(files.xlsx(TABLE, sheet="一"), second_sheet))

    def sheets(**more: Any) -> list[Reading]:
        given: dict[str, Any] = {"fields": FIELDS, "aliases": {}, "max_errors": 1, "bounds": BOUNDS}
        limits = replace(LIMITS, rows=more.pop("rows", 100))
        return bounded.read_tables(path, name=NAME, limits=limits, sheets=["二", "一"], **given)

    found = sheets()
    assert [reading.report.sheet for reading in found] == ["二", "一"]
    assert [rows_of(reading) for reading in found] == [list(EXPECTED)[:1], list(EXPECTED)]
    assert len(started) == 1
    with pytest.raises(SheetError, match="共有超過 2 列"):
        sheets(rows=2)


def second_sheet(book: Any) -> None:
    """A sheet with the first of the rows."""
    page = book.create_sheet("二")
    for row in TABLE[:2]:
        page.append(row)


def test_long_texts_of_the_first_rows_are_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a column that is not read have no bound of their own, and a part has one."""
    monkeypatch.setattr(asking, "MAX_PART", 50_000)
    rows = [(*HEADER, "備註"), *[(*row, "長" * 20_000) for row in TABLE[1:]]]
    reading = read(tmp_path / "a.xlsx", files.csv(rows), sample=2)
    assert [len(cells[-1]) for cells in reading.sample.values()] == [200, 200]


def test_an_error_keeps_its_kind(tmp_path: Path) -> None:
    with pytest.raises(DuplicateColumn, match="2 個「品號」欄"):
        read(tmp_path / "a.xlsx", files.csv([(*HEADER, "品號"), (*TABLE[1], "A1")]))


def test_an_error_that_cannot_be_sent_is_still_a_text() -> None:
    class Detailed(SheetError):
        def __init__(self, text: str, details: object) -> None:
            super().__init__(text)
            self.details = details

    sent = pickle.loads(_pickled(Detailed("壞了", object())))
    assert (type(sent), str(sent)) == (SheetError, "壞了")


def test_a_fault_of_our_own_is_no_fault_of_the_file() -> None:
    with pytest.raises(ReadingFailed, match="KeyError: 'nothing'"):
        asking.pool.read("nothing", {}, name=NAME, bounds=BOUNDS, collect=list)


def test_a_small_file_is_read_at_once(tmp_path: Path) -> None:
    """A preview takes 300 ms of processor time at most, whatever processes it needs."""
    path = tmp_path / "a.xlsx"
    read(path, files.xlsx(TABLE))
    before = spent()
    for _ in range(5):
        read(path)
    assert spent() - before < 5 * 0.3


def spent() -> float:
    """Seconds of CPU of this process, of the server, and of the reading processes that have ended."""
    return time.process_time() + sum(server_of(asking.pool).cpu_times()[:4])


# --- Memory and time --------------------------------------------------------------------------------------------------


def long_shared_string(*, rows: int = 3_000, length: int = 20_000) -> bytes:
    """A string that is stored once and shown in every row."""

    def change(name: str, part: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return part
        part = part.replace(b't="inlineStr"><is><t>ZZ</t></is>', b't="s"><v>0</v>')
        start, end = part.index(b'<row r="2"'), part.index(b"</sheetData>")
        return part[:end] + b"".join(_renumbered(part[start:end], row) for row in range(3, rows + 2)) + part[end:]

    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings = f'<sst xmlns="{space}"><si><t>{"長" * length}</t></si></sst>'
    book = files.xlsx([HEADER, ("2025/11/22", "A1", "ZZ", 1, 10)])
    return files.rezipped(book, change, {"xl/sharedStrings.xml": strings.encode()})


def _renumbered(row: bytes, number: int) -> bytes:
    row = row.replace(b'<row r="2"', b'<row r="%d"' % number)
    for column in b"ABCDE":
        row = row.replace(b'r="%c2"' % column, b'r="%c%d"' % (column, number))
    return row


def spans(*, cells: int = 12_000) -> bytes:
    return files.html(TABLE, above=f"<table><tr>{'<td rowspan=1000 colspan=1000>x' * cells}</table>")


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "spans in one row of HTML": (spans, "最多能匯入 200 欄"),
    "spans in many rows of HTML": (
        lambda: files.html(TABLE, above=f"<table>{'<tr><td colspan=100>x' * 12_000}</table>"),
        "太大了",
    ),
    "a long string in many cells of .xlsx": (lambda: long_shared_string(), "文字加起來超過 32 MB"),
    "a long text in repeated cells of .ods": (lambda: _ods(REPEATED), "文字加起來超過 32 MB"),
    "many small tables": (lambda: b"<table><tr><td>a</table>" * 200_000, "超過 1,000 個工作表或表格"),
    "tables in tables": (lambda: b"<table><tr><td>" * 200_000, "只讀得到一部分"),
    "cells of many tables": (lambda: (b"<table>" + b"<tr><td>x" * 5_000 + b"</table>") * 25, "太大了"),
    "a wide .csv": (lambda: (b"34," * 199 + b"5\n") * 2_000, "太大了"),
    "one wide row of .csv": (lambda: b"1\n" * 20_000 + b"," * 100 + b"2\n", "太大了"),
    "empty rows of HTML": (lambda: b"<table>" + b"<tr>" * 100_000, "最多能匯入 30,000 列"),
}
REPEATED = (
    '<table:table-cell table:number-columns-repeated="150" office:value-type="string">'
    f"<text:p>{'長' * 100_000}</text:p></table:table-cell>"
)


@pytest.mark.parametrize("bomb", BOMBS)
def test_cells_and_characters_are_counted_while_they_are_read(bomb: str, tmp_path: Path, own_pool: Pool) -> None:
    """The bound that the kernel holds is not even needed: a sentence comes from a process of small memory."""
    make, words = BOMBS[bomb]
    path = tmp_path / "a.bin"
    path.write_bytes(make())
    before = psutil.Process().memory_info().rss
    with pytest.raises(SheetError, match=words):
        read(path, bounds=replace(BOUNDS, memory_mib=160))
    assert psutil.Process().memory_info().rss - before < 16 * MEBIBYTE


def test_a_page_takes_less_memory_than_its_tree(tmp_path: Path) -> None:
    """100,000 cells: 30 MiB as a tree."""
    line = ("2025/11/22", "A1", "x", 1, 10, *["7"] * 15)
    data = files.html([(*HEADER, *[f"x{number}" for number in range(15)]), *[line] * 5_000])
    assert read(tmp_path / "a.xls", data, bounds=replace(BOUNDS, memory_mib=24)).report.total == 5_000


@pytest.mark.parametrize(
    "page", [f"<table><tr><td>{'x' * 11_000_000}<tr><td>b</table>", f"{'<div>' * 400}<table><tr><td>b"]
)
def test_a_long_text_or_many_levels_do_not_cut_a_page(page: str, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(page)
    assert bounded.first_sheet(path, name=NAME, limits=LIMITS, bounds=BOUNDS)[-1] == ["b"]


def test_a_file_beyond_the_memory_is_refused(tmp_path: Path) -> None:
    """By native code, which aborts, and by Python; the next file is read."""
    path = tmp_path / "a.xlsx"
    few = replace(BOUNDS, memory_mib=64)
    for data in (long_shared_string(), "長,短\n".encode() * 4_000_000):
        with pytest.raises(SheetError, match="記憶體超過 64 MB 的上限"):
            read(path, data, bounds=few, limits=replace(LIMITS, text=1 << 40))
    assert rows_of(read(path, files.xlsx(TABLE), bounds=few)) == list(EXPECTED)


@pytest.mark.parametrize("comma_separated", [True, False])
def test_rows_as_they_are_are_bounded_by_their_text(comma_separated: bool, tmp_path: Path) -> None:
    """The import pages of the admin keep all rows in the web process."""
    rows = [[f"{number}" + "x" * 10_000] for number in range(100)]
    path = tmp_path / "a.bin"
    path.write_bytes(files.csv(rows) if comma_separated else files.xlsx(rows))
    few = replace(LIMITS, text=MEBIBYTE // 2)
    with pytest.raises(SheetError, match="文字加起來超過"):
        bounded.first_sheet(path, name=NAME, limits=few, comma_separated=comma_separated, bounds=BOUNDS)


def _long_ods() -> bytes:
    text = random.Random(1).randbytes(3_000_000).hex()
    return _ods(f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>')


def _long_xml() -> bytes:
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    cell = f'<Cell><Data ss:Type="String">{"x" * 8_000_000}</Data></Cell>'
    table = f'<Worksheet ss:Name="S"><Table><Row>{cell}</Row></Table></Worksheet>'
    return f'<?xml version="1.0"?><Workbook xmlns="{space}" xmlns:ss="{space}">{table}</Workbook>'.encode()


def _long_html() -> bytes:
    return files.html([HEADER, *[("2025/11/22", f"{row}" + "x" * 25, "x", 1, 10) for row in range(23_900)]])


@pytest.mark.parametrize(
    ("make", "memory_mib"),
    [(_long_ods, 8), (_long_ods, 16), (_long_ods, 20), (_long_xml, 8), (_long_html, 12), (_long_html, 14)],
)
def test_a_library_that_lacks_memory_calls_no_file_damaged(
    make: Callable[[], bytes], memory_mib: int, tmp_path: Path
) -> None:
    """It may be any allocation that fails."""
    with pytest.raises(SheetError, match=f"記憶體超過 {memory_mib} MB 的上限"):
        read(tmp_path / "a.bin", make(), bounds=replace(BOUNDS, memory_mib=memory_mib))


def test_reading_ends_at_its_deadline(tmp_path: Path, own_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the kernel: the asker alone would wait longer than this test."""
    monkeypatch.setattr(asking, "GRACE", 300.0)
    blocked = Blocked(tmp_path, own_pool, bounds=replace(BOUNDS, seconds=0.3))
    blocked.join(60)
    assert "超過 0.3 秒還沒完成" in str(blocked.result)
    wait_until(lambda: not server_of(own_pool).children(), "the process's end")


def test_a_long_result_is_not_kept(tmp_path: Path) -> None:
    """The asker holds to the bounds too, whatever its process sends."""
    rows = [HEADER, *[("2025/11/22", f"A{n}", f"{n:06}" * 30, 1, 10) for n in range(10_000)]]
    with pytest.raises(SheetError, match="記憶體超過 2 MB 的上限"):
        asking.pool.read(
            "read_tables",
            {
                **bounded._arguments(_saved(tmp_path, files.csv(rows)), NAME, LIMITS),
                "fields": FIELDS,
                "aliases": {},
                "max_errors": 1,
                "sample": 0,
            },
            name=NAME,
            bounds=Bounds(memory_mib=2, seconds=20),
            collect=bounded._readings,
        )


def _saved(folder: Path, data: bytes) -> Path:
    path = folder / "a.csv"
    path.write_bytes(data)
    return path


# --- Deaths -----------------------------------------------------------------------------------------------------------


def test_a_process_that_is_killed_is_replaced(tmp_path: Path, own_pool: Pool) -> None:
    blocked = Blocked(tmp_path, own_pool)
    reader = blocked.reader()
    _saved(tmp_path, files.csv(TABLE)).replace(blocked.path)
    reader.kill()
    blocked.join(60)
    assert isinstance(blocked.result, Reading)
    assert rows_of(blocked.result) == list(EXPECTED)


def test_a_file_that_kills_its_process_twice_is_refused(tmp_path: Path, own_pool: Pool) -> None:
    blocked = Blocked(tmp_path, own_pool)
    first = blocked.reader().pid
    os.kill(first, signal.SIGKILL)
    os.kill(blocked.reader(but=first).pid, signal.SIGKILL)
    blocked.join(60)
    assert isinstance(blocked.result, SheetError)
    assert DIED in str(blocked.result)
    assert rows_of(read(tmp_path / "a.xlsx", files.xlsx(TABLE))) == list(EXPECTED)


def test_a_server_that_is_killed_takes_its_processes_along_and_is_replaced(tmp_path: Path, own_pool: Pool) -> None:
    blocked = Blocked(tmp_path, own_pool)
    reader, server = blocked.reader(), server_of(own_pool)
    server.kill()
    wait_until(lambda: not _lives(reader), "the process's end")
    wait_until(lambda: own_pool._process is not None and own_pool._process.pid != server.pid, "another server")
    os.kill(blocked.reader(but=reader.pid).pid, signal.SIGKILL)
    blocked.join(60)
    assert rows_of(read(tmp_path / "a.xlsx", files.xlsx(TABLE))) == list(EXPECTED)


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


ASKER = """
import sys
from pathlib import Path
from momo.sheets import bounded
from momo.sheets.formats.base import Limits
print("ready", flush=True)
bounded.first_sheet(Path(sys.argv[1]), name="a", limits=Limits(1 << 20, 1 << 20, 10, 10), bounds=bounded.Bounds(64, 60))
"""


def test_nothing_outlives_its_asker(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    pipe_xlsx = tmp_path / "a.xlsx"
    pipe_xlsx.write_bytes(files.xlsx(TABLE))
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-c", ASKER, str(pipe)], cwd=ROOT, stdout=subprocess.PIPE) as asker:
        assert asker.stdout is not None
        asker.stdout.readline()
        known = psutil.Process(asker.pid)
        wait_until(lambda: len(known.children(recursive=True)) == 2, "a server and a reading process")
        started = known.children(recursive=True)
        asker.kill()
    wait_until(lambda: not any(map(_lives, started)), "the end of both")


def test_an_asker_that_gives_up_ends_its_process(tmp_path: Path, own_pool: Pool) -> None:
    """What is not fetched is not sent: the process waits with its next part, until nobody is there to take it."""
    rows = [[str(number), "x" * 100] for number in range(20_000)]
    arguments = bounded._arguments(_saved(tmp_path, files.csv(rows)), NAME, LIMITS)

    def collect(parts: Iterator[list[Any]]) -> None:
        assert len(next(parts)) == ROWS_PART
        (reader,) = server_of(own_pool).children()
        wait_until(lambda: reader.status() == psutil.STATUS_SLEEPING, "a process that waits")
        raise KeyError("the asker's own")

    with pytest.raises(KeyError):
        own_pool.read("comma_separated_rows", arguments, name=NAME, bounds=BOUNDS, collect=collect)
    wait_until(lambda: not server_of(own_pool).children(), "the process's end")


def test_no_descriptor_and_no_process_is_left(tmp_path: Path, own_pool: Pool) -> None:
    own = psutil.Process()
    path = tmp_path / "a.xlsx"
    read(path, files.xlsx(TABLE))
    server = server_of(own_pool)
    wait_until(lambda: not server.children(), "the process's end")
    before = own.num_fds(), server.num_fds()
    for data in (files.xlsx(TABLE), b"%PDF-1.7", spans()) * 5:
        with contextlib.suppress(SheetError):
            read(path, data)
    wait_until(lambda: not server.children(), "the processes' end")
    assert (own.num_fds(), server.num_fds()) == before
    assert [each for each in own.children(recursive=True) if each.status() == psutil.STATUS_ZOMBIE] == []
    own_pool.close()
    assert not _lives(server)


def test_a_forked_process_has_a_server_of_its_own(tmp_path: Path, own_pool: Pool) -> None:
    """As a worker of Celery, which forks before it reads files."""
    path = tmp_path / "a.xlsx"
    read(path, files.xlsx(TABLE))
    pid = os.fork()
    if not pid:
        code = 1
        try:
            code = 0 if rows_of(read(path)) == list(EXPECTED) else 2
            own_pool.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert rows_of(read(path)) == list(EXPECTED)


def test_only_so_many_files_are_read_at_a_time(tmp_path: Path, own_pool: Pool) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    blocked = [Blocked(folder, own_pool) for folder in folders]
    wait_until(lambda: own_pool._process and len(server_of(own_pool).children()) == asking.AT_ONCE, "two processes")
    with pytest.raises(SheetError, match="正忙著讀取其他檔案"):
        read(tmp_path / "a.xlsx", files.xlsx(TABLE), bounds=replace(BOUNDS, seconds=0.2))
    for thread in blocked:
        thread.path.write_bytes(b"")  # what they wait for; it is no file
        thread.join(60)
    assert rows_of(read(tmp_path / "a.xlsx")) == list(EXPECTED)


# --- Trust -----------------------------------------------------------------------------------------------------------


def test_a_part_is_only_what_a_sheet_has() -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, ("true",)

    with pytest.raises(pickle.UnpicklingError, match="system"):
        asking._Unpickler(io.BytesIO(pickle.dumps(Evil()))).load()
    with pytest.raises(pickle.UnpicklingError):
        asking._Unpickler(io.BytesIO(b"\x80\x04cmomo.sheets.process.pool\nsubprocess.Popen\n.")).load()


def test_a_reading_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch, own_pool: Pool) -> None:
    monkeypatch.setenv("SECRET_KEY", "secret")
    own_pool.warm()
    wait_until(lambda: server_of(own_pool).environ(), "the server's environment")
    known = server_of(own_pool).environ()
    assert not {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"} & set(known)
