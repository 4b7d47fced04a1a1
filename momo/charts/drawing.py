"""Draws the charts of this package with matplotlib: figures of their own, without pyplot's global state.

800 pixels wide with large text, since phones show it at half that size. Imported by the first chart only.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from momo.charts import Point
from momo.charts.fonts import chinese_font
from momo.core.formats import number

DPI, WIDTH, HEIGHT = 100, 8.0, 4.5  # inches
TEXT, TITLE = 15, 17  # points
TITLE_CHARACTERS = 28
NAME_CHARACTERS = 10  # beside a lying bar
AIR = 0.12  # inches around everything
COLORS = ("#db2777", "#2563eb", "#d97706", "#059669", "#7c3aed", "#0891b2", "#be123c", "#4d7c0f", "#64748b", "#a16207")
INK, QUIET, GRID, GOOD = "#1f2937", "#6b7280", "#e5e7eb", "#059669"
MYRIAD = 10_000
BEHIND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}  # labels, where they meet a line
LIST_PRICE_SHOWN = 2  # times the highest price; one further up would flatten the line

# Its documentation promises nothing to threads that draw at once, and fonts are shared.
_lock = threading.Lock()


def price_chart(points: Sequence[Point], *, title: str, lowest: int | None, list_price: int | None) -> bytes:
    """See `momo.charts.price_chart`."""
    known = [price for _, price in points if price is not None]
    if not known:
        raise ValueError("no price")
    times = [_local(moment) for moment, _ in points]
    values = [float("nan") if price is None else float(price) for _, price in points]

    def draw(chart: _Chart) -> None:
        axes, place = chart.axes, mdates.date2num(times)
        axes.plot(place, values, drawstyle="steps-post", color=COLORS[0], linewidth=3)
        once = [n for n in range(len(points) - 1) if points[n] == points[n + 1]]
        axes.plot(place[once], [values[n] for n in once], "o", color=COLORS[0], markersize=7)
        chart.bounds(known, list_price if list_price and list_price <= LIST_PRICE_SHOWN * max(known) else None)
        if list_price is not None and list_price <= axes.get_ylim()[1]:
            chart.across(list_price, f"原價 {list_price:,}", QUIET, above=True)
        if lowest is not None:
            chart.across(lowest, f"30 天最低 {lowest:,}", GOOD, above=False)
        last = points[-1][1]
        if last is not None:
            chart.end(place[-1], last)
        chart.times(times)

    return _png(title, draw)


def line_chart(days: Sequence[date], series: Mapping[str, Sequence[float | None]], *, title: str) -> bytes:
    """See `momo.charts.line_chart`."""
    if not any(value is not None for values in series.values() for value in values):
        raise ValueError("no value")

    def draw(chart: _Chart) -> None:
        for place, (label, values) in enumerate(series.items()):
            shown = [float("nan") if value is None else float(value) for value in values]
            color = COLORS[place % len(COLORS)]
            marker = "o" if len(days) <= 31 else ""
            chart.axes.plot(range(len(days)), shown, color=color, linewidth=3, marker=marker, label=chart.text(label))
        chart.axes.set_ylim(bottom=min(0, chart.axes.get_ylim()[0]))
        chart.days(days)
        if len(series) > 1:
            chart.legend()

    return _png(title, draw)


def bar_chart(days: Sequence[date], values: Sequence[float | None], *, title: str) -> bytes:
    """See `momo.charts.bar_chart`."""
    if not any(value is not None for value in values):
        raise ValueError("no value")

    def draw(chart: _Chart) -> None:
        chart.axes.bar(range(len(days)), [float(value or 0) for value in values], color=COLORS[0], width=0.7)
        chart.days(days)

    return _png(title, draw)


def names_chart(names: Sequence[str], values: Sequence[float], *, title: str) -> bytes:
    """See `momo.charts.names_chart`."""
    if not names:
        raise ValueError("no value")

    def draw(chart: _Chart) -> None:
        places = range(len(names))
        chart.axes.barh(places, [float(value) for value in values], color=COLORS[0], height=0.7)
        chart.axes.set_yticks(places, [_short(chart.text(name)) for name in names])
        chart.axes.invert_yaxis()
        chart.amounts_below()

    return _png(title, draw)


def _png(title: str, draw: Callable[[_Chart], None]) -> bytes:
    with _lock:
        chart = _Chart(title)
        draw(chart)
        return chart.png()


def _local(moment: datetime) -> datetime:
    """The time in Taipei without its zone, as axes take it."""
    return timezone.localtime(moment).replace(tzinfo=None)


class _Chart:
    """A figure with one pair of axes, and the one font that draws its texts."""

    def __init__(self, title: str) -> None:
        self._file = chinese_font()
        self._font = FontProperties(fname=self._file, size=TEXT)
        self.figure = Figure(
            figsize=(WIDTH, HEIGHT), dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=AIR, h_pad=AIR), facecolor="white"
        )
        self.axes: Axes = self.figure.add_subplot()
        self.axes.grid(axis="y", color=GRID, linewidth=1)
        self.axes.set_axisbelow(True)
        self.axes.spines[["top", "right", "left"]].set_visible(False)
        self.axes.spines["bottom"].set_color(GRID)
        self.axes.tick_params(length=0, colors=QUIET)
        self.axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        self.axes.yaxis.set_major_formatter(FuncFormatter(_amount))
        shown = self.text(title)
        if len(shown) > TITLE_CHARACTERS:
            shown = f"{shown[: TITLE_CHARACTERS - 1]}…"
        if shown:
            large = FontProperties(fname=self._file, size=TITLE)
            self.axes.set_title(shown, fontproperties=large, color=INK, loc="left", parse_math=False, pad=12)

    def text(self, text: str) -> str:
        """Leave out characters that the font cannot draw."""
        font = get_font(self._file)
        drawn = "".join(c for c in text if c == " " or font.get_char_index(ord(c)))
        return " ".join(drawn.split())

    def bounds(self, values: Sequence[int], also: int | None) -> None:
        """Bounds of the prices with some air around them; not from zero, so that small changes are seen."""
        low, high = min(values), max([*values, also or 0])
        air = max((high - low) * 0.18, high * 0.03, 1)
        self.axes.set_ylim(max(0, low - air), high + air)

    def across(self, value: int, label: str, color: str, *, above: bool) -> None:
        """A dashed line at `value` with its label at the left."""
        self.axes.axhline(value, color=color, linewidth=1.5, linestyle=(0, (4, 3)), zorder=1)
        self.axes.annotate(
            label,
            xy=(0, value),
            xycoords=("axes fraction", "data"),
            xytext=(4, 4 if above else -4),
            textcoords="offset points",
            va="bottom" if above else "top",
            fontproperties=self._font,
            color=color,
            bbox=BEHIND,
        )

    def end(self, place: Any, value: int) -> None:
        """A dot at the end of the line, with its price."""
        self.axes.plot([place], [value], "o", color=COLORS[0], markersize=10)
        large = FontProperties(fname=self._file, size=TITLE)
        self.axes.annotate(
            f"{value:,}",
            xy=(place, value),
            xytext=(0, 10),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontproperties=large,
            color=COLORS[0],
            bbox=BEHIND,
        )

    def times(self, times: Sequence[datetime]) -> None:
        """Ticks for moments: with the hour within two days, with the year beyond ten months."""
        length = (times[-1] - times[0]).days
        form = "%m/%d %H:%M" if length < 2 else "%m/%d" if length < 300 else "%Y/%m"
        if times[0] == times[-1]:
            self.axes.set_xticks([mdates.date2num(times[0])])
        else:
            self.axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=2, maxticks=5))
        self.axes.xaxis.set_major_formatter(mdates.DateFormatter(form))

    def days(self, days: Sequence[date]) -> None:
        """Ticks for days, at most eight."""
        step = -(-len(days) // 8)
        self.axes.set_xticks(range(0, len(days), step), [f"{day.month}/{day.day}" for day in days[::step]])

    def amounts_below(self) -> None:
        """Amounts along the bottom, with the grid across them, for lying bars."""
        self.axes.grid(visible=False, axis="y")
        self.axes.grid(axis="x", color=GRID, linewidth=1)
        self.axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        self.axes.xaxis.set_major_formatter(FuncFormatter(_amount))

    def legend(self) -> None:
        """Labels of the series, below the chart."""
        self.figure.legend(loc="outside lower center", ncols=3, frameon=False, prop=self._font, labelcolor=INK)

    def png(self) -> bytes:
        """Draw it."""
        for label in (*self.axes.get_xticklabels(), *self.axes.get_yticklabels()):
            label.set_fontproperties(self._font)
        made = io.BytesIO()
        FigureCanvasAgg(self.figure).print_png(made)
        return made.getvalue()


def _short(name: str) -> str:
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"


def _amount(value: float, _: Any = None) -> str:
    """New Taiwan dollars on an axis: `1,200`, `120 萬`."""
    if abs(value) < 10 * MYRIAD:
        return number(value, places=0, thousands=True)
    return f"{number(value / MYRIAD, places=1, thousands=True)} 萬"
