"""What a template may declare, and what may be given for it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from momo.core.errors import ValidationFailed
from notifications.templating.variables import coerce, declared
from tests.notifications.test_templating import VARIABLES


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("text", "清單"),
        ([3], "name 與 type"),
        ([{"name": "A", "type": "text"}], "小寫英文字母"),
        ([{"name": "a" * 41, "type": "text"}], "小寫英文字母"),
        ([{"name": "forloop", "type": "text"}], "保留字"),
        ([{"name": "limit", "type": "text"}], "保留字"),
        ([{"name": "a", "type": "object"}], "類型"),
        ([{"name": "a", "type": ["text"]}], "類型"),
        ([{"name": "a", "type": "text", "requierd": True}], "不認得「requierd」"),
        ([{"name": "a", "type": "text", "required": "yes"}], "true 或 false"),
        ([{"name": "a", "type": "text", "required": True}], "要有範例"),
        ([{"name": "a", "type": "integer", "example": "三"}], "要是整數"),
        ([{"name": "a", "type": "url", "example": "javascript:alert(1)"}], "網址"),
        ([{"name": "a", "type": "text", "fields": [{"name": "b", "type": "text"}]}], "只有清單才有欄位"),
        ([{"name": "a", "type": "list", "fields": [{"name": "b", "type": "list"}]}], "類型"),
        ([{"name": "a", "type": "list", "fields": [{"name": "b", "type": "text"}] * 2}], "重複"),
        ([{"name": "a", "type": "list", "example": [{"x": 1}], "fields": [{"name": "b", "type": "text"}]}], "沒有這個"),
        ([{"name": "a", "type": "text"}] * 2, "名稱重複"),
        ([{"name": f"a{number}", "type": "text"} for number in range(51)], "最多 50 個"),
        ([{"name": "a", "type": "text", "description": "x" * 201}], "說明"),
    ],
)
def test_declarations_that_are_none(raw: Any, words: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        declared(raw)
    assert words in str(caught.value.fields["variables"])


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("count", "85", 85),
        ("count", 85.0, 85),
        ("count", Decimal("85"), 85),
        ("rate", " 85.5 ", 85.5),
        ("rate", 85, 85),
        ("done", "False", False),
        ("day", dt.date(2026, 1, 2), dt.date(2026, 1, 2)),
        ("day", dt.datetime(2026, 1, 1, 17, tzinfo=dt.UTC), dt.date(2026, 1, 2)),
        ("at", "2026-01-02T03:04:05", "2026-01-02T03:04:05+08:00"),
        ("at", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("title", 5, "5"),
        ("title", "a\x00b\ud800c\u202ed\r\ne", "abcd\ne"),
        ("link", "https://例子.tw/商品?q=1", "https://例子.tw/商品?q=1"),
        ("link", "", ""),
    ],
)
def test_values(name: str, given: Any, value: Any) -> None:
    made = coerce(declared(VARIABLES), {"title": "x", name: given})[name]
    assert (made.isoformat() if name == "at" else made) == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("count", given) for given in (True, "8.5", 8.5, 10**15 + 1, "1e3", "1,000", [], {}, "٣", float("nan"))),
        *(("rate", given) for given in ("x", float("inf"), "NaN", "Infinity", 1e300, "9" * 400, Decimal("NaN"))),
        *(("done", given) for given in (1, 0, "yes", [])),
        *(("day", given) for given in ("2026-02-30", "25/11/2026", "20261125", 5, "0001-01-01", "9999-12-31")),
        *(("at", given) for given in ("noon", 5, "0001-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "")),
        *(
            ("link", given)
            for given in (
                "javascript:alert(1)",
                " JaVaScRiPt:alert(1)",
                "data:text/html,x",
                "//evil.example",
                "/admin/",
                "https://",
                "https://momo.tw@evil.example/",
                'https://a.b/"onclick="x',
                "https://a.b/<b>",
                "https://a.b/ c",
                "http://[",
                "ftp://a.b/",
                "https://a.b/" + "x" * 2000,
            )
        ),
        *(("title", given) for given in (None, [], {"a": 1}, True, "x" * 10_001)),
        *(("tags", given) for given in ("text", {"a": 1}, ["x"] * 2001, [None], [["x"]])),
        *(("rises", given) for given in ([3], [{"name": []}], [{"name": "x", "nmae": "y"}], [[]])),
    ],
)
def test_values_that_are_refused_by_name(name: str, given: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        coerce(declared(VARIABLES), {"title": "x", name: given})
    assert all(field.startswith(f"variables.{name}") for field in caught.value.fields)


def test_all_wrong_names_are_told() -> None:
    with pytest.raises(ValidationFailed) as caught:
        coerce(declared(VARIABLES), {"titel": "x", "count": "many"})
    assert set(caught.value.fields) == {"variables.titel", "variables.title", "variables.count"}
    assert coerce(declared(VARIABLES), {"title": "x", "more": 1}, strict=False)["title"] == "x"


def test_values_together_are_bounded() -> None:
    with pytest.raises(ValidationFailed, match="512 KB"):
        coerce(declared(VARIABLES), {"title": "x", "tags": ["長" * 10_000] * 20})


def test_declarations_are_kept_as_json() -> None:
    kept = [variable.as_dict() for variable in declared(VARIABLES)]
    assert kept[5]["example"] == "2026-11-25"
    assert kept[6]["example"] == "2026-11-25T06:05:00+00:00"
    assert [variable.as_dict() for variable in declared(kept)] == kept
