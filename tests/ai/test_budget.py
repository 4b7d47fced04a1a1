"""Budgets: what is reserved never passes one, whoever calls at once; what was used is settled, also after a kill."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ai.models import Budget, Call, ModelPrice
from ai.providers.base import Usage
from ai.services import budget
from ai.tasks import sweep
from momo.core.errors import RateLimited, Unavailable
from tests.fakes.gemini import Gemini
from tests.fakes.ollama import Ollama
from tests.kit.forks import fork
from tests.kit.processes import kill_session, wait_until
from tests.kit.users import person

GEMINI = {"provider": "gemini", "model": "gemini-3.8-flash", "kind": "copy"}


@pytest.fixture
def price(db: None) -> ModelPrice:
    """A dollar for a million tokens, either way."""
    ModelPrice.objects.filter(provider="gemini").delete()
    return ModelPrice.objects.create(
        provider="gemini", input_per_million=1, output_per_million=2, per_search=1, valid_from=dt.date(2026, 1, 1)
    )


def reserve(user: User, *, input_tokens: int = 500_000, max_output: int = 250_000, **values: Any) -> Call:
    """One dollar."""
    return budget.reserve(user=user, input_tokens=input_tokens, max_output=max_output, **{**GEMINI, **values})


def limit(amount: Any, **values: Any) -> Budget:
    return Budget.objects.create(amount=amount, **values)


# --- Prices -----------------------------------------------------------------------------------------------------------


def test_the_price_of_the_day_and_the_models_own_first(price: ModelPrice) -> None:
    later = ModelPrice.objects.create(
        provider="gemini", input_per_million=3, output_per_million=3, valid_from=dt.date(2026, 6, 1)
    )
    own = ModelPrice.objects.create(
        provider="gemini", model="x", input_per_million=9, output_per_million=9, valid_from=dt.date(2026, 2, 1)
    )
    found = [
        budget.price_on(provider="gemini", model=model, day=dt.date(2026, month, 1))
        for model, month in (("y", 5), ("y", 6), ("x", 1), ("x", 6))
    ]
    assert found == [price, later, price, own]


def test_an_unknown_price_is_refused(user: User, price: ModelPrice) -> None:
    price.delete()
    with pytest.raises(Unavailable, match="模型價格"):
        reserve(user)
    assert not Call.objects.exists()


def test_costs_are_decimals_rounded_up_and_count_searches(price: ModelPrice) -> None:
    assert budget.cost_of(price, input_tokens=1, output_tokens=0, searches=2) == Decimal("2.000001")
    price.input_per_million = Decimal("0.1")
    assert budget.cost_of(price, input_tokens=1, output_tokens=0) == Decimal("0.000001")


# --- Reservation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [{}, {"provider": "gemini"}, {"of": True}, {"month": dt.date(2026, 11, 1)}])
@time_machine.travel("2026-11-30T04:00:00Z", tick=False)
def test_what_does_not_fit_into_a_budget_is_refused_until_next_month(
    which: dict[str, Any], user: User, price: ModelPrice
) -> None:
    values = {name: value for name, value in which.items() if name != "of"} | ({"user": user} if "of" in which else {})
    limit(2, **values)
    for _ in range(2):
        reserve(user)
    with pytest.raises(RateLimited) as refused:
        reserve(user)
    assert refused.value.retry_after == 12 * 3600
    assert "預算" in str(refused.value)
    assert "12 月 1 日" in str(refused.value)
    assert Call.objects.count() == 2


def test_other_budgets_do_not_count(user: User, price: ModelPrice) -> None:
    month = timezone.localdate().replace(day=1)
    limit(0, provider="ollama")
    limit(0, user=person("other"))
    limit(0, month=month - dt.timedelta(days=1))
    limit(0, provider="gemini")
    limit(1, provider="gemini", month=month)  # replaces the one of every month
    assert reserve(user).cost == 1


def test_another_currency_cannot_be_compared(user: User, price: ModelPrice) -> None:
    limit(100, currency="TWD")
    with pytest.raises(Unavailable, match="幣別"):
        reserve(user)


def test_settling_replaces_the_reservation(user: User, price: ModelPrice) -> None:
    limit(1)
    call = reserve(user)
    budget.settle(call, usage=Usage(100, 50), seconds=2)
    call.refresh_from_db()
    assert (call.status, call.cost, call.input_tokens, call.output_tokens) == ("succeeded", Decimal("0.0002"), 100, 50)
    with pytest.raises(RateLimited):
        reserve(user)
    assert reserve(user, input_tokens=400_000).cost < 1, "the rest is free again"


def test_the_answer_warns_near_the_limit_and_is_429_beyond_it(
    api: Client, gemini: Gemini, price: ModelPrice, settings: Any
) -> None:
    settings.AI_MAX_OUTPUT_TOKENS = 1000
    limit(Decimal("0.01"), provider="gemini")
    body = {"product_name": "精華液", "provider": "gemini"}
    told = api.post("/api/ai/generate", body, content_type="application/json").json()
    assert told["notices"] == []
    settings.AI_BUDGET_WARN_PERCENT = 10
    told = api.post("/api/ai/generate", body, content_type="application/json").json()
    assert "預算" in told["notices"][0]
    Budget.objects.update(amount=Decimal("0.001"))
    refused = api.post("/api/ai/generate", {**body, "stream": True}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert "預算" in refused.json()["error"]
    assert int(refused["Retry-After"]) > 0


def test_a_fall_back_needs_its_own_providers_budget(
    api: Client, ollama: Ollama, gemini: Gemini, price: ModelPrice, settings: Any
) -> None:
    settings.AI_FALLBACK = ["gemini"]
    ollama.models = []
    limit(0, provider="gemini")
    answer = api.post("/api/ai/generate", {"product_name": "精華液"}, content_type="application/json")
    assert answer.status_code == 502
    assert "預算" in answer.json()["error"]
    assert not gemini.prompts


# --- At once, and killed ----------------------------------------------------------------------------------------------

CALLER = """
import sys, threading
import django
django.setup()
from django.db import connections
from accounts.models import User
from ai.providers.base import Usage
from ai.services.budget import reserve, settle
from momo.core.errors import RateLimited
user = User.objects.get(username="amy")
print("ready", flush=True)
def run(number):
    try:
        call = reserve(user=user, kind="copy", provider="gemini", model="m", input_tokens=500_000, max_output=250_000)
        if number % 2:
            settle(call, usage=Usage(400_000, 50_000), seconds=1)
    except RateLimited:
        pass
    finally:
        connections.close_all()
