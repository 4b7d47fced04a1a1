"""Debian's Chromium, and pages of the running site as a logged-in user sees them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings as project
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.models import Role, User
from tests.kit.users import person, session_client

DESK, PHONE = (1280, 900), (390, 844)

Opener = Callable[..., Page]

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# Of the best practices those without which a screen reader has to read everything.
LANDMARKS = ("bypass", "heading-order", "landmark-one-main", "page-has-heading-one", "region", "skip-link")
RUN = """([tags, rules, within]) => axe.run(within || document, {
    runOnly: {type: 'tag', values: [...tags, 'best-practice']}, resultTypes: ['violations'], iframes: false,
}).then(({violations}) => violations
    .filter(({id, impact}) => ['serious', 'critical'].includes(impact) || rules.includes(id))
    .map(({id, nodes}) => [id, nodes.length, nodes[0].html.slice(0, 200), nodes[0].failureSummary]))"""


# What fades in has too little contrast until it is there: nothing fades, and two frames have passed.
STILL = "*, *::before, *::after { animation: none !important; transition: none !important; }"
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def findings(page: Page, within: str = "") -> list[Any]:
    """What axe-core finds serious or critical on a page, and which landmarks it misses; `within` is a selector."""
    page.add_style_tag(content=STILL)
    page.evaluate(FRAMES)
    page.evaluate(AXE_SCRIPT)
    found: list[Any] = page.evaluate(RUN, [WCAG, LANDMARKS, within])
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a module.

    Playwright keeps an event loop running in this thread: Django would refuse queries, and other tests start loops of
    their own.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"],
        )
        yield browser
        browser.close()


@pytest.fixture
def boss(live_server: Any) -> User:
    return person("ada", Role.ADMIN)


@pytest.fixture
def opened(chromium: Browser, live_server: Any, boss: User, settings: Any) -> Iterator[Opener]:
    """Makes a page of a width and height, whose user is logged in; paths are those of the live server."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False  # http
    contexts = []

    def open_page(size: tuple[int, int] = DESK, *, anonymous: bool = False) -> Page:
        width, height = size
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            locale="zh-TW",
            reduced_motion="reduce",
            has_touch=size == PHONE,
        )
        contexts.append(context)
        if not anonymous:
            cookie = session_client(boss).cookies[project.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
