"""Bringing files: the page for it, a look before, what became of them, and what can be done about it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from momo.jobs.models import Job
from momo.jobs.services import run_job
from sales.models import DayOwner, SalesLine
from tests.admin import makers
from tests.admin.makers import brought, ended, sold, waiting, workbook

YES = {"_form_submitted": "True"}
FETCH = {"X-Requested-With": "fetch"}
UPLOAD, PREVIEW = "admin:jobs_job_upload", "admin:jobs_job_preview"
DAY = "2026-01-29"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(client: Client, to: str, content: bytes | None, *, name: str = "日報.xlsx", **more: Any) -> Any:
    headers = more.pop("headers", {})
    form: dict[str, Any] = {"job_type": "daily_sales", **more}
    if content is not None:
        form["file"] = SimpleUploadedFile(name, content)
    return client.post(reverse(to), form, headers=headers)


def words(answer: Any) -> str:
    return "；".join(str(message) for message in get_messages(answer.wsgi_request))


def text(answer: Any) -> str:
    """What is read on a page: without tags and line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def act(client: Client, name: str, job: Job, **more: Any) -> Any:
    return client.post(reverse(f"admin:jobs_job_{name}", args=[job.pk]), YES, **more)


def page_of(client: Client, job: Job) -> Any:
    return client.get(reverse("admin:jobs_job_change", args=[job.pk]))


# --- Bringing a file ------------------------------------------------------------------------------------------------


def test_the_page_offers_what_can_be_brought(as_manager: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 3 * 1024 * 1024

    page = as_manager.get(reverse(UPLOAD))

    html = page.content.decode()
    assert "每日銷售" in html
    assert "最大 3 MB" in html
    assert f'data-preview-url="{reverse(PREVIEW)}"' in html
    assert f'data-max-bytes="{3 * 1024 * 1024}"' in html


def test_a_form_brings_a_file(as_manager: Client, manager: User) -> None:
    content = workbook(sold(DAY))

    answer = send(as_manager, UPLOAD, content, on_error="skip")

    job = Job.objects.get()
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    assert (job.file_name, job.source, job.status, job.on_error) == ("日報.xlsx", "upload", "pending", "skip")
    assert job.created_by == manager
    with job.file.open() as kept:
        assert kept.read() == content


def test_the_script_brings_a_file(as_manager: Client) -> None:
    answer = send(as_manager, UPLOAD, workbook(sold(DAY)), headers=FETCH)

    assert answer.status_code == 202
    assert answer.json() == {"url": reverse("admin:jobs_job_change", args=[Job.objects.get().pk])}


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no file": ({"content": None}, 400, "請選擇檔案"),
    "empty file": ({"content": b""}, 400, "檔案是空的"),
    "too large": ({"content": b"x" * 2000}, 413, "MB"),
    "no kind": ({"content": b"x", "job_type": ""}, 400, "請選擇報表類型"),
    "unknown kind": ({"content": b"x", "job_type": "secrets"}, 400, "請選擇報表類型"),
    "unknown way with errors": ({"content": b"x", "on_error": "explode"}, 400, "reject"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_is_said(kind: str, as_manager: Client, settings: Any) -> None:
    given, status, why = REFUSED[kind]
    settings.IMPORT_MAX_BYTES = 1000

    plain = send(as_manager, UPLOAD, **given)
    fetched = send(as_manager, UPLOAD, **given, headers=FETCH)

    assert plain.status_code == 200
    assert why in words(plain)
    assert "file：" not in words(plain)
    assert fetched.status_code == status
    assert why in fetched.json()["error"]
    assert not Job.objects.exists()


def test_a_form_that_was_cut_off_brings_nothing(as_manager: Client) -> None:
    part = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%s'
    body = part % "日期,品號,數量,業績\n2026-01-29,1,1,10\n2026-01-29,2".encode()

    answer = as_manager.post(reverse(UPLOAD), body, content_type="multipart/form-data; boundary=edge")

    assert answer.status_code == 200
    assert not Job.objects.exists()


@pytest.mark.parametrize("to", [UPLOAD, PREVIEW])
def test_only_who_may_import_comes_here(to: str, as_reader: Client, client: Client) -> None:
    answers = [as_reader.get(reverse(to)), send(as_reader, to, workbook(sold(DAY))), send(client, to, b"x")]

    assert [answer.status_code for answer in answers] == [403, 403, 302]
    assert not Job.objects.exists()
    listed = as_reader.get(reverse("admin:jobs_job_changelist")).content.decode()
    assert reverse(UPLOAD) not in listed


def test_the_list_leads_to_the_page(as_manager: Client) -> None:
    html = as_manager.get(reverse("admin:jobs_job_changelist")).content.decode()
    (address,) = re.findall(r'href="([^"]+)"[^>]*>[^<]*(?:<span[^>]*>[^<]*</span>)?\s*匯入檔案', html)

    assert as_manager.get(address, follow=True).request["PATH_INFO"] == reverse(UPLOAD)


# --- A look before anything is written ------------------------------------------------------------------------------


def test_a_preview_shows_rows_columns_and_what_would_change(as_manager: Client) -> None:
    content = workbook((*sold(DAY, amount="1,234"), "0912345678"), headers=(*makers.HEADERS, "收件人電話"))

    answer = send(as_manager, PREVIEW, content)

    seen = text(answer)
    assert answer.status_code == 200
    assert "訂單日期 → 日期" in seen
    assert "不認得、不會匯入的欄位 收件人電話" in seen
    assert "共 1 天（2026-01-29），都是新的日期" in seen
    assert "玻尿酸精華液" in seen
    assert "0912345678" not in seen
    assert (Job.objects.count(), SalesLine.objects.count()) == (0, 0)


def test_a_preview_shows_errors(as_manager: Client) -> None:
    rows = [sold(DAY, quantity="<b>三</b>") for _ in range(120)]

    answer = send(as_manager, PREVIEW, workbook(*rows, sold("2999-01-01")))

    seen = answer.content.decode()
    assert "2–121" in seen, "equal errors are one line"
    assert "共 121 個" in seen
    assert "&lt;b&gt;三&lt;/b&gt;" in seen
    assert "<b>三</b>" not in seen


def test_a_preview_says_what_errors_do_as_it_is_chosen(as_manager: Client) -> None:
    brought(sold(DAY), sold(DAY, code="2"))
    content = workbook(sold(DAY), sold(DAY, quantity="三", amount="x"), sold(DAY, quantity="四"))

    rejected = text(send(as_manager, PREVIEW, content))
    skipped = text(send(as_manager, PREVIEW, content, on_error="skip"))

    assert "有 3 個錯誤，整份不會匯入" in rejected
    assert "已有資料" not in rejected
    assert "會略過 2 列，只匯入 1 列；已有資料的日子會整天換成這 1 列" in skipped
    assert "整份不會匯入" not in skipped


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([sold(DAY, quantity="三")], "每一列都有錯，沒有可以匯入的資料"),
        ([("合計", "", "", "", "", "", 1, 990, 600)], "檔案裡沒有資料列，不會匯入"),
    ],
)
def test_a_preview_says_when_nothing_would_be_left(rows: list[Any], why: str, as_manager: Client) -> None:
    assert why in text(send(as_manager, PREVIEW, workbook(*rows), on_error="skip"))


