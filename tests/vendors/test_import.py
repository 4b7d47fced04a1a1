"""A stockout report from its file to rows, what closes them, and what takes them back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, NotFound
from momo.jobs.models import Job
from momo.jobs.services import create_job, preview, retry_job, run_job, sync_drive, undo_job
from momo.jobs.services.reading import fitting_importer
from momo.sheets.errors import SheetError
from products.models import PriceEvent, Product
from tests.fakes.drive import Drive
from tests.kit.threads import at_once
from tests.kit.users import token_client
from tests.kit.workbooks import xlsx
from tests.products.factories import Runs, category, item
from tests.vendors.makers import make_stockout, make_vendor
from tests.vendors.reports import job, out, publish, states, undo
from vendors.models import MailLine, Stockout, StockoutBatch, Vendor, VendorMail, VendorSending
from vendors.services.closing import close_restocked, reopen, resolve
from vendors.services.merge import merge_vendors

pytestmark = pytest.mark.django_db

HEADER = ("部門", "科別/處別", "PM 姓名", "品號", "品名", "廠商代號", "廠商名稱", "月銷量", "目前庫存")
SALES_HEADER = ("日期", "品號", "品名", "數量", "業績", "品牌", "PM", "部門", "廠商代號", "廠商名稱")
REPORT = [
    HEADER,
    ("美妝部", "保養科", "王小明", "10000001.0", "精華液", "0123", "永昌貿易", "1,200", 0),
    ("美妝部", "保養科", "王小明", "10000002", "面霜", "0123", "永昌貿易", None, -3),
    ("居家部", "清潔科", "林怡君", "TP00010000003", "拖把", "V9", None, 30, 5),
    ("合計", None, None, None, None, None, None, 1230, 2),
]
SALES = [SALES_HEADER, ("2026/01/05", "10000001", "精華液", 1, 990, "水潤", "王小明", "美妝部", "0123", "永昌貿易")]


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def imported(rows: Any, **values: Any) -> Job:
    content = rows if isinstance(rows, bytes) else xlsx(rows)
    given = {"job_type": "vendor_stockout", "source": Job.Source.UPLOAD, "file_name": "缺貨.xlsx", "user": None}
    made = create_job(**{**given, "content": io.BytesIO(content), "dispatch": False, **values})
    run_job(made.pk)
    made.refresh_from_db()
    return made


def on_disk(tmp_path: Path, rows: Any) -> Path:
    path = tmp_path / "報表.xlsx"
    path.write_bytes(xlsx(rows))
    return path


# --- A report -------------------------------------------------------------------------------------------------------


def test_a_report_becomes_rows_and_unknown_vendors() -> None:
    Runs().run({category(): [item("10000001", 990)]})
    make_vendor("0123", name="永昌")
    done = imported(REPORT)
    assert (done.status, done.created, done.updated, done.skipped) == ("succeeded", 3, 0, 0), done.message
    batch = done.stockout_batch
    assert (batch.line_count, batch.vendor_count, batch.new_vendor_count) == (3, 2, 1)
    assert batch.departments == ["居家部", "美妝部"]
    found = list(
        batch.lines.order_by("row").values_list("row", "product_code", "vendor__code", "vendor__name", "price")
    )
    assert found == [
        (2, "10000001", "0123", "永昌", 990),
        (3, "10000002", "0123", "永昌", None),
        (4, "TP00010000003", "V9", "V9", None),
    ]
    first = batch.lines.get(row=2)
    assert (first.department, first.section, first.pm, first.vendor_name) == ("美妝部", "保養科", "王小明", "永昌貿易")
    assert (first.monthly_sales, first.stock, first.status) == (1200, 0, "pending")
    assert batch.lines.get(row=3).stock == -3
    assert "1 家廠商的名稱與報表不同" in "".join(done.result["notes"])


def test_the_same_rows_again_are_not_stored_again() -> None:
    first = imported(REPORT)
    again = imported([REPORT[0], *reversed(REPORT[1:])])
    assert (again.status, again.created, again.skipped) == ("succeeded", 0, 3)
    assert again.stockout_batch.same_as == first.stockout_batch
    assert str(first.stockout_batch) in again.message
    assert Stockout.objects.count() == 3
    # The rows stay for the import that is left.
    undo_job(job=first)
    assert set(Stockout.objects.values_list("batch", flat=True)) == {again.stockout_batch.pk}
    undo_job(job=again)
    assert not Stockout.objects.exists()


def test_a_report_after_another_brings_back_what_that_had_closed() -> None:
    publish([out("1"), out("2")])
    publish([out("1")])
    assert states() == [("1", "pending"), ("2", "resolved")]
    again, _ = publish([out("1"), out("2")])
    assert (again.same_as, again.new_count, again.still_count) == (None, 1, 1)
    assert states() == [("1", "pending"), ("2", "resolved"), ("2", "pending")]


def test_what_contradicts_itself_is_kept_and_said() -> None:
    rows = [
        out("1", "V1", vendor_name="甲", stock=-1),
        out("1", "V1", vendor_name="甲", stock=0),
        out("1", "V2", vendor_name="乙", stock=0),
        out("2", "V1", vendor_name="丙", stock=0),
    ]
    batch, outcome = publish(rows)
    notes = outcome.result["notes"]
    assert [note.partition("，")[0] for note in notes] == [
        "1 個品號在同一廠商出現不只一次",
    ]
    assert "第 2、3 列" in notes[0]
    assert Vendor.objects.get(code="V1").name == "甲"
    second = batch.lines.get(row=3)
    assert second.duplicate_of == batch.lines.get(row=2)
    assert (outcome.created, outcome.updated, outcome.skipped) == (3, 0, 1)


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ((None, None, None, "10000001", "精華液", None, "永昌", 1, 1), "廠商代號", "廠商代號不可空白"),
        ((None, None, None, None, "精華液", "V1", "永昌", 1, 1), "品號", "品號不可空白"),
        ((None, None, None, "10000001", "精華液", "V" * 31, "永昌", 1, 1), "廠商代號", "最多 30 個"),
        ((None, None, None, "10000001", "精華液", "V1", "永昌", 3_000_000_000, 1), "月銷量", "太大"),
    ],
)
def test_bad_cells_are_named(row: tuple[Any, ...], column: str, message: str) -> None:
    done = imported([HEADER, row, REPORT[1]])
    error = done.errors.get()
    assert (done.status, error.row, error.column) == ("failed", 2, column)
    assert message in error.message
    assert not Stockout.objects.exists()


def test_a_report_without_some_of_its_rows_closes_nothing() -> None:
    publish([out("10000001", "0123"), out("7", "V1")])
    bad = (None, None, None, "7", "面霜", "V1", "永昌", "很多", 1)
    done = imported([HEADER, bad, ("", *REPORT[1][1:])], on_error="skip")
    assert done.status == "succeeded", done.message
    assert states() == [("10000001", "pending"), ("7", "pending")]
    assert "不會結案" in "".join(done.result["notes"])


# --- Reports of another kind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "job_type", "other"), [(SALES, "vendor_stockout", "每日銷售"), (REPORT, "daily_sales", "廠商缺貨")]
)
def test_a_report_of_the_other_kind_is_refused(rows: Any, job_type: str, other: str, tmp_path: Path) -> None:
    done = imported(rows, job_type=job_type)
    assert done.status == "failed"
    assert f"看起來是「{other}」報表" in done.message
    with pytest.raises(SheetError, match=f"看起來是「{other}」報表"):
        preview(on_disk(tmp_path, rows), name="報表.xlsx", job_type=job_type)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (REPORT, "vendor_stockout"),
        (SALES, "daily_sales"),
        ([("品號", "廠商代號"), ("1", "V1")], "vendor_stockout"),
        ([("日期", "品號", "數量", "售價", "廠商代號"), ("2026/01/05", "1", 1, 10, "V1")], "daily_sales"),
    ],
)
def test_the_kind_of_a_file_is_recognised(rows: Any, kind: str, tmp_path: Path) -> None:
    assert fitting_importer(on_disk(tmp_path, rows), name="報表.xlsx").job_type == kind


def test_the_schedule_tells_files_of_the_folder_apart(settings: Any, tmp_path: Path) -> None:
    with Drive() as drive:
        drive.use(settings, tmp_path)
        drive.add("缺貨.xlsx", xlsx(REPORT))
        drive.add("銷售.xlsx", xlsx(SALES))
        made = {each.file_name: each.job_type for each in sync_drive()}
    assert made == {"缺貨.xlsx": "vendor_stockout", "銷售.xlsx": "daily_sales"}


# --- What closes rows -----------------------------------------------------------------------------------------------


def test_a_report_closes_what_it_no_longer_lists_of_its_departments() -> None:
    rows = [out("1", department="美妝"), out("2", department="美妝"), out("3", department="居家")]
    publish(rows)
    batch, _ = publish([rows[0] | {"stock": 1}])
    assert states() == [("1", "pending"), ("2", "resolved"), ("3", "pending")]
    closed = Stockout.objects.get(product_code="2")
    assert (closed.resolved_reason, closed.resolved_batch, closed.resolved_from) == ("not_listed", batch, "pending")
    assert (batch.new_count, batch.still_count, batch.recovered_count) == (0, 1, 1)


def test_much_that_would_close_is_asked_for_first(tmp_path: Path) -> None:
    many = [("美妝部", None, None, f"2000{number:04}", "品", "V1", "甲", 1, 0) for number in range(40)]
    imported([HEADER, *many])
    few = [HEADER, *many[:15]]
    seen = preview(on_disk(tmp_path, few), name="少.xlsx", job_type="vendor_stockout")
    assert seen.effect is not None
    assert "40 項中的 25 項" in seen.effect.loss
    held = imported(few)
    assert (held.status, held.held) == ("failed", True)
    assert "40 項中的 25 項" in held.message
    assert Stockout.objects.filter(status="resolved").count() == 0
    again = retry_job(job=held, confirm_loss=True)
    run_job(again.pk)
    assert Stockout.objects.filter(status="resolved").count() == 25


def test_the_report_that_was_sent_later_counts_whichever_is_read_first() -> None:
    early, late = job(), job()
    publish([out("1")], made=late)
    batch, outcome = publish([out("2")], made=early)
    assert (outcome.created, outcome.skipped, batch.published_at) == (0, 1, None)
    assert f"#{late.pk}" in outcome.result["message"]
    assert states() == [("1", "pending")]
    with pytest.raises(Conflict):
        undo(batch)


def test_goods_on_sale_again_are_closed() -> None:
    home, runs = category(), Runs()
    listed, sold_out = item("1"), item("1") | {"in_stock": False}
    runs.at = timezone.now() - timezone.timedelta(days=3)
    runs.run({home: [listed]})
    runs.run({home: [sold_out]})
    first, _ = publish([out("1"), out("2")])
    publish([out("1"), out("2", stock=1)])
    assert close_restocked() == 0
    runs.at = timezone.now() + timezone.timedelta(minutes=5)
    runs.run({home: [listed]})
    assert PriceEvent.objects.filter(kind="back_in_stock").exists()
    assert close_restocked() == 1
    assert set(Stockout.objects.filter(product_code="1").values_list("status", "resolved_reason")) == {
        ("resolved", "back_in_stock")
    }
    assert close_restocked() == 0
    assert Product.objects.get().status == "active"
    assert first.lines.get(product_code="2").status == "pending"


def test_people_close_and_open_rows(manager: User) -> None:
    first, _ = publish([out("1"), out("2")])
    second, _ = publish([out("1", stock=1), out("2")])
    repeated = second.lines.get(product_code="1")
    with pytest.raises(NotFound, match="#999999999"):
        resolve(ids=[repeated.pk, 999_999_999], user=manager)
    assert resolve(ids=[repeated.pk], user=manager) == 1
    assert resolve(ids=[repeated.pk], user=manager) == 0
    closed = first.lines.get(product_code="1")
    assert (closed.status, closed.resolved_reason, closed.resolved_by) == ("resolved", "manual", manager)
    assert reopen(ids=[closed.pk]) == 1
    assert set(Stockout.objects.values_list("status", "resolved_reason")) == {("pending", "")}

    resolve(ids=[closed.pk], user=manager)
    third, _ = publish([out("1"), out("2", stock=3)])
    with pytest.raises(Conflict, match="另有未結案的缺貨"):
        reopen(ids=[closed.pk])
    assert third.lines.get(product_code="1").duplicate_of is None


def mailed(line: Stockout, **values: Any) -> VendorMail:
    now = timezone.now()
    given = {"status": "sent", "sent_at": now, "day": now.date(), "link_expires_at": now, **values}
    mail = VendorMail.objects.create(sending=VendorSending.objects.create(), vendor=line.vendor, **given)
    MailLine.objects.create(mail=mail, line=line)
    Stockout.objects.filter(pk=line.pk).update(mail=mail, status="queued")
    return mail


def test_a_row_that_is_opened_again_knows_what_became_of_its_mail() -> None:
    line = make_stockout(make_vendor())
    mail = mailed(line, status="queued", sent_at=None)
    resolve(ids=[line.pk], user=None)
    VendorMail.objects.filter(pk=mail.pk).update(status="sent")
    reopen(ids=[line.pk])
    line.refresh_from_db()
    assert line.status == "sent"


# --- Undo -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "queued", "sent", "held"])
def test_what_was_mailed_is_not_undone(status: str) -> None:
    done = imported(REPORT)
    mailed(done.stockout_batch.lines.get(row=2), status=status)
    with pytest.raises(Conflict, match="永昌貿易（20"):
        undo_job(job=done)
    done.refresh_from_db()
    assert (done.status, Stockout.objects.count()) == ("succeeded", 3)


def test_a_mail_that_never_left_does_not_keep_a_batch() -> None:
    done = imported(REPORT)
    mailed(done.stockout_batch.lines.get(row=2), status="failed")
    undo_job(job=done)
    assert not Stockout.objects.exists()
    # The vendor has a mail, so somebody may ask what that was.
    assert list(Vendor.objects.values_list("code", flat=True)) == ["0123"]


def test_undo_keeps_vendors_of_which_something_is_known() -> None:
    done = imported(REPORT)
    Vendor.objects.filter(code="V9").update(contact="陳先生")
    undo_job(job=done)
    assert list(Vendor.objects.values_list("code", flat=True)) == ["V9"]


def test_the_answer_to_a_later_row_is_kept_by_the_one_that_is_opened_again() -> None:
    publish([out("1"), out("2")])
    middle, _ = publish([out("2", stock=1)])
    later, _ = publish([out("1"), out("2")])
    later.lines.filter(product_code="1").update(status="replied", answer="discontinued", answered_at=timezone.now())
    undo(middle)
    first = Stockout.objects.get(product_code="1", duplicate_of=None)
    assert (first.status, first.answer, first.batch_id < later.pk) == ("replied", "discontinued", True)


# --- At once, and through the edge ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_imports_at_once_neither_double_nor_block_each_other() -> None:
    make_vendor("V0")
    rows = [out(str(number), f"V{number % 3}") for number in range(60)]
    answers = at_once(
        lambda: publish(rows),
        lambda: publish(list(reversed(rows))),
        lambda: publish(rows),
        lambda: resolve(ids=[], user=None),
    )
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert Stockout.objects.count() == 60
    assert StockoutBatch.objects.filter(same_as=None, published_at__isnull=False).count() == 1


def test_the_api_answers_with_job_and_batch(manager: User) -> None:
    file = SimpleUploadedFile("缺貨.xlsx", xlsx(REPORT))
    answer = token_client(manager).post("/api/vendor/stockout/import", {"file": file, "on_error": "skip"})
    assert answer.status_code == 202, answer.content
    given = answer.json()["data"]
    assert StockoutBatch.objects.get(pk=given["batch_id"]).published_at is None
    run_job(given["job_id"])
    batch = StockoutBatch.objects.get(job_id=given["job_id"])
    assert (batch.pk, batch.lines.count(), batch.job.on_error) == (given["batch_id"], 3, "skip")


def test_the_preview_says_what_would_change(manager: User, client: Client) -> None:
    make_vendor("0123", "a@example.com", name="永昌貿易")
    publish([out("10000001", "0123", department="美妝部"), out("10000009", "0123", department="美妝部")])
    Stockout.objects.filter(product_code="10000009").update(status="sent")
    before = Stockout.objects.count()
    client.force_login(manager)
    file = SimpleUploadedFile("缺貨.xlsx", xlsx(REPORT))
    answer = client.post(reverse("admin:jobs_job_preview"), {"file": file, "job_type": "vendor_stockout"})
    seen = answer.context["seen"].effect
    assert dict(seen.figures) == {
        "新缺貨": 2,
        "仍缺貨": 1,
        "已恢復（結案）": 1,
        "其中等廠商回覆": 1,
        "廠商": 2,
        "新廠商": 1,
        "沒有信箱的廠商": 1,
    }
    assert "其中等廠商回覆" in answer.content.decode()
    assert (Stockout.objects.count(), StockoutBatch.objects.count()) == (before, 1)


def test_the_page_of_a_batch_leads_to_its_rows(manager: User, client: Client) -> None:
    publish([out("1", "V1"), out("2", "V1")])
    batch, _ = publish([out("2", "V1"), out("3", "V1"), out("3", "V1")])
    client.force_login(manager)
    page = reverse("admin:vendors_stockoutbatch_change", args=[batch.pk])
    shown = {}
    for group in ("new", "still", "recovered", "repeated", "all"):
        answer = client.get(page, {"group": group})
        shown[group] = [(row["number"], row["note"]) for row in answer.context["rows"]]
        counts = {name: int(count) for name, _, count, _ in answer.context["tabs"]}
        assert counts[group] == len(shown[group])
    assert shown["new"] == [(3, "")]
    assert shown["still"][0][0] == 2
    assert shown["recovered"][0][0] == 2
    assert shown["repeated"] == [(4, "同這份報表第 3 列")]
    assert client.get(reverse("admin:vendors_stockoutbatch_changelist")).status_code == 200
    assert f"缺貨批次 {batch}" in client.get(reverse("admin:jobs_job_change", args=[batch.job_id])).content.decode()


def test_lists_of_batches_and_rows_take_a_fixed_number_of_queries(manager: User, client: Client) -> None:
    client.force_login(manager)
    taken: dict[str, set[int]] = {"list": set(), "page": set()}
    for count in (2, 9):
        batch, _ = publish([out(str(number), f"V{number}", stock=count) for number in range(count)])
        addresses = {
            "list": reverse("admin:vendors_stockoutbatch_changelist"),
            "page": reverse("admin:vendors_stockoutbatch_change", args=[batch.pk]) + "?group=all",
        }
        for name, address in addresses.items():
            client.get(address)  # what is remembered for a day
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            taken[name].add(len(queries))
    assert {name: len(counts) for name, counts in taken.items()} == {"list": 1, "page": 1}


def test_an_import_that_dies_while_it_publishes_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = publish([out("1"), out("2")])

    def die(*args: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("vendors.services.publish.close_rows", die)
        dead = imported([HEADER, ("", *REPORT[1][1:])])
    assert (dead.status, states()) == ("failed", [("1", "pending"), ("2", "pending")])
    assert list(Vendor.objects.values_list("code", flat=True)) == ["V1"]
    assert StockoutBatch.objects.get() == before
    assert imported([HEADER, ("", *REPORT[1][1:])]).created == 1


def test_the_code_of_a_merged_vendor_means_the_other_one() -> None:
    publish([out("1", "OLD")])
    old, new = Vendor.objects.get(code="OLD"), make_vendor("NEW")
    merge_vendors(source=old, target=new)
    batch, outcome = publish([out("1", "OLD"), out("2", "OLD"), out("2", "NEW")])
    assert (outcome.created, outcome.updated) == (1, 1)
    rows = Stockout.objects.filter(batch=batch).order_by("row")
    assert set(rows.values_list("vendor__code", flat=True)) == {"NEW"}
    assert [row.duplicate_of is None for row in rows] == [False, True, False]
