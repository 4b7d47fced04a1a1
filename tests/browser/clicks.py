"""What a user of the admin can do with a model, and how it is clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.test import RequestFactory
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

FORMS = ("add", "change", "delete")


def _nothing(*_: Any) -> None:
    pass


@dataclass(frozen=True)
class Click:
    """One thing to do: what it needs, how its form is filled in, and how its effect shows.

    `make` creates the rows and returns the one that is clicked, None if there is none. `fill` fills in the dialog or
    the page that the click leads to, and submits the page; a dialog is submitted by the driver. `says` is a text of the
    page after it, `done` whether the database has the effect. `query` are filters of the list, as in its address.
    """

    make: Callable[[], Any]
    says: str
    done: Callable[[Any], Any]
    fill: Callable[[Page], Any] = _nothing
    query: str = ""


def gone(row: Any) -> bool:
    """Whether the row is no longer in the database."""
    return not type(row)._default_manager.filter(pk=row.pk).exists()


Clicks = dict[tuple[str, str], Click]  # by label of the model and name of the action


def offered(user: AbstractBaseUser) -> dict[tuple[str, str], str]:
    """Where `user` finds each action of each model: selected (rows of a list), list, row, detail, or a form."""
    request = RequestFactory().get("/admin/")
    request.user = user
    found: dict[tuple[str, str], str] = {}
    for model, pages in admin.site._registry.items():
        label = model._meta.label_lower
        for where, names in _named(pages).items():
            for name in names:
                found.setdefault((label, name), where)
        for name in FORMS:
            if getattr(pages, f"has_{name}_permission")(request):
                found[label, name] = name
    return found


def _named(pages: Any) -> dict[str, list[str]]:
    return {
        "detail": pages._extract_action_names(pages.actions_detail),
        "list": pages._extract_action_names(pages.actions_list),
        "row": pages._extract_action_names(pages.actions_row),
        "selected": list(pages.actions or ()),
    }


def click(page: Page, key: tuple[str, str], where: str, case: Click, row: Any) -> None:
    """Click it from the list or the page of the row to its end."""
    label, name = key
    pages = admin.site._registry[apps.get_model(label)]
    base = f"admin:{pages.opts.app_label}_{pages.opts.model_name}"
    listed = f"{reverse(f'{base}_changelist')}{case.query and f'?{case.query}'}"
    page.goto(reverse(f"{base}_change", args=[row.pk]) if where in ("detail", "change", "delete") else listed)
    if where == "selected":
        _select(page, name, row)
    elif where in FORMS:
        _open_form(page, where, base, row)
    else:
        _follow(page, pages, name, where, row)
    case.fill(page)
    dialog = page.locator("#dialog")
    if dialog.is_visible():
        dialog.locator("button[type=submit]").click()
    elif where in ("add", "change"):
        page.locator("[name=_save]").filter(visible=True).first.click()
    expect(page.locator("body")).to_contain_text(case.says)


def _select(page: Page, name: str, row: Any) -> None:
    page.locator(f"input.action-select[value='{row.pk}']").check()
    page.locator("select[name=action]").select_option(name)
    page.locator("#changelist-actions button[name=index]").click()
    page.wait_for_load_state()


def _open_form(page: Page, where: str, base: str, row: Any) -> None:
    if where == "add":
        page.locator(f"a[href*='{reverse(f'{base}_add')}']").filter(visible=True).first.click()
        page.wait_for_load_state()
    elif where == "delete":
        page.locator(f"a[href*='{reverse(f'{base}_delete', args=[row.pk])}']").filter(visible=True).first.click()
        page.wait_for_load_state()
        page.locator("#content form [type=submit]").first.click()


def _follow(page: Page, pages: Any, name: str, where: str, row: Any) -> None:
    """Click the link of an action; if it opens a dialog, wait for that."""
    action = pages.get_unfold_action(name)
    address = reverse(f"admin:{action.action_name}", args=[] if where == "list" else [row.pk])
    links = page.locator(f"a[href='{address}']")
    if not links.filter(visible=True).count():
        _unfold(page, where, row)
    link: Locator = links.filter(visible=True).first
    asks = link.get_attribute("hx-get")
    link.click()
    if asks:
        expect(page.locator("#dialog")).to_be_visible()
    else:
        page.wait_for_load_state()


def _unfold(page: Page, where: str, row: Any) -> None:
    """Open the menu that has the action: of a row, or above a list."""
    if where == "row":
        page.locator(f"[x-ref='rowDropdown{str(row.pk).replace('-', '')}']").click()
    else:
        page.locator("li[x-ref^=actionDropdown] > a").filter(visible=True).first.click()
