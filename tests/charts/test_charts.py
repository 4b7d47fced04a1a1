"""Charts: what is drawn, whatever the data are, and what is said without a font."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from momo.charts import FontMissing, Point, bar_chart, line_chart, names_chart, price_chart

NOW = dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC)
PINK, GREEN = (0xDB, 0x27, 0x77), (0x05, 0x96, 0x69)


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    assert (image.format, image.size) == ("PNG", (800, 450))
    return image.convert("RGB")


def colors(image: Image.Image) -> set[Any]:
    return {color for _, color in image.getcolors(800 * 450) or []}


def spans(*prices: int | None) -> list[Point]:
    """Each price for a day."""
    return [(NOW + dt.timedelta(days=n + part), price) for n, price in enumerate(prices) for part in (0, 0.9)]


def test_prices_are_a_line_with_the_lowest_price_across() -> None:
    drawn = colors(opened(price_chart(spans(1000, 900, 1200), title="保濕精華液", lowest=900)))
    assert {PINK, GREEN} <= drawn
    assert GREEN not in colors(opened(price_chart(spans(1000, 900), title="保濕精華液")))


@settings(max_examples=5)
@given(st.text(), st.lists(st.none() | st.integers(0, 2**31 - 1), min_size=1, max_size=6), st.none() | st.integers(0))
def test_any_prices_and_texts_are_drawn(title: str, prices: list[int | None], list_price: int | None) -> None:
    points = spans(*prices)
    if any(price is not None for price in prices):
        opened(price_chart(points, title=f"$a_b$ 😀 {title}", list_price=list_price))
    else:
        with pytest.raises(ValueError, match="no price"):
            price_chart(points)


def test_a_price_that_was_seen_once_is_a_dot() -> None:
    assert PINK in colors(opened(price_chart([(NOW, 500), (NOW, 500)])))


def test_days_are_lines_or_bars() -> None:
    days = [dt.date(2026, 11, 1) + dt.timedelta(days=n) for n in range(30)]
    two = {"山田": [None, *range(29)], "蘭蔻": [900_000 + n for n in range(30)]}
    opened(line_chart(days, two, title="業績"))
    assert PINK in colors(opened(bar_chart(days, [*range(29), None], title="業績")))
    with pytest.raises(ValueError, match="no value"):
        line_chart(days, {"山田": [None] * 30})


def test_threads_draw_what_one_draws() -> None:
    charts = [(spans(1000 + n, 900), f"商品 {n}") for n in range(3)]
    alone = [price_chart(points, title=title) for points, title in charts]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda one: price_chart(one[0], title=one[1]), charts)) == alone


def test_a_font_that_is_missing_is_named_with_its_package(settings: Any) -> None:
    settings.CHART_FONT = "No Such Font"
    with pytest.raises(FontMissing, match=r"No Such Font.*fonts-noto-cjk"):
        price_chart(spans(1000))


def test_matplotlib_loads_with_the_first_chart_only() -> None:
    code = "import sys, momo.charts; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_are_lying_bars() -> None:
    assert PINK in colors(opened(names_chart(["蘭蔻", "很長很長很長很長的品牌名稱"], [120_000, 3.5], title="業績")))
    with pytest.raises(ValueError, match="no value"):
        names_chart([], [])
