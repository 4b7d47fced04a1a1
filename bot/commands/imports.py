"""/import: a workbook that is sent to the bot is previewed and waits, held, until a button confirms it.

Pages of imports show the held file as 待確認, so that it can be confirmed or given up there too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from bot.commands.lists import moment, short
from bot.registry import Button, Call, Reply, Upload, command
from bot.texts import bold, change, escape, lines, link, whole
from momo.core.errors import Conflict, ValidationFailed
from momo.core.formats import change_percent, money
from momo.core.roles import MANAGER
from momo.jobs.errors import ErrorGroup, grouped
from momo.jobs.importers import DAY_LABELS, Importer, importers, label_of
from momo.jobs.models import Job
from momo.jobs.selectors import imported_before, job_by_id
from momo.jobs.services import Preview, confirm_job, hold_job, mark_seen, preview
from momo.jobs.services.files import refuse_larger_than_allowed, shown_name
from momo.jobs.services.reading import fitting_importer
from momo.sheets.errors import SheetError

DAYS_SHOWN, GROUPS_SHOWN, NOTES_SHOWN = 10, 5, 10
CONFIRM, CONFIRM_LOSS, DISMISS = "ok", "loss", "no"
MAX_DIGITS = 18  # of an import's number


@command(
    "import",
    summary="匯入傳來的報表，先預覽再確認",
    role=MANAGER,
    usage="（附上報表檔案）",
    examples=("/import", "/import 123"),
    order=75,
    atomic=False,  # reading a file may take minutes; a file that is sent again waits once, and starts once
)
def import_(call: Call) -> Reply:
    """Preview a file; with the number of an import show it; `ok`, `loss` and `no` behind it decide about a held one.

    Raises ValidationFailed for a file that cannot be imported, PayloadTooLarge, NotFound, and Conflict when somebody
    else has decided.
    """
    if call.upload is not None:
        return _preview(call, call.upload)
    if not call.args:
        return _how()
    job = _job(call.args[0])
    action = call.args[1] if len(call.args) > 1 else ""
    if action in (CONFIRM, CONFIRM_LOSS) and call.confirmed:
        started = confirm_job(job=job, user=call.user, confirm_loss=action == CONFIRM_LOSS)
        return _state(started, call)
    if not (job.held and job.seen_at is None):
        # One that was held and is decided: the import that was started from it, if one was.
        return _state((job.retries.order_by("pk").first() if job.held else None) or job, call)
    if action == DISMISS:
        mark_seen(job=job)
        text = f"{bold(short(job.file_name))} 不會匯入，現有資料維持不變"
        return Reply(text, {"job_id": job.pk, "dismissed": True})
    with _refusals(), _kept(job) as path:
        seen = preview(
            path, name=job.file_name, job_type=job.job_type, sheets=job.wanted_sheets, skip_hidden=job.skip_hidden
        )
    return _shown(job, seen, call)


def _how() -> Reply:
    text = lines(
        bold("匯入報表"),
        "把 momo 的報表檔案（.xlsx、.xls、.xlsb、.ods、.csv）傳到這個聊天，說明寫 /import。",
        "先看得到會改變什麼，按下確認才會匯入。",
        "",
        bold("可以匯入的報表"),
        [f"・{escape(importer.label)}：{escape(_needed(importer))}" for importer in importers().values()],
        "",
        "要指定報表類型時，把類型寫在 /import 後面，例如：/import 廠商缺貨",
    )
    types = [{"job_type": name, "label": importer.label} for name, importer in importers().items()]
    return Reply(text, {"types": types})


def _needed(importer: Importer) -> str:
    needed = "、".join(field.label for field in importer.fields if field.required)
    return f"要有 {needed}"


def _job(number: str) -> Job:
    if not number.isdecimal() or len(number) > MAX_DIGITS:
        raise ValidationFailed(f"「{short(number)}」不是匯入的編號；要匯入報表，請把檔案傳到這個聊天")
    return job_by_id(int(number))


def _preview(call: Call, upload: Upload) -> Reply:
    """Preview a file, and hold it if something of it can be imported."""
    refuse_larger_than_allowed(len(upload.content))
    if not upload.content:
        raise ValidationFailed("檔案是空的")
    name = shown_name(upload.name)
    with _refusals(), tempfile.NamedTemporaryFile(prefix="momo-preview-") as kept:
        kept.write(upload.content)
        kept.flush()
        path = Path(kept.name)
        importer = _chosen(call.text) or fitting_importer(path, name=name)
        seen = preview(path, name=name, job_type=importer.job_type)
    if not seen.good:
        text = _text(name, importer.job_type, seen, imported_before_id=None)
        return Reply(text, _data(None, importer.job_type, seen))
    job = hold_job(
        job_type=importer.job_type,
        source=Job.Source.TELEGRAM if call.chat_id else Job.Source.UPLOAD,
        file_name=name,
        content=upload.content,
        user=call.user,
        seen=seen,
    )
    return _shown(job, seen, call)


def _chosen(text: str) -> Importer | None:
    """The kind of report that the words behind the command name; None without words. Raises ValidationFailed."""
    if not text.strip():
        return None
    found = [one for name, one in importers().items() if text.strip() in (name, one.label)]
    found = found or [one for one in importers().values() if text.strip() in one.label]
    if len(found) != 1:
        known = "、".join(importer.label for importer in importers().values())
        raise ValidationFailed(f"沒有「{short(text)}」這種報表；可用：{known}")
    return found[0]


@contextmanager
def _refusals() -> Iterator[None]:
    """What a file is refused for, as an error of services."""
    try:
        yield
    except SheetError as refusal:
        raise ValidationFailed(str(refusal)) from refusal


@contextmanager
def _kept(job: Job) -> Iterator[Path]:
    """The file of a held import. Raises Conflict when it is no longer kept."""
    path = Path(job.file.path) if job.file else None
    if path is None or not path.is_file():
        raise Conflict("檔案已超過保存期限，請再傳一次")
    yield path


# --- Preview ----------------------------------------------------------------------------------------------------------


def _shown(job: Job, seen: Preview, call: Call) -> Reply:
    """The preview of a held import, with the buttons that decide."""
    before = imported_before(job_type=job.job_type, sha256=job.sha256)
    text = _text(job.file_name, job.job_type, seen, imported_before_id=before.pk if before else None)
    number, action = str(job.pk), CONFIRM_LOSS if seen.losses else CONFIRM
    label = f"{'確認取代，' if seen.losses else ''}匯入 {seen.good:,} 列"
    buttons = [[Button(label, "import", (number, action), once=True), Button("不匯入", "import", (number, DISMISS))]]
    return Reply(text, _data(job, job.job_type, seen), buttons)


def _text(name: str, job_type: str, seen: Preview, *, imported_before_id: int | None) -> str:
    hidden = f"含隱藏的 {seen.hidden:,} 列資料，也會匯入" if seen.hidden else ""
    others = f"另有工作表「{'」、「'.join(map(short, seen.others))}」沒有匯入" if seen.others else ""
    before = f"這個檔案已經匯入過（#{imported_before_id}）" if imported_before_id else ""
    effect = seen.effect
    notes = [
        *([] if effect is None else effect.notes),
        *(note.text for note in seen.notes),
        *(f"沒有使用：{other}（「{label}」已用 {used}）" for label, used, other in seen.spare),
    ]
    changed = [
        *([escape(seen.note)] if seen.note else []),
        *_days(seen.days),
        *([] if effect is None else [f"{escape(label)}：{figure:,}" for label, figure in effect.figures]),
    ]
    warnings = [seen.warning(Job.OnError.SKIP), *seen.losses, others, hidden, before]
    return lines(
        f"{bold(short(name))}　{escape(label_of(job_type))}",
        escape(f"工作表 {short(seen.sheet or '—')}，資料 {seen.total:,} 列，錯誤 {seen.error_count:,} 個"),
        "還沒有寫入任何資料",
        ["", *changed] if changed else [],
        "",
        [f"⚠️ {escape(short(text, 500))}" for text in warnings if text],
        [f"ℹ️ {escape(short(text, 300))}" for text in notes[:NOTES_SHOWN]],
        _errors(seen.groups),
        [escape(f"不認得、不會匯入的欄位：{short('、'.join(seen.unknown), 200)}")] if seen.unknown else [],
    )


def _days(days: Sequence[Mapping[str, Any]]) -> list[str]:
    """What becomes of each day, those that lose much first, in force → file."""
    ordered = sorted(days, key=lambda day: not day.get("loss"))
    shown = [_day(day) for day in ordered[:DAYS_SHOWN]]
    left = len(ordered) - len(shown)
    return [*shown, *([f"還有 {left:,} 天"] if left else [])]


def _day(day: Mapping[str, Any]) -> str:
    before = day.get("before") or {}
    label = "⚠️ 減少" if day.get("loss") else DAY_LABELS.get(day.get("status", ""), "")
    rows, amount = whole(day.get("lines", 0)), money(day.get("amount", 0))
    moved = ""
    if before and day.get("status") != "unchanged":
        rows = f"{whole(before['lines'])} → {rows}"
        moved = f" {change(change_percent(round(before['amount']), round(day['amount'])))}"
        amount = f"{money(before['amount'])} → {amount}"
    return escape(f"{day.get('date', '')} {label}：{rows} 列，{amount}{moved}")


def _errors(groups: Sequence[ErrorGroup]) -> list[str]:
    if not groups:
        return []
    left = sum(group.count for group in groups[GROUPS_SHOWN:])
    shown = [
        escape(
            f"・第 {group.place} 列 {short(group.column)}：{short(group.message, 200)}"
            # A message about one value quotes it.
            f"{f'（{short(group.examples)}）' if len(group.values) > 1 else ''}"
        )
        for group in groups[:GROUPS_SHOWN]
    ]
    return ["", bold("錯誤"), *shown, *([f"還有 {left:,} 個錯誤"] if left else [])]


def _data(job: Job | None, job_type: str, seen: Preview) -> dict[str, Any]:
    return {
        "job_id": job and job.pk,
        "confirm": job is not None,
        "job_type": job_type,
        "sheet": seen.sheet,
        "total": seen.total,
        "good": seen.good,
        "error_count": seen.error_count,
        "days": list(seen.days),
        "figures": dict(seen.effect.figures) if seen.effect else {},
        "losses": list(seen.losses),
        "unknown": list(seen.unknown),
    }


# --- An import --------------------------------------------------------------------------------------------------------


def _state(job: Job, call: Call) -> Reply:
    """How far an import is, or how it ended. Its end is also an event that can be subscribed to."""
    open_ = job.status in Job.UNFINISHED
    state = "不匯入" if job.held else job.get_status_display()
    groups = grouped(job.errors.all()) if job.error_count else []
    counts = f"新增 {job.created:,}　更新 {job.updated:,}　略過 {job.skipped:,}　錯誤 {job.error_count:,}"
    page = f"{settings.PUBLIC_URL}/admin/jobs/job/{job.pk}/change/"
    text = lines(
        f"匯入 {bold(f'#{job.pk}')}　{escape(short(job.file_name))}　{escape(label_of(job.job_type))}",
        escape(f"{state}　{job.progress}%，{job.get_stage_display()}" if open_ else state),
        [escape(counts)] if job.status == Job.Status.SUCCEEDED else [],
        [escape(short(job.message, 500))] if job.message else [],
        _errors(groups),
        f"{moment(job.created_at, call.now)} 建立　{link('在後台查看', page)}",
    )
    data = {
        "job_id": job.pk,
        "status": job.status,
        "progress": job.progress,
        "created": job.created,
        "updated": job.updated,
        "skipped": job.skipped,
        "error_count": job.error_count,
        "message": job.message,
    }
    return Reply(text, data, [[Button("🔄 看進度", "import", (str(job.pk),))]] if open_ else ())
