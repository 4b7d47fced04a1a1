"""Takes the pictures of the documentation from a running `make run`: `make picture`.

The pages are served by PORT (5000) with the demo data; MOMO_ADMIN_PASSWORD must be that of its account `admin`.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
MOST_BYTES = 250_000
YESTERDAY = date.today() - timedelta(days=1)  # noqa: DTZ011 - the machine's day, as in `make run`; the latest day with sales
DESK, PHONE = (1280, 900), (390, 844)


def _stay(page: Page) -> None:
    """The page as it opens."""


def _to_the_units(page: Page) -> None:
    """The chart of prices, with the units of each day beneath it."""
    chart = page.locator("section", has=page.get_by_role("heading", name="售價與銷量"))
    chart.evaluate("section => section.scrollIntoView()")


@dataclass(frozen=True)
class Picture:
    """A page of the demo, in a window of this size."""

    path: str
    size: tuple[int, int] = DESK
    dark: bool = False
    move: Callable[[Page], None] = _stay


PICTURES = {
    "admin.png": Picture("/admin/", (1280, 1000)),
    "sales.png": Picture(f"/admin/sales/board/month/?month={YESTERDAY:%Y-%m}", (1280, 1000)),
    "prices.png": Picture("/admin/products/prices/", dark=True),
    "targets.png": Picture(f"/admin/sales/target/attainment/?month={YESTERDAY:%Y-%m}", (1280, 1000)),
    "todo.png": Picture("/admin/todo/"),
    "product-phone.png": Picture("/admin/products/product/1/change/", PHONE, move=_to_the_units),  # the best-seller
}


def main() -> None:
    password = os.environ.get("MOMO_ADMIN_PASSWORD")
    chromium = shutil.which("chromium-headless-shell")
    if not password or not chromium:
        sys.exit("Needs chromium-headless-shell on the PATH, and MOMO_ADMIN_PASSWORD of a running `make run`.")
    address = f"http://127.0.0.1:{os.environ.get('PORT', '5000')}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, picture in PICTURES.items():
            width, height = picture.size
            page = browser.new_page(
                viewport={"width": width, "height": height},
                device_scale_factor=2 if picture.size == PHONE else 1,
                locale="zh-TW",
                reduced_motion="reduce",
                color_scheme="dark" if picture.dark else "light",
            )
            page.goto(f"{address}/login?next=/admin/")
            page.fill("input[name=username]", "admin")
            page.fill("input[name=password]", password)
            page.click("button[type=submit]")
            page.goto(f"{address}{picture.path}")
            page.wait_for_load_state("networkidle")
            picture.move(page)
            page.wait_for_timeout(800)  # the charts draw themselves
            (HERE / name).write_bytes(_small(page.screenshot()))
            page.close()
        browser.close()
    if large := [name for name in PICTURES if (HERE / name).stat().st_size > MOST_BYTES]:
        sys.exit(f"Larger than {MOST_BYTES:,} bytes: {', '.join(large)}")


def _small(png: bytes) -> bytes:
    """The picture with a palette of 256 colours, a third of its size."""
    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main()
