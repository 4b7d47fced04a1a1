"""Entries of the sidebar for users, tokens and logins, and the step that adds users."""

from __future__ import annotations

from accounts.selectors import has_colleagues
from momo.admin.kit.nav import SYSTEM, Entry, Link, Step, register

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
    Entry(
        SYSTEM,
        10,
        "使用者",
        "group",
        "accounts.user",
        empty="可以登入的同事會列在這裡。",
        help=(
            "可以登入的同事與程式，和他們的角色：使用者查看，主管還能處理，管理員什麼都能改。按「＋」新增，"
            "再到那個人的頁面填上負責的 PM 與品牌，就有「我的」。「停用」的帳號不能登入；"
            "忘記密碼時按「重設密碼」。"
        ),
    ),
    Entry(
        SYSTEM,
        20,
        "API 權杖",
        "key",
        "accounts.apitoken",
        empty="程式用權杖使用 API，不必知道密碼。",
        help=(
            "讓程式不必知道密碼就能讀寫資料，以所選使用者的角色執行。按「＋」新增，權杖只顯示一次，請馬上存好。"
            "不再使用的按「撤銷」，程式立刻不能用；「最後使用」很久以前的也該撤銷。"
        ),
        how_to=(
            "按「＋」選使用者並寫下用途，儲存後複製權杖。",
            "程式在每次請求加上 `Authorization: Bearer 權杖`，例如讀取降價商品：`/api/products?filter=decrease`。",
            "全部的功能與範例在 `/api/docs`。",
        ),
    ),
    Entry(
        SYSTEM,
        30,
        "登入紀錄",
        "login",
        "accounts.loginattempt",
        empty="每一次登入，成功或失敗，都會列在這裡。",
        step=Link("看使用者", "group", "admin:accounts_user_changelist", "accounts.view_user"),
        help=(
            "每一次登入，不論成功或失敗。有人登不進來時，用完整的帳號或位址搜尋，看「結果」寫的原因。"
            "連續輸入錯誤的密碼會暫時鎖住，過一段時間自動解除。"
        ),
    ),
)
