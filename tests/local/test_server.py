"""What gunicorn lets through to the site: the limits of `gunicorn.conf.py`, over a real socket."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from momo.local.processes import free_port
from tests.kit.processes import ROOT, wait_until

LINE = 8190  # bytes of a request line


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a web server of one process; none of the requests reads the database."""
    number, log = free_port(), Path(tmp_path_factory.mktemp("server")) / "web.log"
    command = [sys.executable, "-m", "gunicorn", "momo.wsgi", "--bind", f"127.0.0.1:{number}", "--workers", "1"]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "momo.settings"}
    with log.open("w") as output, subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output) as web:

        def serves() -> bool:
            assert web.poll() is None, log.read_text()
            with suppress(OSError):
                return ask(number, "/login")[0] == 200
            return False

        try:
            wait_until(serves, "the web server answers")
            yield number
        finally:
            web.terminate()
            web.wait()


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    """Status and body of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_long_searches_reach_the_site(port: int) -> None:
    text = quote("保濕" * 150)

    status, body = ask(port, f"/api/products?q={text}&brand={text}&category={text[:1000]}")

    assert (status, "AUTH_REQUIRED" in body) == (401, True)


def test_longer_lines_and_headers_are_refused_by_the_server_itself(port: int) -> None:
    fits = "/login?x=" + "y" * (LINE - len("GET /login?x= HTTP/1.1"))

    assert ask(port, fits)[0] == 200
    assert ask(port, fits + "y" * 9)[0] == 414
    assert ask(port, "/login", **{"X-Long": "y" * 16_000})[0] == 200
    assert ask(port, "/login", **{"X-Long": "y" * 17_000})[0] == 431


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR", "wsgi.url_scheme", "CONTENT_TYPE"])
def test_no_header_changes_the_environment(name: str, port: int) -> None:
    assert ask(port, "/api/nothing", **{name: "/admin/%00"})[0] == 404


def test_a_charset_that_is_no_encoding_is_no_failure(port: int) -> None:
    for charset in ("charset=rot13", "charset*=nonsense''%41"):
        assert ask(port, "/login?x=%E4", **{"Content-Type": f"text/plain; {charset}"})[0] == 200
