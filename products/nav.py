"""Entries of the sidebar for products and crawls, and what of them the start page shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.display import took
from momo.admin.kit.nav import (
    Card,
    Cards,
    Entry,
    Link,
    Page,
    Panel,
    RowLink,
    Searchable,
    Section,
    Step,
    count,
    register,
)
from products.admin.crawls import progress_bar
from products.admin.looks import product_link, run_link, verdict_badge
from products.admin.prices import price_board
from products.models import PriceEvent, Product
from products.selectors import dashboard
from products.selectors.products import matching_products, search_words

PRODUCTS = Section("商品與價格", 10)
ADD_CATEGORY = Step(
    10,
    "加入要看的分類",
    "貼上 momo 的分類網址，之後就會定期更新那個分類裡每件商品的價格。",
    "category",
    "admin:products_category_add",
    "products.add_category",
    done=dashboard.has_categories,
)
FIRST_CRAWL = Step(
    20,
    "更新一次價格",
    "之後每隔幾小時自動更新；第一次可以現在就開始。",
    "travel_explore",
    "admin:products_crawlrun_changelist",
    "products.add_crawlrun",
    done=dashboard.has_products,
)


def _url(model: str) -> str:
    return reverse(f"admin:products_{model}_changelist")


def _cards(request: HttpRequest) -> list[Card]:
    products = dashboard.product_counts(mine.narrowed(request, Product.objects.all(), brand="brand"))
    events = dashboard.event_counts(mine.narrowed(request, PriceEvent.objects.all(), brand="product__brand"))
    listed, happened = _url("product"), _url("priceevent")
    [held] = mine.counts(request, [dashboard.held_prices], brand="product__brand")
    cards = [
        Card("在架商品", products["on_sale"], f"{listed}?listed=yes"),
        Card("24 小時漲價", products["increased"], f"{listed}?moved=up-24h", "up"),
        Card("24 小時降價", products["decreased"], f"{listed}?moved=down-24h", "down"),
        Card("24 小時缺貨", events["out_of_stock"], f"{happened}?kind__exact=out_of_stock&within=24h"),
        Card("24 小時下架", events["delisted"], f"{happened}?kind__exact=delisted&within=24h"),
        Card("待確認價格", held, _url("quarantinedprice"), "warn"),
    ]
    return [
        *(replace(card, url=mine.address(request, card.url)) for card in cards),
        Card("價格更新警示", count(request, dashboard.open_alerts), f"{_url('alert')}?state=open", "warn"),
    ]


def _prices(request: HttpRequest) -> dict[str, Any]:
    """The chart of events by day, and the products whose price moved most."""
    products = mine.narrowed(request, Product.objects.all(), brand="brand")
    drops, rises = (
        [(product, product_link(product.pk, product.name)) for product in dashboard.biggest_changes(products, up=up)]
        for up in (False, True)
    )
    return {
        "chart": dashboard.events_per_day(),
        "drops": drops,
        "rises": rises,
        "drops_url": mine.address(request, f"{_url('product')}?moved=down-24h"),
        "rises_url": mine.address(request, f"{_url('product')}?moved=up-24h"),
    }


def _crawls(request: HttpRequest) -> dict[str, Any]:
    """The crawl that is running and the one that ended last."""
    state = dashboard.crawl_state()
    running, last = state["running"], state["last"]
    crawl = {
        "list_url": _url("crawlrun"),
        "running": running and run_link(running.pk),
        "bar": running and progress_bar(running, state["progress"]),
        "last": last,
        "page": last and run_link(last.pk),
        "verdict": last and verdict_badge(last),
        "took": last and took(last.started_at, last.finished_at),
    }
    return {"crawl": crawl}


def _found(text: str) -> QuerySet[Product]:
    """Products with every word in name, brand or goods code, in no order: the first ones end the search."""
    return Product.objects.filter(pk__in=matching_products(search_words(text))).order_by()


register(
    Searchable(
        10,
        "products.product",
        "inventory_2",
        lambda row: (row.name, f"{row.brand} {row.product_id}".strip()),
        find=_found,
    ),
    ADD_CATEGORY,
    FIRST_CRAWL,
    Entry(
        PRODUCTS,
        5,
        "價格看板",
        "price_change",
        "",
        page="products_prices",
        needs="products.view_product",
        help=(
            "一段期間的售價變動：降幅與漲幅最大的商品、現在是 30 或 90 天最低價的商品，以及缺貨與下架。先選期間，"
            "再選分類或品牌；點數字會到那些事件。▲ 是漲價，▼ 是降價，待確認的價格不算在內。"
        ),
    ),
    Page("products/prices/", "products_prices", "products.view_product", price_board),
    Entry(
        PRODUCTS,
        15,
        "關注清單",
        "visibility",
        "products.watch",
        empty="在商品的頁面或列表按「關注」，售價符合條件時就會通知您；每個人看到自己的清單。",
        help=(
            "您自己關注的商品與條件：售價低到多少、漲跌達到多少，或幾天內的新低價。在商品的頁面或列表新增；"
            "符合時通知一次，寄到您的信箱與訂閱的聊天室。「售價符合」表示現在的售價已經符合條件。"
        ),
    ),
    RowLink("products.product", "關注這件商品", "visibility", "products_watch_of", "products.view_watch"),
    Entry(
        PRODUCTS,
        10,
        "商品",
        "inventory_2",
        "products.product",
        empty="更新過價格之後，各分類的商品會出現在這裡。",
        step=FIRST_CRAWL,
        help=(
            "價格更新看到的每件商品和它的售價，最近變價的在前面。先按上方的「漲價」或「降價」看 24 小時內的變動，"
            "點品名看走勢；勾選幾件可以一起關注。售價下面的「待確認」是差太多、還沒有採用的價格。"
        ),
    ),
    Entry(
        PRODUCTS,
        20,
        "商品事件",
        "notifications",
        "products.priceevent",
        empty="商品新上架、漲價、降價、缺貨或下架時，會記在這裡。",
        step=FIRST_CRAWL,
        help=(
            "商品每次新上架、漲價、降價、缺貨、補貨、下架或重新上架都記一筆。先用上方的種類或「篩選」找要看的，"
            "點商品看價格紀錄。「未通知」的會在下一次通知時寄給訂閱的人，主管也可以按「立即通知」。"
        ),
    ),
    Entry(
        PRODUCTS,
        30,
        "待確認價格",
        "gpp_maybe",
        "products.quarantinedprice",
        badge=dashboard.held_prices,
        empty="和前一次相差太多的售價會先放在這裡，等第二次看到或有人確認。",
        step=Link("看價格更新", "travel_explore", "admin:products_crawlrun_changelist", "products.view_crawlrun"),
        help=(
            "和前一次相差太多，或遠低於原價的售價先放在這裡，還不算漲跌。主管先開「momo 頁面」核對，"
            "再按「採用」或「拒絕」。什麼都不做，下一次又看到同樣的價格就會自動採用。"
        ),
    ),
    Entry(
        PRODUCTS,
        40,
        "價格更新",
        "travel_explore",
        "products.crawlrun",
        empty="有了要看的分類，價格就會定期更新；每一次的結果列在這裡。",
        step=ADD_CATEGORY,
        help=(
            "每次到 momo 看價格的結果：看到幾件商品，找到多少漲價、降價、缺貨與下架。通常照排程進行，"
            "主管也可以按「立即更新價格」。「可疑」表示有分類少了太多商品或沒有讀完，那些分類這次不會算成下架。"
        ),
    ),
    Entry(
        PRODUCTS,
        50,
        "警示",
        "warning",
        "products.alert",
        badge=dashboard.open_alerts,
        empty="更新價格時有不對勁的地方，會列在這裡。",
        step=Link("看價格更新", "travel_explore", "admin:products_crawlrun_changelist", "products.view_crawlrun"),
        help=(
            "價格更新不對勁時記在這裡，並通知訂閱的人。先看說明與那一次價格更新；分類真的關閉了，"
            "主管到「分類」確認已關閉。之後有正常的更新或有人確認，就變成「已解除」。"
        ),
        how_to=(
            ("說明是被 momo 擋住時：請系統管理員調高 `CRAWL_DELAY`、把 `CRAWL_CONCURRENCY` 調成 1，放慢更新。"),
            "到「排程」把「更新全部分類的價格」改成久一點一次。",
            "在 `CRAWL_USER_AGENT` 寫上聯絡方式，讓 momo 找得到您；這段時間不會有商品被算成下架。",
        ),
    ),
    Entry(
        PRODUCTS,
        60,
        "分類",
        "category",
        "products.category",
        empty="要看的分類列在這裡，每件商品的價格定期更新。",
        help=(
            "要看價格的 momo 分類，一列一個。主管按「＋」貼上分類的網址，或用檔案匯入；"
            "開啟「價格更新」的分類才會定期更新。停用的分類保留紀錄，「在架商品」的數字點下去就是那些商品。"
        ),
        how_to=(
            "在 momo購物網 開啟分類的商品列表，複製那一頁的網址；裡面的 10 位數字就是分類代碼。",
            "按「＋」貼上網址並儲存。",
            "到「價格更新」按「立即更新價格」，或等下一次自動更新。",
        ),
    ),
    Panel(10, "products.view_crawlrun", "admin/products/home_crawls.html", _crawls, after=dashboard.has_runs),
    Cards(
        10,
        "products.view_product",
        _cards,
        after=dashboard.has_products,
        counts=(dashboard.held_prices, dashboard.open_alerts),
    ),
    Panel(60, "products.view_product", "admin/products/home_prices.html", _prices, after=dashboard.has_products),
)
