"""What of the bot may be deleted, for the clean-up of the whole system to count or delete."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from bot.models import LinkCode, PressButton, Update
from momo.core.retention import Expired, OldRows, register

EXPIRED = dt.timedelta(days=1)  # after which codes and buttons that are over are forgotten


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """Rows that nothing needs any more at `now`, by a name for people.

    Updates stay longer than Telegram repeats them, which is 24 hours.
    """
    old = now - dt.timedelta(days=settings.BOT_KEEP_DAYS)
    return {
        "Telegram 更新": OldRows(Update.objects.filter(status__in=("done", "failed"), received_at__lt=old)),
        "按鈕": OldRows(PressButton.objects.filter(expires_at__lt=now - EXPIRED)),
        "連結碼": OldRows(LinkCode.objects.filter(expires_at__lt=now - EXPIRED)),
    }
