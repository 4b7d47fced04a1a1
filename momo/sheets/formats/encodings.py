"""Decodes text files: UTF-8, UTF-16, or Big5 as Excel in Taiwan writes it (cp950) and older systems extend it.

A character that cp950 lacks is decoded by Big5-HKSCS, that one alone: the two differ in characters that both have (‧ is
• there), so that decoding the whole file by the other table would split brands.
"""

from __future__ import annotations

import codecs
import re

from momo.sheets.errors import SheetError

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_HELP = "請用 Excel 另存成「CSV UTF-8」再匯入"

# Kana, Cyrillic and symbols that ETEN added to Big5, which Big5-HKSCS has in the same places. Python's cp950 has kana
# elsewhere in them, as no system in Taiwan writes them: の would become ソ.
_ETEN = re.compile(rb"(?:\xc6[\xa1-\xfe]|[\xc7\xc8][\x40-\x7e\xa1-\xfe])+")
# Pairs and single bytes up to the next character of ETEN.
_OTHERS = re.compile(rb"(?:[\x00-\x80]|[\x81-\xc5\xc9-\xfe][\x40-\x7e\xa1-\xfe]|\xc6[\x40-\x7e])*+")


def _by_hkscs(error: UnicodeError) -> tuple[str, int]:
    """Decode the pair of bytes at an error of cp950. Raises the error if Big5-HKSCS does not have it either."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    try:
        return pair.decode("big5hkscs"), error.start + 2
    except UnicodeDecodeError:
        raise error from None


codecs.register_error("momo-hkscs", _by_hkscs)


def _table(pairs: range) -> str:
    """The characters that cp950 has in the places of ETEN's."""
    found = []
    for pair in pairs:
        code = pair.to_bytes(2, "big")
        try:
            one, other = code.decode("cp950"), code.decode("big5hkscs")
        except UnicodeDecodeError:
            continue
        if one != other:
            found.append(one)
    return "".join(found)


_MISPLACED = re.compile(f"[{re.escape(_table(range(0xC6A1, 0xC8FF)))}]")


def big5(data: bytes) -> str:
    """The text of bytes in Big5. Raises UnicodeDecodeError at the first byte that no table has."""
    text = data.decode("cp950", "momo-hkscs")
    return text if _MISPLACED.search(text) is None else _with_eten(data)


def _with_eten(data: bytes) -> str:
    """The text, with ETEN's characters decoded by its table; `data` is known to be decodable."""
    texts = []
    position = 0
    while position < len(data):
        others = _OTHERS.match(data, position)
        end = others.end() if others else position
        texts.append(data[position:end].decode("cp950", "momo-hkscs"))
        eten = _ETEN.match(data, end)
        if eten is None:
            texts.append(data[end : end + 2].decode("cp950", "momo-hkscs"))
            position = end + 2
        else:
            texts.append(eten[0].decode("big5hkscs", "replace"))
            position = eten.end()
    return "".join(texts)


def in_utf16(sample: bytes) -> bool:
    """Whether text without a byte-order mark is UTF-16: every other byte of its ASCII, delimiters at least, is 0."""
    return sample.count(b"\x00") > len(sample) // 10 and sample.count(b"\x00\x00") < len(sample) // 100 + 1


def decoded(data: bytes, name: str) -> str:
    """Text in UTF-8 or UTF-16 (with or without byte-order mark) or Big5. Raises SheetError, which names the line."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                stated = encoding.removesuffix("-sig").upper()
                raise SheetError(f"「{name}」標示為 {stated}，但{_place(error, encoding)}；{_HELP}。") from error
    sample = data[:4096]
    if in_utf16(sample):
        # The zero byte of ASCII characters shows the byte order.
        even, odd = sample[::2].count(b"\x00"), sample[1::2].count(b"\x00")
        encoding = "utf-16-le" if odd >= even else "utf-16-be"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise SheetError(f"「{name}」的文字編碼是 UTF-16，但{_place(error, encoding)}；{_HELP}。") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        as_utf8 = error
    try:
        return big5(data)  # text in Big5 is almost never valid UTF-8
    except UnicodeDecodeError as error:
        as_big5 = error
    # In which one it was meant is the one that goes further.
    encoding, why = ("UTF-8", as_utf8) if as_utf8.start > as_big5.start else ("Big5", as_big5)
    raise SheetError(f"「{name}」的文字編碼看來是 {encoding}，但{_place(why, 'ascii')}；{_HELP}。") from why


def _place(error: UnicodeDecodeError, encoding: str) -> str:
    """The line of the first byte that cannot be decoded, and the byte."""
    before = error.object[: error.start]
    line = before.decode(encoding, "ignore").count("\n") if encoding.startswith("utf-16") else before.count(b"\n")
    return f"第 {line + 1:,} 行有無法解讀的位元組（{error.object[error.start]:02X}）"
