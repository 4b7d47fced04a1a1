"""What waits for somebody: held prices, and alerts about crawls."""

from __future__ import annotations

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat, Left

from momo.core.todo import Source, register
from products.selectors.dashboard import held_prices, open_alerts

register(
    Source(
        "alert",
        "價格更新警示",
        20,
        open_alerts,
        title=Left("message", 300),
        detail=Concat(Value("價格更新 #"), Cast("run_id", CharField())),
        since="created_at",
        page="products_alert_change",
        listed="products_alert_changelist",
        query="?state=open",
    )
)
register(
    Source(
        "held_price",
        "待確認價格",
        30,
        held_prices,
        title=F("name"),
        detail=Concat(
            Value("品號 "),
            "code",
            Value("・目前 "),
            Cast("known_price", CharField()),
            Value(" → 看到 "),
            Cast("price", CharField()),
        ),
        since="observed_at",
        page="products_quarantinedprice_change",
        listed="products_quarantinedprice_changelist",
        brand="product__brand",
    )
)