def test_a_preview_names_the_column_that_another_one_stands_for(as_manager: Client) -> None:
    content = workbook((*sold(DAY), "2026-01-30"), headers=(*makers.HEADERS, "轉單日"))

    assert "沒有使用：轉單日（「日期」已用 訂單日期）" in text(send(as_manager, PREVIEW, content))


def test_a_preview_gives_room_to_text_and_lines_figures_up(as_manager: Client) -> None:
    html = send(as_manager, PREVIEW, workbook(sold(DAY))).content.decode()

    assert '<td class="mo-cell">玻尿酸精華液</td>' in html
    assert '<td class="mo-num mo-nowrap">990</td>' in html
    assert '<th class="mo-num mo-nowrap">業績</th>' in html


def test_a_preview_says_what_days_are_known(as_manager: Client) -> None:
    brought(sold(DAY))

    assert "其中 1 天已有資料" in text(send(as_manager, PREVIEW, workbook(sold(DAY, amount=1), sold("2026-01-30"))))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "請選擇檔案"),
        (b"", "空"),
        (b"%PDF-1.7 nothing", "PDF"),
        (b"\xd0\xcf\x11\xe0 nothing", ""),
        (workbook(("a", "b"), headers=("甲", "乙")), "找不到"),
        (workbook(sold(DAY)[:2], headers=makers.HEADERS[:2]), "數量"),
        (b"x" * 60_000, "MB"),
    ],
)
def test_a_preview_says_why_not(content: bytes | None, why: str, as_manager: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 50_000

    answer = send(as_manager, PREVIEW, content)

    assert answer.status_code == 200
    assert "mo-alert" in answer.content.decode()
    assert why in text(answer)
    assert "Traceback" not in text(answer)


def test_a_preview_is_not_asked_for_by_a_link(as_manager: Client) -> None:
    assert as_manager.get(reverse(PREVIEW)).status_code == 405


# --- What became of it ----------------------------------------------------------------------------------------------


def test_a_running_import_has_a_bar_to_follow(as_reader: Client) -> None:
    job = waiting(workbook(sold(DAY)))
    rows = {"total_rows": 123_456, "processed_rows": 9_876}
    Job.objects.filter(pk=job.pk).update(status="running", stage="publishing", progress=60, **rows)

    for page in (as_reader.get(reverse("admin:jobs_job_changelist")), page_of(as_reader, job)):
        html = page.content.decode()
        assert f'data-job="{job.pk}" data-status-url="/api/import/jobs/{job.pk}"' in html
        assert 'max="100" value="60"' in html
        assert "60%・寫入・9,876 / 123,456 列" in html
    data = as_reader.get(f"/api/import/jobs/{job.pk}").json()["data"]
    assert {"id", "status", "progress", "stage", "processed_rows", "total_rows"} <= data.keys()


def test_a_done_import_shows_its_days(as_reader: Client) -> None:
    brought(sold(DAY, amount=1000), sold("2026-01-28"))
    job = brought(sold(DAY, amount=1500.5), sold("2026-01-28"), sold("2026-01-30", amount=-99))

    page = page_of(as_reader, job)

    assert [(row["date"], row["amount"], row["before"], row["difference"]) for row in page.context["days"]] == [
        ("2026-01-28", "$990", "－", "－"),
        ("2026-01-29", "$1,500.50", "$1,000", "+500.50"),
        ("2026-01-30", "-$99", "－", "－"),
    ]
    assert "data-job=" not in page.content.decode()
    assert [word for word in ("相同", "更正", "新增") if word in text(page)] == ["相同", "更正", "新增"]


def test_the_list_shows_what_a_correction_did(as_reader: Client) -> None:
    brought(sold(DAY, amount=1000))
    job = brought(sold(DAY, amount=1500))

    html = as_reader.get(reverse("admin:jobs_job_changelist")).content.decode()

    assert (job.created, job.updated) == (0, 1)
    assert re.findall(r"field-(?:created|updated|skipped)_rows[^>]*>\s*(\d+)", html)[:3] == ["0", "1", "0"]


def test_what_nobody_edits_has_no_history_of_edits(as_boss: Client) -> None:
    job = brought(sold(DAY))
    records = {
        "jobs_job": job.pk,
        "sales_dayowner": DayOwner.objects.get().pk,
        "sales_salesline": SalesLine.objects.get().pk,
    }

    for name, key in records.items():
        page, history = (reverse(f"admin:{name}_{view}", args=[key]) for view in ("change", "history"))
        assert history not in as_boss.get(page).content.decode()
        assert as_boss.get(history)["Location"] == page


def test_what_is_edited_keeps_its_history(as_manager: Client) -> None:
    one = makers.product()
    page, history = (reverse(f"admin:products_product_{view}", args=[one.pk]) for view in ("change", "history"))

    assert history in as_manager.get(page).content.decode()
    assert as_manager.get(history).status_code == 200


def test_a_failed_import_shows_its_errors(as_reader: Client) -> None:
    job = brought(*(sold(DAY, quantity="<i>三") for _ in range(120)))

    page = page_of(as_reader, job)

    html = page.content.decode()
    assert job.status == Job.Status.FAILED
    assert "共 120 個" in text(page)
    assert "2–121 數量" in text(page), "equal errors are one line"
    assert "&lt;i&gt;三" in html
    assert f'href="/api/import/jobs/{job.pk}/errors"' in html
    assert "下載錯誤清單" in html
    marked = as_reader.get(f"/api/import/jobs/{job.pk}/errors")
    assert marked["Content-Type"] == XLSX
    assert b"".join(marked.streaming_content)[:2] == b"PK"


def test_who_may_import_gets_the_marked_file(as_manager: Client) -> None:
    assert "下載標出錯誤的檔案" in page_of(as_manager, brought(sold(DAY, quantity="三"))).content.decode()


def test_the_file_itself_is_for_who_may_import(as_reader: Client, as_manager: Client) -> None:
    job = brought(sold(DAY), name="<日報>.xlsx")
    url = reverse("admin:jobs_job_file", args=[job.pk])

    mine, theirs = as_manager.get(url), as_reader.get(url)

    assert b"".join(mine.streaming_content)[:2] == b"PK"
    assert mine["Content-Disposition"].startswith("attachment")
    assert theirs.status_code in {302, 403}
    assert (url in page_of(as_manager, job).content.decode(), url in page_of(as_reader, job).content.decode()) == (
        True,
        False,
    )


def test_a_file_that_is_no_longer_kept_is_said(as_manager: Client) -> None:
    job = brought(sold(DAY))
    url = reverse("admin:jobs_job_file", args=[job.pk])
    job.file.storage.delete(job.file.name)

    assert "保存期限" in words(as_manager.get(url))
    Job.objects.filter(pk=job.pk).update(file="")
    assert "保存期限" in words(as_manager.get(url))
    assert page_of(as_manager, job).status_code == 200


# --- What can be done about it --------------------------------------------------------------------------------------


def offered(client: Client, job: Job) -> set[str]:
    html = page_of(client, job).content.decode()
    names = ("confirm", "dismiss", "cancel", "undo", "retry")
    return {name for name in names if reverse(f"admin:jobs_job_{name}", args=[job.pk]) in html}


def test_what_fits_is_offered_to_who_may(as_reader: Client, as_manager: Client) -> None:
    done, failed, begun = brought(sold(DAY)), brought(sold(DAY, quantity="三")), waiting(workbook())

    assert [offered(as_manager, job) for job in (done, failed, begun)] == [{"undo"}, {"retry"}, {"cancel"}]
    assert [offered(as_reader, job) for job in (done, failed, begun)] == [set(), set(), set()]


@pytest.mark.parametrize(
    ("name", "title", "yes"),
    [("cancel", "取消匯入", "取消這次匯入"), ("undo", "復原匯入", "復原"), ("retry", "重試匯入", "重試")],
)
def test_it_is_asked_first(name: str, title: str, yes: str, as_manager: Client) -> None:
    jobs = [brought(sold(DAY)), brought(sold(DAY, quantity="三")), waiting(workbook())]
    before = list(Job.objects.order_by("pk").values_list("pk", "status"))

    for job in jobs:
        asked = as_manager.get(reverse(f"admin:jobs_job_{name}", args=[job.pk]))
        assert asked.status_code == 200
        assert title in asked.content.decode()
        assert yes in asked.content.decode()

    assert list(Job.objects.order_by("pk").values_list("pk", "status")) == before


def test_undo(as_manager: Client, manager: User) -> None:
    job = brought(sold(DAY))

    answer = act(as_manager, "undo", job)
    again = act(as_manager, "undo", job)

    job.refresh_from_db()
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    assert "已復原" in words(answer)
    assert "已經復原過" in words(again)
    assert (job.status, job.result["undo"]["by"]) == (Job.Status.UNDONE, manager.username)
    assert not DayOwner.objects.exists()
    assert f"由 {manager.display_name} 復原：1 天不再有資料" in text(page_of(as_manager, job))
    User.objects.filter(pk=manager.pk).update(username="another")
    assert "由 max 復原：" in text(page_of(as_manager, job))


def test_a_file_that_was_not_fetched_yet_has_no_size(as_reader: Client) -> None:
    job = waiting(workbook(sold(DAY)))
    Job.objects.filter(pk=job.pk).update(file="", size=0, sha256="")

    facts = dict(page_of(as_reader, job).context["facts"])

    assert (facts["大小"], facts["SHA-256"]) == ("－", "－")


def test_a_file_that_came_to_its_turn_too_late_says_so(as_reader: Client) -> None:
    early = waiting(workbook(sold(DAY, amount=1)))
    brought(sold(DAY, amount=2))

    run_job(early.pk)

    seen = text(page_of(as_reader, early))
    assert "1 天已有較晚送出的匯入，維持那一份" in seen
    assert "未採用" in seen


def test_cancel(as_manager: Client) -> None:
    job = waiting(workbook(sold(DAY)))

    answer = act(as_manager, "cancel", job)
    again = act(as_manager, "cancel", job)

    job.refresh_from_db()
    assert "已要求取消" in words(answer)
    assert "不能取消" in words(again)
    assert job.status == Job.Status.CANCELLED


def test_retry_leads_to_the_new_import(as_manager: Client, manager: User) -> None:
    job = brought(sold(DAY, quantity="三"))

    plain = act(as_manager, "retry", job)
    first = Job.objects.get(retry_of=job)
    dialog = act(as_manager, "retry", job, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/"})

    second = Job.objects.exclude(pk=first.pk).get(retry_of=job)
    assert plain["Location"] == reverse("admin:jobs_job_change", args=[first.pk])
    assert dialog.headers["HX-Redirect"] == reverse("admin:jobs_job_change", args=[second.pk])
    assert (first.status, first.created_by) == (Job.Status.PENDING, manager)


def test_retry_may_leave_out_what_is_wrong(as_manager: Client) -> None:
    job = brought(sold(DAY), sold(DAY, quantity="三"))
    asked = as_manager.get(reverse("admin:jobs_job_retry", args=[job.pk])).content.decode()

    as_manager.post(reverse("admin:jobs_job_retry", args=[job.pk]), {**YES, "on_error": "skip"})

    again = ended(Job.objects.get(retry_of=job))
    assert "重試時選擇「略過有錯的列」" in text(page_of(as_manager, job))
    assert re.search(r'<option value="reject" selected>', asked)
    assert (again.on_error, again.status, again.created, again.skipped) == ("skip", "succeeded", 1, 1)


def test_retry_does_as_before_where_nothing_is_chosen(as_manager: Client) -> None:
    job = brought(sold(DAY, quantity="三"), on_error="skip")

    act(as_manager, "retry", job)

    assert Job.objects.get(retry_of=job).on_error == "skip"


def test_what_does_not_fit_is_said_and_changes_nothing(as_manager: Client) -> None:
    done, failed = brought(sold(DAY)), brought(sold(DAY, quantity="三"))

    assert "才能重試" in words(act(as_manager, "retry", done))
    assert "才能復原" in words(act(as_manager, "undo", failed))
    assert "不能取消" in words(act(as_manager, "cancel", done))
    assert Job.objects.count() == 2


@pytest.mark.parametrize("name", ["cancel", "undo", "retry"])
def test_a_user_does_none_of_it(name: str, as_reader: Client) -> None:
    jobs = [brought(sold(DAY)), brought(sold(DAY, quantity="三")), waiting(workbook())]

    assert [act(as_reader, name, job).status_code for job in jobs] == [403] * 3
    assert [job.status for job in Job.objects.order_by("pk")] == ["succeeded", "failed", "pending"]


@pytest.mark.parametrize("name", ["cancel", "undo", "retry"])
def test_what_is_not_there_cannot_be_done(name: str, as_manager: Client) -> None:
    assert as_manager.post(reverse(f"admin:jobs_job_{name}", args=[999_999]), YES).status_code == 404


def test_what_is_not_there_has_no_page(as_manager: Client) -> None:
    pages = [as_manager.get(reverse(f"admin:jobs_job_{name}", args=[999_999])) for name in ("change", "file")]

    assert [page.status_code for page in pages] == [302, 404]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("q=特別", 1),
        ("status__exact=failed", 1),
        ("job_type=daily_sales", 3),
        ("source__exact=drive", 0),
        ("created_at_from=2026-01-01&created_at_to=2099-12-31", 3),
    ],
)
def test_imports_can_be_found(query: str, found: int, as_reader: Client) -> None:
    brought(sold(DAY), name="特別.xlsx")
    brought(sold(DAY, quantity="三"))
    waiting(workbook())

    page = as_reader.get(f"{reverse('admin:jobs_job_changelist')}?{query}")

    assert len(page.context["cl"].result_list) == found


@pytest.mark.parametrize("days", [2, 60])
def test_an_imports_page_takes_the_same_queries_however_much_it_did(
    days: int, as_boss: Client, django_assert_num_queries: Any
) -> None:
    rows = [sold(f"2026-0{1 + n // 28}-{1 + n % 28:02}", quantity="三" if n % 2 else 1) for n in range(days)]
    job = brought(*rows, on_error="skip")
    url = reverse("admin:jobs_job_change", args=[job.pk])
    as_boss.get(url)  # content types are read once a process
    cache.clear()

    # Session with its user, two kinds of permissions, the counts of the sidebar, the import, again for what can be
    # done with it, and its errors.
    with django_assert_num_queries(7):
        page = as_boss.get(url)

    assert len(page.context["days"]) == days // 2
