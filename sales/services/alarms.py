"""Checks days for alarms after imports, and acknowledges alarms.

An import does not wait for it: a periodic task compares the claims in force of each day with those that were checked.
So a file, an undo and a correction are all seen, and a task that is killed leaves a day as it was. Each alarm is one
row that is notified when it is made; what comes back after a correction is not notified again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.models import User
from momo.core.errors import NotFound
from momo.core.formats import money, number, percent
from momo.core.locks import lock_held
from notifications.models import Subscription
from notifications.services.notify import lets_through, notify
from sales.models import Alarm, CheckedDay
from sales.selectors.alarms import Finding, days_to_check, days_without_report, findings, names_of

EVENT = "sales_alarm"
SHOWN = 30  # alarms in one message


def check_days(now: datetime | None = None) -> int:
    """Check the days that are due. Returns the number of new alarms."""
    moment = now or timezone.now()
    with lock_held("sales alarms") as held:
        if not held:
            return 0
        made = sum(_check(day, claims, moment) for day, claims in days_to_check(moment))
        return made + _check_missing(moment)


def acknowledge(*, ids: Collection[int], user: User) -> int:
    """Mark alarms as seen to. Returns how many nobody had marked before. Raises NotFound; then nothing is changed."""
    with transaction.atomic():
        rows = list(Alarm.objects.filter(pk__in=ids).order_by("pk").select_for_update())
        missing = sorted(set(ids) - {row.pk for row in rows})
        if missing:
            raise NotFound(f"找不到銷售異常 #{missing[0]}")
        waiting = [row for row in rows if row.acknowledged_at is None]
        for row in waiting:
            row.acknowledged_at, row.acknowledged_by = timezone.now(), user
        Alarm.objects.bulk_update(waiting, ["acknowledged_at", "acknowledged_by"])
        return len(waiting)


def _check(day: date, claims: str, now: datetime) -> int:
    """Compare the alarms of a day with what is found now."""
    found = findings(day)
    with transaction.atomic():
        made = _store(day, found, now, missing=False)
        CheckedDay.objects.update_or_create(date=day, defaults={"claims": claims, "checked_at": now})
    return made


def _check_missing(now: datetime) -> int:
    missing = days_without_report(now)
    known = Alarm.objects.filter(kind=Alarm.Kind.MISSING, closed_at=None).values_list("date", flat=True)
    made = 0
    for day in sorted(missing.union(known)):
        found = [Finding(Alarm.Kind.MISSING, Alarm.Dimension.ALL, "")] if day in missing else []
        with transaction.atomic():
            made += _store(day, found, now, missing=True)
            if found:
                # Without a report nothing else of the day holds any more, and its next version is checked.
                _store(day, [], now, missing=False)
                CheckedDay.objects.filter(date=day).delete()
    return made


def _store(day: date, found: Sequence[Finding], now: datetime, *, missing: bool) -> int:
    """Make, close and open again the alarms of a day that are `missing` reports, or all others."""
    rows = Alarm.objects.filter(date=day).select_for_update()
    rows = rows.filter(kind=Alarm.Kind.MISSING) if missing else rows.exclude(kind=Alarm.Kind.MISSING)
    known = {(row.kind, row.dimension, row.key): row for row in rows}
    wanted = {(finding.kind, finding.dimension, finding.key): finding for finding in found}
    for place, row in known.items():
        finding = wanted.get(place)
        if finding is None and row.closed_at is None:
            row.closed_at = now
        elif finding is not None:
            row.closed_at, row.value, row.expected = None, finding.value, finding.expected
        else:
            continue
        row.save(update_fields=["closed_at", "value", "expected"])
    fresh = [finding for place, finding in wanted.items() if place not in known]
    names = names_of(fresh)
    made = Alarm.objects.bulk_create(
        Alarm(
            kind=finding.kind,
            date=day,
            dimension=finding.dimension,
            key=finding.key,
            name=names[finding.dimension, finding.key] if not missing else "",
            value=finding.value,
            expected=finding.expected,
            created_at=now,
        )
        for finding in fresh
    )
    _notify(made)
    return len(made)


def _notify(made: Sequence[Alarm]) -> None:
    """One message for each kind, with its alarms in the order of their weight."""
    for kind in dict.fromkeys(alarm.kind for alarm in made):
        of_kind = [alarm for alarm in made if alarm.kind == kind]

        def wanted(subscription: Subscription, kind: str = kind) -> bool:
            return lets_through(subscription, kinds=kind)

        notify(EVENT, key=f"alarm:{of_kind[0].pk}", variables=alarm_variables(of_kind), only=wanted)


def alarm_variables(alarms: Sequence[Alarm]) -> dict[str, Any]:
    """The variables of the template for alarms of one kind and day."""
    first = alarms[0]
    query = urlencode([("kind__exact", first.kind), ("date_from", str(first.date)), ("date_to", str(first.date))])
    return {
        "kind": first.get_kind_display(),
        "date": first.date.isoformat(),
        "count": len(alarms),
        "items": [
            {"name": alarm.name[:100], "dimension": alarm.get_dimension_display(), "said": said_of(alarm)}
            for alarm in alarms[:SHOWN]
        ],
        "more": max(0, len(alarms) - SHOWN),
        "url": f"{settings.PUBLIC_URL}{reverse('admin:sales_alarm_changelist')}?{query}",
    }


def said_of(alarm: Alarm) -> str:
    """The alarm in words, without its name."""
    kind, value, expected = alarm.kind, alarm.value, alarm.expected
    if kind == Alarm.Kind.MISSING or value is None or expected is None:
        return "這一天沒有日報，請補匯入"
    if kind == Alarm.Kind.MARGIN:
        floor = f"，低於 {number(int(expected))}%" if expected > 0 else ""
        return f"毛利率 {percent(float(value))}{floor}"
    if kind == Alarm.Kind.SILENT:
        return f"連續 {number(int(value))} 天沒有賣出，平常一天 {money(expected)}"
    change = percent(float((value - expected) * 100 / expected))
    what = "進價" if kind == Alarm.Kind.COST else "業績"
    sign = "▲" if value > expected else "▼"
    return f"{what} {money(value)}，平常 {money(expected)}（{sign}{change.lstrip('-')}）"


def recent(limit: int) -> Iterable[dict[str, Any]]:
    """The variables of the last kinds and days with alarms, for previews of the template."""
    rows = list(Alarm.objects.order_by("-pk")[: limit * SHOWN])
    groups: dict[tuple[date, str], list[Alarm]] = {}
    for row in rows:
        groups.setdefault((row.date, row.kind), []).append(row)
    return [
        {"label": f"{day} {alarms[0].get_kind_display()}", "variables": alarm_variables(alarms)}
        for (day, _), alarms in list(groups.items())[:limit]
    ]