lanes = [threading.Thread(target=lambda lane=lane: [run(lane * 10 + n) for n in range(10)]) for lane in range(10)]
[lane.start() for lane in lanes]
[lane.join() for lane in lanes]
if sys.argv[1:] == ["hang"]:
    reserve(user=user, kind="copy", provider="gemini", model="m", input_tokens=0, max_output=0)
"""


def _environment() -> dict[str, str]:
    base = connection.settings_dict
    address = f"postgresql://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    return os.environ | {"DJANGO_SETTINGS_MODULE": "momo.settings", "DATABASE_URL": address}


@pytest.mark.django_db(transaction=True)
def test_two_processes_with_two_hundred_calls_never_pass_one_budget(tmp_path: Path) -> None:
    person("amy")
    ModelPrice.objects.create(
        provider="gemini", model="m", input_per_million=1, output_per_million=2, valid_from=dt.date(2026, 1, 1)
    )
    limit(20, provider="gemini")
    log = tmp_path / "log"
    processes = [fork(["-c", CALLER], environment=_environment(), log=log) for _ in range(2)]
    assert [process.wait(100) for process in processes] == [0, 0], log.read_text()
    used = Call.objects.aggregate(total=Sum("cost"))["total"]
    assert Decimal(19) < used <= 20, "no call too many, and none too few"


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_releases_its_reservation(tmp_path: Path) -> None:
    amy = person("amy")
    ModelPrice.objects.create(
        provider="gemini", model="m", input_per_million=1, output_per_million=2, valid_from=dt.date(2026, 1, 1)
    )
    limit(1, provider="gemini")
    waiting = "import django; django.setup()\n" + (
        "import time\nfrom accounts.models import User\nfrom ai.services.budget import beat, reserve\n"
        "call = reserve(user=User.objects.get(), kind='copy', provider='gemini', model='m',"
        " input_tokens=500_000, max_output=250_000)\nbeat(call, input_tokens=1000, output_tokens=7)\ntime.sleep(1000)"
    )
    process = fork(["-c", waiting], environment=_environment(), log=tmp_path / "log")
    wait_until(lambda: Call.objects.filter(input_tokens=1000).exists(), "the reservation")
    kill_session(process)
    with pytest.raises(RateLimited):
        reserve(amy, model="m")
    sweep()
    assert Call.objects.get().status == "running", "not silent for long enough"
    Call.objects.update(heartbeat_at=timezone.now() - dt.timedelta(seconds=121))
    sweep()
    call = Call.objects.get()
    assert (call.status, call.error, call.cost) == ("aborted", "lost", Decimal("0.001014"))
    assert reserve(amy, model="m", input_tokens=490_000).cost < 1
