"""Spreadsheets in and out of small tables (categories, people) through django-import-export.

Files are bounded before they are read, what waits for confirmation lies in the cache (another replica may serve the
next click), exports carry no formulas.
"""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any, ClassVar

import tablib
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export import resources, widgets
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import Format
from import_export.results import RowResult
from import_export.tmp_storages import CacheStorage
from python_calamine import CalamineError, load_workbook
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from momo.admin_kit.diffs import RowDiff
from momo.sheets.write import XLSX, Column, as_records, csv_chunks, xlsx_file

MAX_BYTES = 2 * 1024 * 1024
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
WAIT_SECONDS = 3600


class UnreadableFile(ValueError):
    """The file is not what its format says; the text is fit for people."""


def _dataset(rows: list[list[Any]]) -> tablib.Dataset:
    """The first row as headers, the rest cut or filled to its width; empty rows at the end are left out."""
    rows = [["" if value is None else value for value in row] for row in rows]
    while rows and not any(str(value).strip() for value in rows[-1]):
        rows.pop()
    if not rows:
        raise UnreadableFile("檔案是空的")
    dataset = tablib.Dataset()
    dataset.headers = [str(value).strip() for value in rows[0]]
    width = len(dataset.headers)
    for row in rows[1:]:
        dataset.append((row + [""] * width)[:width])
    return dataset


