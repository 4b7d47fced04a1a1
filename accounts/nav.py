"""Entries of the sidebar for users, tokens and logins, and the step that adds users."""

from __future__ import annotations

from accounts.selectors import has_colleagues
from momo.admin.kit.nav import SYSTEM, Entry, Step, register

register(
    Step(
        60,
        "加入同事",
        "每個人用自己的帳號登入，在使用者的頁面填上負責的 PM 與品牌，就能只看自己的。",
        "group_add",
        "admin:accounts_user_add",
        "accounts.add_user",
        done=has_colleagues,
        optional=True,
    ),
    Entry(SYSTEM, 10, "使用者", "group", "accounts.user"),
    Entry(SYSTEM, 20, "API 權杖", "key", "accounts.apitoken", empty="程式用權杖使用 API，不必知道密碼。"),
    Entry(SYSTEM, 30, "登入紀錄", "login", "accounts.loginattempt"),
)
