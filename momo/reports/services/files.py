"""A report of one period in all its forms, made from the same tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.urls import reverse

from momo.core.texts import one_line
from momo.reports.models import Report
from momo.reports.rendering.mail import mail_html, picture_name
from momo.reports.rendering.message import telegram_message
from momo.reports.rendering.pictures import Pictures, pictures_of
from momo.reports.rendering.workbook import workbook
from momo.reports.selectors import Edition, edition
from momo.sheets.write import XLSX
from notifications.channels.mail_page import mail_page, with_pictures
from notifications.services.drafts import MAX_SUBJECT, File

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
EVENT = "report"


@dataclass(frozen=True)
class Forms:
    """The forms of an edition, each made when it is first asked for."""

    report: Report
    edition: Edition

    @cached_property
    def pictures(self) -> Pictures:
        return pictures_of(self.edition)

    @cached_property
    def message(self) -> str:
        """Telegram's HTML."""
        return telegram_message(self.edition)

    @cached_property
    def mail(self) -> str:
        """The HTML of a mail, whose pictures are `inline`."""
        page = reverse("admin:reports_report_preview", args=[self.report.pk])
        url = f"{settings.PUBLIC_URL}{page}?date={self.edition.period.last:%Y-%m-%d}"
        return mail_html(self.edition, self.pictures, url=url)

    @property
    def subject(self) -> str:
        """The subject of the mail."""
        missing = "（資料不全）" if self.edition.missing else ""
        return one_line(f"{self.edition.title}{missing}")[:MAX_SUBJECT]

    @property
    def mail_with_pictures(self) -> str:
        """The HTML of the mail with its pictures inside."""
        return with_pictures(self.mail, {file.name: file.content for file in self.inline})

    @property
    def page(self) -> str:
        """The whole mail as a document, with its pictures inside."""
        return mail_page(self.mail_with_pictures, subject=self.subject, text=self.subject, event=EVENT)

    @cached_property
    def inline(self) -> list[File]:
        """The pictures of the mail."""
        return [File(picture_name(key), png, "image/png") for key, png in self.pictures.files.items()]

    @cached_property
    def workbook(self) -> File:
        """The .xlsx file."""
        return File(f"{self._name}.xlsx", workbook(self.edition), XLSX)

    @cached_property
    def slides(self) -> File:
        """The .pptx file."""
        # See that module.
        from momo.reports.rendering.slides import slides  # noqa: PLC0415

        return File(f"{self._name}.pptx", slides(self.edition, self.pictures), PPTX)

    @cached_property
    def files(self) -> list[File]:
        """The files that the report is sent with."""
        chosen = [self.workbook] if self.report.with_workbook else []
        return [*chosen, self.slides] if self.report.with_slides else chosen

    @property
    def _name(self) -> str:
        kept = "".join(c if c.isalnum() or c in "-_" else "_" for c in self.edition.name)
        return f"momo_{kept}_{self.edition.slug}"


def forms_of(report: Report, *, day: dt.date) -> Forms:
    """The forms of the report of the period that `day` is part of. Raises ValidationFailed for a day to come."""
    return Forms(report, edition(report, day=day))


DOWNLOADS: dict[str, Callable[[Forms], File]] = {
    "xlsx": lambda forms: forms.workbook,
    "pptx": lambda forms: forms.slides,
}
