"""Templates that render nothing, or much more than their length: subscribers are notified in any case."""

from __future__ import annotations

import logging

import pytest

from notifications.models import Chat, OutboxMessage, Subscription
from notifications.services.notify import deliver, notify
from notifications.services.templates import save_template, template_by_code
from products.models import Category
from products.services import notify as service
from products.services.notify import notify_pending, notify_price_events
from tests.products.factories import Runs, item
from tests.products.notifying import changed, subscribe, untold

pytestmark = pytest.mark.django_db

ONLY_CRITICAL = "{%- if severity == 'critical' %}\n<b>{{ title }}</b>\n{%- endif %}\n\n"


def readers(event: str) -> None:
    Subscription.objects.create(event=event, channel="email", address="a@example.com")
    chat = Chat.objects.create(chat_id="77")
    Subscription.objects.create(event=event, channel="telegram", chat=chat)


def test_an_event_that_a_template_says_nothing_of(caplog: pytest.LogCaptureFixture) -> None:
    save_template(template=template_by_code("system_alert"), user=None, body=ONLY_CRITICAL)
    readers("system_alert")
    with caplog.at_level(logging.ERROR):
        assert (
            notify("system_alert", key="x", variables={"title": "標題", "message": "磁碟", "severity": "warning"}) == 2
        )
    assert all("磁碟" in message.body for message in OutboxMessage.objects.all())
    assert {message.template_version for message in OutboxMessage.objects.all()} == {0}
    assert "內文沒有任何文字" in caplog.text


def test_a_digest_that_says_nothing_to_some(runs: Runs, home: Category) -> None:
    """Subscribers to news in the template, and to news not in it, are notified of each event once."""
    digest = template_by_code("price_digest")
    save_template(template=digest, user=None, body="{% if drops %}降價：{{ drop_count }}{% endif %}")
    subscribe(address="drop@example.com", directions=["decrease"])
    subscribe(address="rise@example.com", directions=["increase"])
    runs.run({home: [item("1000001", 1000), item("1000002", 500)]})
    runs.run({home: [item("1000001", 1100), item("1000002", 450)]})

    assert notify_price_events().messages == 2
    assert untold() == 0
    bodies = dict(OutboxMessage.objects.values_list("recipient", "body"))
    assert bodies["drop@example.com"].strip() == "降價：1"
    assert "漲價" in bodies["rise@example.com"]


@pytest.mark.parametrize("signs", ["&", "\n&", "<", "  "])
def test_a_text_that_grows_when_it_is_escaped(signs: str) -> None:
    variables = [{"name": f"t{place}", "type": "text", "required": True, "example": "a"} for place in range(6)]
    body = "字" + "".join(f"{{{{ t{place} }}}}" for place in range(6))
    save_template(
        template=None, user=None, code="big", title="大", format="plain", subject="主旨", body=body, variables=variables
    )
    readers("big")
    values = {f"t{place}": signs * (9_900 // len(signs)) for place in range(6)}
    assert deliver("big", key="z", variables=values, to=list(Subscription.objects.all())) >= 2


def test_a_fault_of_alerts_does_not_keep_events_from_people(
    runs: Runs, home: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> int:
        raise RuntimeError("an alert that cannot be written")

    subscribe()
    changed(runs, home, 1)
    monkeypatch.setattr(service, "notify_alerts", fails)
    with pytest.raises(RuntimeError):
        notify_pending()
    assert untold() == 0
