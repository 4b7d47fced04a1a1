"""Two people with one link, drafts, and forms that come twice: nothing is lost, and nothing counts twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.threads import at_once
from tests.vendors.answering import Visitor, make_mail, tomorrow
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, Submission, SubmittedLine, VendorMail

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> list[Stockout]:
    vendor = make_vendor()
    return [make_stockout(vendor) for _ in range(3)]


@pytest.fixture
def mail(lines: list[Stockout]) -> VendorMail:
    return make_mail(lines[0].vendor, *lines)


def answers(*lines: Stockout) -> list[str]:
    return [str(Stockout.objects.get(pk=line.pk).substitute) for line in lines]


def two(mail: VendorMail) -> tuple[Visitor, Visitor]:
    """Both have opened the page before either sends."""
    people = Visitor(mail, "甲"), Visitor(mail, "乙")
    for person in people:
        person.opens()
    return people


def test_rows_that_only_one_of_them_changed_are_merged(mail: VendorMail, lines: list[Stockout]) -> None:
    first, second = two(mail)
    first.says(lines[0], "substitute", substitute="甲說")
    second.says(lines[1], "substitute", substitute="乙說")

    assert (first.done(), second.done()) == ("sent", "sent")

    assert answers(*lines) == ["甲說", "乙說", ""]
    assert [one.based_on for one in mail.submissions.order_by("number")] == [0, 0]


@pytest.mark.parametrize(("pick", "kept"), [("other", "甲說"), ("mine", "乙說"), ("mine", "都好")])
def test_rows_that_both_changed_wait_for_a_choice(
    pick: str, kept: str, mail: VendorMail, lines: list[Stockout]
) -> None:
    first, second = two(mail)
    first.says(lines[0], "substitute", substitute="甲說")
    second.says(lines[0], "substitute", substitute="乙說")
    second.says(lines[1], "substitute", substitute="只有乙")
    first.done()

    assert second.done() == "conflict"

    assert answers(*lines) == ["甲說", "", ""], "nothing of the form counts yet"
    assert list(SubmittedLine.objects.filter(line=lines[0]).values_list("substitute", flat=True)) == ["甲說", "乙說"]
    second.opens()
    assert "甲說" in second.text
    assert second.form[f"{lines[0].pk}-substitute"] == "乙說"
    assert second.sends().status_code == 400, "without a choice"
    assert "請選擇要採用哪一份" in second.text
    if kept == "都好":
        second.says(lines[0], "substitute", substitute=kept)
    assert second.done(**{f"{lines[0].pk}-pick": pick}) == "sent"
    assert answers(*lines) == [kept, "只有乙", ""]
    second.opens()
    assert "兩份內容不同" not in second.text


def test_whoever_comes_next_sees_an_open_choice_too(mail: VendorMail, lines: list[Stockout]) -> None:
    first, second = two(mail)
    for person in (first, second):
        person.says(lines[0], "substitute", substitute=f"{person.name}說")
        person.done()

    third = Visitor(mail, "丙")
    third.opens()
    assert "甲 " in third.text
    assert "甲說" in third.text
    assert third.form[f"{lines[0].pk}-substitute"] == "乙說"
    assert third.done("draft", remark="先存") == "draft"
    third.opens()
    assert "兩份內容不同" in third.text, "a draft without a choice leaves it open"


def test_what_one_leaves_alone_does_not_undo_the_others_answer(mail: VendorMail, lines: list[Stockout]) -> None:
    first, second = two(mail)
    first.says(lines[0], "discontinued")
    first.done()
    second.says(lines[1], "discontinued")

    assert second.done() == "sent"
    assert Stockout.objects.filter(answer="discontinued").count() == 2


def test_a_draft_is_shown_and_changes_nothing_until_it_is_sent(mail: VendorMail, lines: list[Stockout]) -> None:
    first = Visitor(mail, "甲")
    first.opens()
    first.says(lines[0], "restock", restock_quantity=30)
    assert first.done("draft", remark="問過工廠再填") == "draft"
    assert not Stockout.objects.exclude(answer="").exists()

    second = Visitor(mail, "乙")
    form = second.opens()
    assert (form[f"{lines[0].pk}-restock_quantity"], form["remark"]) == ("30", "問過工廠再填")
    assert "甲 存的草稿，還沒有送出" in second.text
    second.says(lines[0], "restock", restock_date=tomorrow(), restock_quantity=30)
    assert second.done() == "sent"

    assert Stockout.objects.get(pk=lines[0].pk).restock_quantity == 30
    mail.refresh_from_db()
    assert mail.version == 2


def test_sending_a_draft_unchanged_makes_it_count(mail: VendorMail, lines: list[Stockout]) -> None:
    visitor = Visitor(mail)
    visitor.opens()
    visitor.says(lines[0], "discontinued")
    visitor.done("draft")
    visitor.opens()

    assert visitor.done() == "sent"
    assert Stockout.objects.get(pk=lines[0].pk).status == "replied"


def test_a_draft_over_an_answer_shows_both(mail: VendorMail, lines: list[Stockout]) -> None:
    visitor = Visitor(mail)
    for action, text in (("submit", "舊的"), ("draft", "新的")):
        visitor.opens()
        visitor.says(lines[0], "substitute", substitute=text)
        visitor.done(action)

    assert visitor.opens()[f"{lines[0].pk}-substitute"] == "新的"
    assert "已送出的回覆：替代商品 舊的" in visitor.text
    assert answers(lines[0]) == ["舊的"]


def test_answers_under_another_mails_link_are_seen(mail: VendorMail, lines: list[Stockout]) -> None:
    reminder = make_mail(lines[0].vendor, lines[0], kind="vendor_reminder")
    late, visitor = Visitor(mail, "甲"), Visitor(reminder, "乙")
    late.opens()
    visitor.opens()
    visitor.says(lines[0], "substitute", substitute="乙說")
    visitor.done()
    late.says(lines[0], "substitute", substitute="甲說")

    assert late.done() == "conflict"
    assert answers(lines[0]) == ["乙說"]


@pytest.mark.parametrize("again", ["same form", "same content"])
def test_a_form_that_comes_twice_is_one(again: str, mail: VendorMail, lines: list[Stockout]) -> None:
    first, second = two(mail)
    for person in (first, second):
        person.says(lines[0], "discontinued")
    assert first.done(remark="同一句") == "sent"

    twice = first if again == "same form" else second

    assert twice.done(remark="同一句") == "unchanged"
    assert Submission.objects.count() == 1


def test_the_token_of_another_mails_form_is_refused(mail: VendorMail, lines: list[Stockout]) -> None:
    visitor, other = Visitor(mail), Visitor(make_mail(lines[0].vendor, lines[2]))
    visitor.opens()
    visitor.says(lines[0], "discontinued")
    visitor.done()
    other.opens()
    other.says(lines[2], "discontinued")

    assert other.sends(token=visitor.form["token"]).status_code == 400
    assert Submission.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_forms_that_come_at_once(settings: Any) -> None:
    """A double click, and another person at the same moment: one submission each, and the same row waits."""
    vendor = make_vendor()
    line = make_stockout(vendor)
    mail = make_mail(vendor, line)
    first, second = two(mail)
    double = Visitor(mail, "甲")
    double.form = dict(first.form)
    for person in (first, double, second):
        person.says(line, "substitute", substitute=f"{person.name}說")

    outcomes = at_once(first.done, double.done, second.done)

    assert sorted(outcomes) == ["conflict", "sent", "unchanged"]
    assert sorted(mail.submissions.values_list("number", "is_draft")) == [(1, False), (2, True)]
