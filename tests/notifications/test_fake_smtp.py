"""The stand-in is a mail server: the standard client talks to it, and its troubles and its record are what they say."""

from __future__ import annotations

import json
import signal
import smtplib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.smtp import Rule, read_record, running_smtp
from tests.fakes.smtp.faults import Dice
from tests.fakes.smtp.record import Record

ROOT = Path(__file__).resolve().parents[2]
MAIL = b"Message-ID: <1@momo.test>\r\nSubject: x\r\n\r\n.dot\r\n"


def hand_over(port: int, recipient: str = "a@b.test") -> str:
    """What becomes of one mail: `250`, another code, or `dropped`."""
    try:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=10) as client:
            client.sendmail("s@momo.test", [recipient], MAIL)
    except smtplib.SMTPRecipientsRefused as error:
        return str(error.recipients[recipient][0])
    except smtplib.SMTPResponseException as error:
        return str(error.smtp_code)
    except (smtplib.SMTPServerDisconnected, ConnectionError):
        return "dropped"
    return "250"


def test_accepts_and_records(tmp_path: Path) -> None:
    with running_smtp(tmp_path / "record") as server:
        assert hand_over(server.port) == "250"
        (accepted,) = server.accepted()
        assert (accepted.message_id, accepted.sender) == ("<1@momo.test>", "s@momo.test")
        assert (accepted.recipient, accepted.content, accepted.size) == ("a@b.test", MAIL, len(MAIL))
        with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
            client.ehlo()
            assert {"8bitmime", "smtputf8", "size"} <= set(client.esmtp_features)


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "dot"])
def test_answers_as_told(tmp_path: Path, at: str) -> None:
    with running_smtp(tmp_path / "record", rules=(Rule(at, "451 4.3.0 later", times=1),)) as server:
        assert hand_over(server.port) == "451"
        assert server.accepted() == []
        assert hand_over(server.port) == "250"


@pytest.mark.parametrize(
    ("at", "accepted"), [("mail", 0), ("rcpt", 0), ("data", 0), ("inside", 0), ("dot", 0), ("accepted", 1)]
)
def test_drops_as_told(tmp_path: Path, at: str, accepted: int) -> None:
    with running_smtp(tmp_path / "record") as server:
        server.fail(at, times=1)
        content = MAIL + b"x" * 70 + b"\r\n"
        with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
            with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
                client.sendmail("s@momo.test", ["a@b.test"], content * 9)
            client.close()
        assert len(server.accepted()) == accepted
        assert hand_over(server.port) == "250"


def test_refusal_at_the_end_of_the_talk_closes(tmp_path: Path) -> None:
    with running_smtp(tmp_path / "record") as server:
        server.fail("rcpt", "421 4.3.2 going", times=1)
        assert hand_over(server.port) in {"421", "dropped"}
        assert hand_over(server.port) == "250"


def test_strikes_whom_it_is_told(tmp_path: Path) -> None:
    with running_smtp(tmp_path / "record") as server:
        server.fail("rcpt", "550 5.1.1 no", recipient=r"^bad")
        assert hand_over(server.port, "bad@b.test") == "550"
        assert hand_over(server.port, "notbad@b.test") == "250"


def test_chance_follows_the_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        dice = Dice([Rule("dot", "451 x", share=0.3)], seed)
        return [dice.strike("dot") is not None for _ in range(2000)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)
    assert 0.25 < Counter(strikes(1))[True] / 2000 < 0.35


@pytest.mark.parametrize("hidden", ["8BITMIME", "SMTPUTF8", "SIZE"])
def test_hides_what_it_can(tmp_path: Path, hidden: str) -> None:
    with (
        running_smtp(tmp_path / "record", hide=(hidden,)) as server,
        smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client,
    ):
        client.ehlo()
        assert not client.has_extn(hidden)
        assert client.has_extn("HELP")


def test_login_is_demanded(tmp_path: Path) -> None:
    with running_smtp(tmp_path / "record", user="u", password="p") as server:
        assert hand_over(server.port) == "530"
        with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("u", "wrong")
            client.login("u", "p")
            client.sendmail("s@momo.test", ["a@b.test"], MAIL)
        assert len(server.accepted()) == 1


def test_process_killed_keeps_its_record(tmp_path: Path) -> None:
    record = tmp_path / "record"
    rules = [{"at": "rcpt", "answer": "450 4.2.0 later", "times": 1}]

    def start(port: int) -> tuple[subprocess.Popen[str], int]:
        command = [sys.executable, "-m", "tests.fakes.smtp", "--port", str(port), "--record", str(record)]
        process = subprocess.Popen(
            [*command, "--rules", json.dumps(rules)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    process, port = start(0)
    try:
        assert hand_over(port) == "450"
        assert hand_over(port) == "250"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(read_record(record)) == 1
        process, again = start(port)
        assert again == port
        assert hand_over(port) == "450"
        assert hand_over(port) == "250"
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert [(one.message_id, one.size, one.content) for one in read_record(record)] == 2 * [
        ("<1@momo.test>", len(MAIL), b"")
    ]


def test_record_is_one_line_each(tmp_path: Path) -> None:
    record = Record(tmp_path / "record", with_content=True)
    record.add("s@momo.test", ["a@b.test", "王@b.test"], b"Subject: no id\r\n\r\n\xff\n")
    record.close()
    assert [one.recipient for one in read_record(tmp_path / "record")] == ["a@b.test", "王@b.test"]
    assert len((tmp_path / "record").read_bytes().splitlines()) == 2
