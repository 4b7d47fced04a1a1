"""A seller's system with data in it, and one page of each kind."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import ApiToken
from notifications.models import Template
from products.models import CrawlRun, Product
from tests.admin import makers
from tests.admin import makers_notifications as messages

NAME = "【山田研究所】玻尿酸保濕精華液 30ml 買一送一超值組合（加贈旅行組三件）限定版"


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def fill(host: str) -> None:
    """Products, crawls, sales, messages and users, a few rows of each; `host` serves the pictures."""
    picture = f"{host}/static/accounts/mark.svg"
    for number in range(12):
        status = "out_of_stock" if number % 4 == 3 else "active"
        makers.product(number, name=f"{NAME} {number}", status=status, price=12_900 + number, image_url=picture)
    makers.full_run()
    makers.events(3)
    makers.held(3)
    makers.alerts(1)
    makers.spans(Product.objects.get(product_id="10000001"), [12_990, 11_900, 12_901])
    rows = [makers.sold("2026-01-29"), makers.sold("2026-01-30", quantity=3, amount=-2_970)]
    makers.brought(*rows)
    makers.brought(makers.sold("2026-01-31", quantity="三"))
    makers.waiting(makers.workbook())
    makers.aliases(2)
    makers.trail(2)
    makers.tokens(2)
    makers.logins(2)
    makers.tasks(2)
    messages.template()
    messages.subscriptions(2)
    messages.mails(3)
    messages.parts()


def pages() -> dict[str, str]:
    """Addresses of one page of each kind, by name; `fill` has made what they show."""
    template = Template.objects.get(code="host_notice")
    run = CrawlRun.objects.get(verdict="suspect", error_count=1)
    return {
        "home": reverse("admin:index"),
        "products": _list("products_product"),
        "product": reverse("admin:products_product_change", args=[Product.objects.get(product_id="10000001").pk]),
        "categories": _list("products_category"),
        "import": reverse("admin:products_category_import"),
        "crawls": _list("products_crawlrun"),
        "crawl": reverse("admin:products_crawlrun_change", args=[run.pk]),
        "jobs": _list("jobs_job"),
        "upload": reverse("admin:jobs_job_upload"),
        "template": reverse("admin:notifications_template_change", args=[template.pk]),
        "messages": _list("notifications_outboxmessage"),
        "subscriptions": _list("notifications_subscription"),
        "user": reverse("admin:accounts_user_change", args=[ApiToken.objects.earliest("pk").user_id]),
        "token": reverse("admin:accounts_apitoken_add"),
        "missing": "/nowhere",
    }
