"""What the shop answers with: goods records of momo's JSON, product pages of three generations, pages for a browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from .catalogue import OUT_OF_STOCK, Category, Product, State
from .vocabulary import ICONS, SALES_TEXTS

#: Served both for a product that is gone and to a client that is blocked; the page is the same.
MESSAGE_PAGE = (
    "<!DOCTYPE html><html lang='zh-Hant'><head><meta charset='utf-8'>"
    "<title>momo購物網 -- Mobile管理訊息</title></head>"
    "<body><div class='message'><h2>網頁無法顯示</h2><p>此商品目前無展售，或查無商品資料。</p>"
    "<a href='/'>回首頁</a></div></body></html>"
)

ROBOTS = (
    "User-agent: *\nDisallow: /mypage/\nDisallow: /cart/\nDisallow: /servlet/\n"
    "Allow: /product/\nAllow: /categories/\nAllow: /api/moecapp/getCategoryGoodsV3\n"
)

_FULL_WIDTH = str.maketrans("0123456789,", "０１２３４５６７８９，")
_UPCOMING = "11/28 10:00 開賣"
# What Next.js does to JSON inside a script element.
_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class View(NamedTuple):
    """A product as a visitor finds it. A `price` of text is shown exactly so; a number is New Taiwan dollars."""

    product: Product
    state: State
    price: int | str
    base: str  # the shop's address without a slash at its end

    @property
    def url(self) -> str:
        return f"{self.base}/product/{self.product.id}"

    @property
    def image_url(self) -> str:
        return self.base + image_path(self.product.id)

    @property
    def amount(self) -> str:
        return self.price if isinstance(self.price, str) else f"{self.price:,}"

    @property
    def sold_out(self) -> bool:
        return self.state in OUT_OF_STOCK

    @property
    def title(self) -> str:
        """The title of its page. Most names begin with 【brand】 themselves; the others keep their name."""
        return escape(f"{self.product.name} - momo購物網 - 好評推薦-2026年11月")


def image_path(product_id: str) -> str:
    """Path of the picture: digits padded to 10 and cut 4/3/3, on one of the eight picture hosts i1 to i8.

    TP identifiers are cut 5/4/4/3, for which no public description is known.
    """
    cuts = (0, 5, 9, 13, 16) if product_id.startswith("TP") else (0, 4, 7, 10)
    padded = product_id.zfill(10)
    folders = "/".join(padded[begin:end] for begin, end in pairwise(cuts))
    return f"/i{1 + sum(product_id.encode()) % 8}/1760000000/goodsimg/{folders}/{product_id}_OR_m.webp"


def written_price(price: int | str, form: int) -> str | int:
    """`price` in one of seven forms, all of which mean exactly that many New Taiwan dollars; text as it is."""
    if isinstance(price, str):
        return price
    comma = f"{price:,}"
    return (f"${comma}", f"$${comma}", f"NT${comma}", f"{comma} 元", comma.translate(_FULL_WIDTH), str(price), price)[
        form
    ]


def goods_item(view: View) -> dict[str, Any]:
    """One member of goodsInfoList."""
    product, number = view.product, view.product.number
    # Two fields of one record are seldom written alike.
    second = str(written_price(view.price, number // 7 % 6))
    return {
        "goodsCode": product.id,
        "goodsName": product.name,
        "goodsSubName": product.sub_name,
        "goodsPrice": written_price(view.price, number % 7),
        "goodsPriceOri": f"${product.list_price:,}",
        "SALE_PRICE": second,
        "goodsPriceModel": {
            "basePrice": {"price": second, "goodsStatus": "售完" if view.sold_out else "促銷價"},
            "marketPrice": {"price": f"{product.list_price:,}"},
        },
        "goodsStock": "0" if view.sold_out else str(1 + number * 37 % 300),
        "goodsUrl": view.url,
        "imgUrl": view.image_url,
        "brandName": product.brand,
        "icon": [{"iconContent": ICONS[number % len(ICONS)]}] if number % 2 else [],
        "totalSalesInfo": {"text": SALES_TEXTS[number % len(SALES_TEXTS)]},
        "rating": str((30 + number % 21) / 10) if number % 3 else "",
        "onSaleDescription": _UPCOMING if view.state is State.UPCOMING else "",
    }


def category_json(views: Sequence[View], page: int, last: int, total: int) -> bytes:
    """A page of a category's goods: `page` of `last`, `total` goods on all of them."""
    goods = {"goodsInfoList": [goods_item(view) for view in views], "totalCount": str(total)}
    return _compact(
        {"success": True, "resultCode": "200", "resultMessage": "", "curPage": str(page), "maxPage": last}
        | {"rtnGoodsData": goods}
    ).encode()


def no_category_json() -> bytes:
    """The answer for a category that is empty or unknown."""
    failure = {"success": False, "resultCode": "40006", "resultMessage": "查無商品資料"}
    return _compact(failure | {"maxPage": 0, "rtnGoodsData": None}).encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def product_page(view: View, trail: Sequence[str]) -> str:
    """The page of a product that is in the shop. `trail` names its categories from the department down."""
    steps = "".join(f'<li><a href="#">{escape(step)}</a></li>' for step in trail)
    return _next_page(view, steps) if view.product.page == "next" else _older_page(view, steps)


