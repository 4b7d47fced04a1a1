"""Requests of every operation, good and bad, and the status of each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.models import LoginAttempt, User
from ai.models import Budget, ModelPrice, TrendCategory, TrendList
from momo.jobs.models import Job, JobError
from momo.jobs.services import undo_job
from momo.system.models import Cleanup
from notifications.models import Subscription
from notifications.services.chats import chat_for, switch_off_chat
from products.models import Category, Product
from products.services.notify import notify_price_events
from sales.models import DayNote
from tests.contract.bodies import Form
from tests.contract.description import JSON, Operation
from tests.contract.matrix import ALARM, NEW, REPORT, STOCKOUT, STOCKOUTS
from tests.contract.world import TELEGRAM, World
from tests.kit.users import PASSWORD
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, StockoutBatch, Vendor, VendorAddress


@dataclass(frozen=True)
class Call:
    """A request of `actor` and its status; `at` replaces what stands for a name in the path."""

    status: int
    actor: str = "admin"
    query: str = ""
    body: Any = None
    at: dict[str, Any] = field(default_factory=dict)
    prepare: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.actor} {self.query or self.body or self.at or ''}".strip()


def no_products(world: World) -> None:
    Product.objects.all().delete()


def no_categories(world: World) -> None:
    Category.objects.update(enabled=False)


def budget_used_up(world: World) -> None:
    ModelPrice.objects.update(input_per_million=1)
    Budget.objects.create(amount=0)


def no_prices(world: World) -> None:
    ModelPrice.objects.all().delete()


def crawling(world: World) -> None:
    world.actors["admin"]["token"].post("/api/run_task", {}, content_type=JSON)


def all_reported(world: World) -> None:
    notify_price_events()


def no_subscription(world: World) -> None:
    Subscription.objects.all().delete()


def no_sales(world: World) -> None:
    undo_job(job=world.imports.done)


def no_job(world: World) -> None:
    Job.objects.filter(pk__in=[world.imports.waiting.pk, world.imports.failed.pk]).delete()


def running(world: World) -> None:
    Job.objects.filter(pk=world.imports.waiting.pk).update(status="running", stage="checking", attempt=1)


def file_gone(world: World) -> None:
    Job.objects.filter(pk=world.imports.failed.pk).update(file="")


def cleaning(world: World) -> None:
    now = timezone.now()
    Cleanup.objects.create(trigger="command", status="running", attempt=1, started_at=now, heartbeat_at=now)


def restarting(world: World) -> None:
    world.actors["admin"]["token"].post("/api/system/k8s/restart", {"deployment": "momo-app"}, content_type=JSON)


def old_logins(world: World) -> None:
    long_ago = timezone.now() - dt.timedelta(days=4000)
    LoginAttempt.objects.create(username="amy", address="::1", success=False, time=long_ago)


def many_errors(world: World) -> None:
    failed = world.imports.failed
    JobError.objects.bulk_create(JobError(job=failed, row=row, message="數量不是整數") for row in range(3, 200))
    Job.objects.filter(pk=failed.pk).update(error_count=198)


def no_chat(world: World) -> None:
    switch_off_chat(chat_for("43"), reason="機器人被封鎖")


def unknown_drive_file(world: World) -> None:
    """As the schedule leaves a file that is no report."""
    Job.objects.filter(pk=world.imports.failed.pk).update(job_type="", source="drive", created_by=None, file="")


def bare_user(world: World) -> None:
    """As few values as a user can have, and a name that is not ASCII."""
    User.objects.filter(pk=world.people["target"].pk).update(username="小美", email="", last_login=None)


def no_address(world: World) -> None:
    VendorAddress.objects.all().delete()


def used_vendor(world: World) -> None:
    """One of which something is known that must not be lost."""
    make_stockout(world.vendor)


def free_vendor(world: World) -> None:
    Stockout.objects.exclude(duplicate_of=None).delete()
    Stockout.objects.all().delete()


def merged_vendor(world: World) -> None:
    Vendor.objects.filter(pk=world.vendor.pk).update(merged_into=make_vendor("V00009"), is_active=False)


def bounced(world: World) -> None:
    VendorAddress.objects.update(bounced_at=timezone.now(), bounce_reason="550 no such user")


def answered(world: World) -> None:
    Stockout.objects.filter(pk=STOCKOUT).update(
        status="replied", answer="restock", restock_date="2026-02-05", restock_quantity=5, answered_at=timezone.now()
    )


def no_stockouts(world: World) -> None:
    free_vendor(world)
    StockoutBatch.objects.all().delete()


def trending(world: World) -> None:
    """A list with all that an item can have, one with as little as it can, one never read."""
    whole = {"rank": 1, "name": "化妝水", "brand": "水潤", "price": 599, "score": 5.8, "url": "https://example.com/1"}
    whole |= {"image_url": "https://example.com/1.jpg", "views": 12345, "published_at": "2026-01-20T12:00:00Z"}
    bare = {"rank": 1, "name": "甲", "brand": "", "price": None, "score": None, "url": "", "image_url": ""}
    for source, item in (("mybest", whole), ("cosme", bare | {"views": None, "published_at": None})):
        trend = TrendCategory.objects.filter(source=source).first()
        TrendList.objects.create(trend=trend, items=[item], fetched_at=timezone.now())


NO_TEMPLATE = {"code": "no_such_template"}
DISK = {"usage_percent": 85}
TEMPLATE = "/api/notification/templates/{code}"
CHANGED = {
    "title": "磁碟",
    "description": "",
    "format": "plain",
    "subject": "{{ percent }}",
    "body": "{% for disk in disks %}{{ disk.path }}{% endfor %}\n{{ percent }}",
    "variables": [
        {"name": "percent", "type": "number", "required": True, "example": 85.5},
        {"name": "disks", "type": "list", "fields": [{"name": "path", "type": "text", "example": "/"}]},
    ],
    "note": "新的寫法",
}
NOBODY = {"user_id": 999999}
NO_JOB = {"job_id": 999999}
SALES = {"job_type": "daily_sales"}
ORDER = {"product_name": "水潤精華液", "provider": "ollama"}
NO_GENERATION = {"generation_id": 999999}
NO_VENDOR = {"vendor_id": 999999}
VENDOR = {"code": "V00002", "name": "另一家"}
NO_PLAN = {"target_id": 999999, "campaign_id": 999999, "note_id": 999999}
TARGET = {"month": "2026-01", "dimension": "pm", "key": "王小明", "amount": 300000}
CAMPAIGN = {"name": "品牌日", "first": "2026-03-01", "last": "2026-03-03"}
NOTE = {"date": "2026-01-29", "text": "直播加碼"}
WATCH = {"product_id": "12345678", "kind": "percent", "value": 5}
CALLS: dict[Operation, list[Call]] = {
    ("GET", "/api/vendor/list"): [
        Call(200, "user"),
        Call(200, query="q=vendor@&is_active=true&needs_address=false&per_page=1"),
        Call(200, query="needs_address=true", prepare=bounced),
        Call(200, query="page=9"),
        Call(200, prepare=merged_vendor),
        Call(400, query="is_active=maybe"),
        Call(400, query="needs_address=2"),
        Call(400, query=f"q={'x' * 101}"),
        Call(400, query="page=0"),
    ],
    ("POST", "/api/vendor/list"): [
        Call(201, "manager", body=VENDOR),
        Call(
            201,
            body={
                **VENDOR,
                "contact": "",
                "escalation_email": "lead@example.com",
                "note": "備\n註",
                "is_active": False,
            },
        ),
        Call(400, body={**VENDOR, "code": "V00001"}),
        Call(400, body={"code": "", "name": "x" * 201, "escalation_email": "nobody"}),
        Call(400, body={**VENDOR, "addresses": []}),
        Call(400, body={}),
        Call(403, "user", body=VENDOR),
    ],
    ("GET", "/api/vendor/list/{vendor_id}"): [
        Call(200, "user"),
        Call(200, prepare=merged_vendor),
        Call(404, at=NO_VENDOR),
    ],
    **{
        (method, "/api/vendor/list/{vendor_id}"): [
            Call(200, "manager", body={"contact": "陳先生"}),
            Call(200, body={}),
            Call(200, body={"is_active": False, "id": 1, "open_stockouts": 3}),
            Call(400, body={"code": "TAKEN"}, prepare=lambda world: make_vendor("TAKEN")),
            Call(400, body={"name": "", "escalation_email": "nobody"}),
            Call(400, body={"nonsense": 1}),
            Call(403, "user", body={}),
            Call(404, at=NO_VENDOR, body={}),
            Call(409, body={"is_active": True}, prepare=merged_vendor),
        ]
        for method in ("PUT", "PATCH")
    },
    ("DELETE", "/api/vendor/list/{vendor_id}"): [
        Call(200, "manager", prepare=used_vendor),
        Call(200, prepare=free_vendor),
        Call(200, prepare=merged_vendor),
        Call(403, "user"),
        Call(404, at=NO_VENDOR),
    ],
    ("GET", "/api/vendor/{vendor_id}/emails"): [
        Call(200, "user"),
        Call(200, prepare=bounced),
        Call(200, prepare=no_address),
        Call(400, query="page=0"),
        Call(404, at=NO_VENDOR),
    ],
    ("POST", "/api/vendor/{vendor_id}/emails"): [
        Call(201, "manager", body={"email": "new@example.com"}),
        Call(201, body={"email": "new@example.com", "kind": "cc", "name": "林", "is_active": False}),
        Call(400, body={"email": "VENDOR@Example.com"}),
        Call(400, body={"email": "nobody"}),
        Call(400, body={"email": "new@example.com", "kind": "bcc"}),
        Call(400, body={}),
        Call(403, "user", body={"email": "new@example.com"}),
        Call(404, at=NO_VENDOR, body={"email": "new@example.com"}),
        Call(409, body={"email": "new@example.com"}, prepare=merged_vendor),
    ],
    ("DELETE", "/api/vendor/email/{email_id}"): [
        Call(200, "manager"),
        Call(403, "user"),
        Call(404, at={"email_id": 999999}),
    ],
    ("GET", "/api/vendor/stockout"): [
        Call(200, "user"),
        Call(200, query="vendor_code=V00001&status=pending&q=商品&waits_for=us&open=true&pm=王小明&per_page=1"),
        Call(200, prepare=answered),
        Call(200, query="open=false"),
        Call(200, query="waits_for=&open=&pm=&status=&vendor_code=&batch_id=&q="),
        Call(200, query="page=99"),
        Call(200, prepare=no_stockouts),
        Call(400, query="batch_id=999999"),
        Call(400, query="batch_id=99999999999999999999"),
        Call(400, query="batch_id=1.5"),
        Call(400, query="vendor_code=unknown"),
        Call(400, query="status=lost"),
        Call(400, query="waits_for=nobody"),
        Call(400, query="open=maybe"),
        Call(400, query="pm=nobody"),
        Call(400, query=f"q={'x' * 101}"),
        Call(400, query="page=0"),
    ],
    ("POST", "/api/ai/check"): [
        Call(200, "user", body={"text": "天然草本茶，幫助減 肥", "domain": "food"}),
        Call(200, body={"text": "保濕滋潤", "product_id": "12345678"}),
        Call(200, body={"text": "保濕", "facts": {"name": "玻尿酸精華液", "price": 990, "ingredients": ["水"]}}),
        Call(400, body={"text": ""}),
        Call(400, body={"text": "字" * 20_001}),
        Call(400, body={"text": "保濕", "domain": "magic"}),
        Call(200, body={"text": "保濕", "facts": {"origin": "台灣"}, "product_id": "12345678"}),
        Call(400, body={"text": "保濕", "facts": {"origin": {"country": "台灣"}}}),
        Call(400, body={"text": "保濕", "facts": ["x"]}),
        Call(404, body={"text": "保濕", "product_id": "00000000"}),
    ],
    ("POST", "/api/ai/generate"): [
        Call(200, "user", body=ORDER),
        Call(
            200,
            body={
                **ORDER,
                "product_id": "12345678",
                "style": "專業",
                "keywords": ["保濕"],
                "facts": {"price": 990, "origin": ["台灣"]},
                "domain": "cosmetic",
                "length": 60,
                "variants": 2,
                "stream": False,
            },
        ),
        Call(400, body={}),
        Call(400, body={**ORDER, "style": "沒有這個風格"}),
        Call(400, body={**ORDER, "product_id": "00000000"}),
        Call(400, body={**ORDER, "variants": 6, "length": 1, "domain": "magic", "facts": []}),
        Call(429, body=ORDER, prepare=budget_used_up),
        Call(200, body={**ORDER, "provider": "gemini"}),
        Call(503, body=ORDER, prepare=no_prices),
    ],
    ("GET", "/api/ai/providers"): [Call(200, "user")],
    ("GET", "/api/ai/history"): [
        Call(200, "user"),
        Call(200, query="favorite=true&kind=copy&q=精華&per_page=1"),
        Call(400, query="favorite=maybe"),
        Call(400, query="kind=poem"),
        Call(400, query="page=0"),
    ],
    ("GET", "/api/ai/history/{generation_id}"): [
        Call(200, "user"),
        Call(404, "manager"),
        Call(404, at=NO_GENERATION),
    ],
    ("DELETE", "/api/ai/history/{generation_id}"): [Call(200, "user"), Call(404, at=NO_GENERATION)],
    ("PUT", "/api/ai/history/{generation_id}/favorite"): [Call(200, "user"), Call(404, at=NO_GENERATION)],
    ("GET", "/api/ai/usage/stats"): [
        Call(200, "user"),
        Call(200, query="start_date=2026-01-01&end_date=2026-12-31"),
        Call(400, query="start_date=2026-02-02&end_date=2026-02-01"),
        Call(400, query="start_date=2000-01-01"),
        Call(400, query="end_date=someday"),
    ],
    ("POST", "/api/ai/search"): [
        Call(400, body={}),
        Call(400, body={"query": " "}),
        Call(400, body={"query": "長" * 501}),
        Call(400, body={"query": "防曬", "provider": "ollama"}),
        Call(200, "user", body={"query": "防曬"}),
        Call(429, body={"query": "防曬"}, prepare=budget_used_up),
        Call(503, body={"query": "防曬"}, prepare=no_prices),
    ],
    ("GET", "/api/ai/trending"): [
        Call(200, "user", prepare=trending),
        Call(200, query="source=mybest&category=化妝水", prepare=trending),
        Call(200, query="source=&category="),
        Call(400, query="source=ptt"),
        Call(400, query="category=汽車"),
    ],
    ("GET", "/api/daily_sales"): [
        Call(200, "user"),
        Call(200, query="date=2026-01-29&pm=王小明&brand=水潤&page=1&per_page=1"),
        Call(200, query="date=2026-01-28"),
        Call(200, query="brand=未分類"),
        Call(200, query="date=1999-12-31"),
        Call(200, query="page=99"),
        Call(200, query="date=&pm=&brand="),
        Call(200, prepare=no_sales),
        Call(400, query="date=2026-02-30"),
        Call(400, query="date=20260129"),
        Call(400, query="date=9999-12-31"),
        Call(400, query="pm=nobody"),
        Call(400, query="brand=nothing"),
        Call(400, query=f"pm={'x' * 61}"),
        Call(400, query="page=0"),
        Call(400, query="per_page=201"),
    ],
    ("GET", "/api/monthly_summary"): [
        Call(200, "user"),
        Call(200, query="year=2026&month=1"),
        Call(200, query="year=1971&month=1"),
        Call(200, query="year=2199&month=12"),
        Call(200, query="year=&month="),
        Call(200, prepare=no_sales),
        Call(400, query="year=2026"),
        Call(400, query="month=1"),
        Call(400, query="year=2026&month=13"),
        Call(400, query="year=2200&month=1"),
        Call(400, query="year=x&month=1"),
    ],
    ("GET", "/api/sales/trend"): [
        Call(200, "user"),
        *(Call(200, query=f"dimension={dimension}&top=1") for dimension in ("brand", "pm", "category")),
        *(Call(200, query=f"interval={interval}&end_date=2026-02-28") for interval in ("day", "week", "month")),
        Call(200, query="start_date=2026-01-29&end_date=2026-01-29&dimension=brand"),
        Call(200, query="start_date=2000-01-01&end_date=2000-12-31&dimension=pm"),
        Call(200, query="dimension=&interval=&top="),
        Call(200, prepare=no_sales),
        Call(200, query="dimension=brand", prepare=no_sales),
        Call(400, query="dimension=vendor"),
        Call(400, query="interval=hour"),
        Call(400, query="top=0"),
        Call(400, query="top=x"),
        Call(400, query="start_date=2026-01-30&end_date=2026-01-29"),
        Call(400, query="start_date=2000-01-01&end_date=2026-01-29"),
        Call(400, query="start_date=someday"),
    ],
    ("GET", "/api/sales/targets"): [
        Call(200, "user"),
        Call(200, query="month=2026-01&dimension=all&key=&per_page=1"),
        Call(400, query="month=2026-13"),
        Call(400, query="dimension=vendor"),
    ],
    ("POST", "/api/sales/targets"): [
        Call(201, "manager", body=TARGET),
        Call(201, body={"month": "2026-02", "dimension": "all", "amount": None, "gross_profit": 0.5}),
        Call(400, body={"month": "2026-01", "dimension": "all", "amount": 1}),
        Call(400, body={**TARGET, "key": "", "amount": -1}),
        Call(400, body={**TARGET, "key": "未分類"}),
        Call(400, body={**TARGET, "month": "2026-1", "dimension": "vendor"}),
        Call(400, body={**TARGET, "amount": None}),
        Call(400, body={**TARGET, "amount": 10**12}),
        Call(400, body={}),
        Call(403, "user", body=TARGET),
    ],
    ("GET", "/api/sales/targets/{target_id}"): [Call(200, "user"), Call(404, at=NO_PLAN)],
    ("PUT", "/api/sales/targets/{target_id}"): [
        Call(200, "manager", body={"amount": 1}),
        Call(200, body={"id": 1, "gross_profit": None}),
        Call(400, body={"amount": None, "gross_profit": None}),
        Call(400, body={"key": "王小明"}),
        Call(403, "user", body={}),
        Call(404, at=NO_PLAN, body={}),
    ],
    ("DELETE", "/api/sales/targets/{target_id}"): [Call(200, "manager"), Call(403, "user"), Call(404, at=NO_PLAN)],
    ("GET", "/api/sales/targets/attainment"): [
        Call(200, "user"),
        Call(200, query="month=2026-01"),
        Call(200, query="month=2026-01&dimension=all&per_page=1"),
        Call(200, query="month=2000-01&dimension=brand", prepare=no_sales),
        Call(400, query="month=2026"),
        Call(400, query="dimension=vendor"),
        Call(400, query="page=0"),
    ],
    ("GET", "/api/sales/campaigns"): [
        Call(200, "user"),
        Call(200, query="kind=other&start_date=2026-01-01&end_date=2026-01-31"),
        Call(400, query="kind=party"),
        Call(400, query="start_date=2026-02-01&end_date=2026-01-31"),
    ],
    ("POST", "/api/sales/campaigns"): [
        Call(201, "manager", body=CAMPAIGN),
        Call(
            201, body={**CAMPAIGN, "kind": "double_11", "brands": ["水潤"], "products": ["12345678"], "note": "備\n註"}
        ),
        Call(400, body={**CAMPAIGN, "name": "周末檔", "first": "2026-01-28"}),
        Call(400, body={**CAMPAIGN, "last": "2026-02-28"}),
        Call(400, body={**CAMPAIGN, "last": "2027-02-28"}),
        Call(400, body={**CAMPAIGN, "first": "1999-12-31", "warm_up_days": 32, "brands": ["x"] * 101}),
        Call(400, body={**CAMPAIGN, "from_rule": "mine"}),
        Call(400, body={}),
        Call(403, "user", body=CAMPAIGN),
    ],
    ("GET", "/api/sales/campaigns/{campaign_id}"): [Call(200, "user"), Call(404, at=NO_PLAN)],
    ("PUT", "/api/sales/campaigns/{campaign_id}"): [
        Call(200, "manager", body={"brands": ["水潤", "水潤"], "from_rule": ""}),
        Call(400, body={"last": "2026-01-27"}),
        Call(403, "user", body={}),
        Call(404, at=NO_PLAN, body={}),
    ],
    ("DELETE", "/api/sales/campaigns/{campaign_id}"): [Call(200, "manager"), Call(403, "user"), Call(404, at=NO_PLAN)],
    ("GET", "/api/sales/alarms"): [
        Call(200, "user"),
        Call(200, query="kind=amount&dimension=brand&open=true&start_date=2026-01-29&end_date=2026-01-29"),
        Call(200, query="open=false"),
        Call(400, query="kind=odd"),
        Call(400, query="start_date=2026-02-01&end_date=2026-01-31"),
    ],
    ("POST", "/api/sales/alarms/acknowledge"): [
        Call(200, "manager", body={"ids": [ALARM]}),
        Call(400, body={"ids": []}),
        Call(400, body={"ids": ["x"]}),
        Call(403, "user", body={"ids": [ALARM]}),
        Call(404, body={"ids": [ALARM, 999999]}),
    ],
    ("GET", "/api/sales/notes"): [
        Call(200, "user"),
        Call(200, query="start_date=2026-01-28&end_date=2026-01-28"),
        Call(200, prepare=lambda world: DayNote.objects.update(author=None)),
        Call(400, query="start_date=2026-02-01&end_date=2026-01-31"),
    ],
    ("POST", "/api/sales/notes"): [
        Call(201, "manager", body=NOTE),
        Call(400, body={"date": "2026-01-28", "text": "網站當機"}),
        Call(400, body={"date": "2026-02-30", "text": "x" * 301}),
        Call(400, body={**NOTE, "author": "amy"}),
        Call(403, "user", body=NOTE),
    ],
    ("GET", "/api/sales/notes/{note_id}"): [Call(200, "user"), Call(404, at=NO_PLAN)],
    ("PUT", "/api/sales/notes/{note_id}"): [
        Call(200, "manager", body={"text": "網站又當機", "author": "somebody"}),
        Call(400, body={"text": ""}),
        Call(403, "user", body={}),
        Call(404, at=NO_PLAN, body={}),
    ],
    ("DELETE", "/api/sales/notes/{note_id}"): [Call(200, "manager"), Call(403, "user"), Call(404, at=NO_PLAN)],
    ("GET", "/api/export/daily_sales"): [
        Call(200, "user"),
        Call(200, query="date=2026-01-29&format=excel"),
        Call(200, query="date=2026-01-29&format=csv"),
        Call(200, query="date=2000-01-01&format=csv"),
        Call(200, query="format=", prepare=no_sales),
        Call(400, query="format=pdf"),
        Call(400, query="date=someday"),
    ],
    ("GET", "/api/import/drive/files"): [
        Call(200, "manager"),
        Call(200, query="page_size=1"),
        Call(200, query="page_token=&page_size="),
        Call(400, query="page_size=0"),
        Call(400, query="page_size=1001"),
        Call(400, query="page_token=unknown"),
        Call(403, "user"),
    ],
    ("POST", "/api/import/drive/import"): [
        Call(202, "manager", body={"file_id": "sales-1", **SALES}),
        Call(202, body={"file_id": "sales-1", **SALES, "on_error": "skip"}),
        Call(400, body={"file_id": "sales-1", "job_type": "unknown"}),
        Call(400, body={"file_id": "sales-1", **SALES, "on_error": "explode"}),
        Call(400, body={"file_id": "../sales-1", **SALES}),
        Call(400, body={"file_id": "", **SALES}),
        Call(400, body=SALES),
        Call(400, body={}),
        Call(403, "user", body={"file_id": "sales-1", **SALES}),
        Call(404, body={"file_id": "no-such-file", **SALES}),
    ],
    ("POST", "/api/import/upload"): [
        Call(202, "manager", body=Form(SALES, REPORT)),
        Call(202, body=Form({**SALES, "on_error": "skip"}, REPORT, "報表.xlsx")),
        Call(202, body=Form(SALES, b"no report at all", "../../etc/passwd")),
        Call(400, body=Form({"job_type": "unknown"}, REPORT)),
        Call(400, body=Form({**SALES, "on_error": "explode"}, REPORT)),
        Call(400, body=Form(SALES, b"")),
        Call(400, body=Form(SALES)),
        Call(400, body=Form({}, REPORT)),
        Call(400, body=Form({**SALES, "file": "每日銷售.xlsx"})),
        Call(400, body=SALES),
        Call(403, "user", body=Form(SALES, REPORT)),
    ],
    ("POST", "/api/vendor/stockout/import"): [
        Call(202, "manager", body=Form({}, STOCKOUTS)),
        Call(202, body=Form({"on_error": "skip", "confirm_loss": "true", "sheets": "缺貨"}, STOCKOUTS, "缺貨.xlsx")),
        Call(202, body=Form({}, b"no report at all", "../../etc/passwd")),
        Call(400, body=Form({"on_error": "explode"}, STOCKOUTS)),
        Call(400, body=Form({}, b"")),
        Call(400, body=Form({})),
        Call(400, body={}),
        Call(403, "user", body=Form({}, STOCKOUTS)),
    ],
    ("GET", "/api/import/jobs"): [
        Call(200, "user"),
        Call(200, query="status=failed&job_type=daily_sales&per_page=1"),
        Call(200, query="status=undone"),
        Call(200, query="page=99"),
        Call(200, query="status=&job_type="),
        Call(200, prepare=running),
        Call(200, prepare=unknown_drive_file),
        Call(200, prepare=no_job),
        Call(400, query="status=lost"),
        Call(400, query="job_type=unknown"),
        Call(400, query="page=0"),
    ],
    ("GET", "/api/import/jobs/{job_id}"): [
        *(Call(200, "user", at={"job_id": state}) for state in ("done", "waiting", "failed")),
        Call(200, at={"job_id": "waiting"}, prepare=running),
        Call(200, at={"job_id": "failed"}, prepare=many_errors),
        Call(200, at={"job_id": "failed"}, prepare=unknown_drive_file),
        Call(200, prepare=no_sales),
        Call(404, at=NO_JOB),
    ],
    ("GET", "/api/import/jobs/{job_id}/errors"): [
        Call(200, "user"),
        Call(200, prepare=many_errors),
        Call(200, prepare=file_gone),
        Call(404, at={"job_id": "done"}),
        Call(404, at=NO_JOB),
    ],
    ("POST", "/api/import/jobs/{job_id}/undo"): [
        Call(200, "manager"),
        Call(403, "user"),
        Call(404, at=NO_JOB),
        Call(409, at={"job_id": "waiting"}),
        Call(409, at={"job_id": "failed"}),
        Call(409, prepare=no_sales),
    ],
    ("POST", "/api/import/jobs/{job_id}/cancel"): [
        Call(200, "manager"),
        Call(200, prepare=running),
        Call(403, "user"),
        Call(404, at=NO_JOB),
        Call(409, at={"job_id": "done"}),
        Call(409, at={"job_id": "failed"}),
    ],
    ("POST", "/api/import/jobs/{job_id}/retry"): [
        Call(202, "manager"),
        Call(202, body={}),
        Call(202, body={"on_error": "skip", "confirm_loss": True}),
        Call(400, body={"on_error": "explode"}),
        Call(403, "user"),
        Call(404, at=NO_JOB),
        Call(409, at={"job_id": "done"}),
        Call(409, at={"job_id": "waiting"}),
        Call(409, prepare=file_gone),
        Call(409, prepare=unknown_drive_file),
    ],
    ("GET", "/api/export/excel/{kind}"): [
        *(Call(200, actor, at={"kind": kind}) for actor in ("user",) for kind in ("all", "changes", "delisted")),
        Call(200, prepare=no_products),
        Call(404, at={"kind": "everything"}),
    ],
    ("GET", "/api/history/{product_id}"): [
        Call(200, "user"),
        Call(200, query="start_date=2026-01-01&end_date=2199-01-01"),
        Call(200, query="end_date=2000-01-01"),
        Call(400, query="start_date=yesterday"),
        Call(400, query="start_date=2026-02-02&end_date=2026-02-01"),
        Call(404, at={"product_id": "00000000"}),
    ],
    ("GET", "/api/products"): [
        Call(200, "user"),
        Call(200, query="filter=decrease&hours=24&sort_by=change_percent&order=asc&q=12345678&per_page=1"),
        Call(200, query="filter=delisted&category=1100100000"),
        Call(200, query="page=99"),
        Call(200, prepare=no_products),
        Call(400, query="filter=unknown"),
        Call(400, query="category=unknown"),
        Call(400, query="hours=0"),
        Call(400, query="hours=1.5"),
        Call(400, query="sort_by=password"),
        Call(400, query="order=up"),
        Call(400, query="page=0"),
        Call(400, query="per_page=201"),
        Call(400, query=f"q={'x' * 101}"),
    ],
    ("GET", "/api/products/watches"): [
        Call(200, "user"),
        Call(200),
        Call(200, query="per_page=1&page=9"),
        Call(400, query="page=0"),
    ],
    ("POST", "/api/products/watches"): [
        Call(200, "user", body=WATCH),
        Call(200, body={**WATCH, "kind": "lowest", "value": 90, "active": False}),
        Call(400, body={**WATCH, "product_id": "00000000"}),
        Call(400, body={**WATCH, "kind": "rising"}),
        Call(400, body={**WATCH, "value": 501}),
        Call(400, body={**WATCH, "value": "5"}),
        Call(400, body={**WATCH, "user": 1}),
        Call(400, body={}),
    ],
    ("DELETE", "/api/products/watches/{watch_id}"): [
        Call(200, "user"),
        Call(404, "manager"),
        Call(404, "user", at={"watch_id": 999999}),
    ],
    ("POST", "/api/notification/render"): [
        Call(200, "user", body={"code": "disk_warning", "variables": DISK}),
        Call(200, body={"code": "disk_warning", "variables": {**DISK, "host": "momo<b>", "free_gb": "1.5"}}),
        Call(400, body={"code": "disk_warning"}),
        Call(400, body={"code": "disk_warning", "variables": {"usage_percent": "many"}}),
        Call(400, body={"code": "disk_warning", "variables": {**DISK, "hots": "x"}}),
        Call(400, body={"code": "disk_warning", "variables": [85]}),
        Call(400, body={}),
        Call(404, body={"code": "no_such_template", "variables": {}}),
    ],
    ("POST", "/api/bot/command"): [
        Call(200, "user", body={"command": "/help"}),
        Call(200, body={"command": "上週業績"}),
        Call(200, "manager", body={"command": "/unlink"}),
        Call(200, "manager", body={"command": "/unlink", "args": [], "confirmed": True}),
        Call(400, body={"command": ""}),
        Call(400, body={"command": "/help", "args": "x"}),
        Call(404, body={"command": "/no_such_command"}),
        Call(409, body={"command": "/subscribe"}),
    ],
    ("POST", "/api/bot/telegram/webhook"): [
        Call(200, body={"update_id": 1}, headers=TELEGRAM),
        Call(200, body={"update_id": 2, "message": {"text": "/help"}}, headers=TELEGRAM),
        Call(400, body={}, headers=TELEGRAM),
        Call(401, body={"update_id": 1}, headers={}),
    ],
    ("POST", "/api/notification/telegram"): [
        Call(202, "manager", body={"message": "測試"}),
        Call(202, body={"message": "<b>粗</b>", "format": "telegram_html", "chat_id": "42"}),
        Call(400, body={"message": " "}),
        Call(400, body={"message": "x", "chat_id": "nowhere"}),
        Call(409, body={"message": "x", "chat_id": "43"}, prepare=no_chat),
    ],
    ("GET", "/api/notification/templates"): [
        Call(200, "user"),
        Call(200, query="page=2&per_page=1"),
        Call(400, query="page=0"),
    ],
    ("GET", TEMPLATE): [Call(200, "user"), Call(200, at={"code": "price_digest"}), Call(404, at=NO_TEMPLATE)],
    ("GET", f"{TEMPLATE}/versions"): [
        Call(200, "user"),
        Call(200, query="page=9"),
        Call(400, query="per_page=x"),
        Call(404, at=NO_TEMPLATE),
    ],
    **{
        (method, TEMPLATE): [
            Call(200, "manager", body=CHANGED),
            Call(200, body={}),
            Call(200, body={"title": "磁碟"}),
            Call(400, body={"body": "{{ nobody }}"}),
            Call(400, body={"body": "<script>", "subject": "{{", "format": "word"}),
            Call(400, body={"variables": [{"name": "__class__", "type": "text"}]}),
            Call(403, "user", body={}),
            Call(404, at=NO_TEMPLATE, body={}),
        ]
        for method in ("PUT", "PATCH")
    },
    ("POST", "/api/system/cleanup"): [
        Call(200, body={"dry_run": True}, prepare=old_logins),
        Call(200, body={"dry_run": False}, prepare=old_logins),
        Call(200, body={}),
        Call(400, body={"dry_run": "yes"}),
        Call(400, body={"only": ["登入紀錄"]}),
        Call(409, body={}, prepare=cleaning),
    ],
    ("POST", "/api/system/k8s/restart"): [
        Call(202, body={"deployment": "momo-app"}),
        Call(400, body={}),
        Call(403, body={"deployment": "other"}),
        Call(409, body={"deployment": "momo-app"}, prepare=restarting),
    ],
    ("GET", "/api/reports"): [Call(200, "user"), Call(200, query="page=2&per_page=1"), Call(400, query="page=0")],
    ("GET", "/api/reports/{report_id}/preview"): [
        Call(200, "user"),
        Call(200, query="date=2026-01-29&format=html"),
        Call(200, query="date=2026-01-29&format=xlsx"),
        Call(200, query="date=&format=pptx", prepare=no_sales),
        Call(400, query="format=pdf"),
        Call(400, query="date=someday"),
        Call(400, query="date=2199-12-31"),
        Call(404, at={"report_id": 999999}),
    ],
    ("POST", "/api/run_task"): [
        Call(202, "manager", body={}),
        Call(202, body={"categories": ["1100100000"]}),
        Call(202, body={"categories": None}),
        Call(202, body={}, prepare=crawling),
        Call(400, body={"categories": []}),
        Call(400, body={"categories": ["x"]}),
        Call(400, body={"categories": ["9999999999"]}),
        Call(400, body={}, prepare=no_categories),
        Call(403, "user", body={}),
    ],
    ("POST", "/api/trigger_momo_notification"): [
        Call(202, "manager"),
        Call(202, body={}),
        Call(202, prepare=all_reported),
        Call(202, prepare=no_subscription),
        Call(403, "user"),
    ],
    ("GET", "/api/system/crawler/status"): [Call(200, "user"), Call(200, prepare=crawling)],
    ("GET", "/api/system/status"): [Call(200, "user"), Call(200, prepare=crawling)],
    ("POST", "/api/user/change_password"): [
        Call(200, "user", body={"current_password": PASSWORD, "new_password": NEW}),
        Call(200, "must", body={"current_password": PASSWORD, "new_password": NEW}),
        Call(400, body={"current_password": "wrong", "new_password": NEW}),
        Call(400, body={"current_password": PASSWORD, "new_password": "123"}),
        Call(400, body={}),
    ],
    ("GET", "/api/users"): [
        Call(200),
        Call(200, prepare=bare_user),
        Call(200, query="q=admin&role=admin&is_active=true&per_page=1"),
        Call(400, query="role=god"),
        Call(400, query="is_active=maybe"),
        Call(400, query="page=x"),
        Call(403, "manager"),
    ],
    ("POST", "/api/users"): [
        Call(201, body={"username": "new.one", "password": NEW}),
        Call(
            201,
            body={
                "username": "小美",
                "password": NEW,
                "email": "mei@example.com",
                "role": "manager",
                "display_name": "小美",
                "must_change_password": True,
            },
        ),
        Call(400, body={"username": "ADMIN", "password": NEW}),
        Call(400, body={"username": "a b", "password": "x", "role": "god", "email": "nonsense"}),
        Call(403, "manager", body={}),
    ],
    ("GET", "/api/users/login_history"): [
        Call(200, "user"),
        Call(200, query="username=user&success=false&start_date=2026-01-01&end_date=2199-01-01"),
        Call(400, query="success=perhaps"),
        Call(400, query="end_date=9999-12-31"),
    ],
    ("GET", "/api/users/{user_id}"): [Call(200), Call(200, prepare=bare_user), Call(404, at=NOBODY)],
    ("PUT", "/api/users/{user_id}"): [
        Call(200, body={}),
        Call(200, body={"role": "admin", "display_name": "新", "email": "", "is_active": False}),
        Call(400, body={"username": "admin"}),
        Call(400, body={"email": "nonsense"}),
        Call(404, at=NOBODY, body={}),
        Call(409, at={"user_id": "admin"}, body={"is_active": False}),
    ],
    ("PATCH", "/api/users/{user_id}"): [
        Call(200, body={"username": "小美"}),
        Call(400, body={"role": None}),
        Call(404, at=NOBODY, body={}),
    ],
    ("DELETE", "/api/users/{user_id}"): [
        Call(200),
        Call(404, at=NOBODY),
        Call(409, at={"user_id": "admin"}),
    ],
    ("POST", "/api/users/{user_id}/reset_password"): [
        Call(200, body={}),
        Call(200, body={"new_password": NEW}),
        Call(400, body={"new_password": "123"}),
        Call(404, at=NOBODY, body={}),
    ],
    ("POST", "/api/vendor/stockout/send"): [
        Call(202, "manager", body={"stockout_ids": [STOCKOUT]}),
        Call(202, body={"stockout_ids": [STOCKOUT, 999999, -1], "note": "請補貨", "include_duplicates": True}),
        Call(202, body={"stockout_ids": [STOCKOUT], "resend": True}),
        Call(202, body={"stockout_ids": [STOCKOUT]}, prepare=no_address),
        Call(400, body={}),
        Call(400, body={"stockout_ids": []}),
        Call(400, body={"stockout_ids": "1"}),
        Call(400, body={"stockout_ids": ["1"]}),
        Call(400, body={"stockout_ids": [STOCKOUT], "note": "字" * 2001}),
        Call(400, body={"stockout_ids": [STOCKOUT], "resent": True}),
    ],
}
