"""Time of this process alone, for tests that no input takes quadratic time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time


@dataclass
class Spent:
    """Seconds of CPU, once the block has ended."""

    seconds: float = 0.0


@contextmanager
def cpu_time() -> Iterator[Spent]:
    """Measure the block by itself.

    The garbage collector waits meanwhile: one pass over what a whole run of tests has allocated takes half a second.
    """
    spent = Spent()
    was_enabled = gc.isenabled()
    gc.disable()
    start = process_time()
    try:
        yield spent
    finally:
        spent.seconds = process_time() - start
        if was_enabled:
            gc.enable()
