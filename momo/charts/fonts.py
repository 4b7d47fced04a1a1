"""Finds a Chinese font of the machine by its name."""

from __future__ import annotations

import functools

from django.conf import settings
from matplotlib.font_manager import FontManager, FontPath, FontProperties, fontManager, get_font

from momo.charts import FontMissing

# The best first; all draw the forms of characters that Taiwan writes, but the last.
KNOWN = (
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
    "PingFang TC",
    "Microsoft JhengHei",
    "Noto Serif CJK TC",
    "WenQuanYi Zen Hei",
)
SAMPLE = "價格變動臺灣"  # a font without these is of no use, whatever its name


def chinese_font() -> FontPath:
    """Return the font that CHART_FONT names, or else the first of KNOWN that is installed. Raises FontMissing.

    Only what is found is remembered, so a font that is installed later needs no restart.
    """
    return _found(settings.CHART_FONT)


@functools.cache
def _found(name: str) -> FontPath:
    names = (name,) if name else KNOWN
    # matplotlib keeps a list of fonts on disk and does not see those that were installed since.
    font = _first(fontManager, names) or _first(FontManager(), names)
    if font is None:
        raise FontMissing(name)
    return font


def _first(manager: FontManager, names: tuple[str, ...]) -> FontPath | None:
    for name in names:
        try:
            path = manager.findfont(FontProperties(family=name), fallback_to_default=False)
        except ValueError:  # not installed
            continue
        if isinstance(path, FontPath) and _draws_chinese(path):
            return path
    return None


def _draws_chinese(path: FontPath) -> bool:
    font = get_font(path)
    return all(font.get_char_index(ord(character)) for character in SAMPLE)
