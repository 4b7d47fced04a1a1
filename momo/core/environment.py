"""Reads settings from environment variables and checks each: type, range, unit, form.

What is wrong is collected, and `finish` names all of it at once, a sentence for each setting. What is read is
remembered, with its default, bounds and source, for the page of settings. Own code, since django-environ refuses a
number in Python's words (`invalid literal for int()`), takes every unknown word for False and checks no range; its
reading of `.env` and of database addresses is used.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]
SHOWN = 60  # characters of a wrong value that are repeated
MANY = 2**53  # where a setting names no upper bound
_WORDS = {
    **dict.fromkeys(("1", "true", "yes", "on", "y", "t"), True),
    **dict.fromkeys(("0", "false", "no", "off", "n", "f"), False),
}
_RATE = re.compile(r"([1-9][0-9]{0,11})(?:\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day))?", re.IGNORECASE)
_POSTGRES = {"postgres", "postgresql", "psql", "pgsql"}


class _EnvFile(environ.Env):
    """Reads `.env` into a mapping of its own."""

    ENVIRON: ClassVar[dict[str, str]] = {}


def env_file() -> dict[str, str]:
    """What `.env` sets; empty without one."""
    _EnvFile.ENVIRON.clear()
    if (BASE_DIR / ".env").is_file():
        _EnvFile.read_env(BASE_DIR / ".env")
    return dict(_EnvFile.ENVIRON)


def read_env_file() -> None:
    """Add what `.env` sets to the environment; variables that are set already win."""
    for name, value in env_file().items():
        os.environ.setdefault(name, value)


@dataclass(frozen=True)
class Setting:
    """A setting as it was read. `least` and `most` are None where its kind has no range.

    `given` is what the environment says, "" where it says nothing. `staff`: admins may change the value while the
    system runs (`momo.core.thresholds`).
    """

    name: str
    kind: str
    value: Any
    default: Any
    given: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    secret: bool = False
    staff: bool = False

    def admits(self, value: float) -> bool:
        """Whether a number is within the bounds."""
        return (self.least is None or self.least <= value) and (self.most is None or value <= self.most)


P = ParamSpec("P")
T = TypeVar("T")
_Reading = Callable[Concatenate["_Reader", str, P], T]
_SHOWN_OPTIONS = ("unit", "least", "most", "secret", "staff")


def _remembered(kind: str) -> Callable[[_Reading[P, T]], _Reading[P, T]]:
    """Keep what a method reads in `settings` of its reader. The database's address has a password: it is secret."""

    def decorate(read: _Reading[P, T]) -> _Reading[P, T]:
        @wraps(read)
        def reading(self: _Reader, name: str, /, *args: P.args, **options: P.kwargs) -> T:
            value = read(self, name, *args, **options)
            known: dict[str, Any] = {"secret": kind == "database"}
            if kind in ("whole", "number"):
                known |= {"least": 0, "most": MANY}
            known |= {option: options[option] for option in _SHOWN_OPTIONS if option in options}
            given = self.given.get(name, "").strip()
            self.settings[name] = Setting(name, kind, value, options.get("default", ""), given, **known)
            return value

        return reading

    return decorate


