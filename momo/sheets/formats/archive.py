"""Zip containers (.xlsx .xlsm .xlsb .ods): lists their parts and unpacks them within limits."""

from __future__ import annotations

import copy
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from lxml import etree

from momo.sheets.errors import SheetError
from momo.sheets.formats.base import MEBIBYTE, Limits, broken, protected, unparsed

# Sheets with repeated rows reach some 100:1; a zip bomb of zeros is over 1000:1.
MAX_RATIO = 250
RATIO_FROM = 16 * MEBIBYTE
MAX_DIRECTORY_PART = 16 * MEBIBYTE  # a list of sheets, relations or styles; parsed as a whole
CHUNK = MEBIBYTE
_UNICODE_PATH = 0x7075


class Archive:
    """A zip file whose parts are unpacked within `limits`, whatever sizes its directory claims."""

    def __init__(self, zipped: zipfile.ZipFile, name: str, limits: Limits) -> None:
        self.zipped = zipped
        self.name = name
        self.limits = limits
        self.parts: dict[str, zipfile.ZipInfo] = {}
        self.unpacked = 0
        self._sizes: dict[str, int] = {}  # of unpacked parts, so that each counts once
        for info in zipped.infolist():
            for found in {folded(info.orig_filename), folded(info.filename), *_second_names(info)}:
                # Of two parts with one name different readers read different ones.
                if found in self.parts:
                    raise broken(name, found[:60])
                self.parts[found] = info
        parts = zipped.infolist()
        if any(info.flag_bits & 1 for info in parts):
            raise protected(name)
        declared = sum(info.file_size for info in parts)
        if declared > limits.unpacked_bytes:
            raise self._too_large(declared)
        self._check_ratio(declared, sum(info.compress_size for info in parts))

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
        return folded(part) in self.parts

    def chunks(self, part: str) -> Iterator[bytes]:
        """The unpacked part in chunks; its size counts towards the limit."""
        # With a size that the directory understates, `zipfile` would stop early and hide the true size.
        part = folded(part)  # or `_sizes` would have it twice
        info = copy.copy(self.parts[part])
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

    def declared(self, part: str) -> int:
        """The bytes that the directory claims for an unpacked part."""
        return self.parts[folded(part)].file_size

    def size(self, part: str) -> int:
        """The bytes of a part as far as it was unpacked."""
        return self._sizes.get(folded(part), 0)

    def measure(self, part: str) -> None:
        """Unpack a part only to count its true size."""
        if part in self:
            for _ in self.chunks(part):
                pass

    def read(self, part: str) -> bytes:
        """The whole of a small part."""
        data = bytearray()
        for chunk in self.chunks(part):
            data += chunk
            if len(data) > MAX_DIRECTORY_PART:
                raise broken(self.name, part)
        return bytes(data)

    def xml(self, part: str) -> etree._Element:
        """A small part, parsed as UTF-8 whatever encoding it declares, as calamine does."""
        parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
        data = self.read(part)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise unparsed(error, self.name, part) from error
        if root.getroottree().docinfo.doctype:
            raise broken(self.name, "DOCTYPE")
        return root


def folded(part: str) -> str:
    """A part's name in the form in which calamine compares names."""
    return part.replace("\\", "/").lower()


def _second_names(info: zipfile.ZipInfo) -> Iterator[str]:
    """Names of a part in its extra fields (APPNOTE 4.6.9), which calamine prefers to the directory."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH:
            yield folded(extra[9 : 4 + length].decode("utf-8", "replace"))
        extra = extra[4 + length :]


def rewritten(archive: Archive, change: Mapping[str, Callable[[], Iterator[bytes]]]) -> BinaryIO:
    """A copy of the zip file in a temporary file; `change` gives the chunks of parts that differ, by folded name."""
    copy = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - the caller closes it
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for name in {folded(info.filename): None for info in archive.zipped.infolist() if not info.is_dir()}:
            with zipped.open(archive.parts[name].filename, "w", force_zip64=True) as part:
                for chunk in change[name]() if name in change else archive.chunks(name):
                    part.write(chunk)
    copy.seek(0)
    return copy


@contextmanager
def opened(path: Path, *, name: str, limits: Limits) -> Iterator[Archive]:
    """The zip file at `path`. Raises SheetError if it is damaged, encrypted or larger than `limits` when unpacked."""
    try:
        zipped = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise broken(name) from error
    with zipped:
        yield Archive(zipped, name, limits)


def relations(archive: Archive, part: str) -> dict[str, str]:
    """Relation id → name of the part that `part` of an Office file refers to, resolved as calamine does."""
    folder, _, leaf = part.rpartition("/")
    listing = f"{folder}/_rels/{leaf}.rels"
    if listing not in archive:
        return {}
    # calamine does not unescape names.
    if b"&" in archive.read(listing):
        raise broken(archive.name, listing)
    found: dict[str, str] = {}
    for relation in archive.xml(listing).iter("{*}Relationship"):
        key, target = relation.get("Id", ""), relation.get("Target", "")
        if key in found:
            raise broken(archive.name, listing)
        found[key] = target[1:] if target.startswith("/") else f"{folder}/{target}"
    return found
