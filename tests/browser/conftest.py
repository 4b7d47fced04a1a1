"""Debian's Chromium, and pages of the running site as a logged-in user sees them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings as project
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

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
            executable_path=shutil.which("chromium-headless-shell"),
            args=["--no-sandbox", "--disable-gpu", "--renderer-process-limit=1", "--force-color-profile=srgb"],
        )
        yield browser
        browser.close()


@pytest.fixture
def boss(live_server: Any) -> User:
    return person("ada", Role.ADMIN)


class Contexts:
    """The browser's contexts of a module, one for each size of window.

    Tests share them, since loading scripts and styles without a cache takes most of a page's time. Cookies and local
    storage are deleted after each test.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.made: dict[tuple[tuple[int, int], str], BrowserContext] = {}

    def of(self, size: tuple[int, int], address: str) -> BrowserContext:
        """The context whose window has this width and height, on the server at `address`."""
        if (size, address) not in self.made:
            width, height = size
            self.made[size, address] = self.browser.new_context(
                base_url=address,
                viewport={"width": width, "height": height},
                locale="zh-TW",
                reduced_motion="reduce",
                has_touch=size == PHONE,
            )
        return self.made[size, address]

    def empty(self, address: str) -> None:
        """Close all pages, and delete cookies, permissions and the local storage of `address`."""
        for context in self.made.values():
            for page in context.pages[1:]:
                page.close()
            context.clear_cookies()
            context.clear_permissions()
            page = context.pages[0] if context.pages else context.new_page()
            session = context.new_cdp_session(page)
            session.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "local_storage"})
            page.close()


@pytest.fixture(scope="module")
def contexts(chromium: Browser) -> Contexts:
    return Contexts(chromium)


@pytest.fixture
def opened(contexts: Contexts, live_server: Any, boss: User, settings: Any) -> Iterator[Opener]:
    """Makes a page of a width and height, whose user is logged in; paths are those of the live server.

    Pages of one size share their cookies: the user is that of the last page.
    """
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False  # http

    def open_page(size: tuple[int, int] = DESK, *, anonymous: bool = False) -> Page:
        context = contexts.of(size, live_server.url)
        context.clear_cookies()
        if not anonymous:
            cookie = session_client(boss).cookies[project.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        return context.new_page()

    yield open_page
    contexts.empty(live_server.url)
