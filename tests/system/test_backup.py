"""Backups: an empty server gets all rows and files back; what is damaged, newer or not empty is refused."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from accounts.models import LoginSession, User
from momo.core.errors import Conflict, Unavailable, ValidationFailed
from momo.local.services import LocalServices
from momo.system.services import backup as module
from momo.system.services.archives import DUMP, MANIFEST
from momo.system.services.backup import backup, restore
from momo.system.services.programs import program, server_major
from tests.kit.forks import fork
from tests.kit.users import person

SERVER = os.environ["DATABASE_URL"].rpartition("/")[0]
pytestmark = pytest.mark.django_db


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def archive(media: Path, tmp_path: Path) -> Path:
    """A backup of one user, logged in, and two files."""
    user = person("amy")
    LoginSession.objects.create(session_key="k" * 32, session_data="geheim", expire_date="2099-01-01T00:00Z", user=user)
    for name in ("imports/2026/日報.xlsx", "vendors/a.pdf"):
        default_storage.save(name, ContentFile(name.encode() * 1000))
    target = tmp_path / "backup.zip"
    backup(target=target)
    return target


@pytest.fixture
def empty_database() -> Iterator[str]:
    """Address of a database without tables on the server of the tests."""
    name = f"restored_{os.getpid()}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{SERVER}/{name}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run(tmp_path: Path, *command: str, **environment: str) -> tuple[int, str]:
    """A command of manage.py as a process: exit status and what it printed."""
    log = tmp_path / "manage.log"
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MOMO_LOCAL_DIR")}
    return fork(["manage.py", *command], environment=inherited | environment, log=log).wait(120), log.read_text()


def rows(address: str) -> dict[str, int]:
    """How many rows each table has."""
    with psycopg.connect(address) as database:
        tables = database.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").fetchall()
        counts = {}
        for (table,) in tables:
            found = database.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            counts[table] = found[0] if found else 0
        return counts


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.django_db(transaction=True)
def test_all_rows_and_files_come_back_without_sessions(
    archive: Path, media: Path, empty_database: str, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    code, said = run(
        tmp_path,
        "restore",
        str(archive),
        DATABASE_URL=empty_database,
        MEDIA_ROOT=str(target),
        MOMO_LOCAL_DIR=str(tmp_path),
    )

    assert code == 0, said
    before = rows(f"{SERVER}/{connection.settings_dict['NAME']}")
    assert rows(empty_database) == before | {"accounts_loginsession": 0}
    assert files(target) == files(media)
    assert archive.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(archive) as opened:
        content = b"".join(opened.read(name) for name in (MANIFEST, DUMP))
    assert settings.SECRET_KEY.encode() not in content
    # A second time: the database is not empty any more.
    code, said = run(
        tmp_path,
        "restore",
        str(archive),
        DATABASE_URL=empty_database,
        MEDIA_ROOT=str(tmp_path / "b"),
        MOMO_LOCAL_DIR=str(tmp_path),
    )
    assert code == 1
    assert "已經有" in said


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_an_embedded_server_that_has_never_run_is_filled(archive: Path, tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    code, said = run(tmp_path, "restore", str(archive), MOMO_LOCAL_DIR=str(home), MOMO_ENV="local", DEMO="0")
    assert code == 0, said
    assert "已還原" in said
    services = LocalServices(home, cache=False)
    addresses, created = services.acquire()
    try:
        assert not created
        assert rows(addresses.database_url)["accounts_user"] == User.objects.count() > 0
    finally:
        services.delete()


def test_nothing_is_overwritten(archive: Path, tmp_path: Path, media: Path) -> None:
    content = archive.read_bytes()
    with pytest.raises(CommandError, match="已經存在"):
        call_command("backup", str(archive))
    with pytest.raises(Conflict, match=r"已經有 \d+ 個資料表"):
        restore(source=archive)
    assert archive.read_bytes() == content


def test_files_that_are_there_are_refused(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda cursor: [])
    with pytest.raises(Conflict, match="MEDIA_ROOT"):
        restore(source=archive)


def rewritten(archive: Path, change: Callable[[dict[str, Any]], object], *more: str) -> Path:
    """The archive with another manifest and more members."""
    target = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name != MANIFEST:
                new.writestr(name, old.read(name))
        for name in more:
            new.writestr(name, b"x")
        manifest = json.loads(old.read(MANIFEST))
        change(manifest)
        new.writestr(MANIFEST, json.dumps(manifest))
    return target


def flipped(archive: Path) -> Path:
    """The archive with one bit of the dump changed."""
    content = bytearray(archive.read_bytes())
    content[2000] ^= 1
    target = archive.with_name("flipped.zip")
    target.write_bytes(content)
    return target


def test_what_is_damaged_newer_or_no_backup_is_refused_with_its_reason(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "require_empty", lambda: None)
    monkeypatch.setattr(module, "_fill", lambda *given: pytest.fail("it would be restored"))
    cut = tmp_path / "cut.zip"
    cut.write_bytes(archive.read_bytes()[:-500])
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as opened:
        opened.writestr("a.txt", "a")
    outside = {"size": 1, "sha256": "0" * 64}
    refused = {
        cut: "損壞或不完整",
        flipped(archive): DUMP,
        other: "讀不到清單",
        tmp_path / "missing.zip": "找不到這個檔案",
        tmp_path: "找不到這個檔案",
    }
    for path, reason in refused.items():
        with pytest.raises(ValidationFailed, match=reason):
            restore(source=path)
    changes: list[tuple[Callable[[dict[str, Any]], object], tuple[str, ...], str]] = [
        (lambda found: found.update(format=2), (), "請用較新的程式還原"),
        (lambda found: found.update(postgresql=server_major() + 1), (), "還原到一樣新的版本"),
        (lambda found: found["migrations"]["sales"].append("0999_future"), (), "sales.0999_future"),
        (lambda found: found["members"].update({"files/../../x": outside}), ("files/../../x",), "內容與清單"),
        (lambda found: found["members"].pop("files/vendors/a.pdf"), (), "內容與清單"),
        (lambda found: found["members"]["files/vendors/a.pdf"].update(size=1), (), "files/vendors/a.pdf"),
    ]
    for change, more, reason in changes:
        with pytest.raises(ValidationFailed, match=reason):
            restore(source=rewritten(archive, change, *more))


def test_an_interrupted_backup_leaves_no_file(media: Path, tmp_path: Path) -> None:
    person("amy")
    target = tmp_path / "new" / "backup.zip"
    with pytest.raises(Unavailable, match="寫不進"):
        backup(target=target)
    target.parent.mkdir()

    def interrupt(name: str, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(target=target, report=interrupt)
    assert list(target.parent.iterdir()) == []


def test_a_program_too_old_for_the_server_is_not_used() -> None:
    assert program("pg_dump", least=server_major()).name == "pg_dump"
    with pytest.raises(Unavailable, match="postgresql-client-99"):
        program("pg_dump", least=99)
