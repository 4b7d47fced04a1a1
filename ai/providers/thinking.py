"""Splits `<think>…</think>` off a text that comes in pieces, wherever their borders are."""

from __future__ import annotations

import re

_OPEN, _CLOSE = "<think>", "</think>"
_TAG = re.compile("<(/?)think>", re.IGNORECASE)


class ThinkingFilter:
    """Feed it pieces of an answer; it gives back what is not thinking.

    A chat template may open the thinking itself, so that the answer has only the closing tag: what was held back until
    then is thinking too. What was given back before cannot be taken back: `leaked` is then true, and the answer is
    worth nothing.
    """

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._given = False
        self.leaked = False

    def feed(self, text: str) -> str:
        """What of `text`, and of what was held back before, is certainly answer."""
        self._held += text
        out = ""
        while tag := _TAG.search(self._held):
            before, self._held = self._held[: tag.start()], self._held[tag.end() :]
            if tag[1] and not self._thinking:
                self.leaked |= self._given
                out = ""
            elif not self._thinking:
                out += before
            self._thinking = not tag[1]
        kept = _beginning(self._held)
        if not self._thinking:
            out += self._held[: len(self._held) - kept]
        self._held = self._held[len(self._held) - kept :]
        self._given |= bool(out.strip())
        return out

    def end(self) -> str:
        """What is still held back at the end of the answer; thinking that nobody closed is dropped."""
        rest, self._held = "" if self._thinking else self._held, ""
        return rest


def _beginning(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a tag."""
    last = text[-len(_CLOSE) :].lower()
    if "<" not in last:
        return 0
    return max((size for tag in (_OPEN, _CLOSE) for size in range(1, len(tag)) if last.endswith(tag[:size])), default=0)
