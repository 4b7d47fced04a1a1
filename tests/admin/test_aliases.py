"""Headers that staff teach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from momo.jobs.importers import importers
from momo.jobs.models import ColumnAlias, Job
from tests.admin import makers
from tests.admin.makers import ended, sold, waiting, workbook

DAY = "2026-01-29"
ADD = "admin:jobs_columnalias_add"


def teach(client: Client, alias: str, target: str = "daily_sales:amount", **to: Any) -> Any:
    url = reverse("admin:jobs_columnalias_change", args=[to["pk"]]) if to else reverse(ADD)
    return client.post(url, {"target": target, "alias": alias})


def complaints(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    found: dict[str, list[str]] = answer.context["adminform"].form.errors
    return dict(found)


def test_a_taught_header_is_known(as_manager: Client) -> None:
    headers = (*makers.HEADERS[:7], "成交總價", *makers.HEADERS[8:])
    before = ended(waiting(workbook(sold(DAY), headers=headers)))

    answer = teach(as_manager, " 成交總價 ")
    after = ended(waiting(workbook(sold(DAY), headers=headers)))

    assert answer.status_code == 302
    assert [(one.job_type, one.field, one.alias) for one in ColumnAlias.objects.all()] == [
        ("daily_sales", "amount", "成交總價")
    ]
    assert (before.status, after.status) == (Job.Status.FAILED, Job.Status.SUCCEEDED)
    assert LogEntry.objects.get_for_model(ColumnAlias).count() == 1


@pytest.mark.parametrize("same", ["成交總價", "成 交 總 價", "成交總價（元）", "成交總價(含稅)", "　成交總價　"])
def test_a_header_is_taught_once(same: str, as_manager: Client) -> None:
    teach(as_manager, "成交總價")

    assert "已經是" in complaints(teach(as_manager, same, "daily_sales:cost"))["alias"][0]
    assert ColumnAlias.objects.count() == 1


@pytest.mark.parametrize("header", ["業績", "業 績", "業績（元）", "銷售金額"])
def test_a_header_of_another_field_keeps_its_meaning(header: str, as_manager: Client) -> None:
    why = complaints(teach(as_manager, header, "daily_sales:cost"))["alias"]

    assert why == ["這個標題原本是「業績」，不能改作「成本」"]
    assert not ColumnAlias.objects.exists()


def test_a_header_of_the_field_itself_may_be_taught(as_manager: Client) -> None:
    assert teach(as_manager, "業績（元）", "daily_sales:amount").status_code == 302


def test_of_a_header_that_several_fields_know_staff_say_which_it_is(as_manager: Client, monkeypatch: Any) -> None:
    importer = importers()["daily_sales"]
    cost = next(field for field in importer.fields if field.name == "cost")
    others = [field for field in importer.fields if field.name != "cost"]
    both = replace(cost, aliases=(*cost.aliases, "業績"))
    monkeypatch.setattr(type(importer), "fields", (*others, both))

    assert teach(as_manager, "業績", "daily_sales:cost").status_code == 302


def test_a_taught_header_is_called_as_it_is_written(as_manager: Client) -> None:
    teach(as_manager, "出貨日", "daily_sales:date")
    one = ColumnAlias.objects.get()

    page = as_manager.get(reverse("admin:jobs_columnalias_change", args=[one.pk]))

    assert str(one) == "出貨日"
    assert "→ date" not in page.content.decode()


@pytest.mark.parametrize(
    ("term", "found"),
    [("出貨", {"出貨日"}), ("業績", {"成交總價"}), ("每日銷售", {"出貨日", "成交總價"}), ("毛利", set())],
)
def test_headers_are_found_by_what_the_list_shows(term: str, found: set[str], as_reader: Client) -> None:
    for field, alias in (("date", "出貨日"), ("amount", "成交總價")):
        ColumnAlias.objects.create(job_type="daily_sales", field=field, alias=alias)

    page = as_reader.get(reverse("admin:jobs_columnalias_changelist"), {"q": term})

    assert {one.alias for one in page.context["cl"].result_list} == found


def test_full_width_letters_are_the_same_as_others(as_manager: Client) -> None:
    teach(as_manager, "Total Price")

    assert "alias" in complaints(teach(as_manager, "ＴＯＴＡＬＰＲＩＣＥ"))


@pytest.mark.parametrize(
    ("alias", "target", "field"),
    [
        ("", "daily_sales:amount", "alias"),
        ("　", "daily_sales:amount", "alias"),
        ("\u200b\u200b", "daily_sales:amount", "alias"),
        ("x" * 101, "daily_sales:amount", "alias"),
        ("收件人姓名", "daily_sales:amount", "alias"),
        ("個人識別碼（身分證）", "daily_sales:product_name", "alias"),
        ("價", "", "target"),
        ("價", "daily_sales:secrets", "target"),
        ("價", "secrets:amount", "target"),
    ],
)
def test_what_cannot_be_taught(alias: str, target: str, field: str, as_manager: Client) -> None:
    assert field in complaints(teach(as_manager, alias, target))
    assert not ColumnAlias.objects.exists()


def test_a_taught_header_is_changed_and_deleted(as_manager: Client) -> None:
    teach(as_manager, "成交總價")
    one = ColumnAlias.objects.get()
    form = as_manager.get(reverse("admin:jobs_columnalias_change", args=[one.pk])).context["adminform"].form

    changed = teach(as_manager, "成交總價", "daily_sales:cost", pk=one.pk)
    one.refresh_from_db()
    deleted = as_manager.post(reverse("admin:jobs_columnalias_delete", args=[one.pk]), {"post": "yes"})

    assert form["target"].value() == "daily_sales:amount"
    assert (changed.status_code, one.field, deleted.status_code) == (302, "cost", 302)
    assert not ColumnAlias.objects.exists()


def test_headers_go_out_and_come_in(as_manager: Client) -> None:
    teach(as_manager, "成交總價")
    teach(as_manager, "進貨成本", "daily_sales:cost")
    export = reverse("admin:jobs_columnalias_export")
    file = as_manager.post(export, {"format": "1", "resource": "0"}).content
    ColumnAlias.objects.all().delete()

    assert "每日銷售,業績,成交總價" in file.decode("utf-8-sig").splitlines()

    preview = bring(as_manager, file)
    as_manager.post(reverse("admin:jobs_columnalias_process_import"), preview.context["confirm_form"].initial)

    assert file.decode("utf-8-sig").splitlines()[0] == "類型,欄位,標題"
    assert set(ColumnAlias.objects.values_list("job_type", "field", "alias")) == {
        ("daily_sales", "amount", "成交總價"),
        ("daily_sales", "cost", "進貨成本"),
    }


def test_headers_come_in_by_code_too(as_manager: Client) -> None:
    preview = bring(as_manager, "job_type,field,alias\ndaily_sales,amount,成交總價".encode())
    # Whatever the file says, people are shown the words that they know.
    (row,) = preview.context["result"].valid_rows()
    assert [(one.label, one.new) for one in row.diff] == [("類型", "每日銷售"), ("欄位", "業績"), ("標題", "成交總價")]
    as_manager.post(reverse("admin:jobs_columnalias_process_import"), preview.context["confirm_form"].initial)

    assert [(one.job_type, one.field) for one in ColumnAlias.objects.all()] == [("daily_sales", "amount")]


def test_what_the_import_of_headers_does_not_know_is_told_in_words(as_manager: Client) -> None:
    rows = ["類型,欄位,標題", "庫存,業績,甲", "每日銷售,金額,乙", "每日銷售,成本,業績"]

    page = bring(as_manager, "\n".join(rows).encode())

    told = [dict(row.field_specific_errors) for row in page.context["result"].invalid_rows]
    assert told[0] == {"類型": ["沒有「庫存」這種報表；可用：每日銷售、廠商缺貨"]}
    assert told[1]["欄位"][0].startswith("沒有「金額」這個欄位；可用：日期、品號、")
    assert told[2] == {"標題": ["這個標題原本是「業績」，不能改作「成本」"]}


def bring(client: Client, content: bytes) -> Any:
    file = SimpleUploadedFile("a.csv", content)
    form = {"import_file": file, "format": "1", "resource": "0"}
    return client.post(reverse("admin:jobs_columnalias_import"), form)


def test_every_bad_row_of_headers_is_told(as_manager: Client) -> None:
    teach(as_manager, "成交總價")
    rows = [
        "類型,欄位,標題",
        "daily_sales,amount,成交總價（元）",
        "secrets,amount,價",
        "daily_sales,secrets,價",
        "daily_sales,amount,",
        "daily_sales,cost,單位成本價",
        "daily_sales,cost,單位 成本價",
        "daily_sales,cost,成交總價",
    ]

    page = bring(as_manager, "\n".join(rows).encode())

    told = {row.number + 1: set(dict(row.field_specific_errors)) for row in page.context["result"].invalid_rows}
    assert told == {2: {"標題"}, 3: {"類型"}, 4: {"欄位"}, 5: {"標題"}, 7: {"標題"}, 8: {"標題"}}
    assert "confirm_form" not in page.context
    assert ColumnAlias.objects.count() == 1
