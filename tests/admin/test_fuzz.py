"""Extreme values in every address, list parameter and form field of the admin: none may be a failure of the server.

Addresses come from the resolver, parameters from the lists' filters and fields from the pages' forms, so that what is
added later is tried too. A value is tried in all filters of a list at once, and in each alone where the list refused
them. The fields of a form get extreme values of their kind together, then each alone beside what the page offers. A run
tries a third of the addresses, lists and forms.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_from_bytes, quote_plus, urlencode

import pytest
from django.contrib import admin
from django.db.models import DateField, Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from lxml import html

from momo.admin import site
from momo.jobs.models import ColumnAlias
from sales.models import DayOwner, SalesLine
from tests.admin import makers
from tests.admin import makers_notifications as messages
from tests.kit.turns import in_turns, turn

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
FORM = "application/x-www-form-urlencoded"

# Values as they stand in an address or in a form, quoted.
NUL = "%00"
BROKEN = quote_from_bytes(b"\xed\xa0\x80\xff")  # a lone surrogate in UTF-8, and what is no UTF-8 at all
LONG = quote("長" * 3000)
DIGITS, DEEP = "9" * 5000, "[" * 60_000
UNSTORABLE = quote(r'[{"name": "a\u0000b\ud800", "type": "text", "example": NaN}]')
IDS = ("abc", NUL, BROKEN, "9" * 40, "-1", quote("١"), "a/b", "_5F_zz")
DAYS = ("0001-01-01", "9999-12-31")
# Of fields: for three attempts with all of them, of which the last is also made alone, since it is the one most likely
# to pass the field and to fail behind it.
TEXTS = (NUL, BROKEN, LONG)
KINDS = {
    "number": (NUL, "-1", "9" * 30),
    "hidden": (NUL, "-1", DIGITS),
    "checkbox": (BROKEN, LONG, NUL),
    "select": (NUL, DIGITS, "99"),
    "textarea": (DIGITS, LONG, DEEP),
    "json": (DIGITS, DEEP, UNSTORABLE),
    "day": (NUL, *DAYS),
}


def pages() -> list[str]:
    makers.full_run()
    makers.held(1)
    makers.events(1)
    makers.aliases(1)
    walk, one = makers.run(), makers.product(9_000, image_url="")
    done = makers.brought(makers.sold("2026-01-29"))
    failed = makers.brought(makers.sold("2026-01-29", quantity="三"))
    waiting = makers.waiting(makers.workbook())
    text, chat = messages.template(), messages.chat(is_active=False, note="被踢出")
    subscription, mail, parts = messages.subscription(), messages.mail("held"), messages.parts()
    messages.attachment(mail)
    lists = [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry]
    return [
        *map(reverse, lists),
        reverse("admin:index"),
        reverse("admin:products_crawlrun_change", args=[walk.pk]),
        reverse("admin:products_product_change", args=[one.pk]),
        reverse("admin:products_category_import"),
        *(reverse("admin:jobs_job_change", args=[job.pk]) for job in (done, failed, waiting)),
        *(reverse(f"admin:jobs_job_{act}", args=[done.pk]) for act in ("undo", "cancel", "retry")),
        reverse("admin:jobs_job_upload"),
        reverse("admin:jobs_columnalias_add"),
        reverse("admin:jobs_columnalias_change", args=[ColumnAlias.objects.get().pk]),
        reverse("admin:jobs_columnalias_import"),
        reverse("admin:sales_dayowner_change", args=[DayOwner.objects.get().pk]),
        reverse("admin:sales_salesline_change", args=[SalesLine.objects.get().pk]),
        reverse("admin:notifications_template_add"),
        reverse("admin:notifications_template_import"),
        reverse("admin:notifications_template_change", args=[text.pk]),
        reverse("admin:notifications_template_send_test", args=[text.pk]),
        reverse("admin:notifications_template_history_of", args=[text.pk]),
        reverse("admin:notifications_template_restore", args=[text.pk, 1]),
        reverse("admin:notifications_subscription_add"),
        reverse("admin:notifications_subscription_change", args=[subscription.pk]),
        reverse("admin:notifications_subscription_send_test", args=[subscription.pk]),
        reverse("admin:notifications_chat_add"),
        reverse("admin:notifications_chat_change", args=[chat.pk]),
        reverse("admin:notifications_chat_switch_on", args=[chat.pk]),
        *(reverse("admin:notifications_outboxmessage_change", args=[one.pk]) for one in (mail, parts[0])),
        *(reverse(f"admin:notifications_outboxmessage_{act}", args=[mail.pk]) for act in ("release", "mark_sent")),
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_apitoken_add"),
        reverse("admin:django_celery_beat_periodictask_add"),
    ]


@pytest.fixture
def client(as_boss: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Client:
    """An admin's browser, whose pages have no sidebar: it takes a third of the time and no input."""
    caplog.set_level(logging.CRITICAL, logger="django")
    monkeypatch.setattr(site, "navigation", lambda request: [])
    as_boss.raise_request_exception = False
    return as_boss


