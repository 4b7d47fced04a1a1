"""The admin's history: one's own texts with their warnings in place, favourites, deleting."""

from __future__ import annotations

import re

from django.urls import reverse

from accounts.models import User
from ai.admin.marks import marked
from ai.models import Call, Generation
from tests.ai.makers import COPY, WARNINGS, generation
from tests.kit.users import person, session_client

LIST = "admin:ai_generation_changelist"


def warning(start: int, end: int, severity: str = "low") -> dict[str, object]:
    return {**WARNINGS[0], "start": start, "end": end, "severity": severity}


def test_warnings_are_marked_where_they_are_by_code_points() -> None:
    text = "👍🏽<治療>痘痘"
    shown = str(marked(text, [warning(3, 5, "low"), warning(4, 8, "high"), warning(7, 99), warning(6, 6)]))
    parts = re.findall(r'<mark class="mo-mark mo-mark--(\w+)">(.*?)</mark>', shown)
    assert parts == [("low", "治"), ("high", "療"), ("high", "&gt;痘"), ("high", "痘")]
    assert re.sub(r"<sup>.*?</sup>|</?mark.*?>", "", shown) == "👍🏽&lt;治療&gt;痘痘"
    assert re.findall(r'href="#warning-(\d)"', shown) == ["1", "2", "3"]
    assert (str(marked("", [])), str(marked("<b>", []))) == ("", "&lt;b&gt;")


def test_a_page_shows_the_text_with_its_warnings(user: User) -> None:
    one = generation(user, COPY, warnings=WARNINGS, product_name="水漾", request={"keywords": ["保濕"]})
    page = session_client(user).get(reverse("admin:ai_generation_change", args=[one.pk])).content.decode()
    assert '<mark class="mo-mark mo-mark--high">治療痘痘</mark>' in page
    assert '<mark class="mo-mark mo-mark--medium">只要99元</mark>' in page
    for text in ("涉及醫療效能", "調理肌膚", "化粧品衛生安全管理法第10條第2項", "商品資料沒有這個價格", "保濕"):
        assert text in page
    assert 'name="content"' not in page


def test_everybody_sees_their_own_and_admins_all(user: User, admin: User) -> None:
    mine, theirs = generation(user), generation(person("bob"))
    asked = generation(user, "答案", kind="search", request={"query": "防曬趨勢"})

    def listed(browser: User, query: str = "") -> list[int]:
        found = session_client(browser).get(f"{reverse(LIST)}?{query}")
        return [row.pk for row in found.context["cl"].result_list]

    assert listed(user) == [asked.pk, mine.pk]
    assert listed(admin) == [asked.pk, theirs.pk, mine.pk]
    assert listed(user, "q=防曬") == [asked.pk]
    assert listed(admin, "kind__exact=copy&warned=no&favorite__exact=0") == [theirs.pk, mine.pk]
    calls = session_client(user).get(reverse("admin:ai_call_changelist")).context["cl"].result_list
    assert {call.username for call in calls} == {user.username}


def test_favourites_and_deleting_are_for_whom_may_see_the_text(user: User) -> None:
    one, browser, stranger = generation(user), session_client(user), session_client(person("bob"))
    star, remove = (reverse(f"admin:ai_generation_{name}", args=[one.pk]) for name in ("favorite", "remove"))
    sent = {"_form_submitted": "True"}
    for url in (star, remove):
        assert stranger.post(url, sent).status_code in (302, 403, 404)
    chosen = {"action": "add_favorites", "_selected_action": [one.pk], "index": 0}
    stranger.post(reverse(LIST), chosen)
    assert Generation.objects.get(favorite=False, deleted_at=None) == one

    browser.post(star, sent)
    assert Generation.objects.get(favorite=True) == one
    browser.post(reverse(LIST), {**chosen, "action": "remove_favorites"})
    assert Generation.objects.get(favorite=False) == one
    assert browser.post(remove, sent)["Location"] == reverse(LIST)
    assert browser.get(reverse(LIST)).context["cl"].result_count == 0
    assert Call.objects.count() == 1
