"""Settings in force, each with its value, default, source and meaning as texts for users; secrets are masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from momo.core.environment import Setting, env_file
from momo.core.formats import number
from momo.core.thresholds import staff_settings
from momo.system.meanings import meanings
from momo.system.models import Setting as StoredSetting

ENVIRONMENT, FILE, DEFAULT, UNREAD = "環境變數", ".env", "預設值", "這個環境不使用"
HIDDEN = "••••••"
NOTHING = "（沒有設定）"
UNITS = {
    "seconds": "秒",
    "minutes": "分鐘",
    "hours": "小時",
    "days": "天",
    "percent": "%",
    "dollars": "元",
    "bytes": "位元組",
    "MiB": "MiB",
    "rows": "列",
    "columns": "欄",
    "errors": "個錯誤",
    "pages": "頁",
    "products": "件商品",
    "runs": "次",
    "tasks": "組",
    "requests": "個請求",
    "connections": "條連線",
    "proxies": "層",
    "messages": "則訊息",
    "entries": "項",
    "tokens": "token",
    "generations": "次產生",
}


@dataclass(frozen=True)
class SettingRow:
    """A line of the page; texts for users."""

    name: str
    meaning: str
    value: str
    default: str
    source: str


def settings_in_force() -> list[tuple[str, list[SettingRow]]]:
    """All settings that admins cannot change here, by group. Those of thresholds are rows of `Setting`."""
    read, file = settings.ENVIRONMENT.settings, env_file()
    editable = staff_settings()
    found = []
    for group, names in meanings().items():
        rows = [_row(name, text, read.get(name), file) for name, text in names.items() if name not in editable]
        if rows:
            found.append((group, rows))
    return found


def _row(name: str, text: str, setting: Setting | None, file: Mapping[str, str]) -> SettingRow:
    if setting is None:
        return SettingRow(name, text, NOTHING, NOTHING, UNREAD)
    return SettingRow(name, text, shown(setting), shown(setting, default=True), source_of(setting, file))


def source_of(setting: Setting, file: Mapping[str, str]) -> str:
    """Where the value comes from. A variable that says the same as `.env` counts as from there: children inherit it."""
    if not setting.given:
        return DEFAULT
    return FILE if file.get(setting.name, "").strip() == setting.given else ENVIRONMENT


def shown(setting: Setting, *, default: bool = False) -> str:
    """The value, or the default, as text. Of an address its password is masked, of other secrets everything."""
    value: Any = setting.default if default else setting.value
    if setting.kind == "database" and not default:
        value = setting.given or setting.default
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, str) and "://" in value:
        return _masked(value) if setting.secret or "@" in value else value
    if setting.secret:
        return HIDDEN
    if setting.kind == "switch":
        return "開" if value else "關"
    if isinstance(value, (list, tuple)):
        return "、".join(map(str, value))
    if isinstance(value, (int, float)):
        return with_unit(value, setting.unit)
    return str(value)


def with_unit(value: float, unit: str) -> str:
    """A number with thousands separators and its unit."""
    text = number(value, thousands=bool(unit))  # a port is no amount
    name = UNITS.get(unit, unit)
    return f"{text}%" if name == "%" else f"{text} {name}".strip()


def _masked(address: str) -> str:
    """An address without its password and what follows its path, where keys may stand."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return HIDDEN
    login = f"{parts.username or ''}:{HIDDEN}@" if parts.password else f"{parts.username}@" if parts.username else ""
    host = f"[{host}]" if ":" in (host or "") else host
    return f"{parts.scheme}://{login}{host}{f':{port}' if port else ''}{parts.path}"


def stored_thresholds() -> dict[str, int]:
    """What admins stored of each threshold, within its present bounds; the source of `momo.core.thresholds`."""
    known = staff_settings()
    with transaction.atomic():  # of its own: a failure must not end the transaction of whoever asks for a threshold
        rows = list(StoredSetting.objects.filter(value__isnull=False).values_list("name", "value"))
    return {name: value for name, value in rows if value is not None and name in known and known[name].admits(value)}
