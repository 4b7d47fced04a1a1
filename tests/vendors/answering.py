"""Mails with a link, and the form of the answer page filled in as a browser would, from the page's own HTML."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from parsel import Selector

from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import MailLine, Stockout, Submission, SubmittedLine, Vendor, VendorMail, VendorSending
from vendors.services.links import answer_url


def make_mail(vendor: Vendor, *lines: Stockout, **values: Any) -> VendorMail:
    """A mail that was sent, whose link is valid for a week."""
    now = timezone.now()
    given = {"day": timezone.localdate(), "status": "sent", "link_expires_at": now + timedelta(days=7), **values}
    mail = VendorMail.objects.create(sending=VendorSending.objects.create(status="done"), vendor=vendor, **given)
    MailLine.objects.bulk_create(MailLine(mail=mail, line=line) for line in lines)
    Stockout.objects.filter(pk__in=[line.pk for line in lines], status="pending").update(status="sent", mail=mail)
    return mail


def path_of(mail: VendorMail) -> str:
    """The path of the mail's link."""
    return "/" + answer_url(mail).split("/", 3)[3]


def tomorrow(days: int = 1) -> str:
    return str(timezone.localdate() + timedelta(days=days))


class Visitor:
    """One person with the link of a mail."""

    def __init__(self, mail: VendorMail, name: str = "陳小姐", query: str = "", **values: Any) -> None:
        self.path, self.name = path_of(mail) + query, name
        self.client = Client(**values)

    def opens(self) -> dict[str, str]:
        """Open the page; return what the form would send now."""
        self.answer = self.client.get(self.path)
        assert self.answer.status_code == 200, self.answer.content.decode()
        form = Selector(self.answer.content.decode()).css("form")
        self.form = {one.attrib["name"]: one.attrib.get("value", "") for one in form.css("input[type=hidden]")}
        for one in form.css("input[type=text], input[type=date]"):
            self.form[one.attrib["name"]] = one.attrib.get("value", "")
        for one in form.css("input[type=radio][checked]"):
            self.form[one.attrib["name"]] = one.attrib.get("value", "")
        self.form["remark"] = form.css("textarea::text").get("")
        return self.form

    def says(self, line: Stockout, answer: str = "", **values: Any) -> None:
        """Fill in a row of the form."""
        self.form[f"{line.pk}-answer"] = answer
        self.form |= {f"{line.pk}-{name}": str(value) for name, value in values.items()}

    def sends(self, action: str = "submit", **values: Any) -> HttpResponse:
        """Press a button; return the answer, a redirect if all went well."""
        form: dict[str, Any] = {**self.form, "person": self.name, **values, "action": action}
        self.answer = self.client.post(self.path, form)
        return self.answer

    def done(self, action: str = "submit", **values: Any) -> str:
        """Press a button, and follow the redirect; return what became of the form."""
        answer = self.sends(action, **values)
        assert answer.status_code == 303, answer.content.decode()
        assert answer["Location"].startswith(self.path.partition("?")[0])
        return answer["Location"].partition("done=")[2].partition("&")[0]

    @property
    def text(self) -> str:
        """The text of the last page, on one line."""
        body = Selector(self.answer.content.decode()).css("main")
        return " ".join(" ".join(body.css("*::text").getall()).split())


def submissions(count: int) -> None:
    """Answers under one link, each about one row."""
    line = make_stockout(make_vendor())
    mail = make_mail(line.vendor, line)
    made = Submission.objects.bulk_create(
        Submission(mail=mail, number=number, based_on=number - 1, token=uuid4(), person="陳小姐")
        for number in range(1, count + 1)
    )
    SubmittedLine.objects.bulk_create(SubmittedLine(submission=one, line=line, answer="discontinued") for one in made)
