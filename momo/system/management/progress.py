"""What the commands of backups share: a progress bar in bytes, and an orderly end on SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from momo.core.errors import ServiceError
from momo.system.services.archives import DUMP, FILES, Report


@contextlib.contextmanager
def progress(console: Console, title: str) -> Iterator[Report]:
    """A bar, and what to report bytes to. Errors of services become the command's; SIGTERM ends as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    try:
        with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
            task = bar.add_task(title, total=None)

            def report(name: str, size: int) -> None:
                what = "資料庫" if name == DUMP else name.removeprefix(FILES)
                bar.update(task, advance=size, description=f"{title}　{what[-40:]}")

            yield report
            bar.update(task, description=title)
    except ServiceError as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        raise CommandError("中斷，沒有任何變動") from None
    finally:
        signal.signal(signal.SIGTERM, before)


def console_of(stdout: Any) -> Console:
    """A console of a command's output, 100 characters wide where nobody watches."""
    return Console(file=stdout, width=None if stdout.isatty() else 100)
