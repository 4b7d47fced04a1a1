"""What settings mean, in the words of users; `meanings.toml` has them."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

UNKNOWN = "不再使用的設定"


@functools.cache
def meanings() -> Mapping[str, Mapping[str, str]]:
    """By group, and by name of the setting."""
    return tomllib.loads((Path(__file__).parent / "meanings.toml").read_text(encoding="utf-8"))


def meaning(name: str) -> str:
    """What one setting means."""
    return next((group[name] for group in meanings().values() if name in group), UNKNOWN)
