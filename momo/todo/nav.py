"""The entry 待辦 of the sidebar with its badge, and its card on the start page."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.nav import Card, Cards, Entry, Page, Section, count, register
from momo.todo.pages import asked_by, todo_page
from momo.todo.selectors import counts, waiting

TODAY = Section("今天", 5)
VIEW = "todo.view_todostate"


def _cards(request: HttpRequest) -> list[Card]:
    narrowed = mine.chosen_scope(request) is not None
    number = sum(counts(asked_by(request)).values()) if narrowed else count(request, waiting)
    return [Card("待辦", number, mine.address(request, reverse("admin:todo")), "warn")]


register(
    Entry(
        TODAY,
        10,
        "待辦",
        "checklist",
        "",
        page="todo",
        needs=VIEW,
        badge=waiting,
        help=(
            "等人處理的事都在這裡：失敗的匯入、警示、待確認價格、銷售異常、訊息與缺貨。先按「我來處理」接下一項，"
            "再點名稱到那一頁處理；主管可以交給別人或延後。原因消失，項目就自己不見，不必打勾。"
        ),
    ),
    Page("todo/", "todo", VIEW, todo_page),
    Cards(1, VIEW, _cards, counts=(waiting,)),
)