class _Reader:
    """See `Environment`. A variable that is empty counts as not set."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.given = os.environ if given is None else given
        self.faults: list[str] = []
        self.settings: dict[str, Setting] = {}  # by name, in the order of reading

    def finish(self) -> None:
        """Raises ImproperlyConfigured with a sentence for each setting that is wrong."""
        if len(self.faults) == 1:
            raise ImproperlyConfigured(self.faults[0])
        if self.faults:
            raise ImproperlyConfigured("\n".join([f"{len(self.faults)} settings are wrong:", *self.faults]))

    def add_fault(self, sentence: str) -> None:
        """Have `finish` raise with this sentence, among others."""
        self.faults.append(sentence)

    def require(self, examples: Mapping[str, str]) -> None:
        """Add a sentence for each variable that is not set; `examples` has one for each name."""
        for name, example in examples.items():
            if not self.given.get(name, "").strip():
                self.add_fault(
                    f"{name} is not set; production needs it (environment or .env), for example {name}={example}"
                )

    def refuse(self, name: str, needed: str, *, example: object, secret: bool = False) -> None:
        """Add the sentence of one setting: what was given, what is needed instead, and an example."""
        given = self.given.get(name, "")
        shown = "is set to something else" if secret else f"is {given[:SHOWN]!r}{'…' if len(given) > SHOWN else ''}"
        self.add_fault(f"{name} has to be {needed}, for example {name}={example}; it {shown}")

    # --- Kinds of values --------------------------------------------------------------------------------------------

    @_remembered("text")
    def __call__(
        self,
        name: str,
        *,
        default: str = "",
        form: str = "",
        needed: str = "text on one line",
        example: str = "",
        secret: bool = False,
    ) -> str:
        """A text that `form`, a regular expression, matches as a whole; without one, any that can be printed."""
        value = self.given.get(name, "").strip()
        if not value:
            return default
        if re.fullmatch(form, value) if form else value.isprintable():
            return value
        self.refuse(name, needed, example=example or default, secret=secret)
        return default

    @_remembered("choice")
    def choice(self, name: str, *, default: str, of: Sequence[str]) -> str:
        """One of a few words."""
        return self(name, default=default, form="|".join(map(re.escape, of)), needed=_or(of))

    @_remembered("switch")
    def switch(self, name: str, *, default: Any) -> bool:
        """On or off."""
        value = self.given.get(name, "").strip().lower()
        if value and value not in _WORDS:
            self.refuse(name, "1 (on) or 0 (off)", example=int(bool(default)))
        return _WORDS.get(value, bool(default))

    @_remembered("whole")
    def whole(
        self, name: str, *, default: int, least: int = 0, most: int = MANY, unit: str = "", staff: bool = False
    ) -> int:
        """A whole number within bounds; with `staff` admins may change it while the system runs."""
        value = self.given.get(name, "").strip()
        if not value:
            return default
        number = int(value) if re.fullmatch(r"[+-]?[0-9]{1,20}", value) else None
        if number is not None and least <= number <= most:
            return number
        self.refuse(name, f"a whole number{_of(unit)}{_range(least, most)}", example=default)
        return default

    @_remembered("number")
    def number(self, name: str, *, default: float, least: float = 0, most: float = MANY, unit: str = "") -> float:
        """A number within bounds, with or without decimals."""
        value = self.given.get(name, "").strip()
        if not value:
            return default
        number = float(value) if re.fullmatch(r"[+-]?(?=[0-9.]*[0-9])[0-9]{0,20}\.?[0-9]{0,20}", value) else math.nan
        if least <= number <= most:
            return number
        self.refuse(name, f"a number{_of(unit)}{_range(least, most)}", example=f"{default:g}")
        return default

    @_remembered("items")
    def items(
        self, name: str, *, default: Iterable[str], form: str = r"\S+", needed: str = "words", example: str = ""
    ) -> list[str]:
        """A list with commas between its items, each of one form."""
        found = [item.strip() for item in self.given.get(name, "").split(",") if item.strip()]
        if all(re.fullmatch(form, item) for item in found):
            return found or list(default)
        self.refuse(name, f"{needed}, with commas between them", example=example)
        return list(default)

    @_remembered("rate")
    def rate(self, name: str, *, default: str) -> str:
        """A number of requests in a time: `3000/min`, or only `3000`, which is a minute's. Set but empty: no limit."""
        value = self.given.get(name, default).strip()
        if not value:
            return ""
        found = _RATE.fullmatch(value)
        if found is None:
            self.refuse(name, "a number of requests a minute, or with /s, /min, /h or /day", example=default)
            return default
        return f"{found[1]}/{(found[2] or 'min').lower()}"

    # --- Addresses and places ---------------------------------------------------------------------------------------

    @_remembered("url")
    def url(
        self,
        name: str,
        *,
        default: str,
        schemes: Sequence[str] = ("https", "http"),
        example: str = "",
        secret: bool = False,
    ) -> str:
        """An address with a host, without a slash at its end."""
        value = self.given.get(name, "").strip()
        if not value:
            return default
        if _is_url(value, schemes) and value.isprintable() and " " not in value:
            return value.rstrip("/")
        needed = f"an address that begins with {_or([f'{scheme}://' for scheme in schemes])}"
        self.refuse(name, needed, example=example or default, secret=secret)
        return default

    @_remembered("networks")
    def networks(self, name: str, *, default: Iterable[str], example: str) -> list[IPv4Network | IPv6Network]:
        """Networks and single addresses, with commas between them."""
        try:
            return [ip_network(item, strict=False) for item in self.items(name, default=default, form=".+")]
        except ValueError:
            self.refuse(name, "networks or addresses, with commas between them", example=example)
            return []

    @_remembered("database")
    def database(self, name: str, *, default: str) -> dict[str, Any]:
        """Django's settings of a PostgreSQL, from its address."""
        found = _read_database(self.given.get(name, "").strip() or default)
        if found is None:
            example = "postgresql://user:password@host:5432/momo"
            self.refuse(name, "the address of a PostgreSQL database", example=example, secret=True)
        return found or _read_database(default) or {}

    @_remembered("path")
    def path(self, name: str, *, default: Path | str, file: bool = False, example: str) -> str:
        """A folder, which may be missing still, or with `file` a file that can be read."""
        value = self.given.get(name, "").strip()
        if not value:
            return str(default)
        fault = _path_fault(Path(value), file=file)
        if fault:
            self.refuse(name, fault, example=example)
        return str(default) if fault else value

    @_remembered("checked")
    def checked(self, name: str, check: Callable[[str], object], *, example: str) -> str:
        """A value that `check` takes; for any other it raises ImproperlyConfigured with a sentence that names it."""
        value = self.given.get(name, "").strip()
        if not value:
            return ""
        try:
            check(value)
        except ImproperlyConfigured as error:
            self.add_fault(f"{error}; for example {name}={example}")
        return value


class Environment(_Reader):
    """Settings from environment variables: `env("NAME")`, `env.int("NAME", default=4, least=1)`, …, then `finish()`."""

    # As django-environ calls them. In a class of their own, since they hide the types in the annotations above.
    int = _Reader.whole
    float = _Reader.number
    bool = _Reader.switch
    list = _Reader.items


def _read_database(url: str) -> dict[str, Any] | None:
    try:
        if urlsplit(url).scheme not in _POSTGRES:
            return None
        found: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured):
        return None
    return found if found.get("NAME") and re.fullmatch(r"[0-9,]*", str(found.get("PORT"))) else None


def _path_fault(path: Path, *, file: bool) -> str:
    """What is needed in the place of this path, "" if it will do."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        is_file = False
    except (OSError, ValueError):  # a closed folder or a file above it, a name that is too long, NUL
        return "a path that this account can reach"
    if file:
        return "" if is_file and os.access(path, os.R_OK) else "a file that is there and can be read"
    return "a folder (a file has this name)" if is_file else ""


def _is_url(value: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _range(least: float, most: float) -> str:
    """` from 1 to 64`, ` of at least 1`."""
    low, high = f"{least:,}", f"{most:,}"
    return f" from {low} to {high}" if most < MANY else f" of at least {low}"


def _of(unit: str) -> str:
    return f" of {unit}" if unit else ""


def _or(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
