"""Word classes of phrases, and how letters are replaced to hide a word."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

_FILE = Path(__file__).resolve().parent.parent / "data" / "words.toml"


@functools.cache
def _content() -> dict[str, dict[str, tuple[str, ...]]]:
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: {key: tuple(words.split()) for key, words in table.items()} for name, table in content.items()}


def classes() -> Mapping[str, tuple[str, ...]]:
    """The words of each class."""
    return _content()["classes"]


def readings() -> Mapping[str, tuple[str, ...]]:
    """Bopomofo, romanisation or parts of a letter."""
    return _content()["readings"]
