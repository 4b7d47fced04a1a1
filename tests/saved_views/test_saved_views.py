"""Saved filters: made from a list, found there again, shared, and read by spreadsheets without a login."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from accounts.services import update_user
from momo.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from momo.saved_views.models import SavedView
from momo.saved_views.services import MOST_CONDITIONS, clean_query, issue_token, revoke_token, save_view, view_of_token
from tests.admin import makers
from tests.ai import makers as copy
from tests.kit.users import person, session_client

JOBS = "/admin/jobs/job/"
MENU = "/admin/saved_views/savedview/menu/"
KEEP = "/admin/saved_views/savedview/keep/"


@pytest.fixture
def amy(db: None) -> User:
    return person("amy")


@pytest.fixture
def max_(db: None) -> User:
    return person("max", Role.MANAGER)


def saved(user: User, *, model: str = "jobs.job", query: str = "status__exact=failed", **values: Any) -> SavedView:
    return save_view(user=user, model=model, name=values.pop("name", "失敗"), query=query, **values)


def read(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def csv_of(view: SavedView) -> Any:
    """The answer at a new CSV address of the view, to a client without any cookie."""
    return Client().get(f"/views/{issue_token(view=view, user=view.user)}.csv")


# --- Saving ----------------------------------------------------------------


def test_a_filter_is_saved_from_its_list_and_found_there_again(amy: User, max_: User) -> None:
    client = session_client(amy)
    saved(max_, name="同事的", shared=True)
    saved(max_, name="秘密")
    form = {"model": "jobs.job", "query": "p=3&status__exact=failed", "name": " 失敗 的 ", "shared": "on"}

    back = client.post(KEEP, form)
    menu = client.get(MENU, {"model": "jobs.job", "query": "status__exact=failed"}).content.decode()

    assert back["Location"] == f"{JOBS}?status__exact=failed"
    view = SavedView.objects.get(user=amy)
    assert (view.name, view.query, view.shared) == ("失敗 的", "status__exact=failed", True)
    shown = re.findall(r'<a href="([^"]+)"( aria-current="page")?><span>([^<]+)</span>', menu)
    current = ' aria-current="page"'
    url = f"{JOBS}?status__exact=failed"
    assert shown == [(url, current, "失敗 的"), (url, current, "同事的")]
    assert f'hx-get="{MENU}?model=jobs.job&amp;query=status__exact%3Dfailed"' in client.get(url).content.decode()


def test_the_same_name_is_replaced_only_on_purpose(amy: User) -> None:
    view = saved(amy)
    token = issue_token(view=view, user=amy)

    with pytest.raises(Conflict, match="取代同名的"):
        saved(amy, query="status__exact=succeeded")
    again = saved(amy, query="status__exact=succeeded", replace=True)

    assert again.pk == view.pk
    assert view_of_token(token).query == "status__exact=succeeded"


@pytest.mark.parametrize(
    "query",
    ["q=%00", f"q={'長' * 700}", "&".join(f"a{number}=1" for number in range(MOST_CONDITIONS + 1))],
    ids=["nul", "long", "many"],
)
def test_what_cannot_be_stored_is_refused(query: str, amy: User) -> None:
    with pytest.raises(ValidationFailed):
        saved(amy, query=query)


def test_the_same_conditions_are_the_same_query() -> None:
    assert clean_query("?b=2&a=1&a=0&p=4&e=1&empty=") == clean_query("a=0&b=2&a=1") == "a=0&a=1&b=2"


@pytest.mark.parametrize("model", ["accounts.user", "no.such", "x", "", "auth.group"])
def test_a_list_that_one_may_not_see_cannot_be_saved(model: str, amy: User) -> None:
    client = session_client(amy)

    assert client.post(KEEP, {"model": model, "name": "x"}, follow=True).status_code == 200
    assert client.get(MENU, {"model": model}).status_code == 200
    assert client.get(KEEP).status_code == 405
    assert not SavedView.objects.exists()


def test_views_of_others_are_not_ones_own(amy: User, max_: User) -> None:
    theirs = saved(max_, shared=True)
    issue_token(view=theirs, user=max_)
    client = session_client(amy)

    answers = [
        client.get(reverse("admin:saved_views_savedview_change", args=[theirs.pk])).status_code,
        client.post(reverse("admin:saved_views_savedview_delete", args=[theirs.pk]), {"post": "yes"}).status_code,
        client.get(reverse("admin:saved_views_savedview_address", args=[theirs.pk])).status_code,
    ]
    client.post(reverse("admin:saved_views_savedview_revoke", args=[theirs.pk]), {"_form_submitted": "1"})

    assert answers == [302, 302, 404]
    theirs.refresh_from_db()
    assert theirs.digest
    with pytest.raises(Forbidden):
        issue_token(view=theirs, user=amy)


def test_a_view_is_renamed_shared_and_deleted_by_its_owner(amy: User) -> None:
    view, other = saved(amy), saved(amy, name="另一個")
    client = session_client(amy)
    page = reverse("admin:saved_views_savedview_change", args=[view.pk])

    shown = client.get(page).content.decode()
    client.post(page, {"name": "失敗的", "shared": "on"})
    refused = client.post(page, {"name": other.name})
    view.refresh_from_db()

    assert "狀態：失敗" in shown
    assert (view.name, view.shared) == ("失敗的", True)
    assert "同名" in refused.content.decode()
    client.post(reverse("admin:saved_views_savedview_delete", args=[view.pk]), {"post": "yes"})
    assert list(SavedView.objects.all()) == [other]


# --- CSV addresses ----------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("jobs.job", "status__exact=failed"),
        ("sales.salesline", "pm=王小明"),
        ("products.product", "moved=down-24h&o=1"),
        ("accounts.user", ""),
    ],
)
def test_the_csv_of_a_view_is_the_export_of_its_list(model: str, query: str) -> None:
    boss = person("ada", Role.ADMIN)
    makers.brought(makers.sold("2026-01-29", name="@HYPERLINK(1)"), makers.sold("2026-01-29", "87654321", pm="別人"))
    makers.brought(makers.sold("2026-01-30", quantity="三"))
    makers.products(12)
    listed = reverse(f"admin:{model.replace('.', '_')}_export_file", args=["csv"])
    browser = session_client(boss)  # a login changes the list of users

    answer = csv_of(saved(boss, model=model, query=query))
    content = read(answer)

    assert content == read(browser.get(f"{listed}?{query}"))
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\n") > 1, "rows, not only headings"
    assert b",@" not in content
    assert (b",'@HYPERLINK" in content) == (model == "sales.salesline")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer


def test_the_page_shows_the_address_once_and_revokes_it(amy: User) -> None:
    view = saved(amy)
    client = session_client(amy)
    page = reverse("admin:saved_views_savedview_address", args=[view.pk])

    made = client.post(page)
    (token,) = set(re.findall(r"/views/([\w-]{40})\.csv", made.content.decode()))
    view.refresh_from_db()

    assert "no-store" in made["Cache-Control"]
    assert token not in client.get(page).content.decode()
    assert token not in str(SavedView.objects.values_list().get())
    assert Client().get(f"/views/{token}.csv").status_code == 200
    client.post(reverse("admin:saved_views_savedview_revoke", args=[view.pk]), {"_form_submitted": "1"})
    assert Client().get(f"/views/{token}.csv").status_code == 404
    trail = str(list(LogEntry.objects.filter(object_pk=str(view.pk)).values_list("changes", flat=True)))
    assert view.prefix in trail
    assert view.digest not in trail


def test_an_address_works_only_while_it_should(amy: User) -> None:
    view = saved(amy)
    old = issue_token(view=view, user=amy)
    new = issue_token(view=view, user=amy)

    def status(token: str) -> int:
        return Client().get(f"/views/{token}.csv").status_code

    assert [status(token) for token in (old, new, new[:-1], "x", "%00", "長" * 300)] == [404, 200, 404, 404, 404, 404]
    User.objects.filter(pk=amy.pk).update(must_change_password=True)
    assert status(new) == 403
    User.objects.filter(pk=amy.pk).update(must_change_password=False, is_active=False)
    gone = Client().get(f"/views/{new}.csv")
    User.objects.filter(pk=amy.pk).update(is_active=True)
    revoke_token(view=view)
    assert (gone.status_code, gone.content) == (404, Client().get(f"/views/{new}.csv").content)
    with pytest.raises(NotFound):
        view_of_token(new)


def test_an_address_has_the_permissions_that_its_owner_has_now(amy: User) -> None:
    boss = person("ada", Role.ADMIN)
    person("eve", Role.ADMIN)
    copy.texts(2)
    users, texts = saved(boss, model="accounts.user", query=""), saved(amy, model="ai.generation", query="")
    token = issue_token(view=users, user=boss)

    assert Client().get(f"/views/{token}.csv").status_code == 200
    update_user(user=boss, actor=None, role=Role.USER)
    refused = Client().get(f"/views/{token}.csv")

    assert (refused.status_code, refused.content.decode()) == (403, "沒有這個清單的權限")
    assert read(csv_of(texts)).count(b"\n") == 1  # the texts are another user's: headings only


def test_a_list_that_is_gone_or_whose_conditions_are_is_said(amy: User) -> None:
    gone, wrong = saved(amy), saved(amy, name="錯", query="created_by__nonsense=1")
    SavedView.objects.filter(pk=gone.pk).update(model="shop.order")
    gone.refresh_from_db()

    assert csv_of(gone).status_code == 404
    answer = csv_of(wrong)
    assert (answer.status_code, answer.content.decode()) == (400, "清單不認得這些條件，請重新篩選")
    assert session_client(amy).get("/admin/saved_views/savedview/").status_code == 200
    page = reverse("admin:saved_views_savedview_change", args=[wrong.pk])
    assert "清單不認得這些條件" in session_client(amy).get(page).content.decode()


def test_more_rows_than_a_file_holds_and_too_many_reads_are_refused(amy: User, settings: Any) -> None:
    makers.jobs(4)
    settings.EXPORT_MAX_ROWS = 1
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"view": "2/min"}}
    address = f"/views/{issue_token(view=saved(amy), user=amy)}.csv"

    with time_machine.travel("2026-03-01T04:00:00Z", tick=False):
        answers = [Client().get(address), Client().head(address), Client().get(address)]

    assert [answer.status_code for answer in answers] == [400, 200, 429]
    assert "請縮小範圍" in answers[0].content.decode()
    assert answers[2]["Retry-After"]


def test_the_last_use_is_stored_once_a_minute(amy: User) -> None:
    view = saved(amy)
    token = issue_token(view=view, user=amy)
    used = []

    for moment in ("2026-03-01T04:00:00Z", "2026-03-01T04:00:30Z", "2026-03-01T04:01:30Z"):
        with time_machine.travel(moment, tick=False):
            view_of_token(token)
            view.refresh_from_db()
            used.append(view.used_at == timezone.now())

    assert used == [True, False, True]
