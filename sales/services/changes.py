"""What an import makes of each day: rows in force and new ones, losses that need a confirmation, the outcome."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from momo.core.formats import money
from momo.core.thresholds import thresholds
from momo.jobs.importers import LossUnconfirmed, Outcome
from sales.figures import Sums

NAMED_DAYS = 5  # days that a message names, at most

_TEXTS = {
    "new": "{} 天新增",
    "changed": "{} 天更正",
    "unchanged": "{} 天與現有資料相同",
    "superseded": "{} 天已有較晚送出的匯入，維持那一份",
}
_OTHER_VERSION = {"changed": "before", "superseded": "in_force"}  # key of the day's other version in the result


@dataclass(frozen=True)
class Claim:
    """The claim in force for a day: jobs of the claim and of its lines, and the job that messages name."""

    job: int
    lines_job: int
    digest: str
    known_as: int
    sums: Sums


def day_changes(
    sums: Mapping[date, Sums], force: Mapping[date, Claim], fresh: Collection[date], owned: Collection[date]
) -> list[dict[str, Any]]:
    """Return each day's status and figures, with those of its other version; `loss` where much would be lost.

    `fresh` are the days whose rows differ from those in force, `owned` those that this import is to own.
    """
    days: list[dict[str, Any]] = []
    for day in sorted(sums):
        known = force.get(day)
        status = _status(known, fresh=day in fresh, owned=day in owned)
        entry: dict[str, Any] = {"date": day.isoformat(), "status": status, **sums[day].as_dict()}
        if known is not None and status in _OTHER_VERSION:
            entry[_OTHER_VERSION[status]] = {"job_id": known.job, **known.sums.as_dict()}
            if status == "changed" and _loses(known.sums, sums[day]):
                entry["loss"] = True
        days.append(entry)
    return days


def refuse_losses(days: Sequence[Mapping[str, Any]]) -> None:
    """Raise LossUnconfirmed if a day of `day_changes` loses more than IMPORT_LOSS_PERCENT of its rows or amount."""
    losses = [day for day in days if day.get("loss")]
    if not losses:
        return
    named = "；".join(_loss_text(day) for day in losses[:NAMED_DAYS])
    more = f"；等共 {len(losses)} 天" if len(losses) > NAMED_DAYS else ""
    text = (
        f"這份檔案會讓現有資料減少超過 {thresholds.IMPORT_LOSS_PERCENT}%，所以還沒有匯入，資料沒有任何變動："
        f"{named}{more}。請確認檔案是否完整；確定要取代的話，在後台按「確認取代」"
        "（API 以 confirm_loss 重試，指令加上 --confirm-loss）。"
    )
    raise LossUnconfirmed(text, days)


def outcome(
    days: Sequence[Mapping[str, Any]], sums: Mapping[date, Sums], force: Mapping[date, Claim], fresh: Collection[date]
) -> Outcome:
    """Return the outcome of an import that made `days` of `day_changes`."""
    rows = dict.fromkeys(_TEXTS, 0)
    for day in days:
        rows[day["status"]] += day["lines"]
    same = sorted({force[day].known_as for day in sums if day not in fresh})
    result = {"days": list(days), "message": _message(days, same)}
    skipped = rows["unchanged"] + rows["superseded"]
    return Outcome(created=rows["new"], updated=rows["changed"], skipped=skipped, result=result)


def named_days(days: Sequence[date]) -> str:
    """Return the first days, and how many there are if that is not all."""
    named = "、".join(f"{day:%Y-%m-%d}" for day in days[:NAMED_DAYS])
    return f"{named} 等 {len(days)} 天" if len(days) > NAMED_DAYS else named


def _loses(before: Sums, after: Sums) -> bool:
    """Whether rows or amount, if that was positive, fall by more than IMPORT_LOSS_PERCENT."""
    kept = 100 - thresholds.IMPORT_LOSS_PERCENT
    return after.lines * 100 < before.lines * kept or (before.amount > 0 and after.amount * 100 < before.amount * kept)


def _loss_text(day: Mapping[str, Any]) -> str:
    before = day["before"]
    return (
        f"{day['date']} 由 {before['lines']:,} 列變成 {day['lines']:,} 列、"
        f"業績由 {money(before['amount'])} 變成 {money(day['amount'])}"
    )


def _status(known: Claim | None, *, fresh: bool, owned: bool) -> str:
    """The outcome for a day. `superseded`: stored as a version, while a later import stays in force."""
    if not fresh:
        return "unchanged"
    if not owned:
        return "superseded"
    return "new" if known is None else "changed"


def _message(days: Sequence[Mapping[str, Any]], same: Sequence[int]) -> str:
    counts = {status: sum(day["status"] == status for day in days) for status in _TEXTS}
    if counts["unchanged"] == len(days):
        named = "、".join(f"#{job}" for job in same[:NAMED_DAYS])
        more = f" 等 {len(same)} 次匯入" if len(same) > NAMED_DAYS else ""
        return f"內容與匯入 {named}{more} 相同，資料沒有變動"
    return "、".join(_TEXTS[status].format(count) for status, count in counts.items() if count)
