"""Zip containers (.xlsx .xlsm .xlsb .ods): what they hold, and that unpacking them is safe."""

from __future__ import annotations

import copy
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


class Archive:
    """A zip file whose parts are unpacked no further than `limits` say, whatever its directory claims."""

    def __init__(self, zipped: zipfile.ZipFile, name: str, limits: Limits) -> None:
        self.zipped = zipped
        self.name = name
        self.limits = limits
        self.parts = {info.filename: info for info in zipped.infolist()}
        self.unpacked = 0
        self._check()

    def _check(self) -> None:
        if any(info.flag_bits & 1 for info in self.parts.values()):
            raise protected(self.name)
        declared = sum(info.file_size for info in self.parts.values())
        if declared > self.limits.unpacked_bytes:
            raise self._too_large(declared)
        packed = sum(info.compress_size for info in self.parts.values())
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
        return part in self.parts

    def chunks(self, part: str) -> Iterator[bytes]:
        """The part, unpacked a piece at a time; counts towards the limit."""
        # A directory that understates the size would end the reading early, and the true size stay unknown.
        info = copy.copy(self.parts[part])
        info.file_size = self.limits.unpacked_bytes + 1
        size = 0
        try:
            with self.zipped.open(info) as member:
                while chunk := member.read(CHUNK):
                    size += len(chunk)
                    self.unpacked += len(chunk)
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
        """A small part, parsed; entities are not resolved."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            return etree.fromstring(self.read(part), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise broken(self.name, part) from error


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
    """Relation id → part name, of the parts that a part of an Office file refers to."""
    folder, _, leaf = part.rpartition("/")
    listing = f"{folder}/_rels/{leaf}.rels"
    if listing not in archive:
        return {}
    found = {}
    for relation in archive.xml(listing):
        target = relation.get("Target", "")
        found[relation.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
    return found
