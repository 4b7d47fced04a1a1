"""What is wrong with a template, each fault with its line."""

from __future__ import annotations

from collections.abc import Iterable

from liquid.exceptions import (
    BlockNestingError,
    FilterArgumentError,
    LiquidSyntaxError,
    OutputStreamLimitError,
    UnknownFilterError,
)
from liquid.token import TOKEN_TAG, Token

from momo.core.errors import ValidationFailed
from notifications.templating.bounds import BLOCK_DEPTH, BODY_BYTES, FAULTS

TAGS = "if、unless、elsif、for、case、when、else、comment、break、continue、raw"
# The tags within which a tag may stand.
WITHIN = {"else": "if、unless、for、case", "elsif": "if、unless", "when": "case"}
# The offset in the template, and the line with the message: `第 3 行：…`.
Fault = tuple[int, str]


class TemplateFailed(ValidationFailed):
    """A template that cannot be rendered with these values: it goes beyond a bound, or is no template at all."""

    default_message = "範本無法產生內容"

    def __init__(self, detail: str, *, where: str = "") -> None:
        self.detail = detail  # begins with the line
        super().__init__(f"{where}{detail}")


class LanguageFault(LiquidSyntaxError, FilterArgumentError):
    """An error of syntax or while rendering that this package found; its message is Chinese."""

    def __init__(self, message: str, *, token: Token | None = None) -> None:
        super().__init__(message, token=token)


def fault_at(source: str, index: int, message: str) -> Fault:
    """The fault at an offset of a template."""
    return index, f"第 {source.count(chr(10), 0, max(index, 0)) + 1} 行：{message}"


def fault_texts(faults: Iterable[Fault]) -> list[str]:
    """Each fault once, in the order of the template; of very many only the first."""
    lines = list(dict.fromkeys(text for _, text in sorted(faults)))
    more = len(lines) - FAULTS
    return [*lines[:FAULTS], f"另有 {more} 個問題"] if more > 0 else lines


def explain(error: Exception, beside: Token | None = None) -> str:
    """The line and a Chinese message of an error of Liquid; `beside` is the token where the error itself has none."""
    token = getattr(error, "token", None) or beside or Token("", "", 0, "")
    match error:
        case LanguageFault():
            message = str(error.message)
        case BlockNestingError():
            message = f"標籤最多 {BLOCK_DEPTH} 層"
        case OutputStreamLimitError():
            message = f"產生的內容超過 {BODY_BYTES // 1024} KB"
        case UnknownFilterError():
            message = f"沒有過濾器「{token.value[:20]}」"
        case LiquidSyntaxError() if error.message == "missing expression":
            message = f"「{token.value}」後面要有條件或變數"
        case LiquidSyntaxError() if token.kind == TOKEN_TAG:
            message = _misplaced(token.value)
        case LiquidSyntaxError():
            message = f"看不懂「{token.value[:60]}」"
        case _:
            message = "無法計算"
    return fault_at(token.source, token.start_index, message)[1]


def _misplaced(tag: str) -> str:
    """What is wrong with a tag that Liquid does not take where it stands."""
    if tag in WITHIN:
        return f"「{tag}」只能用在 {WITHIN[tag]} 裡面，而且不能放在 else 之後"
    if tag.startswith("end"):
        return f"「{tag}」前面沒有相對應的 {tag[3:]}，或有標籤還沒結束"
    return f"沒有標籤「{tag[:20]}」；可用：{TAGS}"
