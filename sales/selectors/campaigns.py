"""Campaigns, and what is marked on the days of charts: holidays, campaigns with their warm-up, and notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from momo.core.days import each_day
from momo.core.errors import NotFound
from sales.models import Campaign, DayNote
from sales.models.campaigns import MAX_WARM_UP
from sales.seasons import holidays_of

HOLIDAY, CAMPAIGN, WARM_UP, NOTE = "holiday", "campaign", "warm_up", "note"
# How far apart two campaigns of a kind begin that are of two following years; lunar ones move by up to a month.
YEAR_APART = (timedelta(days=300), timedelta(days=430))


@dataclass(frozen=True)
class Mark:
    """What is to be known of a day. `pk` is that of the campaign or note; None for a holiday."""

    kind: str  # HOLIDAY, CAMPAIGN, WARM_UP or NOTE
    title: str
    pk: int | None = None


def campaigns() -> QuerySet[Campaign]:
    """All campaigns, the latest first."""
    return Campaign.objects.order_by("-first", "name")


def campaign_by_id(campaign_id: int) -> Campaign:
    """The campaign. Raises NotFound."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound("找不到這個檔期")
    return campaign


def campaigns_between(first: date, last: date) -> list[Campaign]:
    """Campaigns of which a day, warm-up included, lies between `first` and `last`; the earliest first."""
    near = Campaign.objects.filter(last__gte=first, first__lte=last + timedelta(days=MAX_WARM_UP))
    found = near.order_by("first", "name")
    return [campaign for campaign in found if campaign.begins <= last]


def campaign_presets(today: date) -> list[tuple[str, date, date]]:
    """The campaign that began last, up to `today`, as title, first and last day; none before the first campaign."""
    latest = Campaign.objects.filter(first__lte=today).order_by("-first", "name").first()
    return [(f"檔期：{latest.name}", latest.first, min(latest.last, today))] if latest else []


def campaign_days(first: date, last: date) -> set[date]:
    """Days of campaigns, without their warm-up, between `first` and `last`."""
    found = campaigns_between(first, last)
    return {day for campaign in found for day in each_day(max(campaign.first, first), min(campaign.last, last))}


def days_marked(first: date, last: date) -> dict[date, list[Mark]]:
    """Marks of the days from `first` to `last`; days without any are left out. Two queries."""
    marked: dict[date, list[Mark]] = {}

    def mark(day: date, kind: str, title: str, pk: int | None = None) -> None:
        if first <= day <= last:
            marked.setdefault(day, []).append(Mark(kind, title, pk))

    for year in range(first.year, last.year + 1):
        for day, name in holidays_of(year).items():
            mark(day, HOLIDAY, name)
    for campaign in campaigns_between(first, last):
        for day in each_day(max(campaign.begins, first), min(campaign.last, last)):
            if day < campaign.first:
                mark(day, WARM_UP, f"{campaign.name} 預熱", campaign.pk)
            else:
                mark(day, CAMPAIGN, campaign.name, campaign.pk)
    for pk, day, text in notes_between(first, last).values_list("pk", "date", "text"):
        mark(day, NOTE, text, pk)
    return dict(sorted(marked.items()))


def same_last_year(campaign: Campaign) -> Campaign | None:
    """The campaign of the same kind a year before; of kind OTHER, that whose name is the same but for the year."""
    nearest, farthest = YEAR_APART
    before = Campaign.objects.filter(
        kind=campaign.kind, first__range=(campaign.first - farthest, campaign.first - nearest)
    )
    found = list(before.order_by("-first", "pk"))
    if campaign.kind == Campaign.Kind.OTHER:
        found = [one for one in found if _nameless(one) == _nameless(campaign)]
    return found[0] if found else None


def notes() -> QuerySet[DayNote]:
    """All notes, those of the latest day first, each with its author."""
    return DayNote.objects.select_related("author").order_by("-date", "pk")


def notes_between(first: date, last: date) -> QuerySet[DayNote]:
    """Notes of the days from `first` to `last`, in the order of days."""
    return DayNote.objects.filter(date__range=(first, last)).select_related("author").order_by("date", "pk")


def note_by_id(note_id: int) -> DayNote:
    """The note. Raises NotFound."""
    note = notes().filter(pk=note_id).first()
    if note is None:
        raise NotFound("找不到這則註記")
    return note


def _nameless(campaign: Campaign) -> str:
    """The name without the year of the campaign in it."""
    return campaign.name.replace(str(campaign.first.year), "").strip()
