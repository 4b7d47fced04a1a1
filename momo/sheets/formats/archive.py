"""Zip containers (.xlsx .xlsm .xlsb .ods): what they hold, and that unpacking them is safe."""

from __future__ import annotations

import copy
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from momo.sheets.errors import SheetError
from momo.sheets.formats.base import MEBIBYTE, Limits, broken, protected

# Sheets of repeated rows reach some 100:1; what a few kilobytes of zeros unpack to is over 1000:1.
MAX_RATIO = 250
RATIO_FROM = 16 * MEBIBYTE
MAX_DIRECTORY_PART = 16 * MEBIBYTE  # the list of sheets and the like, parsed whole
END_OF_DIRECTORY = 22  # bytes of a zip file's last record, without a comment
CHUNK = MEBIBYTE
_UNICODE_PATH = 0x7075


class Archive:
    """A zip file whose parts are unpacked no further than `limits` say, whatever its directory claims."""

    def __init__(self, zipped: zipfile.ZipFile, name: str, limits: Limits) -> None:
        self.zipped = zipped
        self.name = name
        self.limits = limits
        self.parts: dict[str, zipfile.ZipInfo] = {}
        self.unpacked = 0
        self._sizes: dict[str, int] = {}  # of what was unpacked, so that twice is not counted twice
        for info in zipped.infolist():
            for found in {_folded(info.orig_filename), _folded(info.filename), *_second_names(info)}:
                # Which of two parts of one name is read, each reader answers in its own way.
                if found in self.parts:
                    raise broken(name, found[:60])
                self.parts[found] = info
        self._check()

    def _check(self) -> None:
        parts = self.zipped.infolist()
        if any(info.flag_bits & 1 for info in parts):
            raise protected(self.name)
        declared = sum(info.file_size for info in parts)
        if declared > self.limits.unpacked_bytes:
            raise self._too_large(declared)
        packed = sum(info.compress_size for info in parts)
        self._check_ratio(declared, packed)

    def _check_ratio(self, unpacked: int, packed: int) -> None:
        if unpacked > RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1):
            raise SheetError(
                f"「{self.name}」的壓縮比高達 {unpacked // max(packed, 1):,} 倍，疑似壓縮炸彈，已拒絕讀取；"
                "請用 Excel 開啟後另存新檔再匯入。"
            )

    def _too_large(self, size: int) -> SheetError:
        return SheetError(
            f"「{self.name}」解壓縮後超過 {self.limits.unpacked_bytes // MEBIBYTE:,} MB（{size // MEBIBYTE:,} MB），"
            "無法匯入；請只留需要的工作表和欄位，或把資料分成幾個檔案。"
        )

    def __contains__(self, part: str) -> bool:
        return _folded(part) in self.parts

    def chunks(self, part: str) -> Iterator[bytes]:
        """The part, unpacked a piece at a time; counts towards the limit."""
        # A directory that understates the size would end the reading early, and the true size stay unknown.
        info = copy.copy(self.parts[_folded(part)])
        info.file_size = self.limits.unpacked_bytes + 1
        size = 0
        try:
            with self.zipped.open(info) as member:
                while chunk := member.read(CHUNK):
                    size += len(chunk)
                    known = self._sizes.get(part, 0)
                    if size > known:
                        self.unpacked += size - known
                        self._sizes[part] = size
                    self._check_ratio(size, info.compress_size)
                    if self.unpacked > self.limits.unpacked_bytes:
                        raise self._too_large(self.unpacked)
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise broken(self.name) from error

    def measure(self, part: str) -> None:
        """Unpack a part for nothing but its true size."""
        if part in self:
            for _ in self.chunks(part):
                pass

    def read(self, part: str) -> bytes:
        """A small part, whole."""
        data = bytearray()
        for chunk in self.chunks(part):
            data += chunk
            if len(data) > MAX_DIRECTORY_PART:
                raise broken(self.name, part)
        return bytes(data)

    def xml(self, part: str) -> etree._Element:
        """A small part, parsed as UTF-8, whatever it says: calamine looks for tags in the bytes as they are."""
        parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
        data = self.read(part)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise broken(self.name, part) from error
        if root.getroottree().docinfo.doctype:
            raise broken(self.name, "DOCTYPE")
        return root


def _folded(part: str) -> str:
    """A part's name as calamine compares it."""
    return part.replace("\\", "/").lower()


def _second_names(info: zipfile.ZipInfo) -> Iterator[str]:
    """Names of a part in its extra fields (APPNOTE 4.6.9), which calamine believes rather than the directory."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH:
            yield _folded(extra[9 : 4 + length].decode("utf-8", "replace"))
        extra = extra[4 + length :]


@contextmanager
def opened(path: Path, *, name: str, limits: Limits) -> Iterator[Archive]:
    """The zip file at `path`; raises SheetError when it is broken, encrypted or would unpack to too much."""
    try:
        zipped = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise broken(name) from error
    with zipped:
        yield Archive(zipped, name, limits)


def relations(archive: Archive, part: str) -> dict[str, str]:
    """Relation id → part name, of the parts that a part of an Office file refers to; names as calamine makes them."""
    folder, _, leaf = part.rpartition("/")
    listing = f"{folder}/_rels/{leaf}.rels"
    if listing not in archive:
        return {}
    # To calamine what is escaped is part of the name.
    if b"&" in archive.read(listing):
        raise broken(archive.name, listing)
    found: dict[str, str] = {}
    for relation in archive.xml(listing).iter("{*}Relationship"):
        key, target = relation.get("Id", ""), relation.get("Target", "")
        if key in found:
            raise broken(archive.name, listing)
        found[key] = target[1:] if target.startswith("/") else f"{folder}/{target}"
    return found
