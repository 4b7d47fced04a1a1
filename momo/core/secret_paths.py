"""Addresses that are secrets: whoever knows one may act without an account, so they stay out of logs."""

from __future__ import annotations

import re

ANSWER = "/vendor/answer/"
VIEWS = "/views/"
_PREFIXES = (ANSWER, VIEWS)
# Folders of programs are called views too, and a traceback keeps its paths.
_SECRET = re.compile(rf"({re.escape(ANSWER)}|{re.escape(VIEWS)}(?![\w/-]+\.py\b))[^\s\"'?#<>\\]+")


def is_secret_path(path: str) -> bool:
    """Whether what follows in `path` is a secret. Sessions and cookies play no role there."""
    return path.startswith(_PREFIXES)


def mask_secret_paths(text: str) -> str:
    """`text` with every secret address cut off where its secret begins."""
    return _SECRET.sub(r"\1…", text) if any(prefix in text for prefix in _PREFIXES) else text
