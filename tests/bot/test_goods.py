"""Commands about goods, crawls and copy: who may, the figures of the API and the board, and valid text for any data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from ai.models import Call as AiCall
from ai.models import Generation
from bot.registry import Call, Reply, run
from momo.core.errors import Forbidden, NotFound, Unavailable, ValidationFailed
from momo.jobs.models import Job
from products.models import CrawlRun, PriceSpan, Product
from products.selectors.listing import KEYS, SEEN_ORDERS, TOTALS
from tests.admin import makers
from tests.fakes.ollama import Ollama
from tests.fakes.telegram.html import visible
from tests.kit.users import person
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.selectors.board import board

pytestmark = pytest.mark.django_db


def ask(user: User, command: str, *args: str, **values: Any) -> Reply:
    return run(Call(user, command, args, **values))


def seen(reply: Reply) -> str:
    """The text that people see."""
    return visible(reply.text)


def targets(reply: Reply) -> list[tuple[str, ...]]:
    """What each button runs."""
    return [(button.command, *button.args) for row in reply.buttons for button in row]


def api_items(api: Client, **query: Any) -> Any:
    return api.get("/api/products", query).json()


def moments(value: Any) -> Any:
    """`value` with moments instead of their texts: PostgreSQL writes no zeros at the end of a second's fraction."""
    if isinstance(value, dict):
        return {name: moments(each) for name, each in value.items()}
    if isinstance(value, str) and "T" in value:
        return dt.datetime.fromisoformat(value)
    return value


def test_only_managers_crawl_and_import(user: User, manager: User, admin: User) -> None:
    makers.product()
    for command in ("crawl", "import"):
        with pytest.raises(Forbidden, match="主管"):
            ask(user, command)
    for one in (user, manager, admin):
        for command, *args in (("price", "10000001"), ("changes",), ("stockout",), ("status",)):
            assert seen(ask(one, command, *args, pictures=False))
    for one in (manager, admin):
        assert seen(ask(one, "crawl"))
        assert seen(ask(one, "import"))


# --- /price -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def uncertain(db: None) -> Product:
    """A product with a held price, an unread one, and two spans."""
    (held,) = makers.held(1)
    since = timezone.now() - dt.timedelta(days=3)
    Product.objects.update(price_shown=False, price_unread_since=since)
    product = Product.objects.get(pk=held.product_id)
    PriceSpan.objects.create(product=product, price=1000, observed_at=since, last_seen_at=timezone.now())
    return product


def test_a_product_is_shown_with_the_figures_of_the_api_and_a_chart(
    user: User, api: Client, uncertain: Product
) -> None:
    reply = ask(user, "price", uncertain.product_id)
    wanted = api_items(api, q=uncertain.product_id)["items"][0]
    assert moments(reply.data) == moments(wanted)
    text = seen(reply)
    for part in (
        "保濕精華液 0",
        "最後讀到的售價 $900",
        "▼10%",
        "前次 $1,000",
        "30 天最低 $1,000",
        "原價 $1,500",
        "販售中",
    ):
        assert part in text
    assert "讀不到" in text
    assert "（3 天前）" in text
    assert "待確認價格 $90" in text
    assert f'<a href="{uncertain.url}">' in reply.text
    assert reply.picture is not None
    assert reply.picture.png.startswith(b"\x89PNG")
    assert "$1,000" in reply.picture.alt


def test_without_pictures_or_a_font_the_reply_comes_without_one(user: User, uncertain: Product, settings: Any) -> None:
    plain = ask(user, "price", uncertain.product_id, pictures=False)
    assert plain.picture is None
    settings.CHART_FONT = "No Such Font"
    reply = ask(user, "price", uncertain.product_id)
    assert reply.picture is None
    assert "fonts-noto-cjk" in seen(reply)


def test_several_hits_are_offered_page_by_page(user: User) -> None:
    makers.products(12)
    first = ask(user, "price", "山田", "精華")
    assert "有 12 件商品" in seen(first)
    assert "第 1 / 2 頁" in seen(first)
    (only,) = {target for target in targets(first) if target[-1] == "#2"}
    second = ask(user, *only)
    codes = {item["product_id"] for reply in (first, second) for item in reply.data["items"]}
    assert len(codes) == 12
    assert f"{second.data['items'][0]['product_id']}" in {target[1] for target in targets(second)}
    assert ask(user, "price", "精華", "#999").data == second.data
    assert "保濕精華液 3" in seen(ask(user, "price", "精華液", "3", pictures=False))


@pytest.mark.parametrize(("text", "error"), [("", ValidationFailed), ("\0", ValidationFailed), ("沒有這個", NotFound)])
def test_what_no_product_fits_is_said(text: str, error: type[Exception], user: User) -> None:
    makers.product()
    with pytest.raises(error):
        ask(user, "price", text)


