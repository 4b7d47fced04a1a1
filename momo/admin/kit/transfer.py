"""Import and export of small tables (categories, users) as spreadsheets, through django-import-export.

Files are read by `momo.sheets` within `LIMITS`, never by the formats of tablib. A file that waits for confirmation is
in the cache, since another replica may serve the next click. Exports carry no formulas.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, ClassVar, cast

import tablib
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from import_export import resources, widgets
from import_export.admin import ImportExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.instance_loaders import CachedInstanceLoader
from import_export.tmp_storages import CacheStorage
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from momo.admin.kit.diffs import RowDiff
from momo.admin.kit.display import action_title
from momo.sheets import bounded, values
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import MEBIBYTE, Limits
from momo.sheets.formulas import FORMULA_STARTS
from momo.sheets.write import XLSX, Column, as_records, csv_chunks, xlsx_file

LIMITS = Limits(
    bytes=2 * MEBIBYTE, unpacked_bytes=50 * MEBIBYTE, rows=2000, columns=100, cells=250_000, text=16 * MEBIBYTE
)
FORMATS = "Excel（.xlsx、.xls、.ods）或 CSV，第一列是欄位名稱。"
KEPT = "留空的儲存格和沒有的欄位保留原值；要清空時，請到那一筆的頁面修改。"
FILE = "上傳的檔案"  # what errors call it: the library does not pass its name on
_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0"
_NOT_CSV = (b"PK\3\4", _OLE, b"%PDF", b"<", b"\xef\xbb\xbf<")


def _workbook_rows(data: bytes) -> list[list[Any]]:
    """The rows of the first visible sheet of a workbook (.xlsx, and what Excel calls so: .xls .xlsb .ods)."""
    if not data.startswith((_ZIP, _OLE)):
        raise SheetError("這不是可讀的 Excel 檔（.xlsx）")
    return _rows(data)


def _rows(data: bytes, *, comma_separated: bool = False) -> list[list[Any]]:
    """The rows of a file, which is read in a process of its own.

    The delimiter is not guessed: the lines of a template's body may well have more semicolons than rows have commas.
    """
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return bounded.first_sheet(Path(file.name), name=FILE, limits=LIMITS, comma_separated=comma_separated)


def _dataset(rows: list[list[Any]]) -> tablib.Dataset:
    """The first row as headers, the others filled to its width; empty rows at the end are left out.

    Raises SheetError for a row with more cells than that: one with an unquoted comma has shifted.
    """
    rows = [["" if value is None else value for value in row] for row in rows]
    while rows and not any(str(value).strip() for value in rows[-1]):
        rows.pop()
    if not rows:
        raise SheetError("檔案是空的")
    dataset = tablib.Dataset()
    dataset.headers = [str(value).strip() for value in rows[0]]
    width = len(dataset.headers)
    for number, row in enumerate(rows[1:], start=2):
        if any(str(value).strip() for value in row[width:]):
            raise SheetError(
                f"第 {number} 列有 {len(row)} 格，標題只有 {width} 欄；"
                "儲存格裡若有逗號，請用引號括起來，或另存成 .xlsx 再匯入。"
            )
        dataset.append((row + [""] * width)[:width])
    return dataset


class Xlsx(Format):
    """Excel workbooks: the first visible sheet."""

    title, content_type = "xlsx", XLSX

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return self.title

    get_extension = get_title

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    can_export = can_import

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Raises SheetError."""
        return _dataset(_workbook_rows(in_stream))

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        with xlsx_file(sheet="資料", **_table(dataset)) as handle:
            return handle.read()


