"""One word for one thing: what users read has none of the words that the glossary's table of words rejects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
HEADING = "## Words on the screen"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

# Files without words for users, and why.
SILENT = {
    "*/migrations/*": "labels of the past; those of today are in the models",
    "ai/checks/*": "what sellers and laws write",
    "ai/data/*": "what sellers and laws write",
    "ai/services/prompts.py": "read by models",
    "bot/words/*": "what users may write to the bot",
    "momo/local/shop/*": "what another shop shows",
    "momo/sheets/columns.py": "what headers of reports may contain",
    "momo/sheets/left_out.py": "what lines below a table begin with",
    "products/selectors/products.py": "characters that the search takes for the same",
}
# Words that files of others use: the headers that an importer knows.
HEADERS = {
    "sales/importers.py": "商品編號 商品代碼 商品名稱 銷售數量 銷售金額 銷售額 供應商",
    "vendors/importers.py": "商品編號 商品代碼 商品名稱 供應商",
    "ai/services/trend_import.py": "商品名稱 產品名稱",
}


def _table() -> list[tuple[str, list[str], list[str]]]:
    """The word of each row, those that are never written, and longer ones in which they are something else."""
    text = (ROOT / "docs" / "glossary.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+?) \| *(.*?) *\|$", text.split(HEADING)[1].split("\n## ")[0], re.M)
    return [(word, never.split("、"), [*filter(None, but.split("、"))]) for word, never, but in rows[1:]]


def _files() -> Iterator[Path]:
    folders = {Path(app.path).relative_to(ROOT).parts[0] for app in apps.get_app_configs() if _is_ours(Path(app.path))}
    for folder in sorted({*folders, "templates", "static", "deploy"}):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".html", ".js", ".toml", ".po", ".yaml", ".json"}:
                yield path


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(ROOT) and ".venv" not in path.parts


def _said(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text: of Python its literals, of anything else all lines but comments and the words translated."""
    text = path.read_text()
    if not CHINESE.search(text):
        return
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHINESE.search(node.value):
                yield node.lineno, node.value
    else:
        yield from ((number, line) for number, line in enumerate(text.splitlines(), 1) if CHINESE.search(line))


def test_no_text_for_users_has_a_word_that_the_glossary_rejects() -> None:
    words = _table()
    rejected = {one: word for word, never, _ in words for one in never}
    meant = [one for *_, but in words for one in but]
    found = re.compile("|".join(map(re.escape, sorted(rejected, key=len, reverse=True))))
    allowed = re.compile("|".join(map(re.escape, meant)))
    faults, lines = [], 0

    for path in _files():
        name = path.relative_to(ROOT)
        if any(name.match(pattern) or name.is_relative_to(pattern.removesuffix("/*")) for pattern in SILENT):
            continue
        known = HEADERS.get(str(name), "").split()
        for number, text in _said(path):
            lines += 1
            for one in found.findall(allowed.sub("", text)):
                if one not in known:
                    faults.append(f"{name}:{number}: {one} → {rejected[one]}: {text.strip()[:80]}")

    assert not faults, "\n".join(faults)
    assert lines > 3000
    assert not {word for word, *_ in words} & set(rejected)
