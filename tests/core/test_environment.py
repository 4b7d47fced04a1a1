"""Every setting is checked at start: a wrong value is refused with a sentence that names it and says what is needed."""

from __future__ import annotations

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from momo.core import environment
from momo.core.environment import Environment
from momo.local import bootstrap, run
from products.spiders.protocol import Job
from tests.contract.test_readme import described_in_the_readme

ROOT = Path(__file__).resolve().parents[2]
# Wrong for whatever is a number, a word, a rate, an address, … ; settings that are free texts need something else.
NONSENSE = "geheim 不對"
WRONG = {
    "ALLOWED_HOSTS": "https://mo.wooo.work/",
    "CHART_FONT": "<font>",
    "CSRF_TRUSTED_ORIGINS": "mo.wooo.work",
    "EMAIL_CA_FILE": "/nowhere.pem",
    "GOOGLE_SERVICE_ACCOUNT_FILE": "/nowhere.json",
    "MEDIA_ROOT": str(ROOT / "manage.py"),
    "MOMO_ADMIN_PASSWORD": "geheim",
    "MOMO_LOCAL_DIR": str(ROOT / "manage.py"),
    "PUBLIC_URL": "mo.wooo.work",
    "SECRET_KEY": "geheim",
    "STATIC_ROOT": str(ROOT / "manage.py"),
}
SECRETS = {
    *("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "TELEGRAM_BOT_TOKEN", "MOMO_ADMIN_PASSWORD"),
    *("GEMINI_API_KEY", "METRICS_TOKEN"),
}
PRODUCTION = {
    "MOMO_ENV": "production",
    "SECRET_KEY": "x" * 60,
    "DATABASE_URL": "postgresql://momo@db.invalid/momo",
    "REDIS_URL": "redis://redis.invalid",
    "ALLOWED_HOSTS": "mo.wooo.work",
}


def start(monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str]) -> dict[str, Any]:
    """The settings of an environment that has nothing but `given`."""
    monkeypatch.setattr(environment, "read_env_file", lambda: None)
    monkeypatch.setattr("os.environ", dict(given))
    return runpy.run_path(str(ROOT / "momo" / "settings.py"))


def complaints(monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str]) -> list[str]:
    with pytest.raises(ImproperlyConfigured) as caught:
        start(monkeypatch, given)
    return str(caught.value).splitlines()


def test_a_wrong_value_of_each_setting_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    names = described_in_the_readme()
    wrong = {name: WRONG.get(name, NONSENSE) for name in names}
    found = complaints(monkeypatch, wrong | {"MOMO_ENV": "production"})
    found += complaints(monkeypatch, wrong | {"MOMO_ENV": "local"})
    found += complaints(monkeypatch, {"MOMO_ENV": NONSENSE})
    monkeypatch.setattr("os.environ", wrong)
    with pytest.raises(SystemExit) as ended:
        run._place()
    found += str(ended.value.code).removeprefix("MOMO Pro: ").splitlines()
    said = {name: [line for line in found if re.match(rf"{name}\b", line)] for name in names}
    assert [name for name, lines in said.items() if not lines] == []
    assert [line for lines in said.values() for line in lines if "for example" not in line] == []
    assert [line for name in SECRETS for line in said[name] if "geheim" in line] == []


def test_no_secret_is_repeated_where_its_form_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text('{"secret_key": "verborgen"}')
    wrong = dict.fromkeys(SECRETS - {"MOMO_ADMIN_PASSWORD"}, "geheim\x07")
    found = complaints(monkeypatch, wrong | {"MOMO_ENV": "local", "MOMO_LOCAL_DIR": str(tmp_path)})
    assert len(found) == len(wrong) + 1
    assert [line for line in found if "geheim" in line or "verborgen" in line] == []


def test_what_the_example_says_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.+)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert len(example) > 50
    start(monkeypatch, dict(example) | PRODUCTION)
    start(monkeypatch, {name: "" for name, _ in example} | {"MOMO_ENV": "local"})


def test_production_names_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = complaints(monkeypatch, {"MOMO_ENV": "production", "DEBUG": "1"})
    needed = ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "DEBUG")
    assert [name for name in needed if not any(line.startswith(f"{name} is") for line in found)] == []


