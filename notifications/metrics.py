"""The outbox for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from django.db import Error as DatabaseError
from django.db import connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from notifications.models import Channel
from notifications.selectors import channel_pauses, oldest_pending, outbox_counts

logger = logging.getLogger(__name__)


class OutboxCollector(Collector):
    """Reads the outbox at each scrape; without a database the scrape goes on without these figures."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not query the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Messages by channel and status, seconds that the oldest waits, and whether a channel pauses."""
        try:
            yield from self._read()
        except DatabaseError as error:
            logger.warning("no figures of the outbox: %s", error)
            connection.close_if_unusable_or_obsolete()

    @staticmethod
    def _read() -> list[Metric]:
        messages = GaugeMetricFamily(
            "momo_outbox_messages",
            "Messages in the outbox; of sent, failed and cancelled ones those of the last 24 hours",
            labels=["channel", "status"],
        )
        for channel, statuses in outbox_counts().items():
            for status, count in statuses.items():
                messages.add_metric([channel, status], count)
        oldest = GaugeMetricFamily(
            "momo_outbox_oldest_pending_seconds",
            "Seconds for which the longest waiting message could have been sent",
            labels=["channel"],
        )
        for channel, seconds in oldest_pending().items():
            oldest.add_metric([channel], seconds)
        paused = GaugeMetricFamily(
            "momo_outbox_paused", "1 while a channel pauses because it does not work", labels=["channel"]
        )
        pauses = channel_pauses()
        for channel in Channel.values:
            paused.add_metric([channel], float(channel in pauses))
        return [messages, oldest, paused]