# --- /changes ---------------------------------------------------------------------------------------------------------


def test_changes_are_those_of_the_api_the_largest_first(user: User, api: Client) -> None:
    for n in range(11):
        makers.product(n, price=900 - 10 * n)
    makers.product(20, price=1500)
    makers.product(21, status="delisted")
    makers.product(22, price=1, price_changed_at=timezone.now() - dt.timedelta(days=2))
    overview = ask(user, "changes")
    for way, kind, sort_by, order in (
        ("down", "decrease", "change_percent", "asc"),
        ("up", "increase", "change_percent", "desc"),
        ("gone", "delisted", "last_seen_at", "desc"),
    ):
        reply = ask(user, "changes", way)
        wanted = api_items(api, filter=kind, sort_by=sort_by, order=order, per_page=10)
        assert (reply.data["items"], reply.data["total"]) == (wanted["items"], wanted["total"])
        assert overview.data[kind] == {"total": wanted["total"], "items": wanted["items"][:5]}
    assert "漲價 1 件" in seen(overview)
    assert "降價 12 件" in seen(overview)
    assert "$1,000 → $1,500　▲50%" in seen(ask(user, "changes", "漲"))
    assert len(ask(user, "changes", "down", "#2").data["items"]) == 2
    with pytest.raises(ValidationFailed, match="up（漲）"):
        ask(user, "changes", "sideways")


# --- /stockout --------------------------------------------------------------------------------------------------------


def test_stockouts_are_those_of_the_board(user: User) -> None:
    now = timezone.now()
    batch, vendors = make_batch(), [make_vendor(f"V{n:02}", name=f"<廠商 {n}>") for n in range(12)]
    for place, vendor in enumerate(vendors):
        for age in range(place + 1):
            created = now - dt.timedelta(days=3 * age)
            make_stockout(vendor, batch, created_at=created, price=300, status="sent" if age else "pending")
    make_stockout(vendors[0], batch, status="resolved", resolved_at=now)
    reply, wanted = ask(user, "stockout", now=now), board(now=now)
    assert (reply.data["total"]["rows"], reply.data["total"]["lost"]) == (78, wanted.total.lost)
    assert [(one["key"], one["rows"]) for one in reply.data["ages"]] == [(g.key, g.rows) for g in wanted.groups["age"]]
    shown = [*reply.data["vendors"], *ask(user, "stockout", "#2", now=now).data["vendors"]]
    assert [(one["key"], one["counts"]) for one in shown] == [(g.key, g.counts) for g in wanted.groups["vendor"]]
    assert "待我方寄送 12" in seen(reply)
    assert "1. <廠商 11>　12 筆（待寄 1、待回 11）" in seen(reply)

    own = ask(user, *targets(reply)[0], now=now)
    assert (own.data["vendor"]["key"], own.data["vendor"]["rows"]) == ("V11", 12)
    assert [item["days"] for item in own.data["items"]] == [3 * age for age in range(11, 1, -1)]
    assert "33 天 · 已通知 · 王小明" in seen(own)
    assert [item["days"] for item in ask(user, "stockout", "V11", "#2", now=now).data["items"]] == [3, 0]
    assert ask(user, "stockout", "廠商 11", now=now).data == own.data
    choices = ask(user, "stockout", "廠商", now=now)
    assert "有多家廠商" in seen(choices)
    assert targets(choices)[0] == ("stockout", "V11", "#1")
    with pytest.raises(NotFound):
        ask(user, "stockout", "沒有這家")


def test_lists_take_a_fixed_number_of_queries(user: User) -> None:
    batch, vendor = make_batch(), make_vendor("V1")
    calls = (("changes",), ("changes", "down"), ("price", "精華"), ("stockout",), ("stockout", "V1"))
    counted = []
    for _ in range(2):
        makers.products(4)
        for _ in range(3):
            make_stockout(vendor, batch)
        for command, *args in calls:
            for kept in (KEYS, SEEN_ORDERS, TOTALS):
                kept.clear()
            with CaptureQueriesContext(connection) as captured:
                ask(user, command, *args)
            counted.append(len(captured))
    assert counted == [7, 2, 5, 1, 3] * 2


# --- /crawl and /status -----------------------------------------------------------------------------------------------


def test_a_crawl_starts_once_when_it_is_confirmed(manager: User) -> None:
    with pytest.raises(ValidationFailed, match="沒有啟用的分類"):
        ask(manager, "crawl")
    makers.category()
    asked = ask(manager, "crawl")
    (button,) = [button for row in asked.buttons for button in row]
    assert (button.once, button.command, CrawlRun.objects.count()) == (True, "crawl", 0)
    assert "1 個分類" in seen(asked)

    started = ask(manager, button.command, *button.args, confirmed=True)
    made = CrawlRun.objects.get()
    assert (made.trigger, made.requested_by) == ("bot", manager)
    assert started.data["run_id"] == made.pk
    again = ask(manager, "crawl", confirmed=True)
    assert again.data == {"run_id": made.pk, "already_running": True, "percent": 0}
    assert "已有價格更新 #" in seen(again)
    assert CrawlRun.objects.count() == 1


