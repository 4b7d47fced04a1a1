"""/crawl starts a crawl after a confirmation; /status says how crawls, imports, messages and workers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.commands.lists import moment, short, since
from bot.registry import Button, Call, Reply, command
from bot.texts import bold, escape, lines, whole
from momo.celery import idle_queues, workers_alive
from momo.core.roles import MANAGER
from momo.jobs.importers import label_of
from momo.jobs.models import Job
from momo.jobs.selectors import jobs, open_failure_count
from notifications.models import Channel, OutboxMessage
from notifications.selectors import channel_pauses, outbox_counts, waiting_count
from products.models import CrawlRun
from products.selectors.crawls import (
    enabled_category_count,
    last_applied_at,
    last_run,
    next_scheduled_run,
    progress_of,
    run_as_dict,
    running_run,
)
from products.services.runs import NothingToCrawl, start_run
from sales.selectors.lines import latest_date
from vendors.selectors.batches import batches_in_force

Status = OutboxMessage.Status
STATE = Button("看進度", "status", replaces=False)
REFRESH = Button("🔄 重新整理", "status")
# Messages that leave by themselves.
ON_THE_WAY = (Status.PENDING, Status.WAITING, Status.CLAIMED, Status.SENDING)
# Counts of a run that are said, where they are not 0.
FOUND = {
    "new": "新商品",
    "increase": "漲價",
    "decrease": "降價",
    "delisted": "下架",
    "out_of_stock": "缺貨",
    "quarantined": "待確認",
    "errors": "錯誤",
}


# Not atomic: without a broker it is refused where it is answered, and while a run is active it starts no other.
@command("crawl", summary="現在更新一次價格", role=MANAGER, examples=("/crawl",), order=70, atomic=False)
def crawl(call: Call) -> Reply:
    """Ask first; when confirmed start a run, or name the one that is active.

    Raises NothingToCrawl, and Unavailable without a broker.
    """
    running = running_run()
    if running is not None:
        return _already(running, call)
    if not call.confirmed:
        categories = enabled_category_count()
        if not categories:
            raise NothingToCrawl
        text = lines(
            f"要現在更新 {categories:,} 個分類的價格嗎？", f"上次更新完成：{moment(last_applied_at(), call.now)}"
        )
        confirm = Button("開始更新價格", "crawl", call.args, once=True)
        return Reply(text, {"confirm": True, "categories": categories}, [[confirm]])
    started = start_run(trigger=CrawlRun.Trigger.BOT, user=call.user)
    if started.already_running:
        return _already(started.run, call)
    data = {"run_id": started.run.pk, "task_id": started.task_id, "already_running": False}
    text = f"價格更新 {bold(f'#{started.run.pk}')} 已開始，共 {started.run.categories:,} 個分類"
    return Reply(text, data, [[STATE]])


def _already(run: CrawlRun, call: Call) -> Reply:
    percent = progress_of(run)["percent"]
    text = f"已有價格更新 {bold(f'#{run.pk}')} 在進行中：{percent}%，{moment(run.started_at, call.now)} 開始"
    return Reply(text, {"run_id": run.pk, "already_running": True, "percent": percent}, [[STATE]])


@command("status", summary="價格更新、匯入、訊息與背景程式的狀態", examples=("/status",), order=80)
def status(call: Call) -> Reply:
    """How everything that runs by itself is, and how old the data are."""
    crawls, crawl_data = _crawls(call)
    parts, data = _freshness(call)
    imports, import_data = _imports(call)
    messages, message_data = _messages()
    workers, idle = workers_alive(), idle_queues()
    text = lines(
        bold("價格更新"),
        crawls,
        "",
        bold("資料"),
        parts,
        "",
        bold("匯入"),
        imports,
        "",
        bold("訊息"),
        messages,
        "",
        bold("背景程式"),
        f"{len(workers)} 個有回報" if workers else "⚠️ 沒有任何背景程式有回報",
        [f"⚠️ 沒有人處理的佇列：{escape('、'.join(idle))}"] if idle and workers else [],
    )
    found = {
        "crawl": crawl_data,
        "data": data,
        "imports": import_data,
        "outbox": message_data,
        "workers": workers,
        "idle_queues": idle,
    }
    return Reply(text, found, [[REFRESH]])


def _crawls(call: Call) -> tuple[list[str], Mapping[str, Any]]:
    running, last, upcoming = running_run(), last_run(), next_scheduled_run()
    text: list[str] = []
    if running is not None:
        state = progress_of(running)
        text.append(f"進行中 #{running.pk}：{state['percent']}%，已讀 {state['items']:,} 件商品")
    if last is not None:
        verdict = last.get_verdict_display() if last.status == CrawlRun.Status.APPLIED else last.get_status_display()
        mark = "" if last.verdict == CrawlRun.Verdict.OK else "⚠️ "
        text.append(f"{mark}上次 #{last.pk}：{escape(verdict)}，{moment(last.finished_at, call.now)}")
        counts = run_as_dict(last)["counts"]
        found = [f"{label} {counts[name]:,}" for name, label in FOUND.items() if counts[name]]
        text += ["　".join(found)] if found else []
        text += [escape(short(last.message, 200))] if last.message else []
    if not text:
        text.append("還沒有更新過價格")
    text.append(f"下次排定：{moment(upcoming, call.now)}" if upcoming else "⚠️ 沒有排定下次更新")
    data = {
        "running": _run(running) if running else None,
        "last": _run(last) if last else None,
        "next_run_at": upcoming and upcoming.isoformat(),
    }
    return text, data


def _run(run: CrawlRun) -> dict[str, Any]:
    """A run as GET /api/system/crawler/status shows it, its times as text."""
    shown = run_as_dict(run)
    return shown | {name: shown[name] and shown[name].isoformat() for name in ("started_at", "finished_at")}


def _freshness(call: Call) -> tuple[list[str], Mapping[str, Any]]:
    prices, sales, stockouts = last_applied_at(), latest_date(), batches_in_force().first()
    reported = stockouts.published_at if stockouts else None
    text = [
        f"價格：{since(prices, call.now)}更新" if prices else "價格：還沒有",
        f"銷售：最新到 {sales}" if sales else "銷售：還沒有",
        f"缺貨報表：{moment(reported, call.now)} 匯入" if reported else "缺貨報表：還沒有",
    ]
    data = {
        "prices_at": prices and prices.isoformat(),
        "sales_date": sales and sales.isoformat(),
        "stockouts_at": reported and reported.isoformat(),
    }
    return text, data


def _imports(call: Call) -> tuple[list[str], Mapping[str, Any]]:
    last, waiting = jobs().first(), open_failure_count()
    text = [f"⚠️ 待處理 {waiting:,} 件"] if waiting else []
    if last is None:
        return ["還沒有匯入過"], {"last": None, "waiting": waiting}
    state = "待確認" if last.held and last.seen_at is None else last.get_status_display()
    percent = f" {last.progress}%" if last.status == Job.Status.RUNNING else ""
    name = escape(short(last.file_name))
    text.insert(0, f"上次 #{last.pk}：{name}（{escape(label_of(last.job_type))}）{escape(state)}{percent}")
    text.insert(1, f"{moment(last.created_at, call.now)}　{whole(last.total_rows)} 列")
    data = {"id": last.pk, "file_name": last.file_name, "job_type": last.job_type, "status": last.status}
    return text, {"last": data, "waiting": waiting}


def _messages() -> tuple[list[str], Mapping[str, Any]]:
    counts, waiting, pauses = outbox_counts(), waiting_count(), channel_pauses()
    text = []
    for channel, states in counts.items():
        way = sum(states[state] for state in ON_THE_WAY)
        failed = f"、失敗 {states[Status.FAILED]:,}" if states[Status.FAILED] else ""
        label = Channel(channel).label
        text.append(f"{escape(label)}：待寄 {way:,}，24 小時內寄出 {states[Status.SENT]:,}{failed}")
        if channel in pauses:
            text.append(f"⚠️ {escape(label)}暫停：{escape(short(pauses[channel].reason, 200))}")
    if waiting:
        text.append(f"⚠️ 待處理 {waiting:,} 則")
    return text, {"counts": counts, "waiting": waiting, "paused": sorted(pauses)}
