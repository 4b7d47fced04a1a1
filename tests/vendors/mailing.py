"""What tests of mails to vendors share: a sending worked off, and what became of its rows."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from notifications.models import OutboxMessage
from notifications.services.sending import drain
from tests.notifications.outbox_world import Recorder
from tests.vendors.makers import make_vendor
from vendors.models import Stockout, VendorMail, VendorSending
from vendors.services.prepare import run_sending
from vendors.services.sendings import SendingResult, send_stockouts


def send(*rows: Stockout, **values: Any) -> SendingResult:
    """The wish to send some rows."""
    return send_stockouts(ids=[row.pk for row in rows], **{"user": None, **values})


def prepared(*rows: Stockout, **values: Any) -> list[VendorMail]:
    """The mails of a sending whose worker is done, by vendor."""
    result = send(*rows, **values)
    assert result.sending is not None, result.skipped
    assert run_sending(result.sending.pk) is not None
    return list(result.sending.mails.select_related("message").order_by("vendor__code"))


def delivered(*answers: Any) -> Recorder:
    """Hand over what is due to a server with these outcomes, in turn; it accepts the others."""
    server = Recorder(*answers)
    drain("email", sender=server, seconds=30, pass_on=False)
    return server


def statuses(*rows: Stockout) -> list[str]:
    """As they are in the database."""
    found = dict(Stockout.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "status"))
    return [found[row.pk] for row in rows]


def message_of(mail: VendorMail) -> OutboxMessage:
    assert mail.message is not None
    return OutboxMessage.objects.get(pk=mail.message.pk)


def make_sendings(count: int) -> list[VendorSending]:
    """Sendings of one mail each, without rows."""
    vendor, now = make_vendor("", "a@example.com"), timezone.now()
    made = VendorSending.objects.bulk_create(VendorSending(status="done") for _ in range(count))
    VendorMail.objects.bulk_create(
        VendorMail(sending=sending, vendor=vendor, day=now.date(), to=["a@example.com"], link_expires_at=now)
        for sending in made
    )
    return made
