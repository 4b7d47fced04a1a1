"""A seller's system with data in it, and one page of each kind."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import ApiToken, User, UserScope
from ai.models import FactSheet, Generation, Search, TrendList
from bot.models import TelegramAccount
from momo.reports.models import Report
from momo.saved_views.models import SavedView
from momo.system.models import Cleanup
from momo.todo.models import TodoComment, TodoState
from notifications.models import Chat, Template
from products.models import CrawlRun, Product, QuarantinedPrice, Watch
from sales.models import Campaign
from tests.admin import makers, makers_reports, makers_vendors
from tests.admin import makers_notifications as messages
from tests.ai import makers as copy
from tests.vendors.mailing import prepared
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from tests.vendors.reports import out, publish
from vendors.models import Stockout, StockoutBatch, Vendor, VendorMail

NAME = "【山田研究所】玻尿酸保濕精華液 30ml 買一送一超值組合（加贈旅行組三件）限定版"
SOLD = (makers.sold("2026-01-29"), makers.sold("2026-01-30", quantity=3, amount=-2_970))


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def fill(host: str) -> None:
    """Products, crawls, sales, messages and users, a few rows of each; `host` serves the pictures."""
    picture = f"{host}/static/accounts/mark.svg"
    for number in range(12):
        status = "out_of_stock" if number % 4 == 3 else "active"
        makers.product(number, name=f"{NAME} {number}", status=status, price=12_900 + number, image_url=picture)
    makers.full_run()
    makers.events(3)
    makers.held(3)
    makers.alerts(1)
    makers.spans(Product.objects.get(product_id="10000001"), [12_990, 11_900, 12_901])
    makers.watches(2)
    makers.brought(*SOLD)
    makers.brought(makers.sold("2026-01-31", quantity="三"))
    makers.waiting(makers.workbook())
    makers.aliases(2)
    makers.trail(2)
    makers.tokens(2)
    makers.saved_views(2)
    makers.sales_alarms(5)
    makers.logins(2)
    makers.tasks(2)
    makers.cleanups(2)
    makers.rollouts(2)
    makers.targets(3)
    makers.campaigns(2)
    makers.notes(2)
    messages.template()
    messages.subscriptions(2)
    messages.mails(3)
    messages.parts()
    makers_reports.runs(2)
    publish([out(str(number), f"V{number % 3}", product_name=NAME, stock=-2) for number in range(5)])
    publish([out(str(number), f"V{number % 3}", product_name=NAME, vendor_name="永昌貿易") for number in range(2, 7)])
    stockouts = makers_vendors.stockouts(30)
    Stockout.objects.update(product_name=NAME)
    Vendor.objects.filter(pk=stockouts[0].vendor_id).update(name="水潤生技股份有限公司台北第一營業處", contact="林小姐")
    Vendor.objects.filter(pk=stockouts[1].vendor_id).update(name="永昌貿易有限公司")
    stockouts[2].vendor.addresses.update(bounced_at=stockouts[2].created_at, bounce_reason="550 5.1.1 User unknown")
    makers_vendors.mails(1)
    Chat.objects.create(chat_id="-1001234567890", title="業務群組", is_active=False, standing=Chat.Standing.WAITING)
    TelegramAccount.objects.create(user=ApiToken.objects.latest("pk").user, telegram_id=5551234, name="小明 Wang")
    mailed()
    looked_after()


def looked_after() -> None:
    """What the logged-in user looks after, and an item of 待辦 that the user has and has commented."""
    for user in User.objects.filter(username="ada"):
        UserScope.objects.create(user=user, kind="pm", name="王小明")
        held = QuarantinedPrice.objects.filter(status="held").earliest("pk")
        state = TodoState.objects.create(source="held_price", object_id=held.pk, assignee=user)
        TodoComment.objects.create(state=state, user=user, text="問過廠商，明天回覆")


def mailed() -> None:
    """A mail to a vendor that was prepared, and a stockout whose vendor has no address."""
    vendor = make_vendor("V00123", "buyer@example.com", "boss@example.com", name="水潤生技股份有限公司")
    batch = make_batch()
    rows = [make_stockout(vendor, batch, product_name=f"{NAME} {number}") for number in range(3)]
    rows.append(make_stockout(make_vendor("V00124"), batch))
    prepared(*rows[1:], note="這幾項正在檔期活動中，請優先補貨。")
    makers.trend_lists(2)
    copy.searches(2)
    copy.texts(3)
    copy.sheet(Product.objects.get(product_id="10000001"), origin="日本", promotion=[f"{NAME} 滿千折百"])
    copy.styles(2)
    copy.prices(2)
    copy.budgets(2)
    makers.phrases(2)


def pages() -> dict[str, str]:
    """Addresses of one page of each kind, by name; `fill` has made what they show."""
    template = Template.objects.get(code="host_notice")
    run = CrawlRun.objects.get(verdict="suspect", error_count=1)
    mail = VendorMail.objects.latest("pk")
    last, second = StockoutBatch.objects.latest("pk"), StockoutBatch.objects.filter(previous__isnull=False).latest("pk")
    stockout = Stockout.objects.filter(duplicates__isnull=False).latest("pk")
    return {
        "home": reverse("admin:index"),
        "products": _list("products_product"),
        "product": reverse("admin:products_product_change", args=[Product.objects.get(product_id="10000001").pk]),
        "prices": reverse("admin:products_prices"),
        "watch": reverse("admin:products_watch_change", args=[Watch.objects.latest("pk").pk]),
        "watch several": f"{reverse('admin:products_watch_several')}?ids={Product.objects.latest('pk').pk}",
        "categories": _list("products_category"),
        "import": reverse("admin:products_category_import"),
        "crawls": _list("products_crawlrun"),
        "crawl": reverse("admin:products_crawlrun_change", args=[run.pk]),
        "jobs": _list("jobs_job"),
        "upload": reverse("admin:jobs_job_upload"),
        "held": _list("products_quarantinedprice"),
        "lines": _list("sales_salesline"),
        "alarms": _list("sales_alarm"),
        "batches": _list("vendors_stockoutbatch"),
        "batch": reverse("admin:vendors_stockoutbatch_change", args=[second.pk]),
        "sendings": _list("vendors_vendorsending"),
        "sending": reverse("admin:vendors_vendorsending_change", args=[mail.sending_id]),
        "vendor mail": reverse("admin:vendors_vendormail_change", args=[mail.pk]),
        "send": f"{reverse('admin:vendors_vendorsending_send')}?batch={last.pk}",
        "template": reverse("admin:notifications_template_change", args=[template.pk]),
        "messages": _list("notifications_outboxmessage"),
        "subscriptions": _list("notifications_subscription"),
        "user": reverse("admin:accounts_user_change", args=[ApiToken.objects.earliest("pk").user_id]),
        "stockouts": _list("vendors_stockout"),
        "stockout": reverse("admin:vendors_stockout_change", args=[stockout.pk]),
        "board": reverse("admin:vendors_stockout_board"),
        "score": reverse("admin:vendors_stockout_score"),
        "vendors": _list("vendors_vendor"),
        "vendor": reverse("admin:vendors_vendor_change", args=[stockout.vendor_id]),
        "merge": reverse("admin:vendors_vendor_into", args=[stockout.vendor_id]),
        "addresses": _list("vendors_vendoraddress"),
        "cleanup": reverse("admin:system_cleanup_change", args=[Cleanup.objects.earliest("pk").pk]),
        "clean": reverse("admin:system_cleanup_preview"),
        "token": reverse("admin:accounts_apitoken_add"),
        "saved filter": reverse("admin:saved_views_savedview_change", args=[SavedView.objects.earliest("pk").pk]),
        "csv address": reverse("admin:saved_views_savedview_address", args=[SavedView.objects.earliest("pk").pk]),
        "trends": _list("ai_trendcategory"),
        "trend": reverse("admin:ai_trendlist_change", args=[TrendList.objects.earliest("pk").pk]),
        "trend_import": reverse("admin:ai_trendcategory_import_list", args=[TrendList.objects.earliest("pk").trend_id]),
        "search": reverse("admin:ai_search_change", args=[Search.objects.filter(kind="search").earliest("pk").pk]),
        "ask": reverse("admin:ai_search_ask"),
        "history": _list("ai_generation"),
        "copy": reverse("admin:ai_generation_change", args=[Generation.objects.exclude(warnings=[]).latest("pk").pk]),
        "fact sheets": _list("ai_factsheet"),
        "fact sheet": reverse("admin:ai_factsheet_change", args=[FactSheet.objects.get().pk]),
        "settings": _list("system_setting"),
        "schedules": _list("django_celery_beat_periodictask"),
        "usage": f"{reverse('admin:ai_call_usage')}?by=model&metric=tokens",
        "workbench": f"{reverse('admin:ai_style_workbench')}?product=10000001",
        "link": reverse("admin:bot_telegramaccount_link"),
        "report": reverse("admin:reports_report_change", args=[Report.objects.latest("pk").pk]),
        "report preview": reverse("admin:reports_report_preview", args=[Report.objects.earliest("pk").pk]),
        "status": reverse("admin:system_status"),
        "targets": f"{reverse('admin:sales_target_attainment')}?month=2026-01",
        "grid": reverse("admin:sales_target_grid"),
        "campaign": reverse("admin:sales_campaign_report", args=[Campaign.objects.earliest("first").pk]),
        "day": reverse("admin:sales_board"),
        "calendar": reverse("admin:sales_board_month"),
        "trend of sales": f"{reverse('admin:sales_board_trend')}?dimension=brand",
        "movers": reverse("admin:sales_board_movers"),
        "contribution": f"{reverse('admin:sales_board_contribution')}?path=水潤&cross=1",
        "todo": reverse("admin:todo"),
        "missing": "/nowhere",
    }
