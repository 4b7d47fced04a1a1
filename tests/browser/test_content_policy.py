"""The Content-Security-Policy in a browser: no page breaks it, and what it forbids does not run."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.admin import makers
from tests.admin import makers_notifications as messages
from tests.browser.conftest import FRAMES, Opener

# Before any script of the page.
LISTEN = """
window.broken = [];
document.addEventListener(
    "securitypolicyviolation", event => broken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`))
"""
# Two ways that text which was not escaped would run.
INJECTED = """() => {
    document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.ran = 1">');
    const script = document.createElement("script");
    script.textContent = "window.ran = 2";
    document.body.append(script);
}"""


@pytest.fixture
def page(opened: Opener) -> Page:
    page = opened()
    page.add_init_script(LISTEN)
    return page


def test_no_page_breaks_the_policy(page: Page) -> None:
    product = makers.product(9_000, image_url="https://img.example/a.webp")
    makers.spans(product, [1000, 900])
    makers.full_run()
    makers.held(1)
    template, mail = messages.template(), messages.mail("held")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))

    urls = (
        reverse("admin:index"),
        reverse("admin:products_product_changelist"),
        reverse("admin:products_product_change", args=[product.pk]),
        reverse("admin:products_quarantinedprice_changelist"),
        reverse("admin:jobs_job_upload"),
        reverse("admin:ai_style_workbench"),
        reverse("admin:notifications_template_change", args=[template.pk]),
        reverse("admin:notifications_outboxmessage_change", args=[mail.pk]),
        reverse("admin:accounts_user_export"),
        reverse("admin:products_category_import"),
        reverse("admin:django_celery_beat_periodictask_add"),
        reverse("admin:accounts_apitoken_add"),
        "/change_password",
        "/api/docs",
        "/login?next=/admin/",
        "/nothing",
    )
    for url in urls:
        answer = page.goto(url, wait_until="load")
        assert answer is not None
        assert "unsafe-inline" not in answer.headers["content-security-policy"].split("script-src")[1].split(";")[0]
        page.evaluate(FRAMES)  # what scripts insert as the page loads is drawn
        faults += [f"{url}: {broken}" for broken in page.evaluate("broken")]

    assert faults == []


def test_dialogs_and_previews_work_under_the_policy(page: Page) -> None:
    template = messages.template()
    makers.held(1)

    page.goto(reverse("admin:products_quarantinedprice_changelist"))
    page.locator("a.mo-link[hx-get]").first.click()
    page.wait_for_selector("#modal-content form", state="visible")
    faults = page.evaluate("broken")
    page.goto(reverse("admin:notifications_template_change", args=[template.pk]))
    page.wait_for_selector("iframe.mo-frame", state="attached")

    assert faults + page.evaluate("broken") == []


def test_scripts_in_a_page_do_not_run(page: Page) -> None:
    page.goto(reverse("admin:index"))

    page.evaluate(INJECTED)
    page.wait_for_function("broken.length >= 2")

    assert page.evaluate("window.ran") is None
