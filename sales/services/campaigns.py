"""Changes of campaigns, and the campaigns that are written by rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from momo.core.texts import clean_text, one_line
from sales.models import Campaign, CampaignYear
from sales.seasons import seasons
from sales.services.rows import store


def save_campaign(*, campaign: Campaign | None = None, **fields: Any) -> Campaign:
    """Create a campaign, or change one: `fields` that are left out stay.

    Raises ValidationFailed, and Conflict if another user stored the same meanwhile.
    """
    with transaction.atomic():
        changed = Campaign() if campaign is None else Campaign.objects.select_for_update().get(pk=campaign.pk)
        for name, value in fields.items():
            setattr(changed, name, _cleaned(name, value))
        store(changed)
    return changed


def delete_campaign(*, campaign: Campaign) -> None:
    """Delete a campaign. One that a rule wrote does not come back, since each year is written once."""
    campaign.delete()


def write_campaigns(*, today: date | None = None) -> int:
    """Write the campaigns of last year, this year and the next by rule, each year once. Returns how many are new.

    A kind of which staff have entered a campaign in that year is left out.
    """
    this_year = (today or timezone.localdate()).year
    made = 0
    for year in range(this_year - 1, this_year + 2):
        with transaction.atomic():
            # Of two processes the second waits here for the first, and finds the year.
            _, is_new = CampaignYear.objects.get_or_create(year=year)
            if is_new:
                made += _write_year(year)
    return made


def _write_year(year: int) -> int:
    known = set(Campaign.objects.filter(first__year=year).values_list("kind", flat=True))
    missing = [season for season in seasons(year) if season.rule not in known]
    Campaign.objects.bulk_create(
        [
            Campaign(
                kind=season.rule,
                name=season.name,
                first=season.first,
                last=season.last,
                warm_up_days=season.warm_up_days,
                from_rule=f"{season.rule}:{year}",
            )
            for season in missing
        ],
        ignore_conflicts=True,
    )
    return len(missing)


def _cleaned(name: str, value: Any) -> Any:
    """Texts without what no channel shows; names in lists on one line, each once."""
    if isinstance(value, str):
        return clean_text(value).strip() if name == "note" else one_line(value)
    if isinstance(value, Sequence):
        return list(dict.fromkeys(filter(None, map(one_line, value))))
    return value
