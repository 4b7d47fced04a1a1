"""The shop's HTML: product pages of three generations, the message page, and simple pages for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from .catalogue import Category
from .days import OUT_OF_STOCK, State, mix
from .items import View, goods_item, image_path

#: Served for a product that is gone and to a visitor who is blocked alike; nothing in it tells the two apart.
MESSAGE_PAGE = (
    "<!DOCTYPE html><html lang='zh-Hant'><head><meta charset='utf-8'>"
    "<title>momo購物網 -- Mobile管理訊息</title></head>"
    "<body><div class='message'><h2>網頁無法顯示</h2><p>此商品目前無展售，或查無商品資料。</p>"
    "<a href='/'>回首頁</a></div></body></html>"
).encode()

ROBOTS = (
    b"User-agent: *\nDisallow: /mypage/\nDisallow: /cart/\nDisallow: /servlet/\n"
    b"Allow: /product/\nAllow: /categories/\nAllow: /api/moecapp/getCategoryGoodsV3\n"
)

# What Next.js does to JSON inside a script element.
_SCRIPT = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def product_page(view: View, trail: str, base: str) -> bytes:
    """The page of a product that is in the shop. `trail` is its category's path."""
    if view.product.page == "next":
        return _next_page(view, trail, base)
    return _older_page(view, trail, base)


def _amount(view: View) -> str:
    return view.raw if view.raw is not None else f"{view.price:,}"


def _title(view: View) -> str:
    # Most names begin with 【brand】 themselves; the others are not given one, or a page would rename its product.
    return f"{view.name} - momo購物網 - 好評推薦-2026年11月"


def _next_page(view: View, trail: str, base: str) -> bytes:
    product, sold_out = view.product, view.state in OUT_OF_STOCK
    metas = {
        "og:type": "product",
        "og:site_name": "momo購物網",
        "og:title": _title(view),
        "og:url": f"{base}/product/{product.id}",
        "og:image": base + image_path(product.id),
        "og:description": product.sub_name or view.name,
        "product:price:amount": _amount(view),
        "product:price:currency": "TWD",
        "product:availability": "out of stock" if sold_out else "in stock",
        "product:brand": product.brand,
        "product:retailer_item_id": product.id,
    }
    head = "".join(f'<meta property="{key}" content="{escape(value)}"/>' for key, value in metas.items())
    steps = "".join(f"<li>{escape(step)}</li>" for step in trail.split(" > "))
    button = (
        "<button class='notify'>可訂購時通知我</button>"
        if sold_out
        else f"<button disabled>{'即將開賣' if view.state is State.UPCOMING else '加入購物車'}</button>"
    )
    goods = json.dumps(goods_item(view, base), ensure_ascii=False, separators=(",", ":"))
    chunks = (
        '1:"$Sreact.fragment"\n2:I[8153,["177","static/chunks/app/layout.js"],""]\n',
        f'a:["$","$L12",null,{{"goods":{goods},"locale":"zh-TW","isApp":false}}]\n',
    )
    pushes = "".join(f"<script>self.__next_f.push([1,{_script_string(chunk)}])</script>" for chunk in chunks)
    return (
        '<!DOCTYPE html><html lang="zh-Hant"><head><meta charSet="utf-8"/>'
        f"<title>{escape(_title(view))}</title>{head}"
        f'<link rel="canonical" href="{base}/product/{product.id}"/>'
        f"</head><body><ul class='crumbs'>{steps}</ul><h1>{escape(view.name)}</h1>"
        f"<p class='price'>{escape(_amount(view))} 元</p>{button}"
        f"<script>(self.__next_f=self.__next_f||[]).push([0])</script>{pushes}</body></html>"
    ).encode()


def _script_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_SCRIPT)


def _older_page(view: View, trail: str, base: str) -> bytes:
    product, sold_out = view.product, view.state in OUT_OF_STOCK
    picture = base + image_path(product.id)
    linked = ""
    if product.page == "jsonld":
        offer = {
            "@type": "Offer",
            "price": view.raw if view.raw is not None else str(view.price),
            "priceCurrency": "TWD",
            "availability": f"https://schema.org/{'OutOfStock' if sold_out else 'InStock'}",
            "url": f"{base}/product/{product.id}",
        }
        record = {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": view.name,
            "sku": product.id,
            "image": [picture],
            "brand": {"@type": "Brand", "name": product.brand},
            "offers": offer,
        }
        text = json.dumps(record, ensure_ascii=False).translate(_SCRIPT)
        linked = f'<script type="application/ld+json">{text}</script>'
    if sold_out:
        note = ("熱銷一空，補貨通知", "缺貨中", "補貨中", "已售完")[mix(product.number, 10) % 4]
    else:
        note = "11/28 10:00 開賣" if view.state is State.UPCOMING else "貨到付款｜超商取貨"
    steps = "".join(f'<li><a href="#">{escape(step)}</a></li>' for step in trail.split(" > "))
    return (
        "<!DOCTYPE html><html><head><meta charset='utf-8'>"
        f"<title>{escape(_title(view))}</title>"
        f'<meta property="og:title" content="{escape(_title(view))}">'
        f'<meta property="og:image" content="{picture}">{linked}</head><body>'
        f'<div id="bt_2_layout_NAV"><ul>{steps}</ul></div>'
        f'<h1 id="osmGoodsName">{escape(view.name)}</h1><h3 class="subTitle">{escape(product.sub_name)}</h3>'
        f'<a class="webBrandLink" href="#">{escape(product.brand)}</a>'
        f'<img class="jqzoom" src="{picture}" alt="">'
        f'<ul class="prdPrice"><li>市售價 <del>{product.list_price:,}</del> 元</li>'
        f'<li class="special">促銷價 <span class="seoPrice">{escape(_amount(view))}</span> 元</li></ul>'
        f'<div class="prdnoteArea">{note}</div></body></html>'
    ).encode()


def category_page(category: Category, views: Sequence[View], total: int) -> bytes:
    """A category for people: its first products, of `total`."""
    rows = "".join(
        f'<li><a href="/product/{view.product.id}">'
        f'<img src="{image_path(view.product.id)}" width="64" alt=""> '
        f"{escape(view.name)}</a> <b>{escape(_amount(view))} 元</b></li>"
        for view in views
    )
    return _plain(category.path, f"<p>共 {total} 件商品</p><ul>{rows}</ul><a href='/'>回首頁</a>")


def front_page(categories: Sequence[Category], day: int) -> bytes:
    """The front page for people: every category."""
    rows = "".join(f'<li><a href="/categories/{c.code}">{escape(c.path)}</a></li>' for c in categories)
    return _plain("示範商店", f"<p>第 {day} 天</p><ul>{rows}</ul>")


def _plain(heading: str, body: str) -> bytes:
    return (
        "<!DOCTYPE html><html lang='zh-Hant'><head><meta charset='utf-8'>"
        f"<title>{escape(heading)} - momo購物網</title></head>"
        f"<body><h1>{escape(heading)}</h1>{body}</body></html>"
    ).encode()


def picture(product_id: str) -> bytes:
    """A stand-in picture (SVG): a colour of the product's own, and its identifier."""
    hue = mix(sum(product_id.encode()), len(product_id)) % 360
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200">'
        f'<rect width="200" height="200" fill="hsl({hue},45%,78%)"/>'
        f'<circle cx="100" cy="84" r="44" fill="hsl({hue},50%,60%)"/>'
        '<text x="100" y="172" font-family="sans-serif" font-size="16" text-anchor="middle" fill="#333">'
        f"{escape(product_id)}</text></svg>"
    ).encode()