class Csv(Xlsx):
    """Comma-separated text: UTF-8, or Big5 as Excel in Taiwan saves it."""

    title, content_type = "csv", "text/csv"

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Raises SheetError."""
        return _dataset(_rows(in_stream, comma_separated=True))

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        return b"".join(csv_chunks(**_table(dataset)))


def _table(dataset: tablib.Dataset) -> dict[str, Any]:
    columns = [Column(heading, width=18) for heading in dataset.headers or []]
    rows = ([_with_mark(value) for value in row] for row in dataset)
    return {"columns": columns, "records": as_records(columns, rows)}


def _marked(text: str) -> bool:
    return text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS)


def _with_mark(value: Any) -> Any:
    """One apostrophe more where the stored text begins with some itself, since an import takes one off."""
    return f"'{value}" if isinstance(value, str) and _marked(value) else value


def without_mark(text: str) -> str:
    """The text of a cell without the apostrophe by which an export keeps it from being read as a formula."""
    return text[1:] if _marked(text) else text


class WaitingStorage(CacheStorage):
    """Keeps a file in the cache between preview and confirmation."""

    CACHE_LIFETIME = 3600  # seconds

    def read(self) -> bytes:
        """The file. Raises SheetError if the cache has dropped it."""
        data: bytes | None = super().read()
        if data is None:
            raise SheetError("匯入的檔案已經不在了（預覽一小時內有效），請重新上傳")
        return data


class BoundedImportForm(ImportForm):
    """Refuses files of more than `LIMITS.bytes` before they are opened; the content says which format a file has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["format"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if upload := cleaned.get("import_file"):
            upload.seek(0)
            # The place in `TransferMixin.formats`.
            cleaned["format"] = "0" if upload.read(8).lstrip().startswith(_NOT_CSV) else "1"
            upload.seek(0)
        return cleaned

    def clean_import_file(self) -> Any:
        upload = self.cleaned_data["import_file"]
        if upload.size > LIMITS.bytes:
            raise ValidationError(f"檔案最多 {LIMITS.bytes // MEBIBYTE} MB")
        return upload


class TransferMixin(ImportExportMixin):
    """Import for users who may add and change, export for users who may view."""

    import_form_class = BoundedImportForm
    export_form_class = ExportForm
    tmp_storage_class = WaitingStorage
    formats: ClassVar = [Xlsx, Csv]
    offers_files = False  # the export of the package is of what the list finds, and can be imported again

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._titled("匯入", super().import_action(request, **kwargs))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._titled("匯出", super().export_action(request))
        except IncorrectLookupParameters:
            messages.error(request, "清單不認得這些條件，請重新篩選")
            return HttpResponseRedirect(reverse("admin:{}_{}_changelist".format(*self.get_model_info())))

    def _titled(self, verb: str, page: Any) -> HttpResponse:
        if isinstance(page, TemplateResponse) and page.context_data:
            page.context_data["title"] = action_title(verb, str(self.opts.verbose_name_plural))
        return cast(HttpResponse, page)

    def create_import_form(self, request: HttpRequest) -> Any:
        form = super().create_import_form(request)
        form.fields["import_file"].help_text = FORMATS + self.resource_classes[0].empty_cells
        return form

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        form.add_error("import_file", str(e) if isinstance(e, SheetError) else "這個檔案讀不出來，請確認格式")

    def process_import(self, request: HttpRequest, **kwargs: Any) -> Any:
        if self.has_import_permission(request) and request.POST and not self._is_of_a_preview(request):
            return self._refuse(request, "這份預覽已經失效，什麼都沒有匯入，請重新上傳")
        try:
            return super().process_import(request, **kwargs)
        except SheetError as error:
            return self._refuse(request, str(error))

    def _is_of_a_preview(self, request: HttpRequest) -> bool:
        """Whether the form can be one that a preview has written: the library uses its two numbers as indexes."""
        lists = {"format": self.get_import_formats(), "resource": self.get_import_resource_classes(request)}
        return bool(self.create_confirm_form(request).is_valid()) and all(
            (request.POST.get(name) or "0") in map(str, range(len(found))) for name, found in lists.items()
        )

    def process_result(self, result: Any, request: HttpRequest) -> Any:
        # Other users may have changed the same rows between preview and confirmation.
        if result.has_errors() or result.has_validation_errors():
            return self._refuse(request, "資料在預覽之後有了變動，什麼都沒有匯入，請重新上傳")
        return super().process_result(result, request)

    def _refuse(self, request: HttpRequest, text: str) -> HttpResponse:
        messages.error(request, text)
        return HttpResponseRedirect(reverse("admin:{}_{}_import".format(*self.get_model_info())))

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_import_data_kwargs(**kwargs), "rollback_on_validation_errors": True}


