"""Templates in and out of spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import Template
from notifications.services.templates import save_template
from tests.admin import makers_notifications as makers
from tests.admin.test_transfer import CSV, XLSX, confirm, reasons, upload
from tests.kit.workbooks import xlsx

pytestmark = pytest.mark.django_db
OF = "notifications_template"
HEADERS = ["代碼", "名稱", "說明", "格式", "主旨", "內文", "變數"]


def table(*rows: list[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([HEADERS, *rows])
    return written.getvalue().encode()


def row(**values: str) -> list[str]:
    given = {
        "code": "host_notice",
        "title": "主機通知",
        "description": "",
        "format": "Telegram HTML",
        "subject": "通知：{{ host }}",
        "body": makers.BODY,
        "variables": json.dumps(makers.VARIABLES, ensure_ascii=False),
    }
    return list((given | values).values())


def exported(client: Client, form: str) -> bytes:
    answer = client.post(reverse(f"admin:{OF}_export"), {"format": form, "resource": "0"})
    assert answer.status_code == 200
    return answer.content


def test_rows_are_previewed_and_then_make_versions(as_manager: Client, manager: User) -> None:
    one = makers.template()
    preview = upload(as_manager, table(row(body="{{ host }}，新\n"), row(code="second", title="第二個")), of=OF)
    before = (Template.objects.filter(code="second").count(), one.versions.count())

    done = confirm(as_manager, preview, of=OF)

    one.refresh_from_db()
    second = Template.objects.get(code="second")
    assert before == (0, 1)
    assert "匯入完成：新增 1、更新 1" in done.content.decode()
    assert (one.version, one.body, one.updated_by) == (2, "{{ host }}，新\n", manager)
    assert [version.note for version in (one.versions.get(number=2), second.versions.get())] == ["匯入", "匯入"]


def test_a_look_at_a_file_shows_only_what_changes(as_manager: Client) -> None:
    kept = json.dumps(makers.template(code="same", title="不變的").variables)
    makers.template(title="舊名", body="{{ host }}\n" + "一行\n" * 30 + "最後")
    body = "{{ host }}\n" + "一行\n" * 30 + "最後 <b>改</b>"
    file = table(
        row(code="same", title="不變的", variables=kept),
        row(title="新名", body=body, variables=kept),
        row(code="second", title="第二個"),
    )

    page = upload(as_manager, file, of=OF)

    text = page.content.decode()
    same, changed, new = page.context["result"].valid_rows()
    assert [(one.number, one.label, one.import_type) for one in (same, changed, new)] == [
        (1, "same", "skip"),
        (2, "host_notice", "update"),
        (3, "second", "new"),
    ]
    assert same.diff == []
    assert [(one.label, one.short) for one in changed.diff] == [("名稱", True), ("內文", False)]
    assert [line.kind for line in changed.diff[1].lines] == ["same"] * 3 + ["removed", "added"]
    assert {"代碼", "名稱", "格式", "內文", "變數"} <= {one.label for one in new.diff}
    assert "新增 1、更新 1、不變 1" in text
    assert "最後 &lt;b&gt;改&lt;/b&gt;" in text
    assert re.search(r"<del[^>]*>舊名</del>.*?<ins[^>]*>新名</ins>", text)
    assert re.search(r"第 2 列</span><span[^>]*>不變</span><b>不變的（same）", text)
    assert "import-preview-table" not in text


def test_every_bad_row_is_told_and_nothing_is_written(as_manager: Client) -> None:
    rows = [
        row(body="一\n二\n{{ nobody }}"),
        row(code="Bad Code"),
        row(code="third", variables="[{"),
        row(code="fourth", format="Word"),
        row(code="fifth", title=""),
        row(code="sixth", subject="{{ gone }}"),
        row(code="seventh", variables='[{"name": "x", "type": "void"}]'),
        row(code="eighth"),
        row(code="eighth"),
    ]

    page = upload(as_manager, table(*rows), of=OF)

    found = dict(reasons(page))
    assert "第 3 行" in found[2]["內文"][0]
    assert "代碼" in found[3]
    assert found[4] == {"變數": ["不是正確的 JSON"]}
    assert "「Word」不是" in found[5]["格式"][0]
    assert "名稱" in found[6]
    assert "第 1 行" in found[7]["主旨"][0]
    assert "第 1 個變數" in found[8]["變數"][0]
    assert found[10] == {"代碼": ["「eighth」在檔案裡出現不只一次"]}
    assert 9 not in found
    assert not Template.objects.filter(code__in=["host_notice", "third", "eighth"]).exists()


@pytest.mark.parametrize(("form", "kind"), [(XLSX, "xlsx"), (CSV, "csv")])
def test_what_goes_out_comes_in_again_unchanged(form: str, kind: str, as_manager: Client) -> None:
    makers.template()
    makers.template(code="dashes", format="plain", subject="=SUM({{ host }})", body="- {{ host }}\n\n- 完\n")
    before = {one.code: one.version for one in Template.objects.all()}

    page = upload(as_manager, exported(as_manager, form), of=OF, form=form, name=f"a.{kind}")
    confirm(as_manager, page, of=OF)

    assert not page.context["result"].has_validation_errors()
    assert {one.code: one.version for one in Template.objects.all()} == before


@pytest.mark.parametrize(("form", "kind"), [(XLSX, "xlsx"), (CSV, "csv")])
def test_an_export_brings_templates_back(form: str, kind: str, as_manager: Client) -> None:
    one = makers.template(code="dashes", format="plain", subject="=SUM({{ host }})", body="- {{ host }}\n\n- 完\n")
    kept = (one.title, one.format, one.subject, one.body, one.variables)
    file = exported(as_manager, form)
    one.delete()

    confirm(as_manager, upload(as_manager, file, of=OF, form=form, name=f"a.{kind}"), of=OF)

    back = Template.objects.get(code="dashes")
    assert (back.title, back.format, back.subject, back.body, back.variables) == kept


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
@pytest.mark.parametrize(("form", "kind"), [(XLSX, "xlsx"), (CSV, "csv")])
def test_titles_and_descriptions_come_back_as_they_begin(start: str, form: str, kind: str, as_manager: Client) -> None:
    one = makers.template(code="dashes", title=f"{start}1 促銷", description=f"{start} 第一行")
    file = exported(as_manager, form)
    one.delete()

    confirm(as_manager, upload(as_manager, file, of=OF, form=form, name=f"a.{kind}"), of=OF)

    back = Template.objects.get(code="dashes")
    assert (back.title, back.description) == (f"{start}1 促銷", f"{start} 第一行")


def test_a_workbook_of_staff(as_manager: Client) -> None:
    sheet = xlsx([["code", "title", "format", "body"], ["plain_one", "純文字", "plain", "沒有變數\n兩行"]])

    confirm(as_manager, upload(as_manager, sheet, of=OF, form=XLSX, name="a.xlsx"), of=OF)

    made = Template.objects.get(code="plain_one")
    assert (made.body, made.variables) == ("沒有變數\n兩行", [])


def test_a_column_that_is_left_out_stays_as_it_is(as_manager: Client) -> None:
    one = makers.template()

    confirm(as_manager, upload(as_manager, "代碼,名稱\nhost_notice,新名稱\n".encode(), of=OF), of=OF)

    one.refresh_from_db()
    assert (one.title, one.body, one.version) == ("新名稱", makers.BODY, 2)


def test_a_change_between_preview_and_confirmation_is_not_lost(as_manager: Client, boss: User) -> None:
    one = makers.template()
    page = upload(as_manager, table(row(body="{{ host }}\n")), of=OF)
    save_template(template=one, user=boss, body="{{ host }}：他的\n")

    confirm(as_manager, page, of=OF)

    one.refresh_from_db()
    assert (one.version, one.versions.get(number=2).body) == (3, "{{ host }}：他的\n")


def test_a_user_exports_and_does_not_import(as_reader: Client, as_manager: Client) -> None:
    urls = [reverse(f"admin:{OF}_{name}") for name in ("import", "export")]

    assert [as_reader.get(url).status_code for url in urls] == [403, 200]
    assert [as_manager.get(url).status_code for url in urls] == [200, 200]


def test_an_export_has_no_formulas(as_reader: Client) -> None:
    makers.template(format="plain", subject="=SUM({{ host }})")

    assert "'=SUM(" in exported(as_reader, CSV).decode("utf-8-sig")
