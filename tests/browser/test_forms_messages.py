"""What users do by hand beside the actions: log in, passwords, versions and previews, saved filters, 待辦."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import LoginAttempt, Role, User, UserScope
from momo.saved_views.models import SavedView
from momo.saved_views.services import save_view
from momo.todo.models import TodoComment, TodoState
from notifications.models import OutboxMessage, Subscription
from notifications.services.templates import save_template
from tests.admin import makers
from tests.admin import makers_notifications as messages
from tests.browser.conftest import Opener
from tests.kit.users import PASSWORD, person

OTHER_PASSWORD = "Another-pass-2027"


def _says(page: Page, text: str) -> None:
    expect(page.locator("body")).to_contain_text(text)


def _pressed(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).filter(visible=True).click()


def test_a_user_logs_in_by_the_right_password_and_out_again(opened: Opener, boss: User) -> None:
    page = opened(anonymous=True)
    page.goto("/login?next=/admin/notifications/chat/")
    page.get_by_label("帳號").fill(boss.username)
    page.get_by_label("密碼").fill("wrong")
    page.get_by_role("button", name="登入").click()
    expect(page.get_by_role("alert")).to_contain_text("帳號或密碼")
    expect(page.get_by_label("帳號")).to_have_value(boss.username)

    page.get_by_label("密碼").fill(PASSWORD)
    page.get_by_role("button", name="登入").click()
    _says(page, "還沒有 Telegram 聊天室")
    page.locator("#nav-sidebar").get_by_text("unfold_more").click()
    page.get_by_role("button", name="登出").click()
    expect(page.get_by_label("帳號")).to_be_visible()

    page.goto("/admin/notifications/chat/")
    assert "/login" in page.url
    assert list(LoginAttempt.objects.order_by("pk").values_list("success", flat=True)) == [False, True]


def test_a_user_changes_the_own_password_and_stays_logged_in(opened: Opener, boss: User) -> None:
    page = opened()
    page.goto("/admin/")
    page.locator("#nav-sidebar").get_by_text("unfold_more").click()
    page.locator("a[href$='/password_change/']").click()
    for confirmation, says in ((PASSWORD, "兩次輸入的新密碼不同"), (OTHER_PASSWORD, "待辦")):
        page.get_by_label("目前的密碼").fill(PASSWORD)
        page.get_by_label("新密碼", exact=True).fill(OTHER_PASSWORD)
        page.get_by_label("再輸入一次新密碼").fill(confirmation)
        page.get_by_role("button", name="變更密碼").click()
        _says(page, says)

    assert User.objects.get(pk=boss.pk).check_password(OTHER_PASSWORD)


def test_an_old_version_of_a_template_is_restored(opened: Opener) -> None:
    template = messages.template()
    save_template(template=template, user=None, **messages.CONTENT | {"body": "{{ host }}"})
    page = opened()
    page.goto(f"/admin/notifications/template/{template.pk}/versions/")

    page.get_by_role("link", name="還原這個版本").click()
    _pressed(page, "還原")
    _says(page, "已還原第 1 版，成為第 3 版")

    template.refresh_from_db()
    assert (template.version, template.body) == (3, messages.BODY)


def test_the_preview_follows_the_form_and_names_the_line_of_a_fault(opened: Opener) -> None:
    template = messages.template()
    page = opened()
    page.goto(f"/admin/notifications/template/{template.pk}/change/")
    shown, body = page.locator("[data-preview-html]"), page.locator("[name=body]")
    expect(shown.locator("[data-channel=telegram]")).to_contain_text("momo-web-1")

    body.fill("主機 {{ host }} 已滿")
    expect(shown.locator("[data-channel=telegram]")).to_contain_text("主機 momo-web-1 已滿")
    page.get_by_role("tab", name="郵件").click()
    expect(shown.locator("[data-channel=mail]")).to_contain_text("通知：momo-web-1")
    page.locator("[data-preview-source]").select_option("own")
    page.locator("[data-preview-values]").fill('{"host": "db-7"}')
    expect(shown.locator("[data-channel=mail]")).to_contain_text("通知：db-7")
    body.fill("主機\n{{ host")
    expect(page.locator("[data-preview-faults]")).to_contain_text("內文：第 2 行")

    template.refresh_from_db()
    assert (template.version, template.body) == (1, messages.BODY)


def test_the_filters_of_a_list_are_saved_and_found_again(opened: Opener, boss: User) -> None:
    messages.chats(2)
    page = opened()
    page.goto("/admin/notifications/chat/?is_active__exact=0&p=1")
    menu = page.locator("details[data-menu]", has_text="已存篩選")

    menu.locator("summary").click()
    menu.get_by_label("名稱").fill("停用的")
    menu.get_by_label("同事也看得到").check()
    menu.get_by_role("button", name="存下目前的篩選").click()
    _says(page, "已存下「停用的」")
    page.goto("/admin/notifications/chat/")
    expect(page.locator("#result_list .data-row")).to_have_count(2)
    menu.locator("summary").click()
    menu.get_by_role("link", name="停用的").click()
    expect(page.locator("#result_list .data-row")).to_have_count(1)

    view = SavedView.objects.get(user=boss)
    assert (view.model, view.query, view.shared) == ("notifications.chat", "is_active__exact=0", True)


def test_a_refused_name_of_saved_filters_stays_and_is_replaced_on_purpose(opened: Opener, boss: User) -> None:
    view = save_view(user=boss, model="notifications.chat", name="停用的", query="is_active__exact=0")
    page = opened()
    page.goto("/admin/notifications/chat/?is_active__exact=1")
    menu = page.locator("details[data-menu]", has_text="已存篩選")

    menu.locator("summary").click()
    menu.get_by_label("名稱").fill("停用的")
    menu.get_by_label("同事也看得到").check()
    menu.get_by_role("button", name="存下目前的篩選").click()
    expect(menu.get_by_role("alert")).to_contain_text("已經有「停用的」")
    expect(menu.get_by_label("名稱")).to_have_value("停用的")
    expect(menu.get_by_label("同事也看得到")).to_be_checked()
    menu.get_by_label("取代同名的").check()
    menu.get_by_role("button", name="存下目前的篩選").click()
    _says(page, "已存下「停用的」")

    view.refresh_from_db()
    assert (view.query, view.shared) == ("is_active__exact=1", True)


def test_several_items_are_given_away_put_off_and_spoken_about(opened: Opener) -> None:
    colleague = person("ming", Role.MANAGER, display_name="陳小明")
    first, second, third = makers.held(3)
    page, names = opened(), [first.name, second.name]
    page.goto("/admin/todo/")
    bar, row = page.locator("#todo"), page.locator(".mo-todo tbody tr")

    def choose() -> None:
        for name in names:
            page.get_by_label(f"選取 {name}").check()

    choose()
    bar.locator("[name=assignee]").select_option(label="陳小明")
    bar.get_by_role("button", name="交給").click()
    _says(page, "已將 2 項交給 陳小明")
    row.filter(has_text=third.name).get_by_role("button", name="我來處理").click()
    _says(page, "這一項由您處理")
    talk = row.filter(has_text=third.name).locator("details")
    talk.locator("summary").click()
    talk.get_by_role("textbox").fill("問過了")
    talk.get_by_role("button", name="留言").click()
    _says(page, "已留言")
    choose()
    later = timezone.localdate() + timedelta(days=9)
    bar.locator("[name=until_day]").fill(f"{later}")
    bar.get_by_role("button", name="延後").click()
    _says(page, f"已將 2 項延後到 {later}")
    expect(row).to_have_count(1)

    given = TodoState.objects.filter(object_id__in=[first.pk, second.pk])
    assert {(one.assignee, timezone.localdate(one.snoozed_until)) for one in given} == {(colleague, later)}
    said = TodoComment.objects.get()
    assert (said.state.object_id, said.state.assignee, said.text) == (third.pk, said.user, "問過了")


def test_a_user_turns_from_everything_to_the_own_and_back(opened: Opener, boss: User) -> None:
    one, other = makers.held(2)
    type(one.product).objects.filter(pk=other.product_id).update(brand="雲端客")
    UserScope.objects.create(user=boss, kind="brand", name="雲端客")
    page = opened()
    page.goto("/admin/todo/")
    rows = page.locator(".mo-todo tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="我的", exact=True).click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(other.name)
    page.get_by_role("link", name="全部", exact=True).click()
    expect(rows).to_have_count(2)

    page.goto("/admin/products/quarantinedprice/")
    page.locator("#changelist [role=button]", has_text="篩選").click()
    page.locator("#changelist-filter select[name=mine] + .select2 .select2-selection").click()
    page.locator(".select2-results__option", has_text="我的").click()
    page.locator("#changelist-filter").get_by_role("button", name="套用").click()
    expect(page.locator("#result_list .data-row")).to_have_count(1)
    expect(page.locator("#result_list .data-row")).to_contain_text(other.name)


def test_all_pages_of_messages_are_decided_about_at_once(opened: Opener) -> None:
    messages.mails(51)
    page = opened()
    page.goto("/admin/notifications/outboxmessage/")

    page.locator("#action-toggle").check()
    page.get_by_role("link", name="選取所有頁").click()
    page.locator("select[name=action]").select_option("cancel_selected")
    page.locator("#changelist-actions button[name=index]").click()
    _says(page, "取消 51 則訊息？")
    _pressed(page, "確定取消")
    _says(page, "取消：51 則")

    assert set(OutboxMessage.objects.values_list("status", flat=True)) == {"cancelled"}


def test_subscriptions_are_switched_off_in_their_list(opened: Opener) -> None:
    kept, off = messages.subscription(name="早會"), messages.subscription(name="晚會")
    page = opened()
    page.goto("/admin/notifications/subscription/")

    page.locator("#result_list .data-row", has_text="晚會").locator("[name$=-enabled]").uncheck()
    page.locator("[name=_save]").click()
    _says(page, "已儲存 1")

    assert dict(Subscription.objects.values_list("pk", "enabled")) == {kept.pk: True, off.pk: False}


def test_a_double_click_in_a_dialog_counts_once(opened: Opener) -> None:
    subscription = messages.subscription()
    page, sent = opened(), list[str]()
    page.on("request", lambda request: sent.append(request.method))
    page.goto(f"/admin/notifications/subscription/{subscription.pk}/change/")
    page.get_by_role("link", name="傳送測試").filter(visible=True).first.click()
    page.locator("#dialog button[type=submit]").dblclick()
    _says(page, "測試訊息已排入寄送")
    assert sent.count("POST") == 1
    assert OutboxMessage.objects.count() == 1
