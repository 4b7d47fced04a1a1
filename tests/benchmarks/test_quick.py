"""The benchmarks keep working: each once, at a size that says nothing about speed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import BENCHMARKS
from tests.benchmarks.report import Row

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(1000)
def test_each_benchmark_runs_and_prints_its_rows() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in BENCHMARKS:
        assert f" {name}" in done.stdout
    assert "crashed" not in done.stdout


def test_verdicts() -> None:
    assert Row("a", "floor", 1.0, 1.2, "s", 1.3).ok
    assert Row("a", "floor", 1.0, 1.4, "s", 1.3).ok is False
    assert Row("a", "floor", 10.0, 1.0, "s", 5, "speedup").ok
    assert Row("a", "floor", 4.0, 1.0, "s", 5, "speedup").ok is False
    assert Row("a", "limit", None, 301, "MiB", 300, "value").ok is False
    assert Row("a", "floor", 1.0, 9.0, "s").ok is None
