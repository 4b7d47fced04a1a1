"""Pages of imports that would take away much of a day, and of those that somebody should look at."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from momo.jobs.models import Job
from momo.jobs.services import run_job
from sales.models import DayTotal
from tests.admin.makers import brought, ended, sold, waiting, workbook
from tests.admin.test_jobs import PREVIEW, UPLOAD, act, offered, page_of, send, text

DAY = "2026-01-29"
LIST = "/admin/jobs/job/"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def day(db: None) -> Job:
    return brought(*(sold(DAY, code=str(n), amount=100) for n in range(1, 11)))


def lines() -> int:
    return DayTotal.objects.get(date=DAY, dimension="all").lines


def card(client: Client, name: str) -> Any:
    (found,) = [card for card in client.get(reverse("admin:index")).context["cards"] if card.name == name]
    return found


def badge(client: Client, name: str) -> int:
    sections = client.get(reverse("admin:index")).context["sidebar_navigation"]
    return next(item.get("badge", 0) for section in sections for item in section["items"] if item["title"] == name)


def test_a_preview_shows_what_is_lost_and_asks(day: Job, as_manager: Client) -> None:
    straggler = workbook(sold(DAY, amount=50), sold("2026-01-30"), sold("2026-01-30", code="2"))

    page = send(as_manager, PREVIEW, straggler)

    lost, new = page.context["days"]
    assert (lost["date"], lost["lines_before"], lost["lines"], lost["lines_difference"]) == (DAY, "10", "1", "-9")
    assert (lost["before"], lost["amount"], lost["difference"], lost["loss"]) == ("$1,000", "$50", "-950", True)
    assert (new["date"], new["lines_before"], new["lines"], new["amount"]) == ("2026-01-30", "－", "2", "$1,980")
    html = page.content.decode()
    assert 'name="confirm_loss" value="true" form="mo-upload" required' in html
    assert "1 天的列數或業績會減少超過 30%" in html
    kept = workbook(*(sold(DAY, code=str(n), amount=100) for n in range(1, 10)))
    assert "confirm_loss" not in send(as_manager, PREVIEW, kept).content.decode()


def test_a_preview_names_the_import_of_the_same_file(as_manager: Client) -> None:
    content = workbook(sold(DAY))
    job = ended(waiting(content))

    assert f"這個檔案已經匯入過（ #{job.pk}" in text(send(as_manager, PREVIEW, content))

    act(as_manager, "undo", job)
    assert "已經匯入過" not in text(send(as_manager, PREVIEW, content))


@pytest.mark.parametrize("ticked", [False, True])
def test_the_tick_of_the_form_counts(ticked: bool, day: Job, as_manager: Client) -> None:
    send(as_manager, UPLOAD, workbook(sold(DAY)), **({"confirm_loss": "true"} if ticked else {}))

    job = ended(Job.objects.latest("pk"))

    assert (job.held, lines()) == (not ticked, 1 if ticked else 10)


def test_a_held_import_waits_until_it_is_confirmed(day: Job, as_manager: Client) -> None:
    job = brought(sold(DAY), name="少.xlsx")
    page = page_of(as_manager, job)
    assert "待確認" in text(page)
    assert [row["loss"] for row in page.context["days"]] == [True]
    assert offered(as_manager, job) == {"confirm", "dismiss"}
    assert badge(as_manager, "匯入") == 1, "seen, but not decided"

    act(as_manager, "confirm", job)
    again = Job.objects.latest("pk")
    run_job(again.pk)

    assert (again.retry_of, lines(), badge(as_manager, "匯入")) == (job, 1, 0)


def test_a_held_import_may_be_given_up(day: Job, as_manager: Client) -> None:
    job = brought(sold(DAY), name="少.xlsx")

    act(as_manager, "dismiss", job)

    assert (lines(), badge(as_manager, "匯入")) == (10, 0)
    assert offered(as_manager, job) == {"retry"}


def test_a_failure_is_on_the_start_page_until_somebody_who_may_import_opens_it(
    as_reader: Client, as_manager: Client
) -> None:
    job = brought(sold(DAY, quantity="三"))
    page_of(as_reader, job)

    found = card(as_manager, "待處理的匯入")

    assert (found.figure, found.url, badge(as_manager, "匯入")) == (1, f"{LIST}?attention=open", 1)
    assert [row.pk for row in as_manager.get(found.url).context["cl"].result_list] == [job.pk]
    page_of(as_manager, job)
    assert (card(as_manager, "待處理的匯入").figure, badge(as_manager, "匯入")) == (0, 0)
