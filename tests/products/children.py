"""Runs the spider's child process as a worker would, and reads back what it wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

from products.spiders.protocol import AbsentLine, CategoryJob, CategoryLine, EndLine, ErrorLine, Job, read_lines
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
    """What one child wrote."""

    def __init__(self, job: Job) -> None:
        done = subprocess.run(COMMAND, input=job.to_json(), capture_output=True, cwd=ROOT, timeout=60, check=False)
        self.code = done.returncode
        self.log = done.stderr.decode()
        self.raw = done.stdout
        self.lines: list[Any] = list(read_lines(done.stdout.splitlines()))

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


def run(shop: Shop, *categories: CategoryJob, **more: Any) -> Run:
    done = Run(job_of(shop, *(categories or (CategoryJob("C"),)), **more))
    assert done.code == 0, done.log
    assert isinstance(done.lines[-1], EndLine)
    return done


def page_of(start: int, count: int = 5) -> list[dict[str, Any]]:
    return [goods(f"P{number}") for number in range(start, start + count)]


def three_pages(shop: Shop, code: str = "C") -> None:
    shop.category(code, [page_of(0), page_of(5), page_of(10, 2)])
