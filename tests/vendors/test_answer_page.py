"""What a vendor sees and sends under the link of a mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.vendors.answering import Visitor, make_mail, tomorrow
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, Submission, SubmittedLine
from vendors.selectors import answers as selectors
from vendors.services.merge import merge_vendors
from vendors.services.vendors import save_vendor

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>\"'&{{ 7|add:7 }}"


def fields(line: Stockout) -> dict[str, Any]:
    line.refresh_from_db()
    names = ("answer", "restock_date", "restock_quantity", "substitute", "status")
    return {name: getattr(line, name) for name in names if getattr(line, name) not in ("", None)}


def state() -> list[Any]:
    """All that an answer may change."""
    return [list(model.objects.order_by("pk").values()) for model in (Stockout, Submission, SubmittedLine)]


def test_answers_update_the_rows_and_are_logged() -> None:
    vendor = make_vendor(name="水潤生技")
    first, second, third, open_ = (make_stockout(vendor, product_name=f"商品{name}") for name in "甲乙丙丁")
    mail = make_mail(vendor, first, second, third, open_)
    visitor = Visitor(mail, headers={"User-Agent": "Safari"}, REMOTE_ADDR="203.0.113.9")
    visitor.opens()
    for text in ("水潤生技", f"#{mail.pk}", f"{timezone.localtime(mail.link_expires_at):%Y-%m-%d %H:%M}", "商品甲"):
        assert text in visitor.text
    visitor.says(first, "restock", restock_date=tomorrow(), restock_quantity="1,500")
    visitor.says(second, "substitute", substitute="新款 500ml", restock_date=tomorrow())
    visitor.says(third, "discontinued")

    assert visitor.done(remark="請見附註") == "sent"

    day = timezone.localdate() + timedelta(days=1)
    restock = {"answer": "restock", "restock_date": day, "restock_quantity": 1500, "status": "replied"}
    assert fields(first) == restock
    assert fields(second) == {"answer": "substitute", "substitute": "新款 500ml", "status": "replied"}
    assert fields(third) == {"answer": "discontinued", "status": "replied"}
    assert fields(open_) == {"status": "sent"}
    assert first.answered_at
    mail.refresh_from_db()
    submission = mail.submissions.get()
    assert (mail.version, mail.answered_at is not None, submission.based_on) == (1, True, 0)
    assert (submission.address, submission.user_agent) == ("203.0.113.9", "Safari")
    assert (submission.person, submission.remark, submission.entries.count()) == ("陳小姐", "請見附註", 3)


def test_what_was_answered_is_shown_and_can_be_corrected() -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    mail = make_mail(vendor, line)
    visitor = Visitor(mail)
    visitor.opens()
    visitor.says(line, "restock", restock_date=tomorrow(3), restock_quantity=20)
    visitor.done(remark="第一次")
    first_time = Stockout.objects.get().answered_at

    form = visitor.opens()
    assert (form[f"{line.pk}-answer"], form[f"{line.pk}-restock_quantity"]) == ("restock", "20")
    assert form[f"{line.pk}-restock_date"] == tomorrow(3)
    assert "陳小姐 送出 1 項" in visitor.text
    assert "第一次" in visitor.text
    visitor.says(line, "discontinued")
    assert visitor.done() == "sent"

    assert fields(line) == {"answer": "discontinued", "status": "replied"}
    assert line.answered_at == first_time
    assert mail.submissions.count() == 2


def test_an_answer_cannot_be_taken_back_to_nothing() -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    visitor = Visitor(make_mail(vendor, line))
    visitor.opens()
    visitor.says(line, "discontinued")
    visitor.done()
    visitor.opens()
    visitor.says(line, "")

    assert visitor.sends().status_code == 400
    assert "不能改回尚未回覆" in visitor.text
    assert fields(line)["answer"] == "discontinued"


def test_a_date_that_has_passed_meanwhile_does_not_stop_other_answers() -> None:
    vendor = make_vendor()
    old = make_stockout(vendor, answer="restock", restock_date="2026-01-05", status="replied")
    other = make_stockout(vendor)
    visitor = Visitor(make_mail(vendor, old, other))
    visitor.opens()
    visitor.says(other, "discontinued")

    assert visitor.done() == "sent"
    assert SubmittedLine.objects.get().line_id == other.pk


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"answer": "restock"}, "請填預計到貨日"),
        ({"answer": "restock", "restock_date": "2020-01-01"}, "請填今天以後、兩年以內的日期"),
        ({"answer": "restock", "restock_date": tomorrow(800)}, "請填今天以後、兩年以內的日期"),
        ({"answer": "restock", "restock_date": "明天"}, "請填日期，例如 2026-12-31"),
        ({"answer": "restock", "restock_date": tomorrow(), "restock_quantity": "0"}, "請填 1 到 1,000,000 的整數"),
        ({"answer": "restock", "restock_date": tomorrow(), "restock_quantity": "1000001"}, "請填 1 到 1,000,000"),
        ({"answer": "restock", "restock_date": tomorrow(), "restock_quantity": "很多"}, "請填 1 到 1,000,000 的整數"),
        ({"answer": "substitute"}, "請填替代商品的品名或品號"),
        ({"answer": "substitute", "substitute": "長" * 201}, "最多 200 個字"),
        ({"answer": "maybe"}, "maybe"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_lost_or_stored(values: dict[str, str], said: str) -> None:
    vendor = make_vendor()
    wrong, fine = make_stockout(vendor), make_stockout(vendor)
    visitor = Visitor(make_mail(vendor, wrong, fine))
    visitor.opens()
    visitor.says(wrong, **values)
    visitor.says(fine, "substitute", substitute="好的替代品")
    before = state()

    assert visitor.sends(remark="留著").status_code == 400

    page = visitor.answer.content.decode()
    assert said in visitor.text
    assert "有 1 項商品要修正" in visitor.text
    assert 'value="好的替代品"' in page
    assert "留著" in page
    assert state() == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"person": " "}, "請填寫您的姓名"),
        ({"person": "長" * 61}, "60"),
        ({"remark": "長" * 2001}, "2000"),
        ({"token": "1"}, "表單不正確"),
        ({"seen": "-1"}, "0"),
        ({}, "請至少回覆一項商品"),
    ],
)
def test_wrong_heads_are_refused(values: dict[str, str], said: str) -> None:
    vendor = make_vendor()
    visitor = Visitor(make_mail(vendor, make_stockout(vendor)))
    visitor.opens()

    assert visitor.sends(**values).status_code == 400
    assert said in visitor.text
    assert not Submission.objects.exists()


def test_a_form_that_was_cut_off_is_refused() -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    visitor = Visitor(make_mail(vendor, line))
    visitor.opens()
    visitor.says(line, "discontinued")

    answer = visitor.client.post(visitor.path, visitor.form | {"person": "陳"})

    assert answer.status_code == 400
    assert "沒有完整送達" in answer.content.decode()
    assert not Submission.objects.exists()


def test_a_row_of_somebody_else_is_refused_with_the_whole_form() -> None:
    vendor, other = make_vendor(), make_vendor()
    own, foreign, unsent = make_stockout(vendor), make_stockout(other, product_name="別家的"), make_stockout(vendor)
    visitor = Visitor(make_mail(vendor, own))
    before = state()
    for line in (foreign, unsent):
        visitor.opens()
        visitor.says(own, "discontinued")
        visitor.says(line, "discontinued")

        assert visitor.sends().status_code == 400
        assert "不屬於這封信" in visitor.text
        assert "別家的" not in visitor.text
    assert state()[1:] == before[1:]
    assert fields(own) == {"status": "sent"}


def test_rows_that_repeat_a_row_are_answered_with_it_and_resolved_ones_stay_resolved() -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    repeated = make_stockout(vendor, product_code=line.product_code, duplicate_of=line)
    over = make_stockout(vendor, status="resolved", resolved_reason="back_in_stock")
    visitor = Visitor(make_mail(vendor, line, over))
    visitor.opens()
    assert "這項已不需要處理" in visitor.text
    visitor.says(line, "discontinued")
    visitor.says(over, "discontinued")

    visitor.done()

    assert fields(line) == fields(repeated) == {"answer": "discontinued", "status": "replied"}
    assert fields(over) == {"answer": "discontinued", "status": "resolved"}


@pytest.mark.parametrize("gone", ["vendor", "rows"])
def test_a_mail_that_needs_no_answer_any_more_says_so(gone: str) -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    mail = make_mail(vendor, line)
    visitor = Visitor(mail)
    visitor.opens()
    visitor.says(line, "discontinued")
    if gone == "vendor":
        vendor.is_active = False
        vendor.save()
    else:
        mail.mail_lines.all().delete()

    assert visitor.sends().status_code in (400, 409)
    assert "不需要回覆" in visitor.client.get(visitor.path).content.decode()
    assert not Submission.objects.exists()


def test_links_of_a_vendor_that_was_merged_go_on_working() -> None:
    old, new = make_vendor(), make_vendor()
    line = make_stockout(old)
    visitor = Visitor(make_mail(old, line))
    merge_vendors(source=old, target=new)
    visitor.opens()
    visitor.says(line, "discontinued")
    assert visitor.done() == "sent"
    assert fields(line) == {"answer": "discontinued", "status": "replied"}
    save_vendor(vendor=new, is_active=False)
    assert "不需要回覆" in visitor.client.get(visitor.path).content.decode()


def test_hostile_text_is_only_text() -> None:
    vendor = make_vendor(name=HOSTILE)
    line = make_stockout(vendor, product_name=HOSTILE, product_code=HOSTILE[:30])
    visitor = Visitor(make_mail(vendor, line), name=HOSTILE)
    visitor.opens()
    visitor.says(line, "substitute", substitute=HOSTILE)
    assert visitor.done(remark=HOSTILE + "\x00\u202e") == "sent"

    form = visitor.opens()

    assert form[f"{line.pk}-substitute"] == HOSTILE
    assert "<script" not in visitor.answer.content.decode()
    assert Submission.objects.get().remark == HOSTILE


def test_five_hundred_rows_are_one_form(django_assert_num_queries: Any) -> None:
    vendor = make_vendor()
    first = make_stockout(vendor)
    copies = [Stockout(**{**values, "id": None, "product_code": f"2{number:07}"}) for number in range(1, 500)
              for values in [dict(Stockout.objects.values().get(pk=first.pk))]]  # fmt: skip
    lines = [first, *Stockout.objects.bulk_create(copies)]
    visitor = Visitor(make_mail(vendor, *lines))
    with django_assert_num_queries(6):
        visitor.opens()
    for line in lines:
        visitor.says(line, "restock", restock_date=tomorrow(), restock_quantity=line.pk % 1000 + 1)

    assert visitor.done() == "sent"

    answered = Stockout.objects.filter(status="replied")
    assert answered.count() == 500
    assert all(line.restock_quantity == line.pk % 1000 + 1 for line in answered)
    with django_assert_num_queries(6):
        visitor.opens()


def test_more_rows_are_pages_each_with_a_form_of_its_own(monkeypatch: Any) -> None:
    monkeypatch.setattr(selectors, "PAGE_ROWS", 2)
    vendor = make_vendor()
    lines = [make_stockout(vendor) for _ in range(3)]
    mail = make_mail(vendor, *lines)
    second = Visitor(mail, query="?page=2")
    assert f"{lines[0].pk}-answer" not in second.opens()
    second.says(lines[2], "discontinued")

    answer = second.sends()

    assert answer["Location"].endswith("?done=sent&page=2")
    assert [fields(line)["status"] for line in lines] == ["sent", "sent", "replied"]
