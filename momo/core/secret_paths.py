"""Addresses that are secrets: whoever knows one may act without an account, so they stay out of logs."""

from __future__ import annotations

import re

ANSWER = "/vendor/answer/"
_SECRET = re.compile(rf"({re.escape(ANSWER)})[^\s\"'?#<>\\]+")


def is_secret_path(path: str) -> bool:
    """Whether what follows in `path` is a secret. Sessions and cookies play no role there."""
    return path.startswith(ANSWER)


def mask_secret_paths(text: str) -> str:
    """`text` with every secret address cut off where its secret begins."""
    return _SECRET.sub(r"\1…", text) if ANSWER in text else text
