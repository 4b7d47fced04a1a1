"""Every kind of error that a crawl reports has a label."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import products.spiders
from products.models import CrawlError
from products.spiders.pages import PageErrorKind

SPIDERS = Path(products.spiders.__file__).parent
# Which argument of these is the kind.
PLACES = {"Trouble": 0, "ErrorLine": 2, "PageError": 0, "Problem": 0}


def reported() -> set[str]:
    kinds = set(get_args(PageErrorKind))
    for path in SPIDERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            place = PLACES.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                kinds.add(str(node.args[place].value))
    return kinds


def test_each_kind_has_a_name() -> None:
    assert reported() >= {"price", "timeout", "mismatch"}
    assert reported() <= set(CrawlError.Kind.values)
