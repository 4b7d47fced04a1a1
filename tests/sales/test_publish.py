"""A day counts once, however often it is imported; a correction supersedes it, and undo restores the version before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from openpyxl import Workbook

from momo.core.errors import Conflict
from momo.jobs.importers import ImportRefused
from momo.jobs.models import Job
from momo.jobs.services import create_job, run_job
from sales.importers import DailySalesImporter
from sales.models import DayClaim, DayOwner, DayTotal, MonthTotal, SalesLine
from sales.selectors.lines import lines_of
from sales.services.publish import Publication
from tests.admin import makers
from tests.kit.threads import at_once
from tests.sales.factories import DAY, database_text, job, publish, sale, totals, undo
from tests.sales.test_check import SUPPLIER_HEADER

pytestmark = pytest.mark.django_db

FIRST = [
    sale(0, 300, 3, brand="水潤", pm="王小明", category="美妝", cost=200, vendor_code="0012"),
    sale(0, "99.50", 1, "1000002", brand="沐光", pm="王小明", category="美妝", cost="70.25", vendor_code="0012"),
    sale(1, 500, 5, brand="水潤", pm="陳大文", category="美妝", cost=None, vendor_name="無代號"),
    sale(2, -100, -1, brand=None, pm=None, category=None, cost=-60),
]
CORRECTED = [FIRST[0] | {"amount": 310}, *FIRST[1:]]


def day(days: int) -> str:
    return (DAY + timedelta(days=days)).isoformat()


def amounts(dimension: str = "all") -> dict[tuple[str, str], Decimal]:
    found = DayTotal.objects.filter(dimension=dimension)
    return {(row.date.isoformat(), row.key): row.amount for row in found}


# --- New, again, corrected ------------------------------------------------------------------------------------------


def test_a_first_import() -> None:
    _, outcome = publish(FIRST)
    assert (outcome.created, outcome.updated, outcome.skipped) == (4, 0, 0)
    assert outcome.result == {
        "days": [
            {"date": day(0), "status": "new", "lines": 2, "quantity": 4, "amount": 399.5},
            {"date": day(1), "status": "new", "lines": 1, "quantity": 5, "amount": 500},
            {"date": day(2), "status": "new", "lines": 1, "quantity": -1, "amount": -100},
        ],
        "message": "3 天新增",
    }
    assert amounts() == {(day(0), ""): Decimal("399.50"), (day(1), ""): Decimal(500), (day(2), ""): Decimal(-100)}
    assert amounts("brand")[day(2), ""] == -100
    assert amounts("vendor") == {
        (day(0), "0012"): Decimal("399.50"),
        (day(1), "無代號"): Decimal(500),
        (day(2), ""): Decimal(-100),
    }
    month = MonthTotal.objects.get(dimension="brand", key="水潤")
    # The cost of one of its lines is not known, and that line's amount is no base of a margin.
    assert (month.lines, month.amount, month.cost, month.gross_profit, month.margin_base) == (2, 800, 200, 100, 300)
    assert SalesLine.objects.get(date=DAY, row=3).cost == Decimal("70.25")


def test_the_same_file_three_times() -> None:
    first, _ = publish(FIRST)
    before = totals()
    for rows in (FIRST, list(reversed(FIRST))):  # in another order it is the same
        again, outcome = publish(rows)
        assert (outcome.created, outcome.updated, outcome.skipped) == (0, 0, 4)
        assert outcome.result["message"] == f"內容與匯入 #{first.pk} 相同，資料沒有變動"
        assert {one["status"] for one in outcome.result["days"]} == {"unchanged"}
        assert set(DayClaim.objects.filter(job=again).values_list("lines_job", flat=True)) == {first.pk}
    assert totals() == before
    assert SalesLine.objects.count() == 4
    # Each import has a claim: the days are gone when all claims are undone.
    result = undo(first)
    assert result["message"] == "3 天早已由其他匯入取代，維持不變"
    assert totals() == before
    result = undo(again)
    assert ({one["status"] for one in result["days"]}, result["message"]) == (
        {"unchanged"},
        "3 天另有內容相同的匯入，維持不變",
    )
    assert totals() == before
    with pytest.raises(Conflict, match="已經復原過了"):
        undo(again)
    undo(Job.objects.get(pk__gt=first.pk, pk__lt=again.pk))
    assert totals() == []


def test_undoing_the_wrong_file_leaves_what_the_corrected_one_says() -> None:
    wrong, _ = publish([sale(0, 100), sale(1, 200)])
    right, _ = publish([sale(0, 100), sale(1, 250)])
    undo(wrong)
    assert amounts() == {(day(0), ""): 100, (day(1), ""): 250}
    undo(right)
    assert amounts() == {}


def test_a_late_worker_does_not_replace_what_was_brought_after_it_though_that_changed_nothing() -> None:
    publish([sale(0, 100)])
    early, later = job(), job()
    publish([sale(0, 100)], made=later)
    publish([sale(0, 777)], made=early)
    assert amounts() == {(day(0), ""): 100}
    undo(later)
    assert amounts() == {(day(0), ""): 777}


def test_a_late_file_that_says_the_same_keeps_its_say() -> None:
    publish([sale(0, 100)])
    early, later = job(), job()
    publish([sale(0, 500)], made=later)
    _, outcome = publish([sale(0, 500)], made=early)
    assert outcome.result["message"] == f"內容與匯入 #{later.pk} 相同，資料沒有變動"
    undo(later)
    assert amounts() == {(day(0), ""): 500}
    assert [line.job_id for line in lines_of(DAY)] == [later.pk], "lines are never moved"


def test_the_same_file_is_the_same_whatever_the_catalogue_knows_meanwhile() -> None:
    goods = makers.products(1)[0]
    rows = [sale(0, 100, code=goods.product_id)]
    first, _ = publish(rows)
    before = totals()
    type(goods).objects.update(brand="另一個品牌")
    _, outcome = publish(rows)
    assert outcome.result["message"] == f"內容與匯入 #{first.pk} 相同，資料沒有變動"
    assert totals() == before


def test_a_corrected_file_supersedes_only_what_it_changes() -> None:
    first, _ = publish(FIRST)
    _, outcome = publish([*CORRECTED, sale(3, 7)])
    assert (outcome.created, outcome.updated, outcome.skipped) == (1, 2, 2)
    assert outcome.result["message"] == "1 天新增、1 天更正、2 天與現有資料相同"
    assert outcome.result["days"][0] == {
        "date": day(0),
        "status": "changed",
        "lines": 2,
        "quantity": 4,
        "amount": 409.5,
        "before": {"job_id": first.pk, "lines": 2, "quantity": 4, "amount": 399.5},
    }
    assert amounts()[day(0), ""] == Decimal("409.50")
    # Nothing is lost.
    assert SalesLine.objects.filter(date=DAY).count() == 4


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("product_code", ("9", "1000002")),
        ("brand", ("沐光", "水潤")),  # swapped: every sum of a column stays
        ("product_name", ("別名", None)),
        ("quantity", (1, 3)),
        ("vendor_code", ("0013", "0012")),
        ("cost", ("70.25", 200)),
        ("cost", (None, None)),
    ],
)
def test_any_difference_is_one(name: str, values: tuple[Any, Any]) -> None:
    publish(FIRST)
    rows = [FIRST[0] | {name: values[0]}, FIRST[1] | {name: values[1]}, *FIRST[2:]]
    _, outcome = publish(rows)
    assert [one["status"] for one in outcome.result["days"]] == ["changed", "unchanged", "unchanged"]


def test_texts_keep_apart() -> None:
    """What stands in one column and what in the next."""
    publish([sale(brand="a", category="bc")])
    _, outcome = publish([sale(brand="ab", category="c")])
    assert outcome.result["days"][0]["status"] == "changed"


def test_odd_texts_arrive_as_they_are() -> None:
    names = ["a\tb", "a\\b", "\\N", "a\nb", "a\r\nb", "\\.", "'\"{}", "🔥", "NULL", ""]
    publish([sale(code=str(n), product_name=name) for n, name in enumerate(names)])
    assert list(SalesLine.objects.order_by("row").values_list("product_name", flat=True)) == names
    publish([sale(1, code="1", product_name="a\0b\ud800")])
    assert SalesLine.objects.get(date=DAY + timedelta(days=1)).product_name == "ab?"


def test_no_rows_are_refused() -> None:
    with pytest.raises(ImportRefused, match="沒有可匯入的資料列"):
        publish([])


# --- Undo -----------------------------------------------------------------------------------------------------------


def test_undo_goes_back_to_the_byte() -> None:
    first, _ = publish(FIRST)
    before = totals()
    second, _ = publish([*CORRECTED, sale(3, 7)])
    assert totals() != before
    result = undo(second)
    assert totals() == before
    assert {one["status"] for one in result["days"][1:3]} == {"unchanged"}
    assert result["days"][1]["after"]["job_id"] == first.pk
    assert result | {"days": [result["days"][0], result["days"][3]]} == {
        "days": [
            {
                "date": day(0),
                "status": "restored",
                "before": {"job_id": second.pk, "lines": 2, "quantity": 4, "amount": 409.5},
                "after": {"job_id": first.pk, "lines": 2, "quantity": 4, "amount": 399.5},
            },
            {
                "date": day(3),
                "status": "removed",
                "before": {"job_id": second.pk, "lines": 1, "quantity": 1, "amount": 7},
            },
        ],
        "message": "1 天回到先前的資料、1 天不再有資料、2 天另有內容相同的匯入，維持不變",
    }
    with pytest.raises(Conflict, match="已經復原過了"):
        undo(second)
    undo(first)
    assert totals() == []
    assert not DayOwner.objects.exists()


def test_undo_of_a_superseded_import_changes_nothing_yet() -> None:
    first, _ = publish(FIRST)
    second, _ = publish(CORRECTED)
    before = totals()
    result = undo(first)
    assert result["message"] == "3 天早已由其他匯入取代，維持不變"
    assert totals() == before
    # And there is nothing to go back to any more.
    undo(second)
    assert totals() == []


def test_undo_skips_what_was_undone_before() -> None:
    jobs = [publish([sale(amount=amount)])[0] for amount in (1, 2, 3)]
    undo(jobs[1])
    undo(jobs[2])
    assert amounts() == {(day(0), ""): Decimal(1)}
    _, outcome = publish([sale(amount=3)])
    assert outcome.result["days"][0]["before"]["job_id"] == jobs[0].pk


# --- The seal -------------------------------------------------------------------------------------------------------


class LosesARow(Publication):
    def stage(self, cursor: CursorWrapper) -> None:
        super().stage(cursor)
        cursor.execute("DELETE FROM sales_staging WHERE row = 2")


class ChangesAnAmount(Publication):
    def stage(self, cursor: CursorWrapper) -> None:
        super().stage(cursor)
        cursor.execute("UPDATE sales_staging SET cost = cost + 1 WHERE row = 2")


class MovesADay(Publication):
    def stage(self, cursor: CursorWrapper) -> None:
        super().stage(cursor)
        cursor.execute("UPDATE sales_staging SET date = date + 1 WHERE row = 2")


class StoresTwice(Publication):
    def store(self, cursor: CursorWrapper, dates: Any) -> None:
        super().store(cursor, dates)
        super().store(cursor, dates)


class StoresLess(Publication):
    def store(self, cursor: CursorWrapper, dates: Any) -> None:
        super().store(cursor, dates)
        cursor.execute("UPDATE sales_salesline SET amount = amount - 0.01 WHERE row = 2")


@pytest.mark.parametrize("broken", [LosesARow, ChangesAnAmount, MovesADay, StoresTwice, StoresLess])
def test_a_difference_publishes_nothing(broken: type[Publication]) -> None:
    class Broken(DailySalesImporter):
        publication: ClassVar[type[Publication]] = broken

    publish(FIRST)
    before, lines = totals(), SalesLine.objects.count()
    with pytest.raises(ImportRefused, match="與檔案不符，沒有寫入任何資料"):
        publish(CORRECTED, Broken())
    assert (totals(), SalesLine.objects.count(), DayClaim.objects.count()) == (before, lines, 3)


@pytest.mark.parametrize("change", ["DELETE FROM {} WHERE row = 2", "UPDATE {} SET date = date + 1 WHERE row = 2"])
def test_a_difference_in_the_lines_of_new_days_publishes_nothing(change: str) -> None:
    class Changed(Publication):
        def store_all(self, cursor: CursorWrapper) -> None:
            super().store_all(cursor)
            cursor.execute(change.format("sales_salesline"))

    class Broken(DailySalesImporter):
        publication: ClassVar[type[Publication]] = Changed

    with pytest.raises(ImportRefused, match="寫入的合計與檔案不符，沒有寫入任何資料"):
        publish(FIRST, Broken())
    assert (totals(), SalesLine.objects.count(), DayClaim.objects.count()) == ([], 0, 0)


def test_a_day_that_another_import_brought_meanwhile_is_not_stored_twice() -> None:
    """It is new when this import begins to store it, and in force with the same rows when it is compared."""

    class Late(Publication):
        def store_all(self, cursor: CursorWrapper) -> None:
            super().store_all(cursor)
            other.append(publish(FIRST[:2]))

    class Slow(DailySalesImporter):
        publication: ClassVar[type[Publication]] = Late

    other: list[Any] = []
    late, _ = publish(FIRST, Slow())
    owned = {owner.date.isoformat(): owner.claim for owner in DayOwner.objects.select_related("claim")}
    assert owned[day(0)].lines_job_id == other[0][0].pk
    assert SalesLine.objects.filter(date=day(0)).count() == 2
    assert owned[day(1)].lines_job_id == late.pk


def test_totals_that_do_not_add_up_publish_nothing() -> None:
    """A trigger stands for whatever could make a total wrong."""
    publish(FIRST)
    before = totals()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION thief() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF NEW.dimension = 'pm' THEN NEW.quantity := NEW.quantity - 1; END IF; RETURN NEW; END $$"
        )
        cursor.execute("CREATE TRIGGER thief BEFORE INSERT ON sales_daytotal FOR EACH ROW EXECUTE FUNCTION thief()")
    with pytest.raises(ImportRefused, match=f"{day(0)} 的合計與檔案不符"):
        publish(CORRECTED)
    assert totals() == before


# --- At once --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_day_at_once() -> None:
    rows = [[sale(0, amount, code=str(n)) for n in range(400)] for amount in (10, 20, 30, 40)]
    answers = at_once(*[lambda rows=each: publish(rows) for each in rows])
    assert [answer[1].created + answer[1].updated + answer[1].skipped for answer in answers] == [400] * 4
    owner = DayOwner.objects.select_related("claim").get()
    assert owner.claim.job_id == max(made.pk for made, _ in answers)
    assert amounts() == {(day(0), ""): owner.claim.amount}
    assert SalesLine.objects.filter(job_id=owner.claim.job_id).count() == 400
    # Each result shows what the import found when it published; the import created last is in force.
    order = [claim.job_id for claim in DayClaim.objects.order_by("id")]
    result = {made.pk: outcome.result["days"][0] for made, outcome in answers}
    assert result[order[0]]["status"] == "new"
    for place, this in enumerate(order[1:], 1):
        newest = max(order[:place])
        expected = ("changed", "before") if newest < this else ("superseded", "in_force")
        assert (result[this]["status"], result[this][expected[1]]["job_id"]) == (expected[0], newest)


def test_the_file_brought_later_counts_whichever_is_read_first() -> None:
    """Workers read side by side: a short correction is done before the long report that it corrects."""
    long, short = job(), job()
    publish([sale(0, 99)], made=short)
    before = totals()

    made, outcome = publish([sale(0, 1), sale(1, 5)], made=long)

    assert amounts() == {(day(0), ""): 99, (day(1), ""): 5}
    assert [row for row in totals() if row[0] == DAY] == [row for row in before if row[0] == DAY]
    assert (outcome.created, outcome.updated, outcome.skipped) == (1, 0, 1)
    late, new = outcome.result["days"]
    assert (late["status"], late["in_force"]) == (
        "superseded",
        {"job_id": short.pk, "lines": 1, "quantity": 1, "amount": 99},
    )
    assert new["status"] == "new"
    assert outcome.result["message"] == "1 天新增、1 天已有較晚送出的匯入，維持那一份"
    # It is a version like any other: what is left when the correction is taken back.
    undo(short)
    assert amounts() == {(day(0), ""): 1, (day(1), ""): 5}
    undo(made)
    assert amounts() == {}


def test_a_file_whose_days_all_came_later_changes_nothing_and_says_so() -> None:
    early, later = job(), job()
    publish([sale(0, 99)], made=later)

    _, outcome = publish([sale(0, 1)], made=early)

    assert amounts() == {(day(0), ""): 99}
    assert outcome.result["message"] == "1 天已有較晚送出的匯入，維持那一份"
    assert undo(early)["days"][0]["status"] == "superseded"
    assert amounts() == {(day(0), ""): 99}


def test_undo_goes_back_to_what_was_brought_last_of_the_rest() -> None:
    first, second, third = job(), job(), job()
    publish([sale(0, 2)], made=second)
    publish([sale(0, 1)], made=first)
    publish([sale(0, 3)], made=third)

    undo(third)

    assert amounts() == {(day(0), ""): 2}


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once() -> None:
    answers = at_once(lambda: publish(FIRST), lambda: publish(FIRST))
    assert sorted(outcome.created for _, outcome in answers) == [0, 4]
    assert SalesLine.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_import_and_undo_at_once() -> None:
    first, _ = publish(FIRST)
    answers = at_once(lambda: undo(first), lambda: undo(first), lambda: publish(CORRECTED))
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "dict", "tuple"]
    made, outcome = answers[2]
    # Whether it came before or after the undo, and whatever it changed: all that it said is in force.
    owned = {owner.date.isoformat() for owner in DayOwner.objects.filter(claim__job=made)}
    assert owned == {one["date"] for one in outcome.result["days"]} == {when for when, _ in amounts()}


# --- Through the engine ---------------------------------------------------------------------------------------------


def _workbook(rows: list[list[Any]]) -> BytesIO:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    handle = BytesIO()
    book.save(handle)
    handle.seek(0)
    return handle


def _imported(content: BytesIO, **values: Any) -> Job:
    given = {"job_type": "daily_sales", "source": "upload", "file_name": "訂單.xlsx", "user": None, **values}
    made = create_job(**given, content=content, dispatch=False)
    done = run_job(made.pk)
    assert done is not None
    return done


@pytest.fixture
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


PEOPLE = ("林美麗", "台北市信義區松高路九十九號", "張志明", "P123456789", "AB-12345678", "請放管理室王先生")


@pytest.mark.usefixtures("_storage")
def test_nothing_about_a_person_is_stored() -> None:
    """Not in a line, an error, a message nor a result: not anywhere."""
    values = dict.fromkeys(SUPPLIER_HEADER, "") | {
        "訂單日期": "2026/03/02 13:05",
        "宅單備註": PEOPLE[5],
        "收件人姓名": PEOPLE[0],
        "收件人地址": PEOPLE[1],
        "訂購人姓名": PEOPLE[2],
        "個人識別碼": PEOPLE[3],
        "發票號碼": PEOPLE[4],
        "品號": "1000001.0",
        "品名": "玻尿酸",
        "數量": "2.0",
        "進價(含稅)": "1,200",
        "售價(含稅)": 1500,
    }
    good = [values[name] for name in SUPPLIER_HEADER]
    bad = [(values | {"數量": "兩個"})[name] for name in SUPPLIER_HEADER]
    refused = _imported(_workbook([SUPPLIER_HEADER, good, bad]))
    assert (refused.status, refused.error_count) == ("failed", 1)
    done = _imported(_workbook([SUPPLIER_HEADER, good, bad]), on_error="skip")
    assert (done.status, done.created, done.skipped) == ("succeeded", 1, 1)
    line = SalesLine.objects.get()
    assert (line.product_code, line.quantity, line.amount, line.cost, line.gross_profit) == (
        "1000001",
        2,
        3000,
        2400,
        600,
    )
    text = database_text()
    assert "玻尿酸" in text
    for word in PEOPLE:
        assert word not in text


@pytest.mark.usefixtures("_storage")
def test_a_workbook_by_each_way_counts_once() -> None:
    header = ["日期", "品號", "數量", "業績"]
    content = [header, ["2026-03-02", "0012345", 2, 199.5], ["合計", "", 2, 199.5]]
    first = _imported(_workbook(content))
    assert (first.status, first.message) == ("succeeded", "1 天新增")
    before = totals()
    for source in ("drive", "command"):
        again = _imported(_workbook(content), source=source)
        assert (again.status, again.message) == ("succeeded", f"內容與匯入 #{first.pk} 相同，資料沒有變動")
    assert totals() == before
    assert SalesLine.objects.get().product_code == "0012345"


@pytest.mark.usefixtures("_storage")
def test_a_file_without_amounts_says_which_columns_would_do() -> None:
    done = _imported(_workbook([["日期", "品號", "數量"], ["2026-03-02", "1", 1]]))
    assert done.status == "failed"
    assert "「業績」" in done.message
    assert not SalesLine.objects.exists()


def test_a_failed_publication_leaves_the_transaction_usable() -> None:
    with transaction.atomic():
        with pytest.raises(ImportRefused):
            publish([])
        publish(FIRST)
    assert SalesLine.objects.count() == 4
