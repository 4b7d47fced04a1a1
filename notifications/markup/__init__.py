"""Text for each channel out of any of the four formats: pure functions, whose output is always valid.

Whatever comes in is read into runs (`runs.py`: text with its marks) and written out again, so broken markup, markup
that a channel does not know, NUL and lone surrogates never get through.
"""

from notifications.markup.layout import read_runs
from notifications.markup.runs import is_blank, utf16_length
from notifications.markup.split import CAPTION_LIMIT, TEXT_LIMIT, split_telegram
from notifications.markup.write import plain_text, to_mail_html, to_telegram, to_text, visible_length

__all__ = [
    "CAPTION_LIMIT",
    "TEXT_LIMIT",
    "is_blank",
    "plain_text",
    "read_runs",
    "split_telegram",
    "to_mail_html",
    "to_telegram",
    "to_text",
    "utf16_length",
    "visible_length",
]
