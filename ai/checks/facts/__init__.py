"""The fact lock: every number and claim of a text is traced to the facts of its product; what is not is a warning.

normalise → numbers, units, roles (amounts), words (claims) → trace → check. Without a model and without the database;
time grows with the length of the text.
"""

from ai.checks.facts.check import check_facts
from ai.checks.facts.items import Kind
from ai.checks.facts.model import Facts

__all__ = ["Facts", "Kind", "check_facts"]
