"""Admin pages of the search."""

from __future__ import annotations

import html

import pytest
from django.urls import reverse

from accounts.models import User
from ai.models import Generation
from tests.ai.makers import generation
from tests.fakes.gemini import Gemini
from tests.kit.users import person, session_client

EXTRA = {
    "sources": [{"title": "<b>來源</b>", "url": "https://example.com/1"}],
    "queries": ["防曬"],
    "search_entry_point": '<div><script>alert(1)</script><a href="https://www.google.com/search?q=x">x</a></div>',
}


@pytest.fixture
def found(user: User) -> Generation:
    return generation(user, "答案<script>", kind="search", request={"query": "防曬趨勢"}, extra=EXTRA)


def test_the_entry_point_is_in_a_frame_without_scripts(found: Generation, user: User) -> None:
    page = session_client(user).get(reverse("admin:ai_search_change", args=[found.pk])).content.decode()

    frame = page.partition("<iframe")[2].partition("</iframe>")[0]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    document = html.unescape(frame.partition('srcdoc="')[2].partition('"')[0])
    assert "default-src 'none'" in document
    assert EXTRA["search_entry_point"] in document
    assert "<script>alert" not in page
    assert "答案&lt;script&gt;" in page
    assert "&lt;b&gt;來源&lt;/b&gt;" in page


def test_everybody_sees_their_own_and_admins_all(found: Generation, user: User, admin: User) -> None:
    address, one = reverse("admin:ai_search_changelist"), reverse("admin:ai_search_change", args=[found.pk])
    generation(user, "文案", request={"query": "不是搜尋"})

    assert "防曬趨勢" in session_client(user).get(address).content.decode()
    assert "不是搜尋" not in session_client(admin).get(address).content.decode()
    assert "防曬趨勢" in session_client(admin).get(address).content.decode()
    other = session_client(person("bob"))
    assert "防曬趨勢" not in other.get(address).content.decode()
    assert other.get(one).status_code == 302


def test_a_question_is_asked_on_a_page(gemini: Gemini, user: User) -> None:
    browser, address = session_client(user), reverse("admin:ai_search_ask")
    assert "費用計入預算" in browser.get(address).content.decode()
    assert 'role="alert"' in browser.post(address, {"query": " "}).content.decode()

    answer = browser.post(address, {"query": "防曬趨勢"})
    kept = Generation.objects.get()
    assert answer.url == reverse("admin:ai_search_change", args=[kept.pk])
    assert "沒有提供來源" in browser.get(answer.url).content.decode()

    gemini.fail(403, "PERMISSION_DENIED")
    refused = browser.post(address, {"query": "再一次"}).content.decode()
    assert "GEMINI_API_KEY" in refused
    assert "再一次" in refused
