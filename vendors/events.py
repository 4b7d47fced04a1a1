"""Events of vendors: what people can subscribe to, and the mails to vendors, to which nobody subscribes."""

from __future__ import annotations

from notifications.events import EventKind, FilterField, register
from vendors.models.mails import MailKind
from vendors.selectors.answers import recent_replies

REPLIED = "vendor_replied"
FILTERS = (FilterField("pms", "PM", "texts", "每行一個，不分大小寫與全半形；不填就是全部 PM"),)
# The outbox and the template editor name these.
REASONS = {
    MailKind.STOCKOUT: "您收到這封信，是因為貴公司供應的商品在 momo購物網 缺貨。",
    MailKind.REMINDER: "您收到這封信，是因為我們先前寄出的缺貨通知還沒有收到回覆。",
    MailKind.ESCALATION: "您收到這封信，是因為您是這家廠商缺貨未回覆時的聯絡人。",
}
LABELS = {
    MailKind.STOCKOUT: "廠商缺貨通知",
    MailKind.REMINDER: "廠商缺貨提醒",
    MailKind.ESCALATION: "廠商未回覆通知主管",
}


def register_events() -> None:
    """Register the events; called once by the app's `ready`."""
    for kind in MailKind:
        code = kind.value
        register(EventKind(code, LABELS[kind], template=code, reason=REASONS[kind], subscribable=False))
    register(
        EventKind(
            REPLIED,
            "廠商回覆",
            template=REPLIED,
            mail_template=f"{REPLIED}_mail",
            filters=FILTERS,
            recent=recent_replies,
        )
    )
