"""Import and export of categories and users as spreadsheets."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from django.contrib import admin
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from import_export.admin import ImportMixin

from accounts.models import Role, User
from momo.admin.kit import transfer
from products.models import Category
from tests.admin import makers
from tests.kit.workbooks import xlsx

XLSX, CSV = "0", "1"


def upload(client: Client, data: bytes, *, of: str = "products_category", form: str = CSV, name: str = "a.csv") -> Any:
    file = SimpleUploadedFile(name, data)
    return client.post(reverse(f"admin:{of}_import"), {"import_file": file, "format": form, "resource": "0"})


def confirm(client: Client, preview: Any, *, of: str = "products_category") -> Any:
    return client.post(reverse(f"admin:{of}_process_import"), preview.context["confirm_form"].initial, follow=True)


def reasons(page: Any) -> list[tuple[int, dict[str, Any]]]:
    return [(row.number + 1, dict(row.field_specific_errors)) for row in page.context["result"].invalid_rows]


def test_categories_are_previewed_and_then_imported(as_manager: Client) -> None:
    makers.category("1100100001", name="舊名")
    text = "分類代碼,層級,名稱,路徑,價格更新\n1100100001,3,新名,甲 > 乙,否\n1100100009,2,另一個,,是\n"

    preview = upload(as_manager, text.encode())
    before = Category.objects.count()
    done = confirm(as_manager, preview)

    old, new = Category.objects.get(code="1100100001"), Category.objects.get(code="1100100009")
    assert before == 1
    assert "匯入完成：新增 1、更新 1" in done.content.decode()
    assert (old.name, old.path, old.enabled) == ("新名", "甲 > 乙", False)
    assert (new.level, new.enabled) == (2, True)


def test_a_row_that_has_shifted_is_refused(as_manager: Client) -> None:
    """An unquoted comma: the rest of the row would stand in other columns. Empty cells at the end are no harm."""
    page = upload(as_manager, "分類代碼,名稱,路徑\n1100100001,一,甲,,\n1100100002,甲,乙,丙 > 丁\n".encode())
    assert "第 3 列有 4 格，標題只有 3 欄" in page.content.decode()
    assert "result" not in page.context


def test_a_preview_shows_old_and_new_values(as_manager: Client) -> None:
    makers.category("1100100001", name="舊名", path="甲 > 乙", level=3)
    text = "分類代碼,名稱\n1100100001,新名\n1100100009,另一個\n"

    page = upload(as_manager, text.encode())

    old, new = page.context["result"].valid_rows()
    assert [(one.label, one.old, one.new) for one in old.diff] == [("名稱", "舊名", "新名")]
    assert ("分類代碼", "", "1100100009") in [(one.label, one.old, one.new) for one in new.diff]
    assert "新增 1、更新 1、不變 0" in page.content.decode()


def test_a_file_that_changes_nothing_says_so(as_manager: Client) -> None:
    makers.category("1100100001", name="舊名")

    page = upload(as_manager, "分類代碼,名稱\n1100100001,舊名\n".encode())

    assert "沒有要改的" in page.content.decode()


def test_a_workbook_with_numbers_for_codes(as_manager: Client) -> None:
    preview = upload(as_manager, xlsx([["code", "name", "level"], [1100100001, "精華液", 3]]), form=XLSX, name="a.xlsx")
    confirm(as_manager, preview)

    assert Category.objects.get().code == "1100100001"


def test_big5_as_excel_in_taiwan_saves_it(as_manager: Client) -> None:
    preview = upload(as_manager, "分類代碼,名稱\n1100100001,精華液\n".encode("cp950"))
    confirm(as_manager, preview)

    assert Category.objects.get().name == "精華液"


@pytest.mark.parametrize("form", [None, XLSX, CSV, "99"])
def test_the_content_says_which_format_a_file_has(form: str | None, as_manager: Client) -> None:
    page = as_manager.get(reverse("admin:products_category_import")).content.decode()
    assert 'name="format"' not in page
    rows = [["分類代碼", "名稱"], ["1100100001", "精華液"]]
    for data in (xlsx(rows), "\n".join(map(",".join, rows)).encode()):
        given = {"import_file": SimpleUploadedFile("a.bin", data), "resource": "0"}
        page = as_manager.post(reverse("admin:products_category_import"), given | ({"format": form} if form else {}))
        assert page.context["result"].totals["new"] == 1


def test_every_bad_row_is_reported_with_its_number_and_reason(as_manager: Client) -> None:
    rows = ["分類代碼,層級,名稱,價格更新", "123,3,甲,是", "1100100001,9,乙,也許", "", "1100100002,3,,"]
    text = "\n".join([*rows, "1100100003,3,丙,", "1100100003,3,丁,"])

    page = upload(as_manager, text.encode())

    assert reasons(page) == [
        (2, {"分類代碼": ["分類代碼是 10 位數字"]}),
        (3, {"層級": ["「9」不是1、2、3其中之一"], "價格更新": ["「也許」不是「是」或「否」"]}),
        (5, {"名稱": ["這個欄位不能為空。"]}),
        (7, {"分類代碼": ["「1100100003」在檔案裡出現不只一次"]}),
    ]
    assert "confirm_form" not in page.context
    assert not Category.objects.exists()


@pytest.mark.parametrize(
    ("data", "form", "why"),
    [
        (b"name\nx\n", CSV, "找不到「分類代碼」這一欄"),
        (b"", CSV, "檔案"),
        (b"\xff\xff\xff", CSV, "UTF-8"),
        (b"%PDF-1.7 no workbook", CSV, "不是可讀的 Excel 檔"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, form: str, why: str, as_manager: Client) -> None:
    page = upload(as_manager, data, form=form)

    assert page.status_code == 200
    assert why in page.content.decode()
    assert "Traceback" not in page.content.decode()


def test_too_many_rows(as_manager: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(transfer.SheetResource, "MAX_ROWS", 2)

    page = upload(as_manager, b"code,name\n1,a\n2,b\n3,c\n")

    assert "一次最多匯入 2 列，這個檔案有 3 列" in page.content.decode()


def test_a_file_that_unpacks_to_too_much(as_manager: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(transfer, "LIMITS", replace(transfer.LIMITS, unpacked_bytes=1000))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 10_000)

    assert "解壓縮後超過" in upload(as_manager, buffer.getvalue(), form=XLSX).content.decode()


def test_a_file_that_is_too_big(as_manager: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(transfer, "LIMITS", replace(transfer.LIMITS, bytes=10))

    assert "檔案最多" in upload(as_manager, b"code,name\n1100100001,abc\n").content.decode()


def test_a_preview_that_waited_too_long(as_manager: Client) -> None:
    preview = upload(as_manager, b"code,name\n1100100001,abc\n")
    cache.clear()

    done = confirm(as_manager, preview)

    assert "請重新上傳" in done.content.decode()
    assert not Category.objects.exists()


def test_no_file_of_the_machine_can_be_named(as_manager: Client) -> None:
    answer = as_manager.post(
        reverse("admin:products_category_process_import"),
        {"import_file_name": "/etc/passwd", "original_file_name": "a.csv", "format": CSV, "resource": "0"},
        follow=True,
    )

    assert "root:" not in answer.content.decode()
    assert "請重新上傳" in answer.content.decode()


@pytest.mark.parametrize(("form", "kind"), [(XLSX, "xlsx"), (CSV, "csv")])
def test_what_is_exported_can_be_imported(form: str, kind: str, as_manager: Client) -> None:
    makers.category("1100100001", name="精華液", path="美妝 > 精華液", enabled=False)
    file = as_manager.post(reverse("admin:products_category_export"), {"format": form, "resource": "0"})
    Category.objects.all().delete()

    confirm(as_manager, upload(as_manager, file.content, form=form, name=f"a.{kind}"))

    one = Category.objects.get()
    assert (one.code, one.name, one.path, one.enabled) == ("1100100001", "精華液", "美妝 > 精華液", False)


@pytest.mark.parametrize(("form", "kind"), [(XLSX, "xlsx"), (CSV, "csv")])
def test_an_export_that_is_imported_again_changes_nothing(form: str, kind: str, as_boss: Client) -> None:
    names = ["+9折專區", "'+9折專區", "'精華液", "=1+1", "@home", "-5°C", "007"]
    for number, name in enumerate(names):
        makers.category(f"11001000{number:02}", name=name, path=f"{name} > 甲")
        User.objects.create(username=f"person{number}", display_name=name)

    for of in ("products_category", "accounts_user"):
        file = as_boss.post(reverse(f"admin:{of}_export"), {"format": form, "resource": "0"})
        preview = upload(as_boss, file.content, of=of, form=form, name=f"a.{kind}")
        assert [row.import_type for row in preview.context["result"].rows if row.import_type != "skip"] == [], of


def test_an_empty_cell_keeps_what_is_stored_and_the_page_says_so(as_boss: Client, reader: User) -> None:
    makers.category("1100100001", name="精華液", path="美妝 > 精華液", level=3)
    users = "帳號,顯示名稱,電子郵件,角色,啟用\namy,,,,\n"

    page = as_boss.get(reverse("admin:products_category_import")).content.decode()
    preview = upload(as_boss, "分類代碼,層級,名稱,路徑,價格更新\n1100100001,2,,,\n".encode())
    confirm(as_boss, preview)
    confirm(as_boss, upload(as_boss, users.encode(), of="accounts_user"), of="accounts_user")

    one = Category.objects.get()
    reader.refresh_from_db()
    assert "Excel（.xlsx、.xls、.ods）或 CSV" in page
    assert "留空的儲存格和沒有的欄位保留原值" in page
    assert (one.level, one.name, one.path, one.enabled) == (2, "精華液", "美妝 > 精華液", True)
    assert (reader.display_name, reader.role, reader.is_active) == ("小美", Role.USER, True)


def test_exports_carry_no_formulas(as_manager: Client) -> None:
    makers.category("1100100001", name='=HYPERLINK("http://evil")')

    file = as_manager.post(reverse("admin:products_category_export"), {"format": XLSX, "resource": "0"})

    cells = [cell.value for row in openpyxl.load_workbook(io.BytesIO(file.content)).active.rows for cell in row]
    assert '\'=HYPERLINK("http://evil")' in cells


def test_users_are_exported_and_imported_without_passwords(as_boss: Client, reader: User) -> None:
    file = as_boss.post(reverse("admin:accounts_user_export"), {"format": CSV, "resource": "0"}).content.decode(
        "utf-8-sig"
    )
    text = file.splitlines()[0] + "\namy,小美,amy@example.com,主管,是\nnew,新人,new@example.com,user,否\n"

    done = confirm(as_boss, upload(as_boss, text.encode(), of="accounts_user"), of="accounts_user")

    reader.refresh_from_db()
    new = User.objects.get(username="new")
    assert reader.password not in file
    assert file.splitlines()[0] == "帳號,顯示名稱,電子郵件,角色,啟用"
    assert done.status_code == 200
    assert (reader.role, [group.name for group in reader.groups.all()]) == (Role.MANAGER, ["主管"])
    assert (new.is_active, new.must_change_password, [group.name for group in new.groups.all()]) == (
        False,
        True,
        ["使用者"],
    )


def test_an_import_cannot_take_the_last_admin(as_boss: Client, boss: User) -> None:
    page = upload(as_boss, "帳號,角色\nada,使用者\n".encode(), of="accounts_user")

    boss.refresh_from_db()
    assert "最後一位啟用中的管理員" in page.content.decode()
    assert boss.role == Role.ADMIN


def test_a_role_that_does_not_exist(as_boss: Client) -> None:
    page = upload(as_boss, "帳號,角色\nnew,老闆\n".encode(), of="accounts_user")

    assert reasons(page) == [(2, {"角色": ["「老闆」不是使用者、主管、管理員其中之一"]})]


def test_a_cell_that_is_an_error_is_no_text(as_manager: Client) -> None:
    makers.category("1100100001", name="舊名", path="甲 > 乙")

    page = upload(
        as_manager, xlsx([["分類代碼", "名稱", "備註"], ["1100100001", "#N/A", "#N/A"]]), form=XLSX, name="a.xlsx"
    )

    assert reasons(page) == [(2, {"名稱": ["儲存格是錯誤值 #N/A；請修正公式或填入正確的值。"]})]


@pytest.mark.parametrize("again", ["名稱", "NAME"])
def test_a_column_that_occurs_twice_is_refused(again: str, as_manager: Client) -> None:
    makers.category("1100100001", name="舊名")

    page = upload(as_manager, f"分類代碼,名稱,備註,備註,{again}\n1100100001,甲,,,乙\n".encode())

    assert "「名稱」這一欄出現不只一次" in page.content.decode()
    assert Category.objects.get().name == "舊名"


def test_lines_of_a_cell_do_not_decide_about_the_delimiter(as_boss: Client) -> None:
    body = "\n".join(f"第 {number} 行；a;b;c" for number in range(9))
    text = f'代碼,名稱,格式,主旨,內文\nlines,多行,純文字,,"{body}"\n'

    page = upload(as_boss, text.encode(), of="notifications_template")

    assert [row.label for row in page.context["result"].valid_rows()] == ["lines"]


def test_every_import_page_reads_files_through_the_bounded_formats() -> None:
    pages = [page for page in admin.site._registry.values() if isinstance(page, ImportMixin)]

    assert {page.opts.label for page in pages} >= {
        "accounts.User",
        "jobs.ColumnAlias",
        "notifications.Template",
        "products.Category",
    }
    assert all(page.get_import_formats() == [transfer.Xlsx, transfer.Csv] for page in pages)


def test_conditions_that_the_list_does_not_know_are_refused(as_boss: Client) -> None:
    for of in ("sales_target", "products_category"):
        answer = as_boss.get(reverse(f"admin:{of}_export"), {"zz": "1"}, follow=True)
        assert answer.redirect_chain == [(reverse(f"admin:{of}_changelist"), 302)]
        assert "清單不認得這些條件，請重新篩選" in answer.content.decode()
