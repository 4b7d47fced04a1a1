"""Requests to Drive, with retries while they can help."""

from __future__ import annotations

import itertools
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import requests
import urllib3.exceptions
from google.auth.exceptions import GoogleAuthError, TransportError
from google.oauth2.service_account import Credentials

from momo.core.errors import ServiceError, ValidationFailed
from momo.core.waits import backoff
from momo.jobs.drive.access import open_sessions
from momo.jobs.drive.errors import (
    TOO_OFTEN,
    DriveError,
    busy,
    no_such_file,
    no_such_folder,
    no_token,
    refused,
    unexpected,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Takes an answer of 200 and the moment (monotonic seconds) until which its body may take.
Use = Callable[[requests.Response, float], T]

_REASON = re.compile(r"[A-Za-z]{1,60}")
_JSON_BYTES = 16 * 1024 * 1024
_CHUNK = 256 * 1024
# The longest wait before another attempt (seconds). When the server asks for more, the request fails.
_LONGEST_WAIT = 60.0


class Transport:
    """Requests to the files of Drive. `timeout` and `backoff` are in seconds."""

    def __init__(
        self, credentials: Credentials, *, url: str, token_uri: str, timeout: float, retries: int, backoff: float
    ) -> None:
        self.email = str(credentials.service_account_email)
        self._url = f"{url}/drive/v3/files"
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        self._session, self._tokens = open_sessions(credentials, url=url, token_uri=token_uri)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._tokens.close()

    def get(self, path: str, params: Mapping[str, str], use: Use[T], *, folder: str = "", patience: int = 1) -> T:
        """Return what `use` makes of the answer.

        `path` is that of a file, or empty with the id of the `folder` to list. Retried only for transient failures and
        within `patience` time limits, which bounds how long a caller waits. Raises ServiceError, mostly DriveError.
        """
        limit = patience * self._timeout
        began = time.monotonic()
        for attempt in itertools.count():
            try:
                return self._once(path, params, use, folder=folder, until=time.monotonic() + limit)
            except DriveError as error:
                if not error.transient or attempt >= self._retries:
                    raise
                # Jitter takes up to a fifth off, and GOOGLE_DRIVE_BACKOFF is the least wait.
                wait = backoff(attempt + 1, base=self._backoff * 1.25, longest=_LONGEST_WAIT)
                wait = max(wait, error.wait)
                if wait > _LONGEST_WAIT or time.monotonic() - began + wait > limit:
                    raise
                logger.warning("%s, attempt %s: %s; again in %.2f s", path or "list", attempt + 1, error, wait)
            time.sleep(wait)
        raise AssertionError("count() has no end")

    def _once(self, path: str, params: Mapping[str, str], use: Use[T], *, folder: str, until: float) -> T:
        try:
            response = self._session.request(
                "GET", self._url + path, params=params, timeout=self._timeout, stream=True, allow_redirects=False
            )
        # Errors of google-auth may quote the token endpoint, so they are not chained.
        except TransportError as error:
            raise self._unreachable(error.args[0] if error.args else None) from None
        except GoogleAuthError as error:
            logger.warning("no token for %s: %s", self.email, type(error).__name__)
            raise no_token(self.email) from None
        except OSError as error:  # requests' own are among them
            raise self._unreachable(error) from error
        except (TypeError, ValueError, AttributeError):  # google-auth takes any JSON apart as if it were a token
            raise unexpected("權杖的格式不對") from None
        with response:
            if response.status_code != 200:
                raise self._refusal(response, until, folder=folder, paged="pageToken" in params)
            return use(response, until)

    def _unreachable(self, cause: Any) -> DriveError:
        if isinstance(cause, requests.Timeout):
            return DriveError(f"在 {self._timeout:g} 秒內沒有回應，請稍後再試", transient=True)
        return DriveError("連不上，請確認主機的網路，稍後再試", transient=True)

    def _refusal(self, response: requests.Response, until: float, *, folder: str, paged: bool) -> ServiceError:
        """Return the error for an answer other than 200."""
        status = response.status_code
        if status in (408, 429) or status >= 500:
            return busy(status, response.headers.get("Retry-After"))
        if status == 400 and paged:
            return ValidationFailed(fields={"page_token": ["這個頁碼代號已失效，請從第一頁重新列出"]})
        if status == 401:
            return no_token(self.email)
        if status == 404:
            return no_such_folder(folder, self.email) if folder else no_such_file(self.email)
        if status != 403:
            return unexpected(f"HTTP {status}")
        reasons = _reasons(response, until)
        if reasons & TOO_OFTEN:
            return busy(status, response.headers.get("Retry-After"))
        return refused(reasons, folder=folder, email=self.email)


def chunks(response: requests.Response, until: float) -> Iterator[bytes]:
    """Yield the body as it arrives. A server that trickles is cut off at `until`, not when a buffer is full."""
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            yield chunk
            if time.monotonic() > until:
                raise DriveError("傳得太慢，超過了時間限制，請稍後再試", transient=True)
    except urllib3.exceptions.HTTPError as error:
        slow = isinstance(error, urllib3.exceptions.TimeoutError)
        text = "傳到一半沒有回應，請稍後再試" if slow else "沒有傳完回應就斷線，請稍後再試"
        raise DriveError(text, transient=True) from error


def read_json(response: requests.Response, until: float) -> dict[str, Any]:
    """Return the object that the body is. Raises DriveError."""
    content = bytearray()
    for chunk in chunks(response, until):
        content += chunk
        if len(content) > _JSON_BYTES:
            raise unexpected("回應太大")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise DriveError("的回應不是完整的 JSON，請稍後再試", transient=True) from None
    if not isinstance(found, dict):
        raise unexpected("回應的格式不對")
    return found


def _reasons(response: requests.Response, until: float) -> set[str]:
    """Return the machine-readable reasons of a refusal; none where the body cannot be read."""
    try:
        errors = read_json(response, until)["error"]["errors"]
        found = {str(error.get("reason", "")) for error in errors}
    except (DriveError, KeyError, TypeError, AttributeError):
        return set()
    return {reason for reason in found if _REASON.fullmatch(reason)}
