"""A few kilobytes whose last cell is far away, on each page that imports a workbook.

A reader that allocates every cell up to the last one asks for 549 GB and ends its process, so the pages run in a web
server of their own: what must survive is a process that is not the test's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from momo.jobs.models import ColumnAlias
from momo.local.processes import free_port
from notifications.models import Template
from products.models import Category
from tests.kit.forks import fork
from tests.sheets import files

PATIENCE = 60.0  # seconds until the server answers at all
LIMIT = 1.0  # seconds of processor time of one request, with which a busy machine does not interfere
CSRF = "a" * 32
PAGES: dict[str, tuple[Any, list[str], list[str]]] = {
    "accounts/user": (User, ["帳號", "角色"], ["new", "使用者"]),
    "products/category": (Category, ["分類代碼", "層級", "名稱"], ["1100100001", "3", "精華液"]),
    "notifications/template": (Template, ["代碼", "名稱", "格式", "內文"], ["new", "新", "純文字", "內文"]),
    "jobs/columnalias": (ColumnAlias, ["類型", "欄位", "標題"], ["daily_sales", "quantity", "售出件數"]),
}
MEMORY_MIB = 64  # of a reading process
LAST_ROW, LAST_COLUMN = 1_048_575, 16_383


def _far_xlsx(rows: list[list[str]], cell: str) -> bytes:
    far = f'<row r="1048576"><c r="{cell}"><v>1</v></c></row></sheetData>'
    return files.sheet_xml(files.xlsx(rows), (b"</sheetData>", far.encode()))


def _far_ods(rows: list[list[str]]) -> bytes:
    """Empty rows and cells that are written as one, repeated, and a cell behind them."""

    def far(name: str, content: bytes) -> bytes:
        if name != "content.xml":
            return content
        number = '<table:table-cell office:value-type="float" office:value="1"/>'
        empty = f'<table:table-cell table:number-columns-repeated="{LAST_COLUMN}"/>'
        tail_rows = '<table:table-row table:number-rows-repeated="1040000"><table:table-cell/></table:table-row>'
        tail_rows += f"<table:table-row>{empty}{number}</table:table-row></table:table>"
        head, found, tail = content.partition(b"</table:table>")
        assert found
        return head + tail_rows.encode() + tail

    return files.rezipped(files.by_office(files.xlsx(rows), "ods"), far)


def _far_csv(rows: list[list[str]]) -> bytes:
    """A header of a million columns, and rows of one cell."""
    return ",".join(rows[0]).encode() + b"," * 1_000_000 + b"\n" + b"1\n" * 400_000


WORKBOOKS: dict[str, Callable[[list[list[str]]], bytes]] = {
    "XFD1048576 of .xlsx": lambda rows: _far_xlsx(rows, "XFD1048576"),
    "A1048576 of .xlsx": lambda rows: _far_xlsx(rows, "A1048576"),
    "XFD1048576 of .xlsb": lambda rows: files.xlsb(rows, far=(LAST_ROW, LAST_COLUMN)),
    "A1048576 of .xlsb": lambda rows: files.xlsb(rows, far=(LAST_ROW, 0)),
    "wide and long .csv": _far_csv,
}
OFFICE_WORKBOOKS: dict[str, Callable[[list[list[str]]], bytes]] = {
    "the last cell of .ods": _far_ods,
    "IV65536 of .xls": lambda rows: files.by_office(
        files.xlsx(rows, change=lambda _, page: page.cell(65_536, 256).__setattr__("value", 1)), "xls"
    ),
}


def _long_string(rows: list[list[str]]) -> bytes:
    """A string of 60 KB that is stored once and shown in 1,500 cells: 90 MB for whoever reads them."""
    book = files.xlsx([rows[0], ["ZZ" for _ in rows[0]]])

    def change(name: str, part: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return part
        part = part.replace(b't="inlineStr"><is><t>ZZ</t></is>', b't="s"><v>0</v>')
        row = part[part.index(b'<row r="2"') : part.index(b"</sheetData>")]
        more = [row.replace(b'"2"', b'"%d"' % n).replace(b'2" t', b'%d" t' % n) for n in range(3, 752)]
        return part.replace(row, row + b"".join(more))

    strings = (
        f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{"長" * 20_000}</t></si></sst>'
    )
    return files.rezipped(book, change, {"xl/sharedStrings.xml": strings.encode()})


class Site:
    """A web server of one process on the test's database, with an admin who is logged in."""

    def __init__(self, base: str, process: psutil.Process, user: User) -> None:
        self.base, self.process = base, process
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        # By hand: the cookies are for https only.
        self.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={CSRF}"}

    @property
    def worker(self) -> psutil.Process:
        """The process that answers; gunicorn replaces one that dies."""
        return self.process.children()[0]

    def upload(self, page: str, data: bytes, *, kind: str = "0") -> tuple[str, float]:
        """The page that answers an upload, and the seconds of processor time that it took."""
        before = self.spent()
        answer = requests.post(
            f"{self.base}/admin/{page}/import/",
            {"format": kind, "resource": "0", "csrfmiddlewaretoken": CSRF},
            files={"import_file": ("a.xlsx", data)},
            headers=self.headers,
            timeout=PATIENCE,
        )
        assert answer.status_code == 200
        return answer.text, self.spent() - before

    def spent(self) -> float:
        """Seconds of processor time of the process that answers, and of those that read files for it."""
        worker = self.worker
        return sum(worker.cpu_times()[:2]) + sum(sum(server.cpu_times()[2:4]) for server in worker.children())

    def preview(self, data: bytes) -> str:
        """The fragment that shows what a file would change."""
        answer = requests.post(
            f"{self.base}{reverse('admin:jobs_job_preview')}",
            {"job_type": "daily_sales", "csrfmiddlewaretoken": CSRF},
            files={"file": ("a.xlsx", data)},
            headers=self.headers,
            timeout=PATIENCE,
        )
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def site(tmp_path: Path, transactional_db: None, boss: User) -> Iterator[Site]:
    port, log = free_port(), tmp_path / "web.log"
    database = connection.settings_dict
    parts = ("USER", "PASSWORD", "HOST", "PORT")
    user, password, host, number = (database[part] for part in parts)
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "momo.settings",
        "DATABASE_URL": f"postgresql://{user}:{password}@{host}:{number}/{database['NAME']}",
        "SHEET_MEMORY_MIB": str(MEMORY_MIB),
    }
    command = ["-m", "gunicorn", "momo.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    web = fork(command, environment=env, log=log)
    try:
        site = Site(f"http://127.0.0.1:{port}", psutil.Process(web.pid), boss)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                requests.get(f"{site.base}/login", timeout=PATIENCE)
                break
            except requests.ConnectionError:
                assert web.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
        yield site
    finally:
        web.terminate()
        web.wait(PATIENCE)


def test_a_file_beyond_the_memory_ends_only_its_own_process(site: Site) -> None:
    """On the page that previews an upload; the web process does not even grow."""
    worker = site.worker
    # Started with the web server: the first preview does not wait for it.
    assert ["momo.sheets.process" in child.cmdline() for child in worker.children()] == [True]
    header = ["日期", "品號", "品名", "數量", "業績"]
    good = files.xlsx([header, ["2025/11/22", "A1", "x", 1, 10]])
    assert "2025-11-22" in site.preview(good)
    before = worker.memory_info().rss
    assert f"記憶體超過 {MEMORY_MIB} MB 的上限" in site.preview(_long_string([header]))
    assert worker.memory_info().rss - before < 16 * 1024 * 1024
    assert "2025-11-22" in site.preview(good)
    assert site.worker == worker


def _assert_refused(site: Site, workbooks: dict[str, Callable[[list[list[str]]], bytes]]) -> None:
    worker = site.worker.pid
    hostile = {name: make([["分類代碼", "名稱"], ["1100100001", "精華液"]]) for name, make in workbooks.items()}
    for page, (model, header, row) in PAGES.items():
        before = model.objects.count()
        # A far cell is the only fault. The first upload also loads what the process has not loaded yet.
        accepted, _ = site.upload(page, files.xlsx([header, row]))
        assert "匯入之後的改變" in accepted, page
        for name, data in hostile.items():
            text, seconds = site.upload(page, data, kind="1" if "csv" in name else "0")
            assert "最多能匯入" in text or "太大了" in text, (page, name)
            assert "匯入之後的改變" not in text, (page, name)
            assert seconds < LIMIT, (page, name, seconds)
            assert site.worker.pid == worker, (page, name)
        assert model.objects.count() == before


def test_a_far_cell_is_refused_on_each_import_page(site: Site) -> None:
    _assert_refused(site, WORKBOOKS)


@pytest.mark.office
def test_a_far_cell_of_other_formats_is_refused_on_each_import_page(site: Site) -> None:
    _assert_refused(site, OFFICE_WORKBOOKS)
