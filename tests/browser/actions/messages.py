"""Users, tokens and Telegram accounts, chats, subscriptions, templates, messages and saved filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Page, expect

from accounts.models import ApiToken, Role, User
from accounts.services import create_token
from bot.models import LinkCode
from momo.saved_views.models import SavedView
from momo.saved_views.services import issue_token, save_view
from notifications.models import Chat, OutboxMessage, Subscription, Template
from notifications.services.templates import save_template
from tests.admin import makers_notifications as makers
from tests.browser.clicks import Click, Clicks, gone
from tests.kit.users import PASSWORD, person

COLLEAGUE, TITLE = "陳小明", "大促公告"


def _again(row: Any) -> Any:
    """The row as the database has it now."""
    return type(row).objects.get(pk=row.pk)


def _fills(**values: str) -> Callable[[Page], None]:
    """Fills in fields by their names."""

    def fill(page: Page) -> None:
        for name, value in values.items():
            page.locator(f"[name={name}]").fill(value)

    return fill


def _presses(text: str) -> Callable[[Page], None]:
    """Presses the button of a page of its own."""
    return lambda page: page.locator("main").get_by_role("button", name=text, exact=True).click()


# --- Users, tokens, Telegram accounts --------------------------------------------------------------------------------


def _colleague() -> User:
    return person("ming", display_name=COLLEAGUE)


def _token() -> ApiToken:
    return create_token(user=_colleague(), name="每日匯出").token


def _new_token(page: Page) -> None:
    page.locator(".field-user .select2-selection").click()
    page.locator(".select2-search__field").fill("小明")
    page.locator(".select2-results__option", has_text=COLLEAGUE).click()
    page.locator("[name=name]").fill("每日匯出")


def _new_user(page: Page) -> None:
    _fills(username="ming", display_name=COLLEAGUE, email="ming@example.com")(page)
    page.locator("[name=role]").select_option(Role.MANAGER)


def _is_new_user(_: Any) -> bool:
    user = User.objects.get(username="ming")
    return user.must_change_password and (user.role, user.display_name) == (Role.MANAGER, COLLEAGUE)


def _other_user(page: Page) -> None:
    """Another name, and a brand that the user looks after."""
    page.locator("[name=display_name]").fill("陳大明")
    page.locator("#scopes-group a.add-row").click()
    page.locator("[name=scopes-0-kind]").select_option("brand")
    page.locator("[name=scopes-0-name]").fill("水潤")


def _is_other_user(row: Any) -> bool:
    user = User.objects.get(pk=row.pk)
    return user.display_name == "陳大明" and [(one.kind, one.name) for one in user.scopes.all()] == [("brand", "水潤")]


def _has_other_password(row: Any) -> bool:
    user = User.objects.get(pk=row.pk)
    return user.must_change_password and not user.check_password(PASSWORD)


def _bot() -> None:
    """A bot whose name is known already. The settings last as long as those of the fixture `opened`."""
    settings.TELEGRAM_BOT_TOKEN = "1:of-a-test"
    cache.set("bot:name:1", "momo_test_bot")


ACCOUNTS: Clicks = {
    ("accounts.apitoken", "add"): Click(
        make=_colleague,
        fill=_new_token,
        says="權杖只顯示這一次",
        done=lambda row: ApiToken.objects.filter(user=row, name="每日匯出", created_by__username="ada").exists(),
    ),
    ("accounts.apitoken", "revoke"): Click(
        make=_token, says="已撤銷 每日匯出", done=lambda row: _again(row).revoked_at is not None
    ),
    ("accounts.user", "add"): Click(
        make=lambda: None,
        fill=_new_user,
        says="密碼只顯示這一次",
        done=lambda _: (
            User.objects.get(username="ming", role=Role.MANAGER, display_name=COLLEAGUE).must_change_password
        ),
    ),
    ("accounts.user", "change"): Click(
        make=_colleague, fill=_other_user, says="已儲存使用者「陳大明」", done=_is_other_user
    ),
    ("accounts.user", "delete"): Click(make=lambda: _token().user, says=f"已刪除使用者「{COLLEAGUE}」", done=gone),
    ("accounts.user", "reset_password"): Click(
        make=_colleague, fill=_presses("重設密碼"), says="密碼只顯示這一次", done=_has_other_password
    ),
    ("bot.telegramaccount", "end"): Click(make=lambda: makers.accounts(1)[0], says="已解除 小明 0 的連結", done=gone),
    ("bot.telegramaccount", "link"): Click(
        make=_bot,
        fill=_presses("產生連結碼"),
        says="只能用一次",
        done=lambda _: LinkCode.objects.get(user__username="ada").expires_at,
    ),
}


# --- Chats, subscriptions, templates ---------------------------------------------------------------------------------


def _waiting_chat() -> Chat:
    return makers.chat(is_active=False, standing=Chat.Standing.WAITING)


def _silent_chat() -> Chat:
    return makers.chat(is_active=False, note="停用：機器人被移出群組")


def _is_on(row: Any) -> bool:
    chat = _again(row)
    return chat.is_active and (chat.standing, chat.note) == (Chat.Standing.KNOWN, "")


def _new_subscription(page: Page) -> None:
    """Conditions appear when an event is chosen, and the address when a channel is."""
    page.locator("[name=name]").fill("早會")
    page.locator("[name=event]").select_option("price_digest")
    page.locator("[name=filters__min_percent]").fill("7")
    page.locator("[name=channel]").select_option("email")
    page.locator("[name=address]").fill("team@example.com")


def _new_template(page: Page) -> None:
    """With a variable from the table of variables."""
    _fills(code="big_sale", title=TITLE, subject="公告：{{ shop }}", body="{{ shop }} 開始了")(page)
    page.locator("[name=format]").select_option("plain")
    page.get_by_role("button", name="＋ 新增變數").click()
    variable = page.locator(".mo-variable")
    variable.get_by_label("名稱").fill("shop")
    variable.get_by_label("範例").fill("山田")


def _is_new_template(_: Any) -> bool:
    made = Template.objects.get(code="big_sale")
    known = [(one["name"], one["type"], one["example"]) for one in made.variables]
    return (made.title, made.version, made.body, known) == (TITLE, 1, "{{ shop }} 開始了", [("shop", "text", "山田")])


def _other_template(page: Page) -> None:
    _fills(body="{{ host }}，請看", note="簡短")(page)


def _is_other_template(row: Any) -> bool:
    template = _again(row)
    note = template.versions.get(number=template.version).note
    return (template.version, template.body, note) == (2, "{{ host }}，請看", "簡短")


def _test_of_template(page: Page) -> None:
    """The dialog names what is wrong, keeps what was typed, and takes it once it is right."""
    dialog = page.locator("#dialog")
    dialog.locator("[name=channel]").select_option("email")
    dialog.locator("[name=source]").select_option("own")
    dialog.locator("[name=values]").fill('{"host": "db-7"')
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_contain_text("請填寫要寄到哪個地址")
    expect(dialog).to_contain_text("第 1 行：不是正確的 JSON")
    dialog.locator("[name=address]").fill("ming@example.com")
    dialog.locator("[name=values]").press("End")
    dialog.locator("[name=values]").press_sequentially("}")


def _two_versions() -> Template:
    template = makers.template()
    return save_template(template=template, user=None, note="改成簡短", **makers.CONTENT | {"body": "{{ host }}"})


def _tested(recipient: str, text: str) -> bool:
    """Whether one message, marked as a test, is to go to the address with the text."""
    message = OutboxMessage.objects.get()
    return (
        (message.event, message.recipient) == ("test", recipient) and text in message.body and "測試" in message.subject
    )


NOTIFICATIONS: Clicks = {
    ("notifications.chat", "add"): Click(
        make=lambda: None,
        fill=_fills(chat_id="-1009", title="業務群組"),
        says="業務群組",
        done=lambda _: Chat.objects.get(chat_id="-1009", title="業務群組").is_active,
    ),
    ("notifications.chat", "approve"): Click(make=_waiting_chat, says="已核准 值班群組", done=_is_on),
    ("notifications.chat", "change"): Click(
        make=makers.chat,
        fill=_fills(title="夜班群組"),
        says="夜班群組",
        done=lambda row: _again(row).title == "夜班群組",
    ),
    ("notifications.chat", "delete"): Click(make=makers.chat, says="還沒有 Telegram 聊天室", done=gone),
    ("notifications.chat", "switch_off"): Click(
        make=makers.chat, says="已停用 值班群組", done=lambda row: not _again(row).is_active
    ),
    ("notifications.chat", "switch_on"): Click(make=_silent_chat, says="已重新啟用 值班群組", done=_is_on),
    ("notifications.chat", "switch_on_selected"): Click(make=_silent_chat, says="已重新啟用 1 個聊天室", done=_is_on),
    ("notifications.subscription", "add"): Click(
        make=lambda: None,
        fill=_new_subscription,
        says="早會",
        done=lambda _: Subscription.objects.get(name="早會", address="team@example.com").filters["min_percent"] == 7,
    ),
    ("notifications.subscription", "change"): Click(
        make=makers.subscription,
        fill=_fills(name="晚會", quiet_from="22:00", quiet_until="07:00"),
        says="晚會",
        done=lambda row: (_again(row).name, f"{_again(row).quiet_until}") == ("晚會", "07:00:00"),
    ),
    ("notifications.subscription", "delete"): Click(make=makers.subscription, says="已刪除訂閱「每日價格」", done=gone),
    ("notifications.subscription", "send_test"): Click(
        make=makers.subscription,
        says="測試訊息已排入寄送",
        done=lambda row: _tested(row.address, "價格"),
    ),
    ("notifications.template", "add"): Click(
        make=lambda: None, fill=_new_template, says=f"已新增通知範本「{TITLE}", done=_is_new_template
    ),
    ("notifications.template", "change"): Click(
        make=makers.template, fill=_other_template, says="第 2 版", done=_is_other_template
    ),
    ("notifications.template", "delete"): Click(make=makers.template, says="已刪除通知範本「主機通知", done=gone),
    ("notifications.template", "send_test"): Click(
        make=makers.template,
        fill=_test_of_template,
        says="測試訊息已排入寄送",
        done=lambda _: _tested("ming@example.com", "db-7"),
    ),
    ("notifications.template", "versions"): Click(
        make=_two_versions, says="改成簡短", done=lambda row: row.versions.count() == 2
    ),
}


# --- Messages of the outbox, saved filters ---------------------------------------------------------------------------


def _decided(status: str) -> Callable[[Any], bool]:
    """Whether the user decided so about the message."""

    def done(row: Any) -> bool:
        message = _again(row)
        return message.status == status and message.decisions.get().user.username == "ada"

    return done


def _chain() -> OutboxMessage:
    """The first of three parts of a text."""
    return makers.parts()[0]


def _chain_is_cancelled(row: Any) -> bool:
    return _decided("cancelled")(row) and set(OutboxMessage.objects.values_list("status", flat=True)) == {"cancelled"}


def _next_goes_on(row: Any) -> bool:
    return _decided("sent")(row) and OutboxMessage.objects.get(after=row).status == "pending"


def _failed() -> OutboxMessage:
    return makers.mail("failed")


MESSAGES_SENT: Clicks = {
    ("notifications.outboxmessage", "cancel"): Click(make=_chain, says="：已取消", done=_chain_is_cancelled),
    ("notifications.outboxmessage", "cancel_selected"): Click(
        make=_chain, fill=_presses("確定取消"), says="取消：1 則", done=_chain_is_cancelled
    ),
    ("notifications.outboxmessage", "mark_sent"): Click(make=_chain, says="：已標記為已送達", done=_next_goes_on),
    ("notifications.outboxmessage", "mark_sent_selected"): Click(
        make=_chain, fill=_presses("確定標記為已送達"), says="標記為已送達：1 則", done=_next_goes_on
    ),
    ("notifications.outboxmessage", "release"): Click(
        make=_chain, says="：已放行，會再寄一次", done=_decided("pending")
    ),
    ("notifications.outboxmessage", "release_selected"): Click(
        make=_chain, fill=_presses("確定放行重寄"), says="放行重寄：1 則", done=_decided("pending")
    ),
    ("notifications.outboxmessage", "retry"): Click(make=_failed, says="：已排入重新寄送", done=_decided("pending")),
    ("notifications.outboxmessage", "retry_selected"): Click(
        make=_failed, fill=_presses("確定重新寄送"), says="重新寄送：1 則", done=_decided("pending")
    ),
}


def _view() -> SavedView:
    user = User.objects.get(username="ada")
    return save_view(user=user, model="jobs.job", name="失敗的匯入", query="status__exact=failed")


def _addressed_view() -> SavedView:
    view = _view()
    issue_token(view=view, user=view.user)
    return view


def _shared(page: Page) -> None:
    page.locator("[name=name]").fill("失敗的日報")
    page.locator("[name=shared]").check()


def _is_shared(row: Any) -> bool:
    view = _again(row)
    return (view.name, view.shared, view.query) == ("失敗的日報", True, "status__exact=failed")


SAVED_VIEWS: Clicks = {
    ("saved_views.savedview", "address"): Click(
        make=_view, fill=_presses("建立網址"), says="網址只顯示這一次", done=lambda row: _again(row).digest
    ),
    ("saved_views.savedview", "change"): Click(make=_view, fill=_shared, says="失敗的日報", done=_is_shared),
    ("saved_views.savedview", "delete"): Click(make=_view, says="已刪除已存篩選「失敗的匯入」", done=gone),
    ("saved_views.savedview", "revoke"): Click(
        make=_addressed_view, says="已撤銷「失敗的匯入」的 CSV 網址", done=lambda row: not _again(row).digest
    ),
}

MESSAGES: Clicks = {**ACCOUNTS, **NOTIFICATIONS, **MESSAGES_SENT, **SAVED_VIEWS}
