"""Makes odd files for the zoo: bytes of workbooks, CSV files, HTML tables, and of what only pretends to be one."""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import shutil
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from msoffcrypto.format.ooxml import OOXMLFile
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from rustpy_xlsxwriter import write_worksheet

Rows = Sequence[Sequence[Any]]


def saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def xlsx(
    rows: Rows, *, above: int = 0, sheet: str = "銷售", change: Callable[[Workbook, Worksheet], None] | None = None
) -> bytes:
    """A workbook with one sheet, `above` empty rows over it, and then whatever `change` does."""
    book = Workbook()
    page = book.active
    page.title = sheet
    for number, row in enumerate(rows, start=above + 1):
        for column, value in enumerate(row, start=1):
            if value is not None:
                page.cell(number, column).value = value
    if change is not None:
        change(book, page)
    return saved(book)


def rust_xlsx(rows: Rows) -> bytes:
    target = io.BytesIO()
    header, *data = rows
    write_worksheet((dict(zip(header, row, strict=True)) for row in data), target)
    return target.getvalue()


def rezipped(data: bytes, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None) -> bytes:
    """The zip file with each part as `change` returns it (None drops it), and more parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = change(info.filename, old.read(info))
            if part is not None:
                new.writestr(info.filename, part)
        for name, part in (extra or {}).items():
            new.writestr(name, part)
    return target.getvalue()


def replaced(data: bytes, part: str, *pairs: tuple[bytes, bytes]) -> bytes:
    """The zip file with bytes of one part replaced; each must be there."""

    def change(name: str, content: bytes) -> bytes:
        if name == part:
            for old, new in pairs:
                assert old in content, (old, content[:3000])
                content = content.replace(old, new)
        return content

    return rezipped(data, change)


def sheet_xml(data: bytes, *pairs: tuple[bytes, bytes]) -> bytes:
    return replaced(data, "xl/worksheets/sheet1.xml", *pairs)


def with_sheet_data(data: bytes, rows: Iterable[bytes]) -> bytes:
    """The workbook with its first sheet's rows replaced by XML, written as it comes."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for info in old.infolist():
            content = old.read(info)
            if info.filename != "xl/worksheets/sheet1.xml":
                new.writestr(info.filename, content)
                continue
            start, end = content.index(b"<sheetData>") + 11, content.index(b"</sheetData>")
            with new.open(info.filename, "w") as part:
                part.write(content[:start])
                batch: list[bytes] = [content[start:end]]
                for row in rows:
                    batch.append(row)
                    if len(batch) >= 5000:
                        part.write(b"".join(batch))
                        batch.clear()
                part.write(b"".join(batch) + content[end:])
    return target.getvalue()


def macro_xlsx(rows: Rows) -> bytes:
    """A workbook with a (meaningless) macro project."""
    data = rezipped(
        xlsx(rows),
        lambda name, content: (
            content.replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            ).replace(
                b"</Types>",
                b'<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
            )
            if name == "[Content_Types].xml"
            else content
        ),
        {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 not really a project"},
    )
    return replaced(
        data,
        "xl/_rels/workbook.xml.rels",
        (
            b"</Relationships>",
            b'<Relationship Id="rIdVba" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
            b'Target="vbaProject.bin"/></Relationships>',
        ),
    )


def csv(rows: Rows, encoding: str = "utf-8", *, delimiter: str = ",", end: str = "\r\n") -> bytes:
    return end.join(delimiter.join("" if cell is None else str(cell) for cell in row) for row in (*rows, ())).encode(
        encoding
    )


def html(rows: Rows, encoding: str = "utf-8", *, head: str = "", above: str = "") -> bytes:
    lines = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else cell}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    return f"<html><head>{head}</head><body>{above}<table border=1>{lines}</table></body></html>".encode(encoding)


def protected_xlsx(rows: Rows) -> bytes:
    target = io.BytesIO()
    file = OOXMLFile(io.BytesIO(xlsx(rows)))
    file.encrypt("secret", target)
    return target.getvalue()


