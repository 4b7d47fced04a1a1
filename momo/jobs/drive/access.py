"""The service account's key, and sessions that reach one host each."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import DEFAULT_RETRYABLE_STATUS_CODES
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials
from requests.adapters import HTTPAdapter

from momo.core.errors import Unavailable
from momo.jobs.drive.errors import SERVICE, busy

SCOPE = "https://www.googleapis.com/auth/drive.readonly"
_SETTING = "GOOGLE_SERVICE_ACCOUNT_FILE"
_KEY_BYTES = 64 * 1024

_Session = TypeVar("_Session", bound=requests.Session)


class _TokenRequest(Request):
    """google-auth's request to its token endpoint, with the transport's back-off instead of a fixed one."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        response = super().__call__(*args, **kwargs, allow_redirects=False)  # type: ignore[no-untyped-call]
        if response.status in DEFAULT_RETRYABLE_STATUS_CODES:
            raise busy(int(response.status), response.headers.get("Retry-After"))
        return response


def open_sessions(credentials: Credentials, *, url: str, token_uri: str) -> tuple[AuthorizedSession, requests.Session]:
    """Return the session for `url`, and the one through which it gets its tokens; both are to be closed."""
    tokens = _bound_to(requests.Session(), token_uri)
    # One answer of 401 may be about a token that has just expired; a second is not.
    session = AuthorizedSession(credentials, max_refresh_attempts=1, auth_request=_TokenRequest(session=tokens))
    return _bound_to(session, url), tokens


def _bound_to(session: _Session, url: str) -> _Session:
    """A session that can reach the host of `url` and no other: requests refuses what no adapter is mounted for."""
    parts = urlsplit(url)
    session.adapters.clear()
    session.mount(f"{parts.scheme}://{parts.netloc}/", HTTPAdapter())
    # Without `auth` a session replaces the token by a login from ~/.netrc.
    session.auth = _as_it_is
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def read_key(path: str) -> tuple[Credentials, str]:
    """Return the service account and its token endpoint. Raises Unavailable, without the content of the file."""
    if not path:
        raise Unavailable(SERVICE, f"請管理員設定 {_SETTING}（服務帳戶的 JSON 金鑰檔）")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_KEY_BYTES + 1)
    except (OSError, ValueError) as error:
        raise Unavailable(SERVICE, f"請管理員檢查 {_SETTING}，金鑰檔讀不到（{type(error).__name__}）") from None
    try:
        if len(content) > _KEY_BYTES:
            raise ValueError
        credentials, token_uri = _parse_key(content)
    # Among them cryptography's errors for an invalid key. The causes may quote the file, so they are not chained.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, GoogleAuthError, UnsupportedAlgorithm):
        raise Unavailable(SERVICE, f"請管理員檢查 {_SETTING}，它不是服務帳戶的 JSON 金鑰檔") from None
    return credentials.with_scopes([SCOPE]), token_uri


@lru_cache(maxsize=1)
def _parse_key(content: bytes) -> tuple[Credentials, str]:
    """Cached, since checking an RSA key takes some 40 ms. `with_scopes` copies it, and each copy has its own token."""
    info = json.loads(content)
    token_uri = info["token_uri"]
    good = info.get("type") == "service_account" and isinstance(info["client_email"], str) and is_address(token_uri)
    if not good:
        raise ValueError
    return Credentials.from_service_account_info(info, scopes=[SCOPE]), token_uri


def is_address(url: Any) -> bool:
    """Whether `url` is an HTTP address."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
