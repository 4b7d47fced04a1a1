"""Pages of the admin about what vendors submitted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from tests.kit.users import person, session_client
from tests.vendors.answering import Visitor, make_mail
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return session_client(person("amy", Role.USER))


@pytest.fixture
def visitor() -> Visitor:
    """Has answered, and corrected it, from one address."""
    vendor = make_vendor(name="水潤生技")
    line = make_stockout(vendor, product_code="12345678")
    visitor = Visitor(make_mail(vendor, line), name="<b>陳</b>", REMOTE_ADDR="203.0.113.9")
    for text in ("舊款", "<i>新款</i>"):
        visitor.opens()
        visitor.says(line, "substitute", substitute=text)
        visitor.done(remark=f"備註{text}")
    return visitor


def test_the_page_says_what_changed_by_whom_and_from_where(visitor: Visitor, staff: Client) -> None:
    page = staff.get(reverse("admin:vendors_submission_change", args=[Submission.objects.latest("pk").pk]))

    text = page.content.decode()
    changes = [(one["line"].product_code, one["before"], one["now"]) for one in page.context["changes"]]
    assert changes == [("12345678", "替代商品 舊款", "替代商品 <i>新款</i>")]
    for part in ("203.0.113.9", "&lt;b&gt;陳&lt;/b&gt;", "替代商品 &lt;i&gt;新款&lt;/i&gt;", "水潤生技"):
        assert part in text


def test_the_list_shows_answers_and_on_demand_drafts(
    visitor: Visitor, staff: Client, django_assert_max_num_queries: Any
) -> None:
    visitor.opens()
    visitor.done("draft", remark="草稿")
    url = reverse("admin:vendors_submission_changelist")

    shown = [len(staff.get(url, query).context["cl"].result_list) for query in ({}, {"kind": "all"}, {"kind": "draft"})]

    assert shown == [2, 3, 1]
    assert len(staff.get(url, {"q": "水潤"}).context["cl"].result_list) == 2


@pytest.mark.parametrize("address", ["add/", "{pk}/delete/"])
def test_nobody_adds_or_deletes(address: str, visitor: Visitor) -> None:
    boss = session_client(person("ada", Role.ADMIN))
    url = reverse("admin:vendors_submission_changelist") + address.format(pk=Submission.objects.latest("pk").pk)

    assert boss.post(url, {"post": "yes"}).status_code == 403


def test_the_page_of_a_mail_leads_to_its_answers(visitor: Visitor, staff: Client) -> None:
    mail = Submission.objects.latest("pk").mail
    answers = f"{reverse('admin:vendors_submission_changelist')}?mail={mail.pk}"
    assert answers in staff.get(reverse("admin:vendors_vendormail_change", args=[mail.pk])).content.decode()
    assert len(staff.get(answers).context["cl"].result_list) == 2
