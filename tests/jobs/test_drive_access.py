"""Who may be asked with which key: settings and key files, and that nothing goes to any other host."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from momo.core.errors import Unavailable
from momo.jobs.drive import DriveClient, DriveError
from momo.rest.errors import status_of
from tests.fakes.drive import Drive

# A hook can never be removed, so there is one, and it writes where a test listens.
_listeners: list[list[Any]] = []


def _hook(event: str, arguments: Any) -> None:
    if _listeners and event in ("socket.connect", "socket.getaddrinfo"):
        address = arguments[1] if event == "socket.connect" else arguments[:2]
        for listener in _listeners:
            listener.append(tuple(address) if isinstance(address, tuple) else address)


sys.addaudithook(_hook)


@pytest.fixture
def contacted() -> Iterator[list[Any]]:
    """Every address that this process looks up or connects to meanwhile."""
    found: list[Any] = []
    _listeners.append(found)
    yield found
    _listeners.remove(found)


@pytest.fixture
def drive(settings: Any, tmp_path: Path) -> Iterator[Drive]:
    with Drive() as drive:
        drive.use(settings, tmp_path)
        yield drive


@pytest.fixture
def other() -> Iterator[Drive]:
    """Another server, which should receive no request."""
    with Drive() as other:
        yield other


def port(drive: Drive) -> int:
    return int(drive.url.rsplit(":", 1)[1])


def everything() -> None:
    """One of each request."""
    with DriveClient.from_settings() as client:
        for file in client.all_files():
            client.download(client.get(file.id), io.BytesIO())


def test_only_the_hosts_of_the_settings_are_contacted(
    drive: Drive, other: Drive, contacted: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # With it google-auth asks another service of Google, in a thread, about the account.
    monkeypatch.setenv("GOOGLE_SDK_EXPERIMENTAL_PYTHON_REGIONAL_ACCESS_BOUNDARY_LOOKUP_ENABLED", "true")
    drive.add("日報.xlsx", b"x" * 1000, hashed=False)
    everything()
    for thread in threading.enumerate():
        if "Boundary" in type(thread).__name__:
            thread.join(30)
    assert {address for address in contacted if isinstance(address, tuple)} == {("127.0.0.1", port(drive))}
    assert [asked.operation for asked in drive.asked()] == ["token", "list", "get", "media"]

    contacted.clear()
    other._tokens = drive._tokens  # the endpoint of another host gives tokens that are good here
    drive.write_key(tmp_path, token_uri=f"{other.url}/token")
    everything()
    assert set(contacted) == {("127.0.0.1", port(drive)), ("127.0.0.1", port(other))}
    assert [asked.operation for asked in other.asked()] == ["token"]


@pytest.mark.parametrize("operation", ["list", "get", "media", "token"])
def test_a_redirect_is_not_followed(operation: str, drive: Drive, other: Drive) -> None:
    drive.add("日報.xlsx", b"x")
    drive.fail(operation, "redirect", times=None, location=f"{other.url}/token")
    with pytest.raises(DriveError):
        everything()
    assert not other.asked()
    assert len(drive.asked(operation)) == 1


def test_a_token_goes_to_no_host_whose_name_only_begins_so(drive: Drive, other: Drive) -> None:
    with DriveClient.from_settings() as client:
        session = client._transport._session
        for url in (f"{drive.url}@localhost:{port(other)}/x", f"http://localhost:{port(other)}/", "http://127.0.0.1/"):
            with pytest.raises(OSError, match="No connection adapters"):
                session.get(url)
    assert not other.asked()


def test_a_login_in_netrc_does_not_replace_the_token(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    drive.add("日報.xlsx", b"x")
    everything()
    assert all(asked.headers["authorization"].startswith("Bearer ya29.") for asked in drive.asked("list"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("GOOGLE_SERVICE_ACCOUNT_FILE", ""),
        ("GOOGLE_SERVICE_ACCOUNT_FILE", "/nowhere/key.json"),
        ("GOOGLE_SERVICE_ACCOUNT_FILE", "/"),
        ("GOOGLE_SERVICE_ACCOUNT_FILE", "a\0b"),
        ("GOOGLE_DRIVE_FOLDER_ID", ""),
        ("GOOGLE_DRIVE_URL", ""),
        ("GOOGLE_DRIVE_URL", "www.googleapis.com"),
        ("GOOGLE_DRIVE_URL", "ftp://www.googleapis.com"),
        ("GOOGLE_DRIVE_URL", "http://[::1"),
        ("GOOGLE_DRIVE_URL", "http://host:99999"),
    ],
)
def test_a_setting_that_is_missing_or_broken(setting: str, value: str, drive: Drive, settings: Any) -> None:
    setattr(settings, setting, value)
    with pytest.raises(Unavailable, match=f"Google 雲端硬碟目前無法使用.*管理員.*{setting}") as caught:
        DriveClient.from_settings()
    assert status_of(caught.value) == 503
    assert not drive.asked()


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "authorized_user"},
        {"type": None},
        {"private_key": None},
        {"private_key": "secret that is no key"},
        {"private_key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"},
        {"private_key": 5},
        {"client_email": None},
        {"client_email": 5},
        {"token_uri": None},
        {"token_uri": 5},
        {"token_uri": "token"},
        {"token_uri": "file:///etc/passwd"},
        {"filler": "x" * 70_000},
    ],
)
def test_a_key_file_that_is_none(broken: dict[str, Any], drive: Drive, tmp_path: Path) -> None:
    info = drive.key_info(**broken)
    for text in (json.dumps(info), json.dumps({name: each for name, each in info.items() if each is not None})):
        (tmp_path / "service-account.json").write_text(text)
        with pytest.raises(Unavailable, match="GOOGLE_SERVICE_ACCOUNT_FILE，它不是服務帳戶的 JSON 金鑰檔") as caught:
            DriveClient.from_settings()
        assert "secret" not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"5", b'"x"', b"\xff\xfe", b"[" * 60_000, b"\0" * 100])
def test_a_key_file_that_is_something_else(text: bytes, drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "service-account.json").write_bytes(text)
    with pytest.raises(Unavailable, match="它不是服務帳戶的 JSON 金鑰檔"):
        DriveClient.from_settings()


def test_a_key_file_that_may_not_be_read(drive: Drive, tmp_path: Path, settings: Any) -> None:
    settings.GOOGLE_SERVICE_ACCOUNT_FILE = str(tmp_path / "loop")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(Unavailable, match="金鑰檔讀不到"):
        DriveClient.from_settings()


def test_another_key_is_not_let_in(drive: Drive) -> None:
    """The stand-in checks signatures; else the tests above would show nothing."""
    with DriveClient.from_settings() as client:
        drive.replace_key()
        with pytest.raises(DriveError, match="不接受服務帳戶"):
            client.list_files()


def test_connections_are_kept_and_closed(drive: Drive, contacted: list[Any]) -> None:
    began = time.monotonic()
    with DriveClient.from_settings() as client:
        for _ in range(10):
            client.list_files()
    connections = [address for address in contacted if address == ("127.0.0.1", port(drive))]
    # One for tokens, one for files; each is seen twice: looked up and connected.
    assert len(connections) == 4
    assert time.monotonic() - began < 10
