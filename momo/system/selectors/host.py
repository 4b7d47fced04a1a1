"""Processor, memory, disk and uptime: of the container where a cgroup (version 2) limits it, else of the machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from django.conf import settings
from django.utils import timezone

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
SAMPLE = 0.1  # seconds over which the processor is measured
UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


@dataclass(frozen=True)
class Host:
    """What the machine or container has, and how much of it is used. Bytes; percentages from 0 to 100."""

    cpu_percent: float
    cpus: float  # a container may have a part of one
    memory_percent: float
    memory_total: int
    disk_percent: float
    disk_total: int
    disk_free: int
    started_at: datetime
    limited: bool  # whether a container's limits are shown

    @property
    def uptime(self) -> str:
        """In words: `5 days`, `1 hour`, `less than a minute`."""
        return in_words(timezone.now() - self.started_at)


def host() -> Host:
    """Measures for SAMPLE seconds."""
    groups = _groups()
    quotas = [quota for group in groups if (quota := _quota(group)) is not None]
    limits = [(limit, group) for group in groups if (limit := _number(group / "memory.max")) is not None]
    cpu, cpus = _cpu(groups[0] if groups else None, min(quotas, default=None))
    memory = psutil.virtual_memory()
    limit, group = min(limits, default=(memory.total, None))
    if group is None or limit >= memory.total:
        percent, limit = memory.percent, memory.total
    else:
        percent = 100 * _working_set(group) / limit
    disk = psutil.disk_usage(str(_existing(Path(settings.MEDIA_ROOT))))
    return Host(
        cpu_percent=_percent(cpu),
        cpus=round(cpus, 2),
        memory_percent=_percent(percent),
        memory_total=limit,
        disk_percent=_percent(disk.percent),
        disk_total=disk.total,
        disk_free=disk.free,
        started_at=datetime.fromtimestamp(_begun(), timezone.get_default_timezone()),
        limited=bool(quotas) or limit < memory.total,
    )


def in_words(span: timedelta) -> str:
    """The largest unit of a span of time, rounded down."""
    for name, unit in UNITS:
        if (number := span // unit) > 0:
            return f"{number} {name}{'s' if number > 1 else ''}"
    return "less than a minute"


def _percent(value: float) -> float:
    return round(min(100.0, max(0.0, value)), 1)


def _begun() -> float:
    """The first process's start, which in a container is the container's; the machine's where it is hidden."""
    try:
        return float(psutil.Process(1).create_time())
    except psutil.Error:
        return float(psutil.boot_time())


def _existing(path: Path) -> Path:
    """The folder itself, or the first above it that exists: files are stored there later."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


# --- Limits of containers ---------------------------------------------------------------------------------------------


def _groups() -> list[Path]:
    """Our own cgroup and those above it, each of which may set a limit; none where version 2 is not in use."""
    try:
        lines = OWN_CGROUP.read_text().splitlines()
    except OSError:
        return []
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    if own is None:
        return []
    parts = [part for part in own.split("/") if part and part != ".."]
    return [CGROUPS.joinpath(*parts[:length]) for length in range(len(parts), -1, -1)]


def _number(path: Path) -> int | None:
    """The number in a file; None without the file, or where it says `max`."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _values(path: Path) -> dict[str, int]:
    """Names and numbers of a file such as memory.stat."""
    try:
        pairs = (line.split() for line in path.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}
    except OSError:
        return {}


def _quota(group: Path) -> float | None:
    """Processors that a group may use; None without a limit."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return int(quota) / int(period) if quota.isdecimal() else None


def _working_set(group: Path) -> int:
    """Bytes that the kernel cannot take back: without files that were not read lately, as Kubernetes counts them."""
    return (_number(group / "memory.current") or 0) - _values(group / "memory.stat").get("inactive_file", 0)


def _cpu(group: Path | None, quota: float | None) -> tuple[float, float]:
    """Percent of the processors that may be used, and how many those are."""
    cpus = float(psutil.cpu_count() or 1)
    if group is None or quota is None or quota >= cpus:
        return psutil.cpu_percent(SAMPLE), cpus
    before, begun = _used(group), time.monotonic()
    time.sleep(SAMPLE)
    return 100 * (_used(group) - before) / (time.monotonic() - begun) / quota, quota


def _used(group: Path) -> float:
    """Seconds of processor time."""
    return _values(group / "cpu.stat").get("usage_usec", 0) / 1_000_000
