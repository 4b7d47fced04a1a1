"""The goods records of momo's JSON, and the many ways in which it writes a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import words
from .catalogue import Product
from .days import OUT_OF_STOCK, State, mix

_FULL_WIDTH = str.maketrans("0123456789,", "０１２３４５６７８９，")


@dataclass(frozen=True, slots=True)
class View:
    """A product as a visitor finds it. `price` is in New Taiwan dollars; `raw` is shown instead of it."""

    product: Product
    name: str
    state: State
    price: int
    raw: str | None = None


def written_price(price: int, form: int) -> str | int:
    """`price` in one of seven forms, all of which mean exactly that many New Taiwan dollars."""
    match form:
        case 0:
            return f"${price:,}"
        case 1:
            return f"$${price:,}"
        case 2:
            return f"NT${price:,}"
        case 3:
            return f"{price:,} 元"
        case 4:
            return f"{price:,}".translate(_FULL_WIDTH)
        case 5:
            return str(price)
        case _:
            return price


def image_path(product_id: str) -> str:
    """Path of the picture: digits padded to 10 and cut 4/3/3, on one of the eight picture hosts i1 to i8.

    TP identifiers are cut 5/4/4/3, for which no public description is known.
    """
    host = 1 + sum(product_id.encode()) % 8
    folders: tuple[str, ...]
    if product_id.startswith("TP"):
        folders = (product_id[:5], product_id[5:9], product_id[9:13], product_id[13:])
    else:
        padded = product_id.zfill(10)
        folders = (padded[:4], padded[4:7], padded[7:])
    return f"/i{host}/1760000000/goodsimg/{'/'.join(folders)}/{product_id}_OR_m.webp"


def goods_item(view: View, base: str) -> dict[str, Any]:
    """One member of goodsInfoList. `base` is the shop's address without a slash at its end."""
    product = view.product
    goods = product.id
    draw = mix(product.number, 9)
    price: str | int
    if view.raw is not None:
        price = second = view.raw
    else:
        price = written_price(view.price, product.price_form)
        # Two fields of one record are seldom written alike.
        second = str(written_price(view.price, draw % 6))
    sold_out = view.state in OUT_OF_STOCK
    return {
        "goodsCode": goods,
        "goodsName": view.name,
        "goodsSubName": product.sub_name,
        "goodsPrice": price,
        "goodsPriceOri": f"${product.list_price:,}",
        "SALE_PRICE": second,
        "goodsPriceModel": {
            "basePrice": {"price": second, "goodsStatus": "售完" if sold_out else "促銷價"},
            "marketPrice": {"price": f"{product.list_price:,}"},
        },
        "goodsStock": "0" if sold_out else str(1 + draw % 300),
        "goodsUrl": f"{base}/product/{goods}",
        "imgUrl": base + image_path(goods),
        "brandName": product.brand,
        "icon": [{"iconContent": words.ICONS[(draw >> 8) % len(words.ICONS)]}] if draw & 4096 else [],
        "totalSalesInfo": {"text": words.SALES_TEXTS[(draw >> 16) % len(words.SALES_TEXTS)]},
        "rating": str((30 + (draw >> 24) % 21) / 10) if draw & 8192 else "",
        "onSaleDescription": "11/28 10:00 開賣" if view.state is State.UPCOMING else "",
    }
