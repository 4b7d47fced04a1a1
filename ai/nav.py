"""Entries of the sidebar for AI."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from ai.selectors.budgets import budget_states
from momo.admin.kit.nav import Card, Cards, Entry, Link, RowLink, Section, register
from momo.core.formats import percent, percent_of

AI = Section("AI 文案", 27)
WRITE = Link("開啟文案工作台", "edit_note", "admin:ai_style_workbench", "ai.view_style")
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
    Entry(
        AI,
        10,
        "文案工作台",
        "edit_note",
        "ai.style",
        page="ai_style_workbench",
        help=(
            "選商品與風格讓 AI 寫文案，並依商品事實與廣告法規檢查。先搜尋商品，按「產生文案」，"
            "再修改標出來的地方；也可以貼上自己的文字。紅色最嚴重，其次黃色、藍色；每次修改都會再檢查。"
        ),
    ),
    Entry(
        AI,
        12,
        "產生紀錄",
        "history",
        "ai.generation",
        empty="產生的文案與搜尋的答案會留在這裡，可以加入最愛；各人看到自己的，管理員看到全部。",
        step=WRITE,
        help=(
            "產生過的文案與搜尋的答案，各人看自己的，管理員看全部。點進去看內容與當時的警告，好的加入最愛。"
            "「警告」是檢查找到的問題數；不是最愛的文案，過了保存期限會刪除。"
        ),
    ),
    Entry(
        AI,
        15,
        "商品事實",
        "fact_check",
        "ai.factsheet",
        empty="產地、成分、認證、促銷等商品目錄沒有的事實列在這裡，產生與檢查文案時採用；從商品的頁面新增，或匯入。",
        help=(
            "寫文案時採用、而商品目錄沒有的資料，例如產地、成分、認證與促銷。主管按「＋」選商品填寫，"
            "或用檔案匯入；沒有填的沿用目錄。「已失效」表示填寫之後 momo 的售價變了，自訂售價不再採用。"
        ),
    ),
    Entry(
        AI,
        20,
        "上網搜尋",
        "travel_explore",
        "ai.search",
        empty="按「搜尋」問一個問題，答案與來源會留在這裡。",
        step=Link("搜尋", "travel_explore", "admin:ai_search_ask", "ai.view_search"),
        help=(
            "由 Gemini 以 Google 搜尋回答問題，並附上來源。按「搜尋」輸入問題，需要數秒到一分鐘，費用計入預算。"
            "「來源」是答案引用的網頁數，採用之前請先開啟核對。"
        ),
    ),
    Entry(
        AI,
        30,
        "趨勢清單",
        "trending_up",
        "ai.trendlist",
        empty="讀過的排行列在這裡，每天自動更新。",
        step=Link("看趨勢分類", "rule", "admin:ai_trendcategory_changelist", "ai.view_trendcategory"),
        help=(
            "mybest、@cosme 與 YouTube 的熱門排行，照排程每天讀一次。點分類看名次、價格與評分；要多看一個排行，"
            "到「趨勢分類」新增。「過舊」表示很久沒有讀到新的。"
        ),
    ),
    Entry(
        AI,
        35,
        "趨勢分類",
        "rule",
        "ai.trendcategory",
        empty="要讀的排行列在這裡，每個來源的每個分類一列。",
        help=(
            "要讀哪些排行，以及上一次讀取的結果。主管按「＋」選來源並填代碼或搜尋詞，再按「立即更新」；"
            "讀不到的可以在它的頁面用檔案匯入。「最近的錯誤」寫著讀不到的原因，「啟用」關掉就不再讀取。"
        ),
    ),
    Entry(
        AI,
        40,
        "法規詞句",
        "gavel",
        "ai.phrase",
        empty="廣告法規禁止或允許的詞句列在這裡，可以新增或匯入。",
        help=(
            "廣告法規禁止或允許的詞句，檢查文案時逐一比對。主管可以新增、匯入或停用；系統內建的不能改名或刪除。"
            "「嚴重程度」高的在文案中標成紅色，「可以使用」打勾的不會被警告。"
        ),
    ),
    Entry(
        AI,
        50,
        "文案風格",
        "style",
        "ai.style",
        empty="新增風格之後，產生文案時可以選用。",
        help=(
            "產生文案時可以選的寫法，每一種是一段給 AI 的指示。主管按「＋」寫下名稱與指示，用「順序」決定先後。"
            "停用的風格不出現在文案工作台，已經產生的文案不受影響。"
        ),
    ),
    Entry(
        AI,
        60,
        "用量與費用",
        "query_stats",
        "ai.call",
        page="ai_call_usage",
        help=(
            "AI 用了幾次、花了多少，以及預算還剩多少；各人看自己的，管理員看全部。先選期間，再選依日期、供應者、"
            "模型或使用者。費用是依「模型價格」估計的，不是供應者的帳單。"
        ),
    ),
    Entry(
        AI,
        70,
        "AI 使用紀錄",
        "receipt_long",
        "ai.call",
        empty="產生文案或搜尋之後，每一次的用量與費用列在這裡。",
        step=WRITE,
        help=(
            "每一次使用 AI 的時間、模型、用量與費用，用來追查單獨一次；合計請看「用量與費用」。點時間看細節，"
            "「失敗」的原因也在那裡。「中斷」是沒有做完的；過了保存期限只留下每日合計。"
        ),
    ),
    Entry(
        AI,
        80,
        "預算",
        "savings",
        "ai.budget",
        empty="沒有預算就沒有上限。新增預算之後，超過就不能再使用，直到下個月。",
        help=(
            "一個月最多可以花在 AI 的金額，可以分供應者與使用者；沒有預算就沒有上限。管理員按「＋」新增。"
            "同時適用幾個預算時，每一個都要夠才能使用，超過之後不能再使用。"
        ),
    ),
    Entry(
        AI,
        90,
        "模型價格",
        "payments",
        "ai.modelprice",
        empty="沒有價格的模型不能使用，因為無法計入預算。",
        help=(
            "各模型每百萬 token 與每次搜尋的價格，用來估計費用。價格改變時，管理員按「＋」新增一列，"
            "從「生效日」起採用，舊的留著。沒有價格的模型不能使用。"
        ),
    ),
    Cards(40, "ai.view_budget", _budgets),
    RowLink("products.product", "商品事實（文案採用的資料）", "fact_check", "ai_factsheet_of", "ai.view_factsheet"),
)
