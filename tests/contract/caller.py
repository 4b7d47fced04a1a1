"""A client of the contract, over HTTP."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 30


class Caller:
    """A client of the contract: a base address and a way in."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()

    def ask(self, method: str, path: str, status: int = 200, **given: Any) -> requests.Response:
        answer = self.session.request(method, self.base + path, timeout=TIMEOUT, allow_redirects=False, **given)
        for cookie in self.session.cookies:
            cookie.secure = False  # no TLS on loopback
        assert answer.status_code == status, answer.text
        return answer

    def data(self, method: str, path: str, status: int = 200, **given: Any) -> Any:
        """What is in the envelope."""
        body = self.ask(method, path, status, **given).json()
        assert set(body) == {"success", "data", "message"}
        assert body["success"] is True
        assert body["message"]
        return body["data"]

    def refused(self, method: str, path: str, status: int, code: str, **given: Any) -> dict[str, Any]:
        body: dict[str, Any] = self.ask(method, path, status, **given).json()
        assert (body["success"], body["code"]) == (False, code)
        assert body["error"]
        return body