@pytest.mark.usefixtures("no_broker")
@pytest.mark.django_db(transaction=True)
def test_a_crawl_without_a_broker_is_an_error_of_services() -> None:
    makers.category()
    with pytest.raises(Unavailable):
        ask(person("max", "manager"), "crawl", confirmed=True)


def test_status_says_what_the_api_says(user: User, api: Client) -> None:
    assert "還沒有更新過價格" in seen(ask(user, "status"))
    makers.run(increased=3, message="<可疑>", verdict="suspect")
    reply = ask(user, "status")
    known = api.get("/api/system/crawler/status").json()["data"]
    given = reply.data["crawl"]["last"] | {"duration": None}
    assert given == {**known["last"], "duration": None} | {name: given[name] for name in ("started_at", "finished_at")}
    text = seen(reply)
    for part in (
        "可疑",
        "<可疑>",
        "漲價 3",
        "價格：剛剛更新",
        "銷售：還沒有",
        "電子郵件：待寄 0",
        "沒有任何背景程式",
    ):
        assert part in text, part


# --- /copy ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ollama(settings: Any) -> Iterator[Ollama]:
    with Ollama() as made:
        settings.OLLAMA_URL = made.url
        yield made


def test_a_copy_is_written_for_the_user_with_its_warnings(user: User, ollama: Ollama) -> None:
    ollama.says("<b>保濕</b>\n現在只要 1 元")
    makers.product()
    reply = ask(user, "copy", "10000001")
    assert reply.data["content"] in seen(reply)
    assert reply.data["warnings"], "a price that is not the product's"
    assert f"檢查：{len(reply.data['warnings'])} 個地方要確認" in seen(reply)
    assert reply.data["warnings"][0]["reason"] in seen(reply)
    kept = Generation.objects.get()
    assert (kept.user, kept.call.user, kept.product) == (user, user, Product.objects.get())


def test_a_provider_that_fails_is_a_sentence_with_a_button_to_try_again(user: User, ollama: Ollama) -> None:
    ollama.fail(400, "<broken>")
    makers.product()
    reply = ask(user, "copy", "10000001")
    assert "Ollama" in seen(reply)
    assert ("copy", "10000001", "#1") in targets(reply)
    assert AiCall.objects.get().status == "failed"


# --- Any data ---------------------------------------------------------------------------------------------------------

# Whatever PostgreSQL stores.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)
texts |= st.sampled_from(["<b>", "&amp;", "</a>", '"><script>', "#2", "a\nb", "\u202e反", "$1_2$"])


class AnyData(TestCase):
    """Replies about goods whose texts come from outside."""

    @settings(max_examples=12, suppress_health_check=[*HealthCheck])
    @given(name=texts, brand=texts, code=texts, url=texts, price=st.none() | st.integers(1, 2**31 - 1))
    def test_every_reply_is_valid_for_telegram(
        self, name: str, brand: str, code: str, url: str, price: int | None
    ) -> None:
        user = person(role="manager")
        first, second = (
            makers.product(n, name=name, brand=brand, previous_price=price, category=makers.category(name=name[:60]))
            for n in range(2)
        )
        Product.objects.filter(pk=second.pk).update(url=f"https://x/{url}", status="delisted")
        vendor = make_vendor(code[:30], name=name)
        other = make_vendor(f"_{code[:29]}", name=name)
        for row in (vendor, other):
            make_stockout(row, make_batch(), product_name=name, pm=brand, answer="substitute", substitute=name)
        makers.run(message=name, status="failed", verdict="failed")
        job = Job.objects.create(token="0" * 32, job_type="x", source="upload", file_name=name, message=brand)
        calls = [
            ("price", first.product_id),
            ("price", brand),
            ("changes",),
            ("changes", "up"),
            ("changes", "gone"),
            ("stockout",),
            ("stockout", code, "#1"),
            ("stockout", name),
            ("status",),
            ("import", str(job.pk)),
            ("import",),
        ]
        for command, *args in calls:
            try:
                reply = ask(user, command, *args, pictures=False)
            except (NotFound, ValidationFailed):
                continue
            assert visible(reply.text)
            assert all(button.label for row in reply.buttons for button in row)


def test_the_window_is_that_of_the_setting(user: User) -> None:
    assert f"{project.PRICE_CHANGE_WINDOW_HOURS} 小時內" in seen(ask(user, "changes"))
