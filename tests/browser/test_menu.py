"""Each role logs in and opens the pages of its menu; a chart draws what the API says."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import Role
from tests.admin import makers
from tests.browser import world
from tests.browser.conftest import FRAMES, Opener
from tests.kit.users import PASSWORD, person

PERIOD = "start_date=2026-01-01&end_date=2026-01-30"
LINKS = "links => [...new Set(links.map(link => link.getAttribute('href')))].filter(to => to.startsWith('/admin/'))"
DRAWN = """() => {
    const chart = Chart.getChart(document.querySelector("canvas[data-momo-chart]"));
    return [chart.data.labels, chart.data.datasets.map(({ label, data }) => [label, data])];
}"""


def _log_in(page: Page, username: str) -> None:
    page.goto("/login?next=/admin/")
    page.locator("[name=username]").fill(username)
    page.locator("[name=password]").fill(PASSWORD)
    with page.expect_navigation():
        page.locator("button[type=submit]").click()


def _listen(page: Page, host: str, faults: list[str]) -> None:
    """Adds to `faults` errors of the console and of scripts, and requests to other hosts than `host`."""

    def on_request(address: str) -> None:
        if not address.startswith((f"{host}/", "data:", "blob:", "about:")):
            faults.append(f"{page.url}: {address}")

    page.on("console", lambda said: faults.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("request", lambda request: on_request(request.url))


def test_each_role_opens_its_menu_without_an_error_and_without_another_host(opened: Opener, live_server: Any) -> None:
    world.fill(live_server.url)
    faults: list[str] = []
    pages = {}
    for role in Role.values:
        person(f"menu-{role}", role)
        page = opened(anonymous=True)
        _listen(page, live_server.url, faults)
        _log_in(page, f"menu-{role}")
        links = page.eval_on_selector_all("#nav-sidebar-inner a[href]", LINKS)
        pages[role] = len(links)
        for link in links:
            answer = page.goto(link)
            page.evaluate(FRAMES)
            if answer is None or answer.status != 200:
                faults.append(f"{role} {link}: {answer and answer.status}")

    assert faults == []
    assert 10 < pages[Role.USER] <= pages[Role.MANAGER] < pages[Role.ADMIN]


def test_a_chart_draws_what_the_api_says(opened: Opener) -> None:
    makers.brought(*world.SOLD)
    page = opened()

    page.goto(f"{reverse('admin:sales_board_trend')}?{PERIOD}&dimension=brand")
    page.wait_for_function("Chart.getChart(document.querySelector('canvas[data-momo-chart]')) !== undefined")
    labels, lines = page.evaluate(DRAWN)
    said = page.request.get(f"/api/sales/trend?{PERIOD}&dimension=brand").json()["data"]

    assert labels == said["dates"]
    assert lines == [[one["key"], one["amount"]] for one in said["series"]]
    assert lines[0][1][-2:] == [990, -2970]
