"""The MIME message: whatever people write, it is valid, 7-bit, and read back as it was written."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from momo.core.texts import clean_text, one_line
from notifications.channels.mail import BadAddress, build_mail, read_address, safe_name
from tests.notifications.mails import SENDER, attachment, mail_message, parsed

# Everything that str can hold, halves of pairs too; and what is known to break mails.
ANY = st.text(st.characters(codec=None, exclude_categories=[]), max_size=300)
BREAKS = ("\r\n", "\n", "\r", "\x85", "\u2028", " ", "\t", "\0")
WORDS = (
    "Bcc: x@evil.test",
    "=?utf-8?q?a=0D=0AX:_y?=",
    "=?",
    "?=",
    "價",
    "😀",
    "👨\u200d👩\u200d👧",
    "\u202eمرحبا",
    "e\u0301",
)
SIGNS = ("\ud800", "\udc00", ",", '"', "\\", "<", ">", "(", ";", ".", "a" * 90)
NASTY = st.lists(st.sampled_from((*BREAKS, *WORDS, *SIGNS)), max_size=40).map("".join)
LONG_NAME = "價格異動報表 2026年11月（全部館別，含下架與新上架商品的完整清單）.xlsx"
TEXTS = ANY | NASTY


def built(**values: Any) -> tuple[EmailMessage, bytes]:
    data = build_mail(mail_message(**values), sender=SENDER, reply_to="").content
    return parsed(data), data


def assert_valid(mail: EmailMessage, data: bytes) -> None:
    """What every server takes and every reader reads, whatever is in it."""
    assert data.isascii()
    assert b"\0" not in data
    lines = data.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 998
    for part in mail.walk():
        assert not part.defects, part.defects
        for value in part.values():
            assert not value.defects, (value, value.defects)


def test_text_only() -> None:
    mail, data = built(body="第一行\n.\n..第三行\nFrom here\n")
    assert_valid(mail, data)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == "第一行\n.\n..第三行\nFrom here\n"
    assert mail["From"].addresses[0].display_name == "MOMO Pro"
    assert mail["From"].addresses[0].addr_spec == "no-reply@momo.test"
    assert mail["To"] == "wang@example.com"
    assert mail["Subject"] == "價格異動"
    assert mail["Message-ID"] == "<m1@momo.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail["Reply-To"] is None
    assert mail["MIME-Version"] == "1.0"


def test_html_beside_text_and_files_around_both() -> None:
    files = [
        attachment(
            LONG_NAME,
            b"PK\x03\x04",
            "application/vnd.ms-excel",
        ),
        attachment('a"b\\c/../d.csv', "品號\n".encode(), "text/csv; charset=utf-8"),
        attachment("plain.eml", b"Subject: x\n\n.\n", "message/rfc822"),
        attachment("\r\nX: y", b"", "nonsense"),
    ]
    mail, data = built(body_html="<p>漲價：<b>小米</b></p>", files=files)
    assert_valid(mail, data)
    assert mail.get_content_type() == "multipart/mixed"
    first, *attached = mail.iter_parts()
    assert first.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    html = mail.get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in page
    assert "width=device-width" in page
    assert "<p>漲價：<b>小米</b></p>" in page
    assert [part.get_filename() for part in attached] == [
        LONG_NAME,
        "a_b_c_.._d.csv",
        "plain.eml",
        "X_ y",
    ]
    assert [part.get_payload(decode=True) for part in attached] == [bytes(one.content) for one in files]
    assert [part.get_content_type() for part in attached] == [
        "application/vnd.ms-excel",
        "text/csv",
        "application/octet-stream",
        "application/octet-stream",
    ]
    assert all(part.get_content_disposition() == "attachment" for part in attached)


@given(subject=TEXTS, body=TEXTS, fragment=TEXTS)
@example(subject="漲" * 300, body="x" * 5000, fragment="😀" * 5000)
@example(subject="=?utf-8?b?" + "QQ" * 50 + "?=", body="\r\n.\r\n", fragment="=\n=")
def test_any_text(subject: str, body: str, fragment: str) -> None:
    mail, data = built(subject=subject, body=body, body_html=fragment)
    assert_valid(mail, data)
    wanted = one_line(subject)[:500].strip()
    assert mail["Subject"] == wanted or not wanted
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    if body.strip() or not fragment:
        assert text.get_content().replace("\r\n", "\n").rstrip("\n") == clean_text(body).rstrip("\n")
    assert (html is not None) == bool(fragment)
    assert html is None or clean_text(fragment) in html.get_content().replace("\r\n", "\n")
    assert set(mail.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
        *("Content-Type", "Content-Transfer-Encoding"),
    }


@given(name=TEXTS)
@example(name="")
@example(name="報表" * 90 + ".xlsx")
@example(name="it's 100% (a).xlsx")
def test_any_file_name(name: str) -> None:
    mail, data = built(files=[attachment(name, b"\0\r\n.\r\n\xff")])
    assert_valid(mail, data)
    (part,) = mail.iter_attachments()
    assert part.get_filename() == safe_name(name)
    assert part.get_payload(decode=True) == b"\0\r\n.\r\n\xff"


@given(name=TEXTS)
@example(name="王, 小明 <x@y> (主管)")
@example(name="MOMO " * 60)
def test_any_display_name(name: str) -> None:
    quoted = re.sub(r'(["\\])', r"\\\1", one_line(name))
    data = build_mail(mail_message(), sender=f'"{quoted}" <a@momo.test>', reply_to="").content
    mail = parsed(data)
    assert_valid(mail, data)
    (address,) = mail["From"].addresses
    assert address.addr_spec == "a@momo.test"
    # The reader of the standard library leaves a space between two encoded words of a name (not of a subject).
    assert address.display_name.replace(" ", "") == one_line(name)[:200].replace(" ", "")


@given(recipient=TEXTS, reply_to=TEXTS)
@example(recipient="a@b.test\r\nBcc: c@d.test", reply_to="")
@example(recipient="a@b.test, c@d.test", reply_to="x@y.test\r\n\r\nbody")
def test_any_address_is_one_address_or_refused(recipient: str, reply_to: str) -> None:
    message = mail_message(recipient=recipient, reply_to=reply_to)
    try:
        mail = build_mail(message, sender=SENDER, reply_to="")
    except BadAddress:
        return
    data = mail.content
    head = data.partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\nTo: ") == 1
    assert b"Bcc" not in head
    assert len(parsed(data)["To"].addresses) == 1


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("wang@example.com", "wang@example.com"),
        (" wang@example.com ", "wang@example.com"),
        ("Wang <wang@example.com>", "wang@example.com"),
        ("wang@公司.台灣", "wang@xn--55qx5d.xn--kpry57d"),
        ("wang@faß.de", "wang@xn--fa-hia.de"),
        ("王小明@example.com", "王小明@example.com"),
        ('"a b"@example.com', '"a b"@example.com'),
        ("a+b.c@sub.example.com", "a+b.c@sub.example.com"),
        ("root@[127.0.0.1]", "root@[127.0.0.1]"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_good_addresses(text: str, mailbox: str) -> None:
    assert read_address(text).mailbox == mailbox


@pytest.mark.parametrize(
    "text",
    [
        *("", "wang", "@example.com", "wang@", "wang@@b.test", "a b@c.test", "a@b c.test", ".a@b.test", "a..b@c.test"),
        *("a@b.test,c@d.test", "a@b.test\nBcc: c@d.test", "a\0@b.test", "a@-b-.test", "a@" + "b" * 70 + ".test"),
        *("a" * 65 + "@b.test", "a@.test", "a@b..test", "\ud800@b.test", "<a@b.test>\r\nX: y"),
    ],
)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(BadAddress) as caught:
        read_address(text)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()  # fit to be stored


def test_local_part_beyond_ascii_makes_the_headers_utf8() -> None:
    mail = build_mail(mail_message(recipient="王小明@公司.台灣"), sender=SENDER, reply_to="")
    assert mail.utf8
    head, _, body = mail.content.partition(b"\r\n\r\n")
    assert "To: 王小明@xn--55qx5d.xn--kpry57d".encode() in head
    assert body.isascii()
    plain = build_mail(mail_message(), sender=SENDER, reply_to="")
    assert not plain.utf8


def test_reply_address_of_the_message_wins() -> None:
    ours = parsed(build_mail(mail_message(), sender=SENDER, reply_to="客服 <help@momo.test>").content)
    assert ours["Reply-To"].addresses[0].display_name == "客服"
    own = parsed(build_mail(mail_message(reply_to="pm@momo.test"), sender=SENDER, reply_to="help@momo.test").content)
    assert own["Reply-To"] == "pm@momo.test"


@pytest.mark.parametrize("given", ["", "m2@momo.test", "<m2@momo.test>", "<a b@c>", "<x@y>\r\nBcc: z@z.test"])
def test_message_id_is_valid_and_the_same_at_each_attempt(given: str) -> None:
    ids = {str(built(message_id=given)[0]["Message-ID"]) for _ in range(2)}
    (one,) = ids
    assert re.fullmatch(r"<[!-~]+@[!-~]+>", one)
    if "m2" in given:
        assert one == "<m2@momo.test>"
    assert one != str(built(message_id="", key="another")[0]["Message-ID"])


def test_text_part_is_made_of_the_html_where_there_is_none() -> None:
    mail, _ = built(body="", body_html='<p>漲價</p><p><a href="https://momo.test/1">小米</a></p>')
    text = mail.get_body(("plain",))
    assert text is not None
    assert "漲價" in text.get_content()
    assert "https://momo.test/1" in text.get_content()
    assert "<" not in text.get_content()


def test_subject_falls_back_to_the_first_line() -> None:
    assert built(subject="", body="\n磁碟快滿了\n其他")[0]["Subject"] == "磁碟快滿了"


def test_long_subject_is_folded_within_the_limit_of_encoded_words() -> None:
    _, data = built(subject="小米手環" * 100)
    lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, lines)) <= 76
