"""/copy: a text for a product, in the first style, with what its checks found."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from ai.checks.warnings import Severity
from ai.services.copywriting import Order, write_copy
from bot.commands.lists import PagedText, short
from bot.commands.prices import choose_product
from bot.registry import Button, Call, Reply, command
from bot.texts import bold, escape, lines
from momo.core.errors import UpstreamError

MARKS = {Severity.HIGH: "⛔", Severity.MEDIUM: "⚠️", Severity.LOW: "ℹ️"}


@command(
    "copy",
    summary="為商品寫一段文案，並檢查事實與法規",
    usage="品號或品名",
    examples=("/copy 10012345",),
    order=60,
    atomic=False,
)
def copy(call: Call) -> Reply:
    """Write a copy for the user's own account and budget. A provider that fails is a sentence, and can be asked again.

    Raises Unavailable and RateLimited before anything is spent.
    """
    product, choices = choose_product(PagedText.of(call), "copy")
    if product is None:
        return choices
    code = product.product_id
    again = [
        [
            Button("再寫一次", "copy", (code, "#1"), replaces=False),
            Button("看價格", "price", (code, "#1"), replaces=False),
        ]
    ]
    try:
        with closing(write_copy(user=call.user, order=Order(product_id=code))) as events:  # type: ignore[type-var]
            *_, last = events
    except UpstreamError as failure:
        data = {"error": failure.message, "code": failure.code}
        return Reply(lines(f"{bold(short(product.name))}", "", escape(failure.message)), data, again)
    written = last.data
    warnings = [_warning(one) for one in written["warnings"]]
    text = lines(
        f"{bold(short(product.name))}　{escape(written['style'])}",
        "",
        [escape(line) for line in written["content"].splitlines()],
        "",
        [bold(f"檢查：{len(warnings)} 個地方要確認"), *warnings] if warnings else "檢查：沒有發現問題",
        ["已把簡體字轉成繁體字"] if written["converted"] else [],
        "",
        [escape(notice) for notice in written["notices"]],
        [escape(f"{written['model']}，{written['duration']:.1f} 秒")],
    )
    return Reply(text, {"product_id": code, **written}, again)


def _warning(found: Mapping[str, Any]) -> str:
    """One finding: what is said, why it matters, and what to write instead."""
    parts = [
        f"「{found['text']}」{found['reason']}",
        found["law"],
        found["suggestion"] and f"建議：{found['suggestion']}",
    ]
    return f"{MARKS[Severity(found['severity'])]} {escape('　'.join(filter(None, parts)))}"