class Xlsx(Format):
    """Excel workbooks, first sheet."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return "xlsx"

    def get_extension(self) -> str:
        return "xlsx"

    def get_content_type(self) -> str:
        return XLSX

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Raises UnreadableFile."""
        try:
            with zipfile.ZipFile(io.BytesIO(in_stream)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                    raise UnreadableFile("檔案解開後太大")
            sheet = load_workbook(io.BytesIO(in_stream)).get_sheet_by_index(0)
        except (zipfile.BadZipFile, CalamineError, IndexError) as error:
            raise UnreadableFile("這不是可讀的 Excel 檔（.xlsx）") from error
        return _dataset([list(row) for row in sheet.iter_rows()])

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        with xlsx_file(sheet="資料", **_table(dataset)) as handle:
            return handle.read()


class Csv(Xlsx):
    """Comma-separated text: UTF-8, or Big5 as Excel in Taiwan saves it."""

    def get_title(self) -> str:
        return "csv"

    def get_extension(self) -> str:
        return "csv"

    def get_content_type(self) -> str:
        return "text/csv"

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Raises UnreadableFile."""
        for encoding in ("utf-8-sig", "cp950"):
            try:
                text = in_stream.decode(encoding)
            except UnicodeDecodeError:
                continue
            try:
                return _dataset(list(csv.reader(io.StringIO(text.replace("\0", "")))))
            except csv.Error as error:
                raise UnreadableFile("這不是可讀的 CSV 檔") from error
        raise UnreadableFile("讀不出這個 CSV 檔的文字，請存成 UTF-8")

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        return b"".join(csv_chunks(**_table(dataset)))


def _table(dataset: tablib.Dataset) -> dict[str, Any]:
    columns = [Column(heading, width=18) for heading in dataset.headers or []]
    return {"columns": columns, "records": as_records(columns, iter(dataset))}


class WaitingStorage(CacheStorage):
    """A file between preview and confirmation."""

    CACHE_LIFETIME = WAIT_SECONDS

    def read(self) -> bytes:
        """Raises UnreadableFile when it has waited too long."""
        data = super().read()
        if data is None:
            raise UnreadableFile("匯入的檔案已經不在了（預覽一小時內有效），請重新上傳")
        return data


class BoundedImportForm(ImportForm):
    """Refuses files beyond MAX_BYTES before anything opens them."""

    def clean_import_file(self) -> Any:
        upload = self.cleaned_data["import_file"]
        if upload.size > MAX_BYTES:
            raise ValidationError(f"檔案最多 {MAX_BYTES // 1024 // 1024} MB")
        return upload


class TransferMixin(ImportExportMixin):
    """Import for who may add and change, export for who may view."""

    import_form_class = BoundedImportForm
    export_form_class = ExportForm
    tmp_storage_class = WaitingStorage
    formats: ClassVar = [Xlsx, Csv]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_import_formats(self) -> list[type[Format]]:
        return list(self.formats)

    def get_export_formats(self) -> list[type[Format]]:
        return list(self.formats)

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        form.add_error("import_file", str(e) if isinstance(e, UnreadableFile) else "這個檔案讀不出來，請確認格式")

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)
        except UnreadableFile as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:{}_{}_import".format(*self.get_model_info())))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        # Between preview and confirmation others may have changed what the file is about.
        if result.has_errors() or result.has_validation_errors():
            messages.error(request, "資料在預覽之後有了變動，什麼都沒有匯入，請重新上傳")
            return HttpResponseRedirect(reverse("admin:{}_{}_import".format(*self.get_model_info())))
        return super().process_result(result, request)

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_import_data_kwargs(**kwargs), "rollback_on_validation_errors": True}


class TextWidget(widgets.CharWidget):
    """Text, trimmed; whole numbers that a spreadsheet made of codes become digits again."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value if value is not None else "").strip()


class YesNoWidget(widgets.Widget):
    """是 and 否; empty leaves the value as it is."""

    YES = frozenset({"是", "1", "1.0", "true", "y", "yes", "v", "啟用"})
    NO = frozenset({"否", "0", "0.0", "false", "n", "no", "x", "停用"})

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool | None:
        text = str(value if value is not None else "").strip().lower()
        if not text:
            return None
        if text in self.YES or text in self.NO:
            return text in self.YES
        raise ValueError(f"「{value}」不是「是」或「否」")

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "是" if value else "否"


class SheetRow(RowResult):
    """What becomes of one row: its number among the rows below the headings, and what it is called by."""

    number = 0
    called = ""


class SheetResource(resources.ModelResource):
    """Rows found by their key columns; headings may be ours or the fields' own names; each row once."""

    MAX_ROWS: ClassVar = 2000

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        rows = len(dataset)
        if rows > self.MAX_ROWS:
            del dataset[:]  # the library goes on with the rows in spite of the error
            raise UnreadableFile(f"一次最多匯入 {self.MAX_ROWS:,} 列，這個檔案有 {rows:,} 列")
        known = {name.lower(): field.column_name for name, field in self.fields.items()}
        dataset.headers = [known.get(heading.lower(), heading) for heading in dataset.headers]
        for key in self.keys:
            if key.column_name not in dataset.headers:
                del dataset[:]
                raise UnreadableFile(f"找不到「{key.column_name}」這一欄；第一列要是欄位名稱")
        self.seen: set[tuple[str, ...]] = set()

    def get_diff_class(self) -> type[RowDiff]:
        return RowDiff

    @classmethod
    def get_row_result_class(cls) -> type[SheetRow]:
        return SheetRow

    @property
    def keys(self) -> list[Any]:
        """The last of them is what a row is called by."""
        return [self.fields[name] for name in self._meta.import_id_fields]

    def identity(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """What makes two rows the same, of the values of the key columns."""
        return values

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        values = tuple(key.clean(row) for key in self.keys)
        same = self.identity(values)
        if all(values) and same in self.seen:
            raise ValidationError({self.keys[-1].attribute: [f"「{values[-1]}」在檔案裡出現不只一次"]})
        self.seen.add(same)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        if not any(str(value).strip() for value in row.values()):
            return True
        return bool(super().skip_row(instance, original, row, import_validation_errors))

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> Any:
        result = super().import_row(row, instance_loader, **kwargs)
        result.number = kwargs.get("row_number", 0)
        result.called = "・".join(filter(None, (TextWidget().clean(row.get(key.column_name)) for key in self.keys)))
        if result.validation_error is not None:
            # People know columns by their headings.
            names = {field.attribute: field.column_name for field in self.fields.values()}
            errors = result.validation_error.message_dict
            result.validation_error = ValidationError({names.get(name, name): texts for name, texts in errors.items()})
        return result