class Failures(list[str]):
    """Requests that the server failed to answer."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client

    def ask(self, url: str, body: str | None = None) -> Any:
        """GET, or POST of a form, and the answer."""
        answer = self.client.get(url) if body is None else self.client.post(url, body, content_type=FORM)
        if answer.status_code >= 500:
            self.append(
                f"{url[:200]} {(body or '')[:200]} {(body or '')[-60:]}: {answer.exc_info and answer.exc_info[1]!r}"
            )
        return answer


def routes() -> Iterator[str]:
    """Every route of the admin, with its parameters in angle brackets."""

    def walk(entry: URLResolver, prefix: str) -> Iterator[str]:
        for one in entry.url_patterns:
            path = prefix + str(one.pattern).removeprefix("^").removesuffix("$")
            if isinstance(one, URLPattern):
                yield path
            else:
                yield from walk(one, path)

    return (path for path in walk(get_resolver(), "/") if path.startswith("/admin/"))


def name_of(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def rows() -> list[str]:
    """Rows for every list. Returns the addresses of pages."""
    found = pages()
    for make in (makers.trail, makers.tasks, makers.tokens, makers.logins):
        make(1)
    return found


@in_turns(6)
def test_every_address_with_every_id(client: Client, parts: int) -> None:
    rows()
    failures = Failures(client)

    for route in turn(filter(PARAMETER.search, routes()), parts):
        for value in IDS:
            failures.ask(PARAMETER.sub(value, route))
        failures.ask(PARAMETER.sub("abc", route), "a=b")

    assert failures == []
    for model in turn(admin.site._registry, parts):
        assert failures.ask(reverse(name_of(model, "change"), args=["abc"])).status_code == 404


@in_turns(6)
def test_every_parameter_of_every_list(client: Client, parts: int) -> None:
    rows()
    failures = Failures(client)

    for model, model_admin in turn(admin.site._registry.items(), parts):
        url = reverse(name_of(model, "changelist"))
        page = failures.ask(url)
        days = [f"{field.name}__year" for field in model._meta.fields if isinstance(field, DateField)][:1]
        filters = [name for one in page.context["cl"].filter_specs for name in one.expected_parameters()]
        for value in (BROKEN, DIGITS, *DAYS):
            answer = failures.ask(f"{url}?{'&'.join(f'{name}={value}' for name in ['q', '_popup', *filters])}")
            if value == DIGITS and answer.status_code != 200:
                for name in filters:
                    failures.ask(f"{url}?{name}={value}")
        for name in ("p", "o", "id__in", "_to_field", *days):
            failures.ask(f"{url}?{name}={DIGITS}")
        failures.ask(f"{url}?q={NUL}")
        for action in [*model_admin.get_actions(page.wsgi_request), "zz"]:
            failures.ask(url, f"action={action}&_selected_action=abc&index=0&post=yes")

    assert failures == []


def test_days_at_the_ends_of_the_calendar_are_open_ends(client: Client) -> None:
    makers.jobs(3)

    listed = client.get(reverse("admin:jobs_job_changelist"), {"created_at_from": DAYS[0], "created_at_to": DAYS[1]})

    assert listed.context["cl"].result_count == 3


def extremes(field: Any) -> tuple[str, ...]:
    """The values for a field of a page."""
    kind = field.get("type") or field.tag
    if kind == "textarea" and (field.text or "").lstrip()[:1] in ("[", "{"):
        kind = "json"
    if "vDateField" in field.get("class", ""):
        kind = "day"
    return KINDS.get(kind, TEXTS)


@in_turns(6)
def test_every_field_of_every_form(client: Client, parts: int) -> None:
    addresses = rows()
    for model in admin.site._registry:
        one = model._default_manager.first()
        addresses += [reverse(name_of(model, "add"))] + (
            [reverse(name_of(model, "change"), args=[one.pk])] if one else []
        )
    addresses += [route for route in routes() if not PARAMETER.search(route)]
    failures = Failures(client)
    tried: set[tuple[str, ...]] = set()

    for address in turn(dict.fromkeys(addresses), parts):
        page = failures.ask(address)
        if page.status_code != 200 or page.streaming or not page.content or "html" not in page["Content-Type"]:
            continue
        for form in html.fromstring(page.content.decode()).forms:
            fields = {field.get("name"): field for field in form.inputs if field.get("name")}
            fields.pop("csrfmiddlewaretoken", None)
            target = form.action if (form.action or "").startswith("/") else address
            if (form.method or "").upper() != "POST" or (target, *fields) in tried:
                continue
            tried.add((target, *fields))
            for attempt in range(3):
                failures.ask(target, "&".join(f"{name}={extremes(field)[attempt]}" for name, field in fields.items()))
            if not address.endswith("/add/") and form.get("id") != "changelist-form":
                given = [(name, value) for name, value in form.form_values() if name in fields]
                for name, field in fields.items():
                    others = urlencode([pair for pair in given if pair[0] != name], quote_via=quote_plus)
                    failures.ask(target, f"{others}&{name}={extremes(field)[-1]}")

    assert failures == []


def test_pages_of_packages(client: Client) -> None:
    """What no link or form of a page leads to."""
    failures = Failures(client)

    for value in ("abc", "-1", "99", NUL, DIGITS):
        failures.ask(f"/admin/search/?s=a&page={value}")
        failures.ask(f"/admin/search/?extended=1&s={value}")
        for asked in (f"model_name={value}&field_name=x", f"model_name=apitoken&field_name=user&page={value}"):
            failures.ask(f"/admin/autocomplete/?app_label=accounts&term={value}&{asked}")
        for name in ("format", "resource", "import_file_name"):
            given = {"format": "0", "resource": "", "import_file_name": "x", "original_file_name": "x.csv"} | {name: ""}
            failures.ask("/admin/accounts/user/process_import/", f"{urlencode(given)}{value}&{name}={value}")
        failures.ask("/admin/accounts/user/export/", f"format={value}&resource={value}&export_items={value}")

    assert failures == []
