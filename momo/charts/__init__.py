"""Charts as PNG, for messages and mails; pages of the admin draw theirs in the browser.

`drawing` holds matplotlib, which takes some 30 MiB and half a second: it loads with the first chart, so that processes
that draw none do not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from momo.core.errors import Unavailable

Point = tuple[datetime, int | None]  # aware; None ends the line, which begins again at the next point


class FontMissing(Unavailable):
    """No Chinese font is installed, or not the one that CHART_FONT names."""

    def __init__(self, name: str = "") -> None:
        found = f"找不到 CHART_FONT 指定的字型「{name}」" if name else "伺服器沒有中文字型"
        super().__init__("圖表", f"{found}；請管理員安裝套件 fonts-noto-cjk")


def price_chart(
    points: Sequence[Point], *, title: str = "", lowest: int | None = None, list_price: int | None = None
) -> bytes:
    """Draw prices over time as steps, oldest first; a price that was seen once is a dot.

    `lowest` and `list_price` are lines across. Raises FontMissing, and ValueError without a price.
    """
    from momo.charts import drawing  # noqa: PLC0415 - see above

    return drawing.price_chart(points, title=title, lowest=lowest, list_price=list_price)


def line_chart(days: Sequence[date], series: Mapping[str, Sequence[float | None]], *, title: str = "") -> bytes:
    """Draw a line for each of `series` (label → one value a day, None for a gap). Raises as `price_chart`."""
    from momo.charts import drawing  # noqa: PLC0415 - see above

    return drawing.line_chart(days, series, title=title)


def bar_chart(days: Sequence[date], values: Sequence[float | None], *, title: str = "") -> bytes:
    """Draw a bar for each day. Raises as `price_chart`."""
    from momo.charts import drawing  # noqa: PLC0415 - see above

    return drawing.bar_chart(days, values, title=title)


def names_chart(names: Sequence[str], values: Sequence[float], *, title: str = "") -> bytes:
    """Draw a lying bar for each name, the first at the top. Raises as `price_chart`."""
    from momo.charts import drawing  # noqa: PLC0415 - see above

    return drawing.names_chart(names, values, title=title)
