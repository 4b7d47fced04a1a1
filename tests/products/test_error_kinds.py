"""Every kind of error that a spider reports, or asks for, is one that has a label."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import ai.spiders
import products.spiders
from products.models import CrawlError
from products.spiders.pages import PageErrorKind

CRAWL, TRENDS = (Path(module.__file__ or "").parent for module in (products.spiders, ai.spiders))
# Which argument of these is the kind.
PLACES = {"Trouble": 0, "ErrorLine": 2, "PageError": 0, "Problem": 0}


def nodes(*folders: Path) -> Iterator[ast.AST]:
    for folder in folders:
        for path in folder.glob("*.py"):
            yield from ast.walk(ast.parse(path.read_text()))


def reported() -> set[str]:
    kinds = set(get_args(PageErrorKind))
    for node in nodes(CRAWL, TRENDS):
        if not isinstance(node, ast.Call):
            continue
        place = PLACES.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
        if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
            kinds.add(str(node.args[place].value))
    return kinds


def asked_for() -> set[str]:
    """Kinds that the spider of trends treats differently."""
    return {
        str(part.value)
        for node in nodes(TRENDS)
        if isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "kind"
        for other in node.comparators
        for part in ast.walk(other)
        if isinstance(part, ast.Constant)
    }


def test_each_kind_has_a_name() -> None:
    assert reported() >= {"price", "timeout", "mismatch"}
    assert reported() <= set(CrawlError.Kind.values)
    assert asked_for() == {"robots", "gone"}
    assert asked_for() <= reported()