class TextWidget(widgets.CharWidget):
    """Trimmed text; a code that a spreadsheet stores as a number becomes digits again."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return without_mark(values.shown(value).strip())


class KeptTextField(Field):
    """A column of text whose empty cells keep what is stored."""

    def __init__(self, attribute: str, column_name: str) -> None:
        super().__init__(attribute, column_name, widget=TextWidget(), saves_null_values=False)

    def clean(self, row: Any, **kwargs: Any) -> str | None:
        return super().clean(row, **kwargs) or None


class YesNoWidget(widgets.Widget):
    """是 and 否; an empty cell leaves the value unchanged."""

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


class ChoiceWidget(widgets.Widget):
    """One of Django's `choices`, by value or label; an empty cell is None."""

    def __init__(self, choices: Iterable[tuple[Any, Any]]) -> None:
        super().__init__()
        self.labels = {value: str(label) for value, label in choices}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = TextWidget().clean(value)
        for known, label in self.labels.items():
            if text in (str(known), label):
                return known
        if text:
            raise ValueError(f"「{text}」不是{'、'.join(self.labels.values())}其中之一")
        return None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return self.labels.get(value, str(value))


def _key_of(key: Any, row: Any) -> Any:
    """The value of a key column. Raises ValidationError with the column's name."""
    try:
        return key.clean(row)
    except ValueError as error:
        raise ValidationError({key.attribute: [str(error)]}) from error


class SheetResource(resources.ModelResource):
    """Rows are identified by their key columns; headings are Chinese labels or names of fields; no key occurs twice."""

    MAX_ROWS: ClassVar = LIMITS.rows
    empty_cells = ""  # what they do to a stored value, for the page of the import

    class Meta:
        instance_loader_class = CachedInstanceLoader
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        rows = len(dataset)
        if rows > self.MAX_ROWS:
            del dataset[:]  # the library processes the rows in spite of the error
            raise SheetError(f"一次最多匯入 {self.MAX_ROWS:,} 列，這個檔案有 {rows:,} 列")
        known = {name.lower(): field.column_name for name, field in self.fields.items()}
        dataset.headers = [known.get(heading.lower(), heading) for heading in dataset.headers]
        for key in self.keys:
            if key.column_name not in dataset.headers:
                del dataset[:]
                raise SheetError(f"找不到「{key.column_name}」這一欄；第一列要是欄位名稱")
        for heading in known.values():
            if dataset.headers.count(heading) > 1:  # the library would take the last of them
                del dataset[:]
                raise SheetError(f"「{heading}」這一欄出現不只一次")
        self.seen: set[tuple[str, ...]] = set()  # identities

    def get_diff_class(self) -> type[RowDiff]:
        return RowDiff

    @property
    def keys(self) -> list[Any]:
        """The key fields; the last one names a row in errors."""
        return [self.fields[name] for name in self._meta.import_id_fields]

    def identity(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The values that must be unique in a file, from those of the key columns."""
        return values

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for field in self.get_import_fields():
            if isinstance(row.get(field.column_name), values.CellError):
                try:
                    values.refuse(row[field.column_name], "文字")
                except values.BadCell as error:
                    raise ValidationError({field.attribute: [str(error)]}) from error
        named = tuple(_key_of(key, row) for key in self.keys)
        same = self.identity(named)
        if all(named) and same in self.seen:
            raise ValidationError({self.keys[-1].attribute: [f"「{named[-1]}」在檔案裡出現不只一次"]})
        self.seen.add(same)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        if not any(str(value).strip() for value in row.values()):
            return True
        return bool(super().skip_row(instance, original, row, import_validation_errors))

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> Any:
        result = super().import_row(row, instance_loader, **kwargs)
        # For our template: the row's number below the headings, and its name.
        result.number = kwargs.get("row_number", 0)
        result.label = "・".join(filter(None, (TextWidget().clean(row.get(key.column_name)) for key in self.keys)))
        if result.validation_error is not None:
            # Users know columns by their headings, not by the names of fields.
            names = {field.attribute: field.column_name for field in self.fields.values()}
            errors = result.validation_error.message_dict
            result.validation_error = ValidationError({names.get(name, name): texts for name, texts in errors.items()})
        return result
