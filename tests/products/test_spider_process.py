"""The spider's child as a process: its protocol, its exit codes, and that it ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from products.spiders.child import settings_of
from products.spiders.protocol import (
    CategoryJob,
    EndLine,
    ItemLine,
    Job,
    JobError,
    ProtocolError,
    read_lines,
    write_lines,
)
from tests.products.children import COMMAND, ROOT, job_of, page_of
from tests.products.standin import (
    Answer,
    Shop,
    listing,
)


def test_neither_django_nor_the_reactor_is_loaded_by_the_protocol() -> None:
    asked = (
        "import sys, products.spiders.protocol; assert not {'django', 'scrapy', 'twisted'} & set(sys.modules);"
        "import products.spiders.child; assert 'django' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, timeout=30)


def test_the_child_dies_with_its_parent(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(listing(page_of(0), 500, 2500)))
    for number in range(2, 501):
        shop.answer(("list", "C", number), Answer(listing(page_of(number * 5), 500, 2500), delay=0.1))
    worker = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'products.spiders.child'],"
        " stdin=subprocess.PIPE, stdout=open(sys.argv[1], 'wb'), stderr=subprocess.DEVNULL)\n"
        "child.stdin.write(sys.stdin.buffer.read()); child.stdin.close()\n"
        "print(child.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", worker, os.devnull], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(job_of(shop, CategoryJob("C"), max_pages=500).to_json())
    parent.stdin.close()
    child = int(parent.stdout.readline())
    _until(lambda: len(shop.asked("list")) > 3)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _until(lambda: not _alive(child), seconds=5)
    asked = len(shop.log)
    time.sleep(0.3)
    assert len(shop.log) == asked


def test_the_child_stops_when_its_stdout_is_closed(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(listing(page_of(0)), delay=0.5))
    child = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(job_of(shop, CategoryJob("C")).to_json())
    child.stdin.close()
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=20) == 3


def test_a_terminated_child_writes_no_end_line(shop: Shop) -> None:
    shop.answer(("list", "C", 1), Answer(listing(page_of(0)), delay=1))
    child = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert child.stdin is not None
    child.stdin.write(job_of(shop, CategoryJob("C")).to_json())
    child.stdin.close()
    child.stdin = None
    _until(lambda: bool(shop.asked("list")))
    child.terminate()
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 1
    assert not any(isinstance(line, EndLine) for line in read_lines(out.splitlines()))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"shop_url":"file:///etc","user_agent":"x"}',
        b'{"shop_url":"http://x","user_agent":""}',
        b'{"shop_url":"http://x","user_agent":"a\\nb"}',
        b'{"shop_url":"http://x","user_agent":"x","colour":1}',
        b'{"shop_url":"http://x","user_agent":"x","concurrency":0}',
        b'{"shop_url":"http://x","user_agent":"x","concurrency":1.5}',
        b'{"shop_url":"http://x","user_agent":"x","delay":-1}',
        b'{"shop_url":"http://x","user_agent":"x","delay":NaN}',
        b'{"shop_url":"http://x","user_agent":"x","robots":"no"}',
        b'{"shop_url":"http://x","user_agent":"x","categories":{}}',
        b'{"shop_url":"http://x","user_agent":"x","categories":[1]}',
        b'{"shop_url":"http://x","user_agent":"x","categories":[{"code":"a/b"}]}',
        b'{"shop_url":"http://x","user_agent":"x","categories":[{"code":"a","level":"x"}]}',
        b'{"shop_url":"http://x","user_agent":"x","categories":[{"code":"a","known":[3]}]}',
        b'{"shop_url":"http://x","user_agent":"x","categories":[{"code":"a"},{"code":"a"}]}',
    ],
)
def test_a_job_that_cannot_be_run_is_refused(raw: bytes) -> None:
    with pytest.raises(JobError):
        Job.from_json(raw)


def test_a_bad_job_has_an_exit_code_of_its_own() -> None:
    done = subprocess.run(COMMAND, input=b"{}", capture_output=True, cwd=ROOT, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"shop_url" in done.stderr


def test_a_long_delay_is_not_shortened_by_the_throttle() -> None:
    long, short = (settings_of(Job("http://127.0.0.1:1", "x", delay=delay)) for delay in (300.0, 0.5))
    assert (long["AUTOTHROTTLE_MAX_DELAY"], short["AUTOTHROTTLE_MAX_DELAY"]) == (300, 60)


def test_a_job_survives_the_pipe() -> None:
    job = Job("http://127.0.0.1:1", "x", (CategoryJob("1", "2", ("A", "B")),), delay=0.25)
    assert Job.from_json(job.to_json()) == job


def test_lines_survive_the_pipe() -> None:
    items = [
        ItemLine("1", code, "品\n名 ✨", "", None, 5, "https://a", "", True, False, "list", "2026-11-29T00:00:00Z")
        for code in ("A", "B")
    ]
    ends = [EndLine(3, 1, 0.5, 7)]
    raw = write_lines(*items) + write_lines(*ends)
    assert raw.isascii()
    assert raw.count(b"\n") == 2
    assert list(read_lines(raw.splitlines())) == [*items, *ends]


@pytest.mark.parametrize(
    "raw", [b"hello\n", b"{}\n", b"3\n", b'["Stranger",[1]]', b'["EndLine",[1,2]]', b'["EndLine",[1,2']
)
def test_a_line_outside_the_protocol_is_an_error(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(read_lines([raw]))


def _until(condition: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    """Say whether a process still runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
