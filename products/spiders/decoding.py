"""Bytes of the shop's answers as text: UTF-8, or Big5 as its oldest pages were written."""

from __future__ import annotations

import codecs

from w3lib.encoding import html_body_declared_encoding

# cp950 is Big5 as Windows writes it, which the shop's pages mean by "big5"; the other has Hong Kong's characters too.
_BIG5 = ("cp950", "big5hkscs")


def decode_page(body: bytes) -> str:
    """The text of a page; never raises, bytes that mean nothing become U+FFFD.

    Big5 is believed only where UTF-8 fails: Chinese text in either is practically never valid in the other, while a
    page's own statement is often left over from its template. The statement decides where a byte is broken in both.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return decode_big5(body) or body.decode(_declared(body), errors="replace")


def decode_big5(body: bytes) -> str:
    """`body` as Big5, or "" if a byte of it cannot be."""
    for encoding in _BIG5:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def _declared(body: bytes) -> str:
    return "cp950" if html_body_declared_encoding(body) in ("cp950", "big5hkscs", "big5") else "utf-8"