@cache
def office_profile() -> Path:
    """A profile of this process, so that LibreOffice neither meets another one of itself nor makes one each time."""
    folder = Path(tempfile.mkdtemp(prefix="momo-office-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


KEPT = Path(__file__).parent / "kept"


def by_office(data: bytes, suffix: str, source_suffix: str = "xlsx") -> bytes:
    """The workbook as LibreOffice saves it in another format.

    A start of LibreOffice takes seconds, so that files which it has saved are in KEPT, by what is in the workbook. It
    is asked where none is there, and with KEEP_OFFICE=1 its answer is put there.
    """
    kept = KEPT / f"{_digest(data)}.{suffix}"
    if kept.exists():
        return kept.read_bytes()
    converted = converted_by_office(data, suffix, source_suffix)
    if os.environ.get("KEEP_OFFICE"):
        kept.write_bytes(converted)
    return converted


def _digest(data: bytes) -> str:
    """Of the parts of a workbook, without the times in it."""
    parts = {"": data}
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            parts = {name: zipped.read(name) for name in zipped.namelist() if name != "docProps/core.xml"}
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:16]


def converted_by_office(data: bytes, suffix: str, source_suffix: str = "xlsx") -> bytes:
    """The workbook as the LibreOffice of this machine saves it in another format."""
    with tempfile.TemporaryDirectory(prefix="momo-office-") as folder:
        source = Path(folder, f"book.{source_suffix}")
        source.write_bytes(data)
        out = Path(folder, "out")
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{office_profile()}",
                "--headless",
                "--convert-to",
                suffix,
                "--outdir",
                str(out),
                str(source),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        return (out / f"book.{suffix}").read_bytes()


def protected_xls(data: bytes) -> bytes:
    """A .xls whose first record after the start says that what follows is encrypted (FILEPASS)."""
    start = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 4 + 16
    return data[:start] + b"\x2f\x00" + data[start + 2 :]


def nothing_but(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return target.getvalue()


def edited(data: bytes, change: Callable[[Workbook], None]) -> bytes:
    book = load_workbook(io.BytesIO(data))
    change(book)
    return saved(book)


# --- .xlsb, which nothing here can write ------------------------------------------------------------------------------


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length = len(body)
    size = bytearray()
    while True:
        size.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return head + bytes(size) + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


@dataclass(frozen=True)
class Padded:
    """A number under the format 00000."""

    number: float


def xlsb(rows: Rows, *, far: tuple[int, int] | None = None, macros: bool = False) -> bytes:
    """A workbook of records ([MS-XLSB]): text, numbers (padded ones too), and errors as an int code in a 1-tuple.

    With `macros` a sheet of macros stands before the other.
    """
    last = struct.pack("<4I", 0, len(rows), 0, max(map(len, rows)))
    sheet = bytearray(_record(129) + _record(148, last) + _record(145))
    for number, row in enumerate(rows):
        sheet += _row(number)
        for column, value in enumerate(row):
            if value is not None:
                sheet += _cell(column, value)
    if far is not None:
        sheet += _row(far[0]) + _cell(far[1], 1.0)
    sheet += _record(146) + _record(130)
    workbook = (
        _record(131)
        + _record(153, struct.pack("<II", 0, 0) + _wide(""))
        + _record(143)
        + (_record(156, struct.pack("<II", 0, 2) + _wide("rId3") + _wide("巨集")) if macros else b"")
        + _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("銷售"))
        + _record(144)
        + _record(132)
    )
    return nothing_but(
        {
            "[Content_Types].xml": _types("workbook", "worksheets/sheet1", "styles"),
            "_rels/.rels": _relations(officeDocument="xl/workbook.bin"),
            "xl/workbook.bin": workbook,
            "xl/styles.bin": _styles(),
            "xl/_rels/workbook.bin.rels": _relations(
                worksheet="worksheets/sheet1.bin",
                styles="styles.bin",
                **({"xlMacrosheet": "macrosheets/sheet1.bin"} if macros else {}),
            ),
            **({"xl/macrosheets/sheet1.bin": _record(129) + _record(145) + _record(146)} if macros else {}),
            "xl/worksheets/sheet1.bin": bytes(sheet),
        }
    )


_BINARY = {"workbook": "sheet.binary.macroEnabled.main", "worksheets/sheet1": "worksheet", "styles": "styles"}
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _types(*parts: str) -> bytes:
    """The content types of the parts; without them no other program opens the workbook."""
    known = "".join(
        f'<Override PartName="/xl/{part}.bin" ContentType="application/vnd.ms-excel.{_BINARY[part]}"/>'
        for part in parts
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<?xml version="1.0"?><Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>{known}</Types>'
    ).encode()


def _relations(**targets: str) -> bytes:
    known = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets.items(), start=1)
    )
    return f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}/relationships">{known}</Relationships>'.encode()


def _styles() -> bytes:
    """Style 0 is the usual one, 1 has the format 00000."""
    plain, padded = (struct.pack("<8H", 0, number, 0, 0, 0, 0, 0, 0) for number in (0, 164))
    return b"".join(
        (
            _record(278),
            _record(615, struct.pack("<I", 1)) + _record(44, struct.pack("<H", 164) + _wide("00000")) + _record(616),
            _record(626, struct.pack("<I", 1)) + _record(47, b"\xff\xff" + plain[2:]) + _record(627),
            _record(617, struct.pack("<I", 2)) + _record(47, plain) + _record(47, padded) + _record(618),
            _record(279),
        )
    )


def _row(number: int) -> bytes:
    return _record(0, struct.pack("<I", number) + bytes(13))


def _cell(column: int, value: Any) -> bytes:
    place = struct.pack("<II", column, isinstance(value, Padded))
    if isinstance(value, Padded):
        value = value.number
    if isinstance(value, tuple):
        return _record(3, place + bytes(value))
    if isinstance(value, str):
        return _record(6, place + _wide(value))
    return _record(5, place + struct.pack("<d", float(value)))
