"""From a text to Liquid's tokens, in one pass over it.

Liquid's own lexer is one regular expression that takes time by the square of the text when something is not closed,
and it lets many mistakes pass. This one also checks that blocks are closed and nested well, so that all such mistakes
are told at once. Beyond Liquid, a line with nothing but tags on it leaves no empty line behind, as people expect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from notifications.templating.bounds import BLOCK_DEPTH, EXPRESSION_LENGTH, LOOP_DEPTH
from notifications.templating.faults import Fault

OPENING = re.compile(r"\{[{%]")
TAG = re.compile(r"\s*(#|\w*)\s*", re.ASCII)
ENDS = {name: re.compile(r"\{%-?\s*end" + name + r"\s*(-?)%\}") for name in ("comment", "raw")}
BLOCKS = ("if", "unless", "for", "case")
# Where each part of a block may stand.
PARTS = {"elsif": ("if", "unless"), "else": BLOCKS, "when": ("case",)}
WITH_EXPRESSION = {*BLOCKS, "elsif", "when"}
IN_LOOPS = ("break", "continue")
WORDS = {*BLOCKS, *PARTS, *IN_LOOPS, *ENDS, *(f"end{name}" for name in BLOCKS)}
# Characters that stand for an output and a tag while lines are looked at; no template may hold them.
OUTPUT_MARK, TAG_MARK = "\U000f0000", "\U000f0001"
TAGS_ONLY = re.compile(rf"^[ \t]*{TAG_MARK}[{TAG_MARK} \t]*(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """A part of the text: literal text, an output, or a tag; `start` and `end` with its braces."""

    kind: str
    start: int
    end: int
    name: str = ""
    expression: str = ""
    expression_start: int = 0
    trims_before: bool = False
    trims_after: bool = False


@dataclass
class Block:
    name: str
    start: int
    has_else: bool = False
    parts: int = 0


@dataclass
class Lexed:
    """`expressions` pairs each expression with what it is of: `output`, or the name of a tag."""

    tokens: list[Token] = field(default_factory=list)
    expressions: list[tuple[str, Token]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def lex(source: str) -> Lexed:
    """The tokens of `source`, and what is wrong with its braces and blocks."""
    lexed = Lexed()
    pieces = list(_pieces(source, lexed.faults))
    _check_blocks(source, pieces, lexed.faults)
    dropped = _dropped(source, pieces)
    for number, piece in enumerate(pieces):
        if piece.kind in ("text", "raw"):
            before = pieces[number - 1] if number else None
            after = pieces[number + 1] if number + 1 < len(pieces) else None
            lexed.tokens += _lines(source, piece, before, after, dropped)
        elif piece.name not in ENDS:
            _add(source, piece, lexed)
    return lexed


def _add(source: str, piece: Piece, lexed: Lexed) -> None:
    value = source[piece.start : piece.end] if piece.kind == TOKEN_OUTPUT else piece.name
    lexed.tokens.append(Token(piece.kind, value, piece.start, source))
    if piece.expression:
        token = Token(TOKEN_EXPRESSION, piece.expression, piece.expression_start, source)
        lexed.tokens.append(token)
        lexed.expressions.append((piece.name or TOKEN_OUTPUT, token))


def _pieces(source: str, faults: list[Fault]) -> Iterator[Piece]:
    position = 0
    while opening := OPENING.search(source, position):
        start = opening.start()
        if start > position:
            yield Piece("text", position, start)
        mark = opening.group()
        closing = "}}" if mark == "{{" else "%}"
        end = source.find(closing, start + 2, start + EXPRESSION_LENGTH + 6)
        again = OPENING.search(source, start + 2, end if end >= 0 else start + EXPRESSION_LENGTH + 6)
        if end < 0 or again:
            faults.append(Fault(start, f"「{mark}」沒有結束的「{closing}」，或裡面超過 {EXPRESSION_LENGTH} 個字"))
            position = again.start() if again else start + 2
            continue
        piece = _piece(source, start, end, mark, faults)
        if piece.name in ENDS:
            ending = ENDS[piece.name].search(source, end + 2)
            if ending is None:
                faults.append(Fault(start, f"「{piece.name}」沒有結束的 {{% end{piece.name} %}}"))
                return
            yield piece
            if piece.name == "raw" and ending.start() > end + 2:
                yield Piece("raw", end + 2, ending.start())
            yield Piece(TOKEN_TAG, ending.start(), ending.end(), piece.name, trims_after=bool(ending.group(1)))
            position = ending.end()
        else:
            yield piece
            position = end + 2
    if position < len(source):
        yield Piece("text", position, len(source))


def _piece(source: str, start: int, end: int, mark: str, faults: list[Fault]) -> Piece:
    inside_start, inside_end = start + 2, end
    trims_before = source.startswith("-", inside_start, inside_end)
    inside_start += trims_before
    trims_after = source.endswith("-", inside_start, inside_end)
    inside_end -= trims_after
    inside = source[inside_start:inside_end]
    name = ""
    if mark == "{%":
        found = TAG.match(inside)
        assert found is not None  # it matches the empty text
        name = found.group(1)
        inside_start += found.end()
        inside = inside[found.end() :]
        _check_tag(start, name, inside.strip(), faults)
    elif not inside.strip():
        faults.append(Fault(start, "「{{ }}」裡面沒有變數"))
    spaces = len(inside) - len(inside.lstrip())
    kind = TOKEN_TAG if mark == "{%" else TOKEN_OUTPUT
    return Piece(kind, start, end + 2, name, inside.strip(), inside_start + spaces, trims_before, trims_after)


def _check_tag(start: int, name: str, expression: str, faults: list[Fault]) -> None:
    if name not in WORDS:
        known = "、".join([*BLOCKS, "elsif", "else", "when", *IN_LOOPS, *ENDS])
        faults.append(Fault(start, f"沒有標籤「{name or expression[:20]}」；可用：{known}"))
    elif name in WITH_EXPRESSION and not expression:
        faults.append(Fault(start, f"「{name}」後面要有條件或變數"))
    elif name not in WITH_EXPRESSION and expression:
        faults.append(Fault(start, f"「{name}」後面不能有其他內容"))


def _check_blocks(source: str, pieces: list[Piece], faults: list[Fault]) -> None:
    stack: list[Block] = []
    for piece in pieces:
        top = stack[-1] if stack else None
        if top is not None and top.name == "case" and not top.parts:
            blank = piece.kind == "text" and not source[piece.start : piece.end].strip()
            if not blank and piece.name not in ("when", "endcase", "comment"):
                faults.append(Fault(piece.start, "case 與第一個 when 之間不能有內容"))
        if piece.kind != TOKEN_TAG:
            continue
        if piece.name in BLOCKS:
            stack.append(Block(piece.name, piece.start))
            _check_depth(stack, piece, faults)
        elif piece.name in PARTS:
            _check_part(top, piece, faults)
        elif piece.name in IN_LOOPS and not any(block.name == "for" for block in stack):
            faults.append(Fault(piece.start, f"「{piece.name}」只能用在 for 裡面"))
        elif piece.name.startswith("end") and piece.name in WORDS:
            opened = piece.name.removeprefix("end")
            if top is None or top.name != opened:
                wanted = f"，這裡該是 end{top.name}" if top else ""
                faults.append(Fault(piece.start, f"「{piece.name}」前面沒有相對應的 {opened}{wanted}"))
            if any(block.name == opened for block in stack):
                while stack.pop().name != opened:
                    pass
    faults += [Fault(block.start, f"「{block.name}」沒有結束的 {{% end{block.name} %}}") for block in stack]


def _check_depth(stack: list[Block], piece: Piece, faults: list[Fault]) -> None:
    if piece.name == "for" and sum(block.name == "for" for block in stack) > LOOP_DEPTH:
        faults.append(Fault(piece.start, f"for 最多 {LOOP_DEPTH} 層"))
    if len(stack) > BLOCK_DEPTH:
        faults.append(Fault(piece.start, f"標籤最多 {BLOCK_DEPTH} 層"))


def _check_part(block: Block | None, piece: Piece, faults: list[Fault]) -> None:
    if block is None or block.name not in PARTS[piece.name]:
        faults.append(Fault(piece.start, f"「{piece.name}」只能用在 {'、'.join(PARTS[piece.name])} 裡面"))
        return
    if block.has_else:
        faults.append(Fault(piece.start, f"「{piece.name}」不能放在 else 之後"))
    if block.name == "case" and piece.name == "else" and not block.parts:
        faults.append(Fault(piece.start, "case 要先有 when"))
    block.has_else = block.has_else or piece.name == "else"
    block.parts += 1


def _dropped(source: str, pieces: list[Piece]) -> bytearray:
    """Marks the characters of lines that hold nothing but tags."""
    marked: list[str] = []
    for number, piece in enumerate(pieces):
        text = source[piece.start : piece.end]
        if number and (gap := piece.start - pieces[number - 1].end) > 0:
            marked.append(TAG_MARK * gap)  # what stands in a comment
        if piece.kind == TOKEN_TAG:
            marked.append(TAG_MARK * len(text))
        else:
            marked.append(OUTPUT_MARK * len(text) if piece.kind in (TOKEN_OUTPUT, "raw") else text)
    dropped = bytearray(len(source))
    for line in TAGS_ONLY.finditer("".join(marked)):
        dropped[line.start() : line.end()] = b"\1" * (line.end() - line.start())
    return dropped


def _lines(source: str, piece: Piece, before: Piece | None, after: Piece | None, dropped: bytearray) -> Iterator[Token]:
    """The literal text of a piece, a token for each line, so that every token knows its place."""
    start, end = piece.start, piece.end
    if piece.kind == "text":
        if before is not None and before.trims_after:
            start = end - len(source[start:end].lstrip())
        if after is not None and after.trims_before:
            end = start + len(source[start:end].rstrip())
    while start < end:
        stop = source.find("\n", start, end)
        stop = end if stop < 0 else stop + 1
        kept = [position for position in range(start, stop) if not dropped[position]]
        if kept:
            yield Token(TOKEN_CONTENT, source[kept[0] : kept[-1] + 1], kept[0], source)
        start = stop