def test_only_an_explicit_wish_leads_to_the_real_shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    servers = {name: PRODUCTION[name] for name in ("DATABASE_URL", "REDIS_URL")}
    local = servers | {"MOMO_ENV": "local", "MOMO_LOCAL_DIR": str(tmp_path)}
    assert start(monkeypatch, local)["MOMO_SHOP_URL"] == "http://demo-shop.invalid"
    (tmp_path / "services.json").write_text('{"shop_url": "http://127.0.0.1:1234"}')
    assert start(monkeypatch, local)["MOMO_SHOP_URL"] == "http://127.0.0.1:1234"
    for wish in ({"DEMO": "0"}, {"DEMO": "off"}, {"MOMO_SHOP_URL": "https://www.momoshop.com.tw/"}, PRODUCTION):
        assert start(monkeypatch, local | wish)["MOMO_SHOP_URL"] == "https://www.momoshop.com.tw", wish


@pytest.mark.parametrize(
    "more", [{}, {"DEMO": "0"}, {"MOMO_SHOP_URL": "https://a.tw"}, {"MOMO_ENV": "test"}, PRODUCTION]
)
def test_make_run_and_the_settings_agree_about_the_demo(more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = start(monkeypatch, {"MOMO_ENV": "local", "MOMO_LOCAL_DIR": "/nowhere"} | more)["DEMO"]
    assert wanted is bootstrap.demo_wanted()
    assert wanted is (not more)


def test_the_spider_takes_whatever_the_settings_take(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["concurrency", "delay", "timeout", "max_pages", "max_lookups", "retry_times", "retry_after_cap", "backoff"]
    said = complaints(monkeypatch, {f"CRAWL_{name.upper()}": NONSENSE for name in names} | {"MOMO_ENV": "local"})
    bounds = [re.match(r"CRAWL_(\w+) has .* from ([\d.,]+) to ([\d,]+), for", line) for line in said[1:]]
    assert [found[1].lower() for found in bounds if found] != []
    for found in filter(None, bounds):
        for text in found[2].replace(",", ""), found[3].replace(",", ""):
            asked: Any = {found[1].lower(): float(text) if "." in text else int(text)}
            Job.from_json(Job("http://a.tw", "x", **asked).to_json())
    assert len(bounds) == len(names)


@pytest.mark.parametrize("name", ["x" * 300, str(ROOT / "manage.py" / "x")])
def test_a_folder_that_cannot_be_is_refused_with_a_sentence(name: str) -> None:
    env = Environment({"MEDIA_ROOT": name})
    env.path("MEDIA_ROOT", default="media", example="/srv/momo/media")
    with pytest.raises(ImproperlyConfigured, match=r"^MEDIA_ROOT has to be .*, for example MEDIA_ROOT="):
        env.finish()


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("rate", "3000", "3000/min"),
        ("rate", "20 / hour", "20/hour"),
        ("rate", "", ""),
        ("rate", "0/min", None),
        ("rate", "3000/fortnight", None),
        ("int", "１２", None),
        ("int", "3.0", None),
        ("int", "0", None),
        ("int", "65", None),
        ("int", " 64 ", 64),
        ("float", "nan", None),
        ("float", "1e3", None),
        ("float", "60.5", 60.5),
        ("bool", "OFF", False),
        ("bool", "ture", None),
        ("list", "a, b,", ["a", "b"]),
        ("url", "https://momo.tw/", "https://momo.tw"),
        ("url", "https://momo.tw:99999", None),
        ("url", "ftp://momo.tw", None),
        ("url", "https://[momo", None),
    ],
)
def test_kinds(kind: str, given: str, read: Any) -> None:
    env = Environment({"NAME": given})
    bounds = {"least": 1, "most": 64} if kind in ("int", "float") else {}
    default: Any = {"int": 4, "float": 4.0, "bool": True, "list": [], "rate": "5/min", "url": "http://a.tw"}[kind]
    found = getattr(env, kind)("NAME", default=default, **bounds)
    if read is not None:
        assert found == read
        env.finish()
        return
    assert found == default
    with pytest.raises(ImproperlyConfigured, match=r"^NAME has to be .*, for example NAME="):
        env.finish()


def test_a_sentence_says_what_was_given_and_what_is_needed() -> None:
    env = Environment({"CRAWL_TIMEOUT": "30s", "TOKEN": "geheim"})
    env.float("CRAWL_TIMEOUT", default=30, least=0.1, most=600, unit="seconds")
    env("TOKEN", form="[0-9]+", needed="a number", example="1", secret=True)
    assert env.faults == [
        "CRAWL_TIMEOUT has to be a number of seconds from 0.1 to 600, for example CRAWL_TIMEOUT=30; it is '30s'",
        "TOKEN has to be a number, for example TOKEN=1; it is set to something else",
    ]
