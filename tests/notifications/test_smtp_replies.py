"""What servers really say, sorted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.base import Verdict
from notifications.channels.email import SLOW, Step, judge
from notifications.channels.smtp import TEXT_LIMIT, Reply


@pytest.mark.parametrize(
    ("code", "text", "wait"),
    [
        (450, "4.2.0 <a@b>: Recipient address rejected: Greylisted, see http://postgrey.test/help/b.html", None),
        (451, "4.7.1 Greylisting in action, please come back later", None),
        (451, "4.7.1 Try again in 5 minutes", None),
        (451, "Temporary local problem - please try later", None),
        (451, "4.3.0 Temporary lookup failure", None),
        (451, "4.3.0 cannot operate: separate problem, corporate moderate", None),
        (421, "4.3.2 Service shutting down", None),
        (421, "4.7.0 Too many connections from your IP", None),
        (450, "4.7.1 Error: too much mail from 192.0.2.1", None),
        (421, "4.7.28 Our system has detected an unusual rate of unsolicited mail", SLOW),
        (452, "4.2.2 The email account that you tried to reach is over quota", SLOW),
        (452, "4.5.3 Too many recipients", SLOW),
        (452, "4.3.1 Insufficient system storage", SLOW),
        (451, "4.7.500 Server busy. Please try again later from [192.0.2.1]", None),
        (450, "4.2.2 mailbox full", SLOW),
        (450, "", None),
    ],
)
def test_temporary(code: int, text: str, wait: float | None) -> None:
    for step in Step:
        outcome = judge(step, Reply(code, text.encode()))
        assert (outcome.verdict, outcome.wait, outcome.of_channel) == (Verdict.RETRY, wait, False)


@pytest.mark.parametrize(
    ("step", "code", "text", "ours"),
    [
        (Step.MAIL, 530, "5.7.0 Authentication required", True),
        (Step.MAIL, 535, "5.7.8 Bad credentials", True),
        (Step.MAIL, 550, "5.7.1 Relaying denied", True),
        (Step.MAIL, 553, "5.7.1 Sender address rejected: not owned by user", True),
        (Step.MAIL, 552, "5.3.4 Message size exceeds fixed limit", False),
        (Step.MAIL, 550, "5.3.4 Message too big", False),
        (Step.MAIL, 550, "5.6.7 no SMTPUTF8", False),
        (Step.RCPT, 550, "5.1.1 No such user", False),
        (Step.RCPT, 554, "5.7.1 Relay access denied", False),
        (Step.RCPT, 530, "5.7.0 Must issue a STARTTLS command first", True),
        (Step.DATA, 554, "No valid recipients", False),
        (Step.CONTENT, 554, "5.7.1 Message looks like spam", False),
        (Step.CONTENT, 552, "5.2.3 too large", False),
    ],
)
def test_permanent(step: Step, code: int, text: str, ours: bool) -> None:
    outcome = judge(step, Reply(code, text.encode()))
    if ours:
        assert (outcome.verdict, outcome.of_channel, outcome.wait) == (Verdict.RETRY, True, SLOW)
    else:
        assert (outcome.verdict, outcome.of_channel) == (Verdict.FAILED, False)
    assert f"{code} {text}" in outcome.reason


def test_words_of_many_lines() -> None:
    reply = Reply(550, b"5.1.1 The account\n5.1.1 does not exist.\n\n5.1.1  Check \xa5\x00\x1b[31m it")
    assert reply.enhanced == "5.1.1"
    assert reply.line == "550 5.1.1 The account does not exist. Check \ufffd[31m it"


@given(st.integers(400, 599), st.binary(max_size=2000), st.sampled_from(Step))
def test_any_answer_is_judged(code: int, text: bytes, step: Step) -> None:
    outcome = judge(step, Reply(code, text))
    assert outcome.verdict in {Verdict.RETRY, Verdict.FAILED}
    assert outcome.wait in {None, SLOW}
    assert len(outcome.reason) <= TEXT_LIMIT + 40
    assert outcome.reason.isprintable() or not outcome.reason.isascii()
    assert "\n" not in outcome.reason
    assert "\0" not in outcome.reason
