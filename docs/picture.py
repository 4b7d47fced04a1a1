"""Takes the pictures of the documentation from a running `make run`: `make picture`.

The page is served by PORT (5000) with the demo data; MOMO_ADMIN_PASSWORD must be that of its account `admin`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
PICTURES = {"admin.png": ("/admin/", 1400, 900), "admin-phone.png": ("/admin/", 390, 844)}


def main() -> None:
    password = os.environ.get("MOMO_ADMIN_PASSWORD")
    chromium = shutil.which("chromium")
    if not password or not chromium:
        sys.exit("Needs Chromium on the PATH, and MOMO_ADMIN_PASSWORD of a running `make run`.")
    address = f"http://127.0.0.1:{os.environ.get('PORT', '5000')}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (path, width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-TW")
            page.goto(f"{address}/login?next={path}")
            page.fill("input[name=username]", "admin")
            page.fill("input[name=password]", password)
            page.click("button[type=submit]")
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(800)  # the chart draws itself
            page.screenshot(path=HERE / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