def _next_page(view: View, steps: str) -> str:
    product = view.product
    metas = {
        "og:type": "product",
        "og:site_name": "momo購物網",
        "og:url": view.url,
        "og:image": view.image_url,
        "og:description": product.sub_name or product.name,
        "product:price:amount": view.amount,
        "product:price:currency": "TWD",
        "product:availability": "out of stock" if view.sold_out else "in stock",
        "product:brand": product.brand,
        "product:retailer_item_id": product.id,
    }
    head = "".join(f'<meta property="{key}" content="{escape(value)}"/>' for key, value in metas.items())
    button = "可訂購時通知我" if view.sold_out else "即將開賣" if view.state is State.UPCOMING else "加入購物車"
    chunks = (
        '1:"$Sreact.fragment"\n2:I[8153,["177","static/chunks/app/layout.js"],""]\n',
        f'a:["$","$L12",null,{{"goods":{_compact(goods_item(view))},"locale":"zh-TW","isApp":false}}]\n',
    )
    pushes = "".join(f"<script>self.__next_f.push([1,{_script(chunk)}])</script>" for chunk in chunks)
    return (
        '<!DOCTYPE html><html lang="zh-Hant"><head><meta charSet="utf-8"/>'
        f'<title>{view.title}</title><meta property="og:title" content="{view.title}"/>{head}'
        f'<link rel="canonical" href="{view.url}"/></head><body><ul class="crumbs">{steps}</ul>'
        f"<h1>{escape(product.name)}</h1><p class='price'>{escape(view.amount)} 元</p><button>{button}</button>"
        f"<script>(self.__next_f=self.__next_f||[]).push([0])</script>{pushes}</body></html>"
    )


def _script(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_SCRIPT)


def _older_page(view: View, steps: str) -> str:
    product = view.product
    linked = ""
    if product.page == "jsonld":
        offer = {
            "@type": "Offer",
            "price": str(view.price),
            "priceCurrency": "TWD",
            "availability": f"https://schema.org/{'OutOfStock' if view.sold_out else 'InStock'}",
            "url": view.url,
        }
        record = {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": product.name,
            "sku": product.id,
            "image": [view.image_url],
            "brand": {"@type": "Brand", "name": product.brand},
            "offers": offer,
        }
        linked = f'<script type="application/ld+json">{_script(record)}</script>'
    if view.sold_out:
        note = ("熱銷一空，補貨通知", "缺貨中", "補貨中", "已售完")[product.number % 4]
    else:
        note = _UPCOMING if view.state is State.UPCOMING else "貨到付款｜超商取貨"
    return (
        "<!DOCTYPE html><html><head><meta charset='utf-8'>"
        f'<title>{view.title}</title><meta property="og:title" content="{view.title}">'
        f'<meta property="og:image" content="{view.image_url}">{linked}</head><body>'
        f'<div id="bt_2_layout_NAV"><ul>{steps}</ul></div>'
        f'<h1 id="osmGoodsName">{escape(product.name)}</h1><h3 class="subTitle">{escape(product.sub_name)}</h3>'
        f'<a class="webBrandLink" href="#">{escape(product.brand)}</a>'
        f'<img class="jqzoom" src="{view.image_url}" alt="">'
        f'<ul class="prdPrice"><li>市售價 <del>{product.list_price:,}</del> 元</li>'
        f'<li class="special">促銷價 <span class="seoPrice">{escape(view.amount)}</span> 元</li></ul>'
        f'<div class="prdnoteArea">{note}</div></body></html>'
    )


def category_page(category: Category, views: Sequence[View]) -> str:
    """A category for a browser."""
    rows = "".join(
        f'<li><a href="{view.url}"><img src="{view.image_url}" width="64" alt=""> {escape(view.product.name)}</a> '
        f"<b>{escape(view.amount)} 元</b></li>"
        for view in views
    )
    return _plain(category.path, f"<p>共 {len(views)} 件商品</p><ul>{rows}</ul><a href='/'>回首頁</a>")


def front_page(categories: Sequence[Category], day: int) -> str:
    """The front page for a browser: every category."""
    rows = "".join(f'<li><a href="/categories/{c.code}">{escape(c.path)}</a></li>' for c in categories)
    return _plain("示範商店", f"<p>第 {day} 天</p><ul>{rows}</ul>")


def _plain(heading: str, body: str) -> str:
    return (
        "<!DOCTYPE html><html lang='zh-Hant'><head><meta charset='utf-8'>"
        f"<title>{escape(heading)} - momo購物網</title></head><body><h1>{escape(heading)}</h1>{body}</body></html>"
    )


def picture(product_id: str) -> str:
    """A stand-in picture (SVG): a colour of the product's own, and its identifier."""
    hue = sum(product_id.encode()) * 37 % 360
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200">'
        f'<rect width="200" height="200" fill="hsl({hue},45%,78%)"/>'
        f'<circle cx="100" cy="84" r="44" fill="hsl({hue},50%,60%)"/>'
        '<text x="100" y="172" font-family="sans-serif" font-size="16" text-anchor="middle" fill="#333">'
        f"{escape(product_id)}</text></svg>"
    )
