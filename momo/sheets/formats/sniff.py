"""Detects the format of a file by its content, since its name may be wrong."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import Path

from momo.sheets.errors import SheetError
from momo.sheets.formats import ods, xlsb, xlsx
from momo.sheets.formats.base import broken
from momo.sheets.formats.encodings import in_utf16


class Format(StrEnum):
    """The formats that can be read."""

    XLSX = "xlsx"  # also with macros
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    CSV = "csv"
    HTML = "html"
    XML = "xml"  # of Excel 2002 and 2003
    FODS = "fods"


WANTED = "請匯入 .xlsx、.xls、.xlsb、.ods 或 .csv 檔"
HEAD = 8192
END_OF_DIRECTORY = 22  # bytes of a zip file's last record, without a comment
_ZIP_END = b"PK\x05\x06"

# Others are known as binary files by their control characters.
_OTHERS = (
    (b"%PDF", "PDF 文件"),
    (b"\xff\xd8\xff", "JPEG 圖片"),
    (b"\x89PNG", "PNG 圖片"),
    (b"Rar!", "RAR 壓縮檔"),
    (b"7z\xbc\xaf\x27\x1c", "7z 壓縮檔"),
    (b"{\\rtf", "RTF 文件"),
    (b"MIME-Version:", "網頁封存檔（.mht）"),
    (b"\x09\x00\x04\x00", "Excel 95 以前的舊檔"),
    (b"\x09\x02\x06\x00", "Excel 95 以前的舊檔"),
    (b"\x09\x04\x06\x00", "Excel 95 以前的舊檔"),
)
_ZIPPED_OTHERS = (
    ("word/", "Word 文件"),
    ("ppt/", "PowerPoint 簡報"),
    ("Index/Document.iwa", "Apple Numbers 試算表"),
)
# A record of SYLK is a letter or two, and its fields after semicolons. A header of CSV may begin with ID; too.
_OLD = (
    (re.compile(rb"ID;[PNE][^\r\n]*[\r\n]+[A-Z]{1,3};[A-Z]"), "SYLK 檔（.slk）"),
    (re.compile(rb"TABLE\r?\n0,1\r?\n"), "DIF 檔（.dif）"),
)
# The name of the root element without prefix, after declarations and comments.
_ROOT = re.compile(
    rb"(?:<\?[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>\s*)*+<(?:[\w-]+:)?(\w+)[\s>]", re.DOTALL
)
_CONTROLS = bytes([*range(9), *range(14, 32)])
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


def sniff(path: Path, *, name: str) -> Format:
    """The format of the file at `path`. Raises SheetError, with the kind of file if it is known."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, file.seek(0, 2) - END_OF_DIRECTORY))
        tail = file.read()
    if not head.strip(b"\x00 \t\r\n"):
        raise SheetError(f"「{name}」是空的；請確認檔案內容後再匯入。")
    if head.startswith((b"PK\x03\x04", _ZIP_END)):
        return _zipped(path, name)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Format.XLS
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise _wrong(name, what)
    if b"PK\x01\x02" in head or _ZIP_END in tail:
        raise broken(name, "開頭遺失")
    return _text(head, name)


def _text(head: bytes, name: str) -> Format:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = head.replace(b"\x00", b"")[2:]
        return _xml(start) or (Format.HTML if _is_html(start) else Format.CSV)
    start = head.removeprefix(b"\xef\xbb\xbf")
    if kind := _xml(start):
        return kind
    if _is_html(start):
        return Format.HTML
    marked = start.lstrip()[:2000]
    if marked.startswith(b"<?xml"):
        raise _wrong(name, "XML 檔")
    for pattern, what in _OLD:
        if pattern.match(marked):
            raise SheetError(f"「{name}」是 {what}，無法讀取；請用 Excel 開啟後另存成 .xlsx 再匯入。")
    if marked.startswith((b"{", b"[{")):
        raise _wrong(name, "JSON 檔")
    controls = len(start) - len(start.translate(None, _CONTROLS))
    if controls * 20 > len(start) and not in_utf16(start):
        raise _wrong(name, "看不懂的二進位檔")
    return Format.CSV


def _xml(start: bytes) -> Format | None:
    """The kind of spreadsheet that an XML document is, by its root element; None if it is none."""
    root = _ROOT.match(start.lstrip())
    if root is None:
        return None
    if root[1] == b"Workbook" and b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return Format.XML
    return Format.FODS if root[1] == b"document" and ods.SPREADSHEET.encode() in start else None


def _is_html(start: bytes) -> bool:
    lowered = start.lstrip()[:HEAD].lower()
    if lowered.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<head", b"<body", b"<style", b"<div")):
        return True
    return lowered.startswith(b"<") and (b"<table" in lowered or b"<html" in lowered)


def _zipped(path: Path, name: str) -> Format:
    try:
        with zipfile.ZipFile(path) as zipped:
            parts = set(zipped.namelist())
            kind = ""
            if "mimetype" in parts and zipped.getinfo("mimetype").file_size < 200:
                kind = zipped.read("mimetype").decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise broken(name) from error
    if xlsx.WORKBOOK in parts:
        return Format.XLSX
    if xlsb.WORKBOOK in parts:
        return Format.XLSB
    if kind.startswith(f"{_OPEN_DOCUMENT}spreadsheet") or (not kind and ods.CONTENT in parts):
        return Format.ODS
    if kind.startswith(_OPEN_DOCUMENT):
        raise _wrong(name, "OpenDocument 文件")
    for part, what in _ZIPPED_OTHERS:
        if any(each.startswith(part) for each in parts):
            raise _wrong(name, what)
    raise SheetError(f"「{name}」是 ZIP 壓縮檔；請解壓縮後，{WANTED[1:]}。")


def _wrong(name: str, what: str) -> SheetError:
    return SheetError(f"「{name}」其實是{what}，不是試算表；{WANTED}。")
