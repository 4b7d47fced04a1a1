"""Entries of the sidebar for AI."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from ai.selectors.budgets import budget_states
from momo.admin.kit.nav import Card, Cards, Entry, RowLink, Section, register
from momo.core.formats import percent, percent_of

AI = Section("AI 文案", 27)
TIGHT = 80  # percent of a budget


def _budgets(request: HttpRequest) -> list[Card]:
    """How much of the budget of which most is used; no card without a budget."""
    used = [percent_of(one.used, one.budget.amount, places=1) for one in budget_states(user=request.user)]
    if not used:
        return []
    most = max(100.0 if share is None else share for share in used)  # of a budget of 0 nothing is left
    tight = "warn" if most >= TIGHT else ""
    return [Card("AI 預算已用", int(most), reverse("admin:ai_call_usage"), tight, text=percent(most, places=1))]


register(
    Entry(AI, 10, "文案工作台", "edit_note", "ai.style", page="ai_style_workbench"),
    Entry(
        AI,
        12,
        "產生紀錄",
        "history",
        "ai.generation",
        empty="產生的文案與搜尋的答案會留在這裡，可以加入最愛；各人看到自己的，管理員看到全部。",
    ),
    Entry(
        AI,
        15,
        "商品事實",
        "fact_check",
        "ai.factsheet",
        empty="產地、成分、認證、促銷等商品目錄沒有的事實列在這裡，產生與檢查文案時採用；從商品的頁面新增，或匯入。",
    ),
    Entry(AI, 20, "上網搜尋", "travel_explore", "ai.search", empty="按「搜尋」問一個問題，答案與來源會留在這裡。"),
    Entry(AI, 30, "趨勢清單", "trending_up", "ai.trendlist", empty="讀過的排行列在這裡，每天自動更新。"),
    Entry(AI, 35, "趨勢分類", "rule", "ai.trendcategory", empty="要讀的排行列在這裡，每個來源的每個分類一列。"),
    Entry(AI, 40, "法規詞句", "gavel", "ai.phrase", empty="廣告法規禁止或允許的詞句，更新資料庫之後會出現在這裡。"),
    Entry(AI, 50, "文案風格", "style", "ai.style", empty="新增風格之後，產生文案時可以選用。"),
    Entry(AI, 60, "用量與費用", "query_stats", "ai.call", page="ai_call_usage"),
    Entry(AI, 70, "AI 使用紀錄", "receipt_long", "ai.call", empty="產生文案或搜尋之後，每一次的用量與費用列在這裡。"),
    Entry(
        AI, 80, "預算", "savings", "ai.budget", empty="沒有預算就沒有上限。新增之後，超過之後不能再使用，直到下個月。"
    ),
    Entry(AI, 90, "模型價格", "payments", "ai.modelprice", empty="沒有價格的模型不能使用，因為無法計入預算。"),
    Cards(40, "ai.view_budget", _budgets),
    RowLink("products.product", "商品事實（文案採用的資料）", "fact_check", "ai_factsheet_of", "ai.view_factsheet"),
)
