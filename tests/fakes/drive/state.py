"""The files of the stand-in for Google Drive, and what it answers."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from momo.local.http import Answer, HttpStandIn, Request, json_answer
from tests.fakes.drive.faults import Fault, Refusal, spoiled
from tests.kit.faults import FaultDice

SHEET = "application/vnd.google-apps.spreadsheet"
FOLDER = "application/vnd.google-apps.folder"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SCOPE = "https://www.googleapis.com/auth/drive.readonly"
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXPORT_LIMIT = 10 * 1024 * 1024
_GOOGLE_KINDS = "application/vnd.google-apps."
_QUERY = re.compile(r"'((?:[^'\\]|\\.)*)' in parents and trashed ?= ?false")
_FIELDS = re.compile(r"(?:(nextPageToken),)?files\(([A-Za-z0-9,]+)\)")
_DEFAULT_FIELDS = ("id", "name", "mimeType")


@functools.cache
def account_key(number: int = 0) -> rsa.RSAPrivateKey:
    """A key made once for the whole run of tests; another `number`, another key."""
    # Each stand-in writes another address into its key file, which is read anew: 40 ms with 2048 bits.
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


@dataclass
class Entry:
    """A file. `folder` is where it lies; `shared_drive` files are only seen by who asks for all drives."""

    id: str
    name: str
    content: bytes
    mime_type: str
    modified: datetime
    folder: str
    trashed: bool = False
    shared_drive: bool = False
    hashed: bool = True

    def fields(self) -> dict[str, Any]:
        """All fields of the file that the API has."""
        found = {
            "kind": "drive#file",
            "id": self.id,
            "name": self.name,
            "mimeType": self.mime_type,
            "modifiedTime": self.modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "trashed": self.trashed,
        }
        if not self.mime_type.startswith(_GOOGLE_KINDS):
            found["size"] = str(len(self.content))
            if self.hashed:
                found["md5Checksum"] = hashlib.md5(self.content).hexdigest()
        return found


@dataclass(frozen=True)
class Asked:
    """A request, and which operation on which file it asks for."""

    request: Request
    operation: str
    file: str

    @property
    def at(self) -> float:
        """When it came, in monotonic seconds."""
        return self.request.at

    @property
    def params(self) -> dict[str, str]:
        """The parameters of its query."""
        return self.request.params

    @property
    def headers(self) -> dict[str, str]:
        """Its headers, names in lower case."""
        return self.request.headers


class Drive(HttpStandIn):
    """A Google Drive with files that a test sets."""

    email = "momo-import@stand-in.iam.gserviceaccount.com"

    def __init__(self, folder: str = "0AFolder-of_reports") -> None:
        super().__init__()
        self.folder = folder
        self.shared = {folder}
        self.files: dict[str, Entry] = {}
        self.log: list[Asked] = []
        self.dice: FaultDice[Fault] = FaultDice()
        self.faults = self.dice.rules
        self.token_seconds = 3600
        self._key = account_key()
        self._tokens: dict[str, float] = {}
        self._pages: dict[str, tuple[str, int]] = {}
        self._clock = datetime(2026, 11, 1, 8, 30, 15, 123_000, tzinfo=UTC)

    # What a test sets.

    def add(self, name: str, content: bytes = b"", *, mime_type: str = XLSX, **more: Any) -> Entry:
        """Put a file into the folder; each is a minute younger than the last."""
        with self.lock:
            self._clock += timedelta(minutes=1)
            entry = Entry(
                id=more.pop("id", None) or f"1{secrets.token_urlsafe(24)}",
                name=name,
                content=content,
                mime_type=mime_type,
                modified=more.pop("modified", self._clock),
                folder=more.pop("folder", self.folder),
                **more,
            )
            self.files[entry.id] = entry
            return entry

    def change(self, entry: Entry, content: bytes) -> None:
        """Save another content over a file."""
        with self.lock:
            self._clock += timedelta(minutes=1)
            entry.content, entry.modified = content, self._clock

    def remove(self, entry: Entry) -> None:
        """Delete a file for good."""
        with self.lock:
            del self.files[entry.id]

    def fail(self, operation: str, kind: str, *, times: int | None = 1, **how: Any) -> None:
        """Order a fault; see Fault."""
        self.faults.append(Fault(operation, kind, times=times, **how))

    def asked(self, operation: str = "") -> list[Asked]:
        """The requests so far, or those of one operation."""
        with self.lock:
            return [each for each in self.log if operation in ("", each.operation)]

    def replace_key(self) -> None:
        """The account has another key from now on; that of the file is no good any more."""
        with self.lock:
            self._key = account_key(1)

    def expire_tokens(self) -> None:
        """No token that was given out is good any more."""
        with self.lock:
            self._tokens.clear()

    def key_info(self, **more: Any) -> dict[str, Any]:
        """What the key file holds that Google gives to administrators."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "stand-in",
            "private_key_id": "0123456789abcdef",
            "private_key": private.decode(),
            "client_email": self.email,
            "client_id": "1",
            "token_uri": f"{self.url}/token",
            **more,
        }

    def write_key(self, folder: Path, **more: Any) -> Path:
        """Write the key file."""
        path = folder / "service-account.json"
        path.write_text(json.dumps(self.key_info(**more)), encoding="utf-8")
        return path

    def settings(self, folder: Path, **more: Any) -> dict[str, Any]:
        """The settings that use this stand-in, with short waits; the key is written into `folder`."""
        return {
            "GOOGLE_SERVICE_ACCOUNT_FILE": str(self.write_key(folder)),
            "GOOGLE_DRIVE_URL": self.url,
            "GOOGLE_DRIVE_FOLDER_ID": self.folder,
            "GOOGLE_DRIVE_TIMEOUT": 5.0,
            "GOOGLE_DRIVE_RETRIES": 3,
            "GOOGLE_DRIVE_BACKOFF": 0.01,
            **more,
        }

    def use(self, settings: Any, folder: Path, **more: Any) -> None:
        """Have pytest-django's `settings` use this stand-in; the key is written into `folder`."""
        for name, value in self.settings(folder, **more).items():
            setattr(settings, name, value)

    # What Google does.

    def respond(self, request: Request) -> Answer:
        """Answer a request, as the first fault that strikes it says."""
        asked = Asked(request, *_operation(request))
        with self.lock:
            self.log.append(asked)
        fault = self.dice.pick(lambda each: each.fits(asked.operation, asked.file))
        try:
            answer = self._answer(asked)
        except Refusal as refusal:
            answer = refusal.answer()
        return answer if fault is None else spoiled(fault, answer)

    def _answer(self, asked: Asked) -> Answer:
        with self.lock:
            if asked.operation == "token":
                return self._token(asked.request.form)
            self._authorize(asked)
            doing: Callable[[Asked], Answer] | None = {
                "list": self._list,
                "get": self._get,
                "media": self._media,
                "export": self._export,
            }.get(asked.operation)
            if doing is None:
                raise Refusal(404, "notFound", "Not Found")
            return doing(asked)

    def _token(self, form: dict[str, str]) -> Answer:
        try:
            if form["grant_type"] != GRANT:
                raise ValueError("grant_type")
            signed, _, signature = form["assertion"].rpartition(".")
            self._key.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            head, claims = (json.loads(_decoded(part)) for part in signed.split("."))
            now = time.time()
            good = (
                head["alg"] == "RS256"
                and claims["iss"] == self.email
                and claims["aud"] == AUDIENCE
                and claims["scope"] == SCOPE
                and claims["iat"] <= now + 60 < claims["exp"] + 60
                and claims["exp"] - claims["iat"] <= 3600
            )
        except (InvalidSignature, ValueError, KeyError):
            good = False
        if not good:
            return json_answer({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        token = f"ya29.{secrets.token_urlsafe(40)}"
        self._tokens[token] = now + self.token_seconds
        return json_answer({"access_token": token, "expires_in": self.token_seconds - 1, "token_type": "Bearer"})

    def _authorize(self, asked: Asked) -> None:
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or self._tokens.get(token, 0) < time.time():
            raise Refusal(401, "authError", "Invalid Credentials")

    def _list(self, asked: Asked) -> Answer:
        params = asked.params
        query = _QUERY.fullmatch(params.get("q", ""))
        size = params.get("pageSize", "100")
        if not query or not size.isdecimal() or not 1 <= int(size) <= 1000:
            raise Refusal(400, "invalid", "Invalid Value")
        folder = re.sub(r"\\(.)", r"\1", query[1])
        if folder not in self.shared:
            raise Refusal(404, "notFound", "File not found: .")
        offset = 0
        if token := params.get("pageToken"):
            if token not in self._pages or self._pages[token][0] != folder:
                raise Refusal(400, "invalid", "Invalid Value")
            offset = self._pages[token][1]
        every_drive = params.get("supportsAllDrives") == params.get("includeItemsFromAllDrives") == "true"
        found = [
            each
            for each in self.files.values()
            if each.folder == folder and not each.trashed and (every_drive or not each.shared_drive)
        ]
        if params.get("orderBy") == "modifiedTime desc":
            found.sort(key=lambda each: each.modified, reverse=True)
        end = offset + int(size)
        fields = _FIELDS.fullmatch(params.get("fields", ""))
        if "fields" in params and not fields:
            raise Refusal(400, "invalidParameter", f"Invalid field selection {params['fields']}")
        names = fields[2].split(",") if fields else _DEFAULT_FIELDS
        answer: dict[str, Any] = {"files": [_only(each.fields(), names) for each in found[offset:end]]}
        if end < len(found) and (fields is None or fields[1]):
            following = f"~!!~{secrets.token_urlsafe(30)}"
            self._pages[following] = (folder, end)
            answer["nextPageToken"] = following
        return json_answer(answer)

    def _file(self, asked: Asked) -> Entry:
        entry = self.files.get(asked.file)
        if (
            entry is None
            or entry.folder not in self.shared
            or (entry.shared_drive and asked.operation != "export" and asked.params.get("supportsAllDrives") != "true")
        ):
            raise Refusal(404, "notFound", f"File not found: {asked.file}.")
        return entry

    def _get(self, asked: Asked) -> Answer:
        names = asked.params["fields"].split(",") if "fields" in asked.params else ("kind", *_DEFAULT_FIELDS)
        return json_answer(_only(self._file(asked).fields(), names))

    def _media(self, asked: Asked) -> Answer:
        entry = self._file(asked)
        if entry.mime_type.startswith(_GOOGLE_KINDS):
            message = "Only files with binary content can be downloaded. Use Export with Docs Editors files."
            raise Refusal(403, "fileNotDownloadable", message)
        return Answer(entry.content, headers={"Content-Type": entry.mime_type})

    def _export(self, asked: Asked) -> Answer:
        entry = self._file(asked)
        if entry.mime_type != SHEET or asked.params.get("mimeType") != XLSX:
            raise Refusal(403, "fileNotExportable", "Export only supports Docs Editors files.")
        if len(entry.content) > EXPORT_LIMIT:
            raise Refusal(403, "exportSizeLimitExceeded", "This file is too large to be exported.")
        return Answer(entry.content, headers={"Content-Type": XLSX})


def _operation(request: Request) -> tuple[str, str]:
    """The operation and its file; empty for what the API does not have."""
    if request.method == "POST":
        return ("token", "") if request.path == "/token" else ("", "")
    match request.parts:
        case ["drive", "v3", "files"]:
            return "list", ""
        case ["drive", "v3", "files", file]:
            return ("media" if request.params.get("alt") == "media" else "get"), file
        case ["drive", "v3", "files", file, "export"]:
            return "export", file
    return "", ""


def _only(fields: dict[str, Any], names: Any) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
