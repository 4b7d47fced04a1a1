"""Writing into the outbox: with its cause or not at all, once for each key, within bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from momo.core.errors import ValidationFailed
from notifications.models import Attachment, OutboxMessage
from notifications.services.outbox import ChatText, File, Mail, enqueue, enqueue_many
from tests.kit.threads import at_once
from tests.kit.users import person
from tests.notifications.outbox_world import chat, long_text, mail, queue, text

SHEET = File("價格.xlsx", b"sheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@pytest.mark.django_db
def test_a_mail() -> None:
    user = person("amy")
    draft = Mail(
        key="digest:1",
        event="price_digest",
        to="wang@example.com",
        subject="今日價格",
        text="文字",
        html="<p>文字</p>",
        files=[SHEET],
        reply_to="pm@example.com",
        template_code="price_digest",
        template_version=3,
        user=user,
    )
    (message,) = enqueue(draft)
    kept = OutboxMessage.objects.get()
    assert kept.pk == message.pk
    for name in ("key", "event", "recipient", "subject", "body", "body_html", "reply_to", "message_id", "status"):
        assert getattr(kept, name) == getattr(message, name)
    assert (kept.status, kept.channel, kept.recipient) == ("pending", "email", "wang@example.com")
    assert (kept.template_code, kept.template_version, kept.created_by) == ("price_digest", 3, user)
    assert (kept.attempts, kept.claim, kept.sent_at, kept.finished_at) == (0, None, None, None)
    assert [bytes(file.content) for file in kept.attachments.all()] == [b"sheet"]
    assert kept.due_at == kept.next_attempt_at <= timezone.now()


@pytest.mark.django_db
def test_a_message_id_is_of_one_message_and_fixed() -> None:
    with override_settings(EMAIL_FROM="MOMO Pro <bot@shop.example>"):
        first, second = mail("a"), mail("b")
    digest = hashlib.sha256(b"a").hexdigest()[:24]
    assert first.message_id == f"<{digest}.{first.pk}@shop.example>"
    assert first.message_id != second.message_id
    with override_settings(EMAIL_FROM=""):
        assert mail("c").message_id.endswith("@localhost>")


@pytest.mark.django_db
def test_a_key_is_written_once() -> None:
    mail("a")
    again = Mail(key="a", event="e", to="other@example.com", subject="", text="other", files=[SHEET])
    assert enqueue(again) == []
    assert OutboxMessage.objects.get().recipient == "wang@example.com"
    assert not Attachment.objects.exists()
    assert text("a") == []


@pytest.mark.django_db
def test_a_key_twice_in_one_call() -> None:
    drafts = [Mail(key="a", event="e", to=f"{name}@example.com", subject="", text="x") for name in "xy"]
    first, second = enqueue_many(drafts)
    assert (len(first), second) == (1, [])


@pytest.mark.django_db
def test_a_long_text_is_a_chain() -> None:
    written = text("t", body="\n".join("字" * 4000 for _ in range(3)), files=[SHEET, File("b.csv", b"b", "text/csv")])
    kept = list(OutboxMessage.objects.order_by("pk"))
    assert [one.pk for one in kept] == [one.pk for one in written]
    assert [one.status for one in kept] == ["pending", *["waiting"] * 4]
    assert [one.key for one in kept] == ["t", "t#2", "t#3", "t#4", "t#5"]
    assert [one.after_id for one in kept] == [None, *(one.pk for one in kept[:-1])]
    assert [[file.name for file in one.attachments.all()] for one in kept] == [[], [], [], ["價格.xlsx"], ["b.csv"]]
    assert [one.body == "" for one in kept] == [False, False, False, True, True]
    assert all(len(one.body) <= 4096 for one in kept)
    # A longer text under the same key adds nothing to it.
    assert text("t", body="\n".join("字" * 4000 for _ in range(9))) == []
    assert OutboxMessage.objects.count() == 5


@pytest.mark.django_db
def test_a_file_without_a_text() -> None:
    (only,) = text("t", body="", files=[SHEET])
    assert (only.status, only.body, only.attachments.count()) == ("pending", "", 1)


@pytest.mark.django_db
def test_a_chain_that_cannot_be_whole_is_not_there_at_all() -> None:
    mail("t#2")
    with pytest.raises(IntegrityError), transaction.atomic():
        long_text("t")
    assert list(OutboxMessage.objects.values_list("key", flat=True)) == ["t#2"]


@pytest.mark.django_db
def test_files_are_kept_once() -> None:
    mail("a", files=[SHEET, SHEET])
    text("b", files=[SHEET])
    mail("c", files=[File("另一個名字.xlsx", SHEET.content, SHEET.content_type)])
    assert Attachment.objects.count() == 2
    assert OutboxMessage.objects.get(key="a").attachments.count() == 1
    kept = Attachment.objects.get(name="價格.xlsx")
    assert (kept.size, kept.messages.count()) == (5, 2)


@pytest.mark.django_db
def test_a_file_that_is_used_again_is_young_again() -> None:
    mail("a", files=[SHEET])
    long_ago = timezone.now() - timedelta(days=400)
    Attachment.objects.update(created_at=long_ago)
    mail("b", files=[SHEET])
    assert Attachment.objects.get().created_at > long_ago + timedelta(days=399)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_write_one_file_and_each_key_once() -> None:
    def write() -> list[bool]:
        drafts = [
            Mail(key=f"k{n}", event="e", to="a@example.com", subject="", text="x", files=[SHEET]) for n in range(200)
        ]
        return [bool(chain) for chain in enqueue_many(drafts)]

    answers = at_once(write, write, write)
    assert [sum(answer[n] for answer in answers) for n in range(200)] == [1] * 200
    assert (OutboxMessage.objects.count(), Attachment.objects.count()) == (200, 1)


@pytest.mark.django_db
def test_thousands_cost_few_statements(django_assert_max_num_queries: Any) -> None:
    drafts = [
        Mail(key=f"k{n}", event="e", to="a@example.com", subject="s", text="x", files=[SHEET]) for n in range(2000)
    ]
    with django_assert_max_num_queries(12):
        enqueue_many(drafts)
    assert OutboxMessage.objects.count() == 2000
    assert OutboxMessage.attachments.through.objects.count() == 2000


# --- With its cause -------------------------------------------------------------------------------------------------


def undone(write: Callable[[], object]) -> None:
    """Write in a transaction, or savepoint, that is rolled back."""
    with transaction.atomic():
        write()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_written_nor_told() -> None:
    with queue() as waiting:
        undone(lambda: mail("a", files=[SHEET]))
        assert not OutboxMessage.objects.exists()
        assert not Attachment.objects.exists()
        assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_senders_are_told_once_a_transaction() -> None:
    with queue() as waiting:
        with transaction.atomic():
            for number in range(3):
                mail(f"a{number}")
            assert waiting() == 0
        assert waiting() == 1
        with transaction.atomic():
            mail("b")
            text("c")
            text("d")
        assert waiting() == 3


@pytest.mark.django_db(transaction=True)
def test_senders_are_told_whatever_savepoint_was_rolled_back() -> None:
    with queue() as waiting:
        with transaction.atomic():
            undone(lambda: mail("a"))
            mail("b")
        assert waiting() == 1
    with queue() as waiting:
        with transaction.atomic():
            with transaction.atomic():
                mail("c")
            undone(lambda: mail("d"))
        assert waiting() == 1
    assert sorted(OutboxMessage.objects.values_list("key", flat=True)) == ["b", "c"]


@pytest.mark.django_db(transaction=True)
def test_what_is_due_later_tells_nobody() -> None:
    later = timezone.now() + timedelta(hours=1)
    with queue() as waiting:
        message = mail("a", due=later)
        assert waiting() == 0
    assert message.next_attempt_at == message.due_at == later


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_no_failure(caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise BrokerError("connection refused")

    monkeypatch.setattr(current_app._get_current_object(), "send_task", away)  # type: ignore[attr-defined]
    mail("a")
    assert OutboxMessage.objects.get().status == "pending"
    assert "the broker is away" in caplog.text


# --- Bounds ---------------------------------------------------------------------------------------------------------

MIB = 1024 * 1024


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"subject": "字" * 501}, "subject", "最多 500"),
        ({"subject": "a\r\nBcc: x@example.com"}, "subject", "換行"),
        ({"subject": "a\u2028b"}, "subject", "換行"),
        ({"subject": "a\n"}, "subject", "換行"),
        ({"text": "字" * 70_000}, "text", "200 KB"),
        ({"html": "x" * (400 * 1024 + 1)}, "html", "400 KB"),
        ({"text": " \n", "html": ""}, "text", "沒有內容"),
        ({"text": "a\0b"}, "text", "控制字元"),
        ({"text": "a\ud800"}, "text", "不完整"),
        ({"to": "nobody"}, "to", "電子郵件"),
        ({"to": ""}, "to", "電子郵件"),
        ({"to": "a@example.com\nBcc: b@example.com"}, "to", "電子郵件"),
        ({"to": "a" * 250 + "@example.com"}, "to", "電子郵件"),
        ({"to": " a@example.com"}, "to", "電子郵件"),
        ({"to": "王 <a@example.com>"}, "to", "電子郵件"),
        ({"to": "王小明@localdomain"}, "to", "電子郵件"),
        ({"to": "王" * 30 + "@example.com"}, "to", "電子郵件"),
        ({"reply_to": "nobody"}, "reply_to", "電子郵件"),
        ({"key": ""}, "key", "190"),
        ({"key": "k" * 191}, "key", "190"),
        ({"files": [SHEET] * 11}, "files", "最多 10 個"),
        ({"files": [File("a", b"x" * (10 * MIB + 1), "text/plain")]}, "files", "10 MB"),
        ({"files": [File("", b"x", "text/plain")]}, "files", "檔名"),
        ({"files": [File("a\nb", b"x", "text/plain")]}, "files", "檔名"),
        ({"files": [File("../a", b"x", "text/plain")]}, "files", "路徑"),
        ({"files": [File("a", b"x", "")]}, "files", "類型"),
        ({"files": [File("a", b"", "text/plain")]}, "files", "空的"),
    ],
)
def test_what_is_beyond_the_bounds(values: dict[str, Any], field: str, told: str) -> None:
    given: dict[str, Any] = {"key": "a", "event": "e", "to": "a@example.com", "subject": "s", "text": "t"} | values
    with pytest.raises(ValidationFailed) as refused:
        enqueue(Mail(**given))
    assert any(told in words for words in refused.value.fields[field])
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("to", ["王小明@example.com", "wang@公司.台灣", "王小明@公司.台灣", "a+b@sub.example.com"])
def test_addresses_beyond_ascii(to: str) -> None:
    assert mail("a", to=to).recipient == to


@pytest.mark.django_db
def test_the_largest_that_is_allowed() -> None:
    files = [File(f"{number}.bin", b"x" * MIB, "application/octet-stream") for number in range(10)]
    message = mail("k" * 190, subject="字" * 500, text="x" * 200 * 1024, html="y" * 400 * 1024, files=files)
    assert message.attachments.count() == 10
    assert len(text("t" * 190, body="\n".join(["字" * 60] * 1100))) > 10


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", " \n "])
def test_an_empty_text(body: str) -> None:
    with pytest.raises(ValidationFailed, match="沒有內容"):
        enqueue(ChatText(key="a", event="e", chat=chat(), body=body))


@pytest.mark.django_db
def test_one_bad_draft_writes_none(django_assert_num_queries: Callable[..., Any]) -> None:
    to = chat()
    good = ChatText(key="a", event="e", chat=to, body="x")
    bad = Mail(key="b", event="e", to="nobody", subject="", text="x")
    with django_assert_num_queries(0), pytest.raises(ValidationFailed):
        enqueue_many([good, bad])


@pytest.mark.django_db
def test_nothing_to_write() -> None:
    assert enqueue_many([]) == []
