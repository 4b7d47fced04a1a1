"""`manage.py check --deploy`: what must not reach production, each with its cure. It starts and asks no server.

Production refuses to start with the worst of it (`momo.settings`); here it is named before a machine becomes one. What
Django checks itself (HSTS, cookies, the redirect to https) is not repeated.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning
from django.http.request import validate_host

SHORTEST_SECRET = 50  # characters, as in `momo.settings`
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_deployment(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """system.E010 to E019, W010 to W019, I010."""
    return [found for check in (_environment, _servers, _addresses, _proxies, _channels, _storage) for found in check()]


def _given(name: str) -> bool:
    setting = settings.ENVIRONMENT.settings.get(name)
    return bool(setting and setting.given)


def _environment() -> Iterator[CheckMessage]:
    if settings.MOMO_ENV != "production":
        yield Error(
            f"MOMO_ENV 是 {settings.MOMO_ENV}，不是正式環境",
            hint="設定 MOMO_ENV=production；之後缺少的設定會在啟動時一一指出",
            id="system.E010",
        )
    if not _given("SECRET_KEY") or len(settings.SECRET_KEY) < SHORTEST_SECRET:
        yield Error(
            f"SECRET_KEY 是預設值，或少於 {SHORTEST_SECRET} 個字元，登入狀態與廠商連結可以被偽造",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(60))' 產生一個，設定為 SECRET_KEY",
            id="system.E011",
        )
    if settings.DEBUG:
        yield Error("DEBUG 開著，錯誤頁會顯示程式與設定", hint="設定 DEBUG=0，或拿掉這個設定", id="system.E012")


def _servers() -> Iterator[CheckMessage]:
    for name, server in (("DATABASE_URL", "PostgreSQL"), ("REDIS_URL", "Valkey")):
        if not _given(name):
            yield Error(
                f"{name} 沒有設定，使用的是本機內建的 {server}，沒有備援也不給別台機器使用",
                hint=f"安裝 {server}，把它的位址設定為 {name}",
                id="system.E013",
            )


def _addresses() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "ALLOWED_HOSTS 是 *，任何主機名稱都會回應，信件裡的連結可能被換成別的網站",
            hint="列出這個網站的名稱，例如 ALLOWED_HOSTS=mo.wooo.work",
            id="system.W010",
        )
    parts = urlsplit(settings.PUBLIC_URL)
    host = parts.hostname or ""
    if not _given("PUBLIC_URL"):
        yield Warning(
            f"PUBLIC_URL 沒有設定，信件裡的連結會指向 {settings.PUBLIC_URL}",
            hint="把使用者輸入的網址設定為 PUBLIC_URL",
            id="system.W011",
        )
    elif parts.scheme != "https" or host in LOOPBACK:
        yield Warning(
            f"PUBLIC_URL 是 {settings.PUBLIC_URL}，收信人打不開，或連線沒有加密",
            hint="設定使用者輸入的網址，以 https:// 開頭",
            id="system.W012",
        )
    if _given("PUBLIC_URL") and not validate_host(host, settings.ALLOWED_HOSTS):
        yield Error(
            f"PUBLIC_URL 的主機 {host} 不在 ALLOWED_HOSTS 裡，信件裡的連結都會被拒絕",
            hint=f"在 ALLOWED_HOSTS 加上 {host}",
            id="system.E014",
        )


def _proxies() -> Iterator[CheckMessage]:
    if settings.TRUSTED_PROXIES:
        return
    if getattr(settings, "SECURE_SSL_REDIRECT", False):
        yield Error(
            "TRUSTED_PROXIES 是 0，卻會轉到 https：前面沒有代理伺服器處理 https 時會一直轉址",
            hint="有代理伺服器時設定 TRUSTED_PROXIES=1，由它送出 X-Forwarded-Proto；沒有時設定 SECURE_SSL_REDIRECT=0",
            id="system.E015",
        )
    elif urlsplit(settings.PUBLIC_URL).scheme == "https":
        yield Warning(
            "TRUSTED_PROXIES 是 0，所有使用者看起來都來自代理伺服器的位址：一個人輸錯密碼會鎖住其他人",
            hint="設定前面有幾層自己的代理伺服器，通常是 TRUSTED_PROXIES=1",
            id="system.W013",
        )


def _channels() -> Iterator[CheckMessage]:
    if not settings.EMAIL_URL:
        yield Warning(
            "EMAIL_URL 沒有設定，郵件只會留在待寄，不會寄出",
            hint="設定郵件伺服器，例如 EMAIL_URL=smtp+tls://user:password@mail.example.com",
            id="system.W014",
        )
    if not settings.TELEGRAM_BOT_TOKEN:
        yield Info(
            "TELEGRAM_BOT_TOKEN 沒有設定，Telegram 訊息不會送出",
            hint="需要 Telegram 時向 @BotFather 建立機器人，把權杖設定為 TELEGRAM_BOT_TOKEN",
            id="system.I010",
        )


def _storage() -> Iterator[CheckMessage]:
    folder = Path(settings.MEDIA_ROOT)
    if not can_write(folder):
        yield Error(
            f"MEDIA_ROOT（{folder}）不能寫入，上傳的檔案無法儲存",
            hint="建立這個資料夾並讓執行程式的帳號可以寫入，或把 MEDIA_ROOT 設為別的資料夾",
            id="system.E016",
        )


def can_write(folder: Path) -> bool:
    """Whether this account can make files in a folder, or make a folder that is missing. Leaves nothing behind."""
    if not folder.exists():
        parent = next(parent for parent in folder.parents if parent.exists())
        return parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
