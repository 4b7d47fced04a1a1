"""The list of stockouts over the API agrees with the board, filter by filter."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Role
from tests.admin import makers_vendors as makers
from tests.kit.users import person, session_client
from tests.vendors.makers import make_stockout, make_vendor
from vendors.selectors.board import board

pytestmark = pytest.mark.django_db
LIST = "/api/vendor/stockout"


@pytest.fixture
def client() -> Client:
    return session_client(person("amy", Role.USER))


def total(client: Client, **query: str) -> int:
    found: int = client.get(LIST, query).json()["data"]["total"]
    return found


def test_the_board_and_the_list_agree(client: Client) -> None:
    makers.stockouts(30)
    shown = board()
    for who in ("us", "vendor", "answered"):
        assert shown.total.counts[who] == total(client, waits_for=who)
        for group in shown.groups["pm"]:
            assert group.counts[who] == total(client, waits_for=who, pm=group.key or "（未填）")
        for group in shown.groups["vendor"]:
            assert group.counts[who] == total(client, waits_for=who, vendor_code=group.key)
    assert shown.total.rows == total(client, open="true") == sum(group.rows for group in shown.groups["age"])
    one = board(pms=["王小明"])
    assert [group.key for group in one.groups["pm"]] == ["王小明"]
    assert one.total.rows == total(client, open="true", pm="王小明")
    refused = client.get(LIST, {"pm": "沒有這個人"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["pm"])


def test_open_rows_have_no_duplicates_and_others_are_resolved(client: Client) -> None:
    row = make_stockout(make_vendor())
    make_stockout(row.vendor, product_code=row.product_code, duplicate_of=row)
    make_stockout(row.vendor, status="resolved")

    assert (total(client, open="true"), total(client, open="false"), total(client, waits_for="us")) == (1, 1, 1)
    assert client.get(LIST, {"open": "maybe"}).status_code == 400
    assert client.get(LIST, {"waits_for": "nobody"}).status_code == 400
