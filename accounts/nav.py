"""Entries of the sidebar for users, tokens and logins."""

from __future__ import annotations

from momo.admin.kit.nav import SYSTEM, Entry, register

register(
    Entry(SYSTEM, 10, "使用者", "group", "accounts.user"),
    Entry(SYSTEM, 20, "API 權杖", "key", "accounts.apitoken", empty="程式用權杖呼叫 API，不必知道密碼。"),
    Entry(SYSTEM, 30, "登入紀錄", "login", "accounts.loginattempt"),
)
