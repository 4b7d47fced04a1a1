"""Everybody who may call, and something of everything to call for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import LoginAttempt, Role, User
from accounts.services import create_token, record_login, revoke_token
from ai.models import Generation
from bot.models import TelegramAccount
from momo.jobs.models import Job
from momo.reports.models import Report
from notifications.models import Channel, Subscription
from products.models import Category, Product, Watch
from products.services.watches import set_watch
from sales.models import Alarm, Campaign, DayNote, Target
from tests.admin.makers import ended, waiting, workbook
from tests.ai.makers import generation
from tests.contract.matrix import ALARM, STOCKOUT
from tests.kit.users import person, session_client
from tests.products.factories import Runs, absent, category, item
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import Vendor, VendorAddress

ELSEWHERE = "https://evil.example"
CODES = {
    400: "VALIDATION_ERROR",
    401: "AUTH_REQUIRED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITED",
    500: "SERVER_ERROR",
    502: "UPSTREAM_ERROR",
    503: "UNAVAILABLE",
}

# What would only cost time here: limits that hundreds of requests run into, a look at all static files for
# each client.
SETTINGS: dict[str, Any] = {
    "WHITENOISE_AUTOREFRESH": True,
    "REST_FRAMEWORK": {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {}},
    # Nothing is sent: no sender runs.
    "TELEGRAM_BOT_TOKEN": "1:contract",
    "TELEGRAM_CHAT_ID": "-100",
    "TELEGRAM_WEBHOOK_SECRET": "secret-of-the-contract",
    # No role opens /metrics; a scrape for each caller takes seconds.
    "METRICS_NETWORKS": [],
}
WEBHOOK = ("POST", "/api/bot/telegram/webhook")
# What Telegram sends with its updates.
TELEGRAM = {"X-Telegram-Bot-Api-Secret-Token": SETTINGS["TELEGRAM_WEBHOOK_SECRET"]}


@dataclass(frozen=True)
class Imports:
    """One that can be undone, one to cancel, one that failed over its rows and can be tried again."""

    done: Job
    waiting: Job
    failed: Job


@dataclass
class World:
    """`actors` holds, for each kind of caller, a client for each way in; all of a kind must be treated alike."""

    actors: dict[str, dict[str, Client]]
    people: dict[str, User]
    tokens: dict[str, str]
    category: Category
    product: Product
    imports: Imports
    vendor: Vendor
    address: VendorAddress
    generation: Generation
    target: Target
    campaign: Campaign
    note: DayNote
    watch: Watch

    def paths(self, path: str) -> dict[str, Any]:
        """Something that exists for each name in `path`, in a state that allows what the path does."""
        jobs = {"cancel": self.imports.waiting, "errors": self.imports.failed, "retry": self.imports.failed}
        return {
            "user_id": self.people["target"].pk,
            "product_id": self.product.product_id,
            "kind": "all",
            "generation_id": self.generation.pk,
            "code": "disk_warning",
            "report_id": Report.objects.get(name="合約").pk,
            "vendor_id": self.vendor.pk,
            "email_id": self.address.pk,
            "target_id": self.target.pk,
            "campaign_id": self.campaign.pk,
            "note_id": self.note.pk,
            "watch_id": self.watch.pk,
            "job_id": jobs.get(path.rpartition("/")[2], self.imports.done).pk,
        }


def bearer(text: str) -> Client:
    return _client({"Authorization": f"Bearer {text}"})


def _client(headers: dict[str, str] | None = None) -> Client:
    return Client(raise_request_exception=False, enforce_csrf_checks=True, headers=headers or {})


def _browser(user: User, headers: dict[str, str] | None = None) -> Client:
    return session_client(user, enforce_csrf_checks=True, headers=headers or {})


def _token(user: User, **values: Any) -> str:
    return create_token(user=user, name="contract", **values).text


def stock() -> tuple[Category, Product]:
    """A category with two products: one whose price rose and fell, one that is gone; and the runs that found it."""
    where, runs = category(), Runs()
    runs.at = timezone.now() - dt.timedelta(hours=14)
    for step, price in enumerate((1000, 1100, 990, 990, 990)):
        other = item("87654321", 500) if step < 2 else absent("87654321")
        runs.run({where: [item("12345678", price), other]})
    return where, Product.objects.get(product_id="12345678")


# Rows of a report, as `workbook` takes them.
SOLD = (
    ("2026-01-22", "12345678", "玻尿酸精華液", "水潤", "美妝", "王小明", 2, 1980, 1200),
    ("2026-01-28", "12345678", "玻尿酸精華液", "水潤", "美妝", "王小明", 3, 2970, 1800),
    ("2026-01-29", "12345678", "玻尿酸精華液", "水潤", "美妝", "王小明", 5, 4950.5, 3000),
    ("2026-01-29", "00087654", "洗髮精", "", "居家", "李小華", 1, 299, None),
    ("2026-01-29", "12345678", "玻尿酸精華液", "水潤", "美妝", "王小明", -1, -990, -600),
)
WRONG = ("2026-01-30", "12345678", "玻尿酸精華液", "水潤", "美妝", "王小明", "三", 990, 600)
# What lies in Google Drive.
DRIVEN = ("2026-02-01", "12345678", "玻尿酸精華液", "水潤", "美妝", "王小明", 4, 3960, 2400)


def imports(user: User | None = None) -> Imports:
    """With three days of sales."""
    done, failed = ended(waiting(workbook(*SOLD), user=user)), ended(waiting(workbook(WRONG), user=user))
    made = Imports(done, waiting(workbook(*SOLD)), failed)
    assert (made.done.status, made.failed.status) == (Job.Status.SUCCEEDED, Job.Status.FAILED)
    return made


def build() -> World:
    """Call inside of a transaction that is rolled back."""
    roles = {role: person(role, role) for role in Role.values}
    # Whatever shuts these out, it is not their role.
    out = {name: person(name, Role.ADMIN) for name in ("revoked", "expired", "inactive", "must-change")}
    people = {**roles, **out, "target": person("target")}
    User.objects.filter(pk=out["must-change"].pk).update(must_change_password=True)
    revoked = create_token(user=out["revoked"], name="contract")
    revoke_token(token=revoked.token)
    expired = _token(out["expired"], expires_at=timezone.now() - dt.timedelta(seconds=1))
    inactive, inactive_browser = _token(out["inactive"]), _browser(out["inactive"])
    User.objects.filter(pk=out["inactive"].pk).update(is_active=False)
    admin = people[Role.ADMIN]
    tokens = {name: _token(people[name]) for name in (*roles, "must-change")}
    actors = {
        "nobody": {"nothing": _client()},
        **{name: {"cookie": _browser(user), "token": bearer(tokens[name])} for name, user in roles.items()},
        "dead": {
            "revoked token": bearer(revoked.text),
            "expired token": bearer(expired),
            "token of an inactive user": bearer(inactive),
            "unknown token": bearer("momo_unknown"),
        },
        "inactive": {"cookie": inactive_browser},
        "must": {
            "cookie": _browser(out["must-change"]),
            "token": bearer(tokens["must-change"]),
        },
        "cross": {
            "Origin": _browser(admin, {"Origin": ELSEWHERE}),
            "Sec-Fetch-Site": _browser(admin, {"Sec-Fetch-Site": "cross-site"}),
        },
    }
    record_login(
        username="user",
        user_id=roles[Role.USER].pk,
        address="203.0.113.7",
        user_agent="Browser/1.0",
        reason=LoginAttempt.Reason.WRONG_PASSWORD,
    )
    # A recipient of what the runs of `stock` found.
    Subscription.objects.create(
        name="價格通知", event="price_digest", channel=Channel.EMAIL, address="wang@example.com"
    )
    for number, user in enumerate(roles.values(), start=501):
        TelegramAccount.objects.create(user=user, telegram_id=number, name="小明")
    # Without a picture, which takes half a second to draw.
    Report.objects.create(name="合約", sections=["sales_missing_days"], is_active=False)
    where, product = stock()
    Alarm.objects.create(
        pk=ALARM,
        kind=Alarm.Kind.AMOUNT,
        date=dt.date(2026, 1, 29),
        dimension=Alarm.Dimension.BRAND,
        key="水潤",
        name="水潤",
        value=3960,
        expected=31_500,
    )
    vendor = make_vendor("V00001", "vendor@example.com")
    stockout = make_stockout(vendor, make_batch(line_count=2), pk=STOCKOUT)
    make_stockout(vendor, stockout.batch, product_code=stockout.product_code, duplicate_of=stockout)
    return World(
        actors,
        people,
        tokens,
        where,
        product,
        imports(people[Role.MANAGER]),
        vendor,
        vendor.addresses.get(),
        generation(roles[Role.USER]),
        Target.objects.create(month=dt.date(2026, 1, 1), amount=500_000, gross_profit=150_000),
        Campaign.objects.create(name="周末檔", first=dt.date(2026, 1, 28), last=dt.date(2026, 1, 29)),
        DayNote.objects.create(date=dt.date(2026, 1, 28), text="網站當機", author=roles[Role.MANAGER]),
        set_watch(user=roles[Role.USER], product=product, kind=Watch.Kind.ABSOLUTE, value=900).watch,
    )
