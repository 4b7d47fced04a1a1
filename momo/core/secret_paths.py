"""Addresses that are secrets: whoever knows one may act without an account, so they stay out of logs."""

from __future__ import annotations

import logging
import re

ANSWER = "/vendor/answer/"
_SECRET = re.compile(rf"({re.escape(ANSWER)})[^\s\"'?#<>]+")


def is_secret_path(path: str) -> bool:
    """Whether what follows in `path` is a secret. Sessions and cookies play no role there."""
    return path.startswith(ANSWER)


class SecretPathFilter(logging.Filter):
    """Masks secret addresses in log records, of Django and of gunicorn's access log (`gunicorn.conf.py`)."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, LookupError):
            return True  # whoever formats the record reports it
        if ANSWER in text:
            record.msg, record.args = _SECRET.sub(r"\1…", text), None
        return True
