"""Demo subscriptions: one address that gets what a newcomer's first minutes bring about.

Without a mail server its mails are kept as files, and the admin shows them.
"""

from __future__ import annotations

from collections.abc import Callable

from notifications.events import event_kinds
from notifications.models import Channel, Subscription

ADDRESS = "demo@example.com"
EVENTS = ("price_digest", "crawl_suspect", "import_finished", "import_failed")


def load(say: Callable[[str], None]) -> None:
    """Subscribe the demo's address once, unless somebody has made subscriptions already."""
    if Subscription.objects.exists():
        return
    say(f"示範訂閱：{ADDRESS}（沒有郵件伺服器時，信件存成檔案，在後台看得到）")
    kinds = event_kinds()
    Subscription.objects.bulk_create(
        Subscription(name=f"示範：{kinds[code].label}", event=code, channel=Channel.EMAIL, address=ADDRESS)
        for code in EVENTS
    )
