"""Everything in the admin that has an effect, clicked by a user in a browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.actions import CLICKS
from tests.browser.actions.system import SYSTEM_ELSEWHERE
from tests.browser.actions.vendors import VENDORS_ELSEWHERE
from tests.browser.clicks import click, offered
from tests.browser.conftest import Opener
from tests.browser.test_menu import _listen

# Downloads of what others make: tests/products/test_exports.py opens the files.
WITHOUT_EFFECT = {("products.product", f"export_{kind}") for kind in ("all", "changes", "delisted")}
ELSEWHERE = WITHOUT_EFFECT | SYSTEM_ELSEWHERE | VENDORS_ELSEWHERE


def test_everything_that_is_offered_is_clicked(boss: Any) -> None:
    found = offered(boss)
    assert {key: found[key] for key in found.keys() - CLICKS.keys() - ELSEWHERE} == {}
    assert (CLICKS.keys() | ELSEWHERE) - found.keys() == set()


@pytest.mark.parametrize("name", [" ".join(key) for key in CLICKS])
def test_it_is_clicked_to_its_end(name: str, opened: Opener, boss: Any, live_server: Any) -> None:
    label, action = key = tuple(name.split())
    case = CLICKS[label, action]
    row = case.make()
    page, faults = opened(), list[str]()
    _listen(page, live_server.url, faults)
    click(page, key, offered(boss)[key], case, row)
    assert case.done(row)
    assert faults == []
