"""The file of a backup: a zip with the database as pg_dump writes it, the stored files, and a manifest about them.

    database.dump          pg_dump, custom format
    files/…                what lies below MEDIA_ROOT
    manifest.json          written last: versions, migrations, and size and SHA-256 of every other member

Members are stored, not packed: a dump and workbooks are packed already.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

from momo.core.errors import ValidationFailed

FORMAT = 1
DUMP, FILES, MANIFEST = "database.dump", "files/", "manifest.json"
CHUNK = 1024 * 1024
MANIFEST_MAX = 64 * 1024 * 1024  # bytes; a line of some 150 bytes for each file
DAMAGED = "這個備份檔損壞或不完整"

Report = Callable[[str, int], None]  # what is worked on, and how many bytes more of it are done


@dataclass(frozen=True)
class Member:
    """Size in bytes and SHA-256 of a member."""

    size: int
    sha256: str


@dataclass
class Manifest:
    """What a backup is of. `migrations` are names by app; `without` are tables whose rows are left out."""

    made_at: str
    postgresql: int
    pg_dump: int
    migrations: dict[str, list[str]]
    without: list[str]
    members: dict[str, Member] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def files(self) -> list[str]:
        """Members that are stored files."""
        return [name for name in self.members if name.startswith(FILES)]

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members.values())


def add_member(archive: zipfile.ZipFile, manifest: Manifest, name: str, source: IO[bytes], report: Report) -> None:
    """Copy a stream into the archive, and note its size and sum."""
    digest, size = hashlib.sha256(), 0
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            report(name, len(chunk))
    manifest.members[name] = Member(size, digest.hexdigest())


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Add the manifest, as the last member."""
    archive.writestr(MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1))


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """The manifest. Raises ValidationFailed for a file that is no backup, is damaged, or has a newer format."""
    try:
        if archive.getinfo(MANIFEST).file_size > MANIFEST_MAX:
            raise ValidationFailed(DAMAGED)
        given: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if given["format"] > FORMAT:
            raise ValidationFailed(f"這個備份檔的格式是 {given['format']}，比這個版本的程式新；請用較新的程式還原")
        members = {name: Member(**member) for name, member in given.pop("members").items()}
        manifest = Manifest(**given, members=members)
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise ValidationFailed(f"{DAMAGED}：讀不到清單（{MANIFEST}）") from error
    found = {name for name in archive.namelist() if name != MANIFEST}
    if found != set(manifest.members) or DUMP not in found or not all(map(_is_inside, manifest.files)):
        raise ValidationFailed(f"{DAMAGED}：內容與清單（{MANIFEST}）不符")
    return manifest


def _is_inside(name: str) -> bool:
    """Whether a member's path stays below the folder of files."""
    parts = PurePosixPath(name).parts
    return len(parts) > 1 and ".." not in parts and "\\" not in name and "\0" not in name


def verify(archive: zipfile.ZipFile, manifest: Manifest, report: Report) -> None:
    """Read every member and compare its sum. Raises ValidationFailed with the one that differs."""
    for name, member in manifest.members.items():
        digest, size = hashlib.sha256(), 0
        try:
            for chunk in chunks(archive, name):
                digest.update(chunk)
                size += len(chunk)
                report(name, len(chunk))
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise ValidationFailed(f"{DAMAGED}：{name}") from error
        if (size, digest.hexdigest()) != (member.size, member.sha256):
            raise ValidationFailed(f"{DAMAGED}：{name} 的內容與清單不符")


def chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A member's bytes."""
    with archive.open(name) as source:
        while chunk := source.read(CHUNK):
            yield chunk
