"""Runs the spider's child process as a worker would, and reads back what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeVar

from products.spiders.protocol import AbsentLine, CategoryJob, CategoryLine, EndLine, ErrorLine, Job, read_lines
from tests.kit.forks import fork
from tests.products.standin import Shop, goods

_L = TypeVar("_L")
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "products.spiders.child"]
AGENT = "MomoPro/1.0 (+https://example.com/crawler)"


def job_of(shop: Shop, *categories: CategoryJob, **more: Any) -> Job:
    quick: dict[str, Any] = {
        "concurrency": 2,
        "delay": 0,
        "autothrottle": False,
        "timeout": 5,
        "backoff": 0.02,
        "retry_times": 2,
        "page_size": 5,
    }
    return Job(shop_url=shop.url, user_agent=AGENT, categories=categories, **(quick | more))


class Run:
    """What one child wrote. A child that is forked holds what the template has imported; a fresh one nothing more."""

    def __init__(self, job: Job, *, fresh: bool = False) -> None:
        if fresh:
            done = subprocess.run(COMMAND, input=job.to_json(), capture_output=True, cwd=ROOT, timeout=60, check=False)
            self.code, self.log, self.raw = done.returncode, done.stderr.decode(), done.stdout
        else:
            self._fork(job)
        self.lines: list[Any] = list(read_lines(self.raw.splitlines()))

    def _fork(self, job: Job) -> None:
        with tempfile.TemporaryDirectory(prefix="momo-child-") as folder:
            given, output, log = (Path(folder, name) for name in ("job", "output", "log"))
            given.write_bytes(job.to_json())
            child = fork(COMMAND[1:], environment=os.environ, log=log, given=str(given), output=str(output))
            self.code = child.wait(60)
            self.log, self.raw = log.read_text(), output.read_bytes()

    def of(self, kind: type[_L]) -> list[_L]:
        return [line for line in self.lines if isinstance(line, kind)]

    def category(self, code: str = "C") -> CategoryLine:
        (line,) = [line for line in self.of(CategoryLine) if line.category == code]
        return line

    @property
    def absent(self) -> dict[str, str]:
        return {line.product_id: line.outcome for line in self.of(AbsentLine)}

    @property
    def kinds(self) -> list[str]:
        return [line.kind for line in self.of(ErrorLine)]


def run(shop: Shop, *categories: CategoryJob, fresh: bool = False, **more: Any) -> Run:
    done = Run(job_of(shop, *(categories or (CategoryJob("C"),)), **more), fresh=fresh)
    assert done.code == 0, done.log
    assert isinstance(done.lines[-1], EndLine)
    return done


def page_of(start: int, count: int = 5) -> list[dict[str, Any]]:
    return [goods(f"P{number}") for number in range(start, start + count)]


def three_pages(shop: Shop, code: str = "C") -> None:
    shop.category(code, [page_of(0), page_of(5), page_of(10, 2)])
