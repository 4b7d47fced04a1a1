"""What waits for somebody: alarms about the sales of a day."""

from __future__ import annotations

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from momo.core.todo import Source, register
from sales.models import Alarm
from sales.selectors.alarms import open_alarms

register(
    Source(
        "sales_alarm",
        "銷售異常",
        25,
        open_alarms,
        title=Concat(Alarm.kind_label(), Value("　"), F("name")),
        detail=Concat(Value("銷售日 "), Cast("date", CharField())),
        since="created_at",
        page="sales_alarm_change",
        listed="sales_alarm_changelist",
        query="?state=open",
    )
)
