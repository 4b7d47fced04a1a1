"""Log lines: what each says of its request or task, as text or as JSON, and no secret in any of them.

`LOG_FORMAT` chooses between the two formatters, for Django, Celery and gunicorn alike (`momo.settings`,
`gunicorn.conf.py`). Secrets are masked by the formatters, since message, traceback and extra fields are complete there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from celery import current_task
from celery.signals import setup_logging
from django.conf import settings
from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from momo.core.context import current_user_name, request_id
from momo.core.secret_paths import mask_secret_paths

TIME_ZONE = ZoneInfo("Asia/Taipei")
MASK = "…"
# Settings that are secrets, or addresses with a password in them.
SECRETS = ("SECRET_KEY", "TELEGRAM_BOT_TOKEN", "GEMINI_API_KEY", "YOUTUBE_API_KEY", "METRICS_TOKEN")
ADDRESSES = ("REDIS_URL", "EMAIL_URL")
SHORTEST = 8  # characters of a secret that is masked wherever it occurs; a shorter one is part of ordinary words
_NAMES = r"[\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|cookie)"
_PATTERNS = (
    # Authorization: Bearer abc
    (re.compile(r"\b(Bearer|Basic|Token)(\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1\2{MASK}"),
    # "password": "a b", token='abc'
    (re.compile(rf"({_NAMES}[\"']?\s*[:=]\s*[bru]?([\"']))[^\"'\n]+(?=\2)", re.IGNORECASE), rf"\1{MASK}"),
    # password=abc, ?key=abc of Google's addresses; what follows Authorization: is masked above
    (
        re.compile(rf"({_NAMES}[\"']?\s*[:=]\s*|[?&]key=)(?!Bearer|Basic|Token)[^\s\"'&,;)}}{MASK}]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    # postgresql://momo:abc@host
    (re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+@"), rf"\1{MASK}@"),
    # https://api.telegram.org/bot123456789:abc/sendMessage
    (re.compile(r"(/bot[0-9]+:)[A-Za-z0-9_-]+"), rf"\1{MASK}"),
)


def mask(text: str) -> str:
    """`text` without secrets: those of the settings, and what stands where secrets stand."""
    for secret in _own_secrets():
        text = text.replace(secret, MASK)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return mask_secret_paths(text)


def _own_secrets() -> list[str]:
    """Secrets of the settings; none in gunicorn's main process, which does not load them."""
    if not settings.configured:
        return []
    passwords = [urlsplit(getattr(settings, name, "") or "").password or "" for name in ADDRESSES]
    passwords.append(settings.DATABASES["default"].get("PASSWORD") or "")
    found = {*(str(getattr(settings, name, "") or "") for name in SECRETS), *passwords, *map(unquote, passwords)}
    return sorted((secret for secret in found if len(secret) >= SHORTEST), key=len, reverse=True)


class ContextFilter(logging.Filter):
    """Adds request id, user, and id and name of the task to log records; None where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        # A task that is called like a function has no id.
        task = current_task if current_task and current_task.request.id else None
        record.request_id = request_id()
        record.user = current_user_name()
        record.task_id = task.request.id if task else None
        record.task = task.name if task else None
        return True


class _Formatter(logging.Formatter):
    """Times with their offset."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, TIME_ZONE).isoformat(timespec="milliseconds")


class TextFormatter(_Formatter):
    """A line for somebody who reads along: time, level, logger, request or task, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(about)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.about = getattr(record, "request_id", None) or getattr(record, "task_id", None) or "-"
        return mask(super().format(record))


class JsonLines(_Formatter, JsonFormatter):
    """A JSON object a line, with what a record has been given as `extra`; fields without a value are left out."""

    def __init__(self) -> None:
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        fields = (*names, "message", "request_id", "user", "task", "task_id")
        # Django gives its records the request and its own server's socket, which are no texts.
        reserved = [*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "request", "about"]
        super().__init__(fields, rename_fields=names, reserved_attrs=reserved, json_ensure_ascii=False)

    def add_fields(self, log_data: LogData, record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        if record.name == "gunicorn.access" and isinstance(record.args, Mapping):
            log_data.update(_access(record.args))

    def process_log_record(self, log_data: LogData) -> LogData:
        # Before quotes in values are escaped, so that a masked value ends where it ended.
        return {
            name: value if isinstance(value, int | float) else mask(str(value))
            for name, value in log_data.items()
            if value is not None
        }


def _access(atoms: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a request, from what gunicorn knows of it (its `Logger.atoms`)."""
    return {
        "address": atoms["h"],
        "forwarded_for": _given(atoms["{x-forwarded-for}i"]),
        "method": atoms["m"],
        "path": atoms["U"],
        "status": int(atoms["s"]),
        "bytes": atoms["B"],
        "milliseconds": atoms["M"],
        "agent": _given(atoms["a"]),
        "request_id": _given(atoms["{x-request-id}o"]),
    }


def _given(value: Any) -> Any:
    return None if value == "-" else value


FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonLines, "text": TextFormatter}


@setup_logging.connect
def _keep_ours(loglevel: int | str | None = None, **_: Any) -> None:
    """Keep Celery from adding handlers and formats of its own; `--loglevel` counts."""
    if loglevel:
        logging.getLogger().setLevel(loglevel)
