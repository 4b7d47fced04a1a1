"""What waits for somebody: stockouts of which no vendor was notified, and those that vendors leave unanswered."""

from __future__ import annotations

from django.db.models import Case, F, Value, When
from django.db.models.functions import Concat

from momo.core.todo import Source, register
from vendors.selectors.board import overdue_answers, waiting_for_us

TITLE = Case(When(product_name="", then=F("product_code")), default=F("product_name"))
DETAIL = Concat(Value("品號 "), "product_code", Value("・"), "vendor__name")

register(
    Source(
        "stockout",
        "缺貨待寄送",
        50,
        waiting_for_us,
        title=TITLE,
        detail=DETAIL,
        since="created_at",
        page="vendors_stockout_change",
        listed="vendors_stockout_changelist",
        query="?waits=us",
        pm="pm",
    )
)
register(
    Source(
        "answer",
        "廠商逾期未回覆",
        60,
        overdue_answers,
        title=TITLE,
        detail=DETAIL,
        since="notified_at",
        page="vendors_stockout_change",
        listed="vendors_stockout_changelist",
        query="?waits=overdue",
        pm="pm",
    )
)
