"""Backups: the database and the stored files in one archive, and back into an empty server.

The database is dumped first, then the files are copied: a file that comes meanwhile is one too many, one that retention
deletes meanwhile is left out with its row's reference intact, as after any deletion. Rows of sessions and of replayed
answers are left out: they are credentials. Settings and keys are in no backup.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.models import IdempotencyRecord, LoginSession
from momo.core.errors import Conflict, Unavailable, ValidationFailed
from momo.system.services.archives import (
    DAMAGED,
    DUMP,
    FILES,
    Manifest,
    Report,
    add_member,
    chunks,
    read_manifest,
    verify,
    write_manifest,
)
from momo.system.services.programs import address, program, server_major, version_of

WITHOUT = [model._meta.db_table for model in (LoginSession, IdempotencyRecord)]
UNPACKED = ".restore"  # a folder of MEDIA_ROOT, on the same disk, until the database is in
PART = ".part"  # what a backup is called until it is complete


# --- Backup -----------------------------------------------------------------------------------------------------------


def backup(*, target: Path, report: Report = lambda name, size: None) -> Manifest:
    """Write an archive that only this account can read; `target` appears when it is complete.

    Raises Conflict if `target` exists, Unavailable where a program is missing or the disk is full.
    """
    if target.exists():
        raise Conflict(f"{target} 已經存在，不會覆寫；請換一個檔名")
    major = server_major()
    pg_dump = program("pg_dump", least=major)
    migrations: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        migrations.setdefault(app, []).append(name)
    made_at = timezone.now().isoformat(timespec="seconds")
    manifest = Manifest(made_at, major, version_of(pg_dump), migrations, WITHOUT)
    part = target.with_name(target.name + PART)
    try:
        with _new_file(part) as file, zipfile.ZipFile(file, "w") as archive:
            _add_database(archive, manifest, pg_dump, report)
            for path, name in _stored_files():
                with contextlib.suppress(FileNotFoundError), open(path, "rb") as source:
                    add_member(archive, manifest, name, source, report)
            write_manifest(archive, manifest)
        part.rename(target)
    except OSError as error:
        raise Unavailable(f"備份寫不進 {target}：{error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "r+b") as file:
        yield file
        file.flush()
        os.fsync(descriptor)


def _add_database(archive: zipfile.ZipFile, manifest: Manifest, pg_dump: Path, report: Report) -> None:
    arguments, environment = address()
    command = [str(pg_dump), *arguments, "--format=custom", "--no-owner", "--no-privileges"]
    command += [f"--exclude-table-data={table}" for table in WITHOUT]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said)
        try:
            assert process.stdout is not None
            add_member(archive, manifest, DUMP, process.stdout, report)
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        if code:
            raise Unavailable(f"pg_dump 沒有完成：{_last_line(said)}")


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "沒有說明原因"


def _stored_files() -> Iterator[tuple[Path, str]]:
    """Every file below MEDIA_ROOT, and its name in the archive; links are not followed."""
    root = Path(settings.MEDIA_ROOT)
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != UNPACKED)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path, FILES + path.relative_to(root).as_posix()


# --- Restore ----------------------------------------------------------------------------------------------------------


def restore(*, source: Path, report: Report = lambda name, size: None) -> list[str]:
    """Fill an empty database and an empty MEDIA_ROOT from an archive; all of it or nothing.

    Returns the migrations, as app.name, that this version of the program adds to the archive's. Raises ValidationFailed
    for an archive that is damaged or newer than the program or the server, Conflict where there are tables or files.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = read_manifest(archive)
            added = _compare_migrations(manifest)
            major = server_major()
            if manifest.postgresql > major:
                raise ValidationFailed(
                    f"備份來自 PostgreSQL {manifest.postgresql}，這裡是 {major}；請還原到一樣新的版本"
                )
            pg_restore = program("pg_restore", least=max(major, manifest.pg_dump))
            require_empty()
            verify(archive, manifest, report)
            _fill(archive, manifest, pg_restore, report)
    except (zipfile.BadZipFile, FileNotFoundError, IsADirectoryError) as error:
        raise ValidationFailed(f"{source}：{'找不到這個檔案' if not source.is_file() else DAMAGED}") from error
    except OSError as error:
        raise Unavailable(f"還原沒有完成，沒有任何變動：{error.strerror or error}") from error
    # What the cache remembers is of the database of before.
    redis: Any = cache
    redis.delete_pattern("*")
    return added


def _compare_migrations(manifest: Manifest) -> list[str]:
    known = set(MigrationLoader(None).disk_migrations)
    restored = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if newer := sorted(restored - known):
        names = "、".join(f"{app}.{name}" for app, name in newer[:3])
        raise ValidationFailed(f"備份來自較新的程式（這裡沒有 {names}）；請先更新程式再還原")
    return [f"{app}.{name}" for app, name in sorted(known - restored)]


def require_empty() -> None:
    """Raise Conflict if the database has tables or MEDIA_ROOT has files."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    if tables:
        raise Conflict(
            f"資料庫 {connection.settings_dict['NAME']} 已經有 {len(tables)} 個資料表，沒有還原；"
            "請建立一個新的資料庫，把 DATABASE_URL 指向它（先不要執行 migrate）"
        )
    if any(names for folder, _, names in os.walk(settings.MEDIA_ROOT) if UNPACKED not in Path(folder).parts):
        raise Conflict(f"MEDIA_ROOT（{settings.MEDIA_ROOT}）已經有檔案，沒有還原；請指定一個空的資料夾")


def _fill(archive: zipfile.ZipFile, manifest: Manifest, pg_restore: Path, report: Report) -> None:
    """Files first, into a folder of their own; they move to their places once the database is in.

    Limit: killed between the two, files are left in that folder, and the next restore refuses the full database.
    """
    root = Path(settings.MEDIA_ROOT)
    unpacked = root / UNPACKED
    shutil.rmtree(unpacked, ignore_errors=True)  # of a restore that was killed
    try:
        unpacked.mkdir(parents=True)
        for name in manifest.files:
            path = unpacked / name.removeprefix(FILES)
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as target:
                for chunk in chunks(archive, name):
                    target.write(chunk)
                    report(name, len(chunk))
        _fill_database(archive, pg_restore, report)
        for path in unpacked.iterdir():
            shutil.rmtree(root / path.name, ignore_errors=True)  # an empty folder of before
            path.rename(root / path.name)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _fill_database(archive: zipfile.ZipFile, pg_restore: Path, report: Report) -> None:
    arguments, environment = address()
    command = [str(pg_restore), *arguments, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                for chunk in chunks(archive, DUMP):
                    stdin.write(chunk)
                    report(DUMP, len(chunk))
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        if code:
            raise Unavailable(f"pg_restore 沒有完成，資料庫沒有變動：{_last_line(said)}")
