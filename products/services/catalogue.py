"""Changes that users make to categories and products."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db.models import QuerySet

from momo.core.errors import ValidationFailed
from momo.core.texts import one_line
from products.models import Category, Product
from products.spiders.pages import product_id_from_url

MAX_PASTED = 2000  # characters
_LINK = re.compile(r"https?://\S+|(?:[\w-]+\.)?momoshop\.com\.tw/\S+", re.ASCII)
_CODE = re.compile(r"[0-9]{10}")
# The parameter of each of the shop's old addresses, and the level that it stands for; None where it may be any.
_PARAMETERS = {"l_code": 1, "m_code": 2, "d_code": 3, "cn": None}


@dataclass(frozen=True)
class CategoryAddress:
    """What an address says of a category; `level` is None and `name` empty where it does not say so."""

    code: str
    level: int | None
    name: str


def read_category_address(pasted: str) -> CategoryAddress:
    """Read a category's address of momo, or its code alone; words before it are the name.

    Nothing is fetched. Raises ValidationFailed.
    """
    text = one_line(unicodedata.normalize("NFKC", pasted[:MAX_PASTED]))
    link = _LINK.search(text)
    if link is None:
        name, _, code = text.rpartition(" ")
        if _CODE.fullmatch(code):
            return CategoryAddress(code, None, name.strip())
        raise ValidationFailed("請貼上 momo 的分類網址，或 10 位數字的分類代碼")
    code, level = _in_link(link[0] if "://" in link[0] else f"https://{link[0]}")
    return CategoryAddress(code, level, text[: link.start()].strip(" -|｜:"))


def _in_link(link: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(link)
        parameters = parse_qs(parts.query, max_num_fields=50)
        host = parts.hostname or ""
    except ValueError as error:
        raise ValidationFailed("這不是正確的網址") from error
    if host != urlsplit(settings.MOMO_SHOP_URL).hostname and not f".{host}".endswith(".momoshop.com.tw"):
        raise ValidationFailed("這不是 momo 的網址")
    for name, level in _PARAMETERS.items():
        if _CODE.fullmatch(parameters.get(name, [""])[0]):
            return parameters[name][0], level
    path = re.search(r"/categor(?:y|ies)/([0-9]{10})(?![0-9])", parts.path)
    if path:
        return path[1], None
    if product_id_from_url(link):
        raise ValidationFailed("這是商品的網址；請開啟商品所在的分類，再複製那一頁的網址")
    raise ValidationFailed("這個網址裡沒有分類代碼；請在 momo 開啟分類的商品列表，再複製那一頁的網址")


def enable_categories(*, categories: QuerySet[Category], enabled: bool) -> int:
    """Include these categories in the next crawls, or exclude them. Returns how many changed."""
    changed = list(categories.exclude(enabled=enabled))
    for category in changed:
        # One by one, since the audit trail listens to saves.
        category.enabled = enabled
        category.save(update_fields=["enabled"])
    return len(changed)


def set_note(*, product: Product, note: str) -> None:
    """Write the note and nothing else, since a crawl may be changing the same row."""
    product.note = note
    product.save(update_fields=["note"])
