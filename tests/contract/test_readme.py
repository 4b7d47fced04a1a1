"""README and `.env.example` name every setting there is and no other; what the README says to type can be typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
READERS = {"env", "_required", "_configured", "getenv"}
# Of the machine, not ours.
FOREIGN = {"PATH", "HOME"}


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_environ(node: ast.expr) -> bool:
    return _name(node) == "environ"


def _reads(tree: ast.AST) -> Iterator[ast.expr]:
    """The name in env(…), env.int(…), os.environ.get(…) and os.environ[…]."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            of_env = isinstance(called, ast.Attribute) and _name(called.value) == "env"
            of_environ = isinstance(called, ast.Attribute) and called.attr == "get" and _is_environ(called.value)
            if _name(called) in READERS or of_env or of_environ:
                yield node.args[0]
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_environ(node.value):
            yield node.slice


def read_by_the_code() -> set[str]:
    files = [ROOT / "manage.py"]
    for package in sorted(path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"):
        files += sorted(package.rglob("*.py"))
    names = (node for file in files for node in _reads(ast.parse(file.read_text())))
    return {
        node.value for node in names if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]+", node.value)
    } - FOREIGN


def described_in_the_readme() -> list[str]:
    table = README.partition("\n## Configuration\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [name for cell in rows for name in re.findall(r"`([A-Z0-9_]+)`", cell)]


def typed() -> str:
    """What stands in code, in lines and in blocks."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", README, flags=re.DOTALL)).replace("`", "")


def test_every_variable_is_described_and_no_other() -> None:
    described = described_in_the_readme()
    assert set(described) == read_by_the_code()
    assert sorted(described) == sorted(set(described)), "described twice"


def test_the_example_names_every_variable_once() -> None:
    example = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert sorted(example) == sorted(read_by_the_code())


def test_every_target_exists() -> None:
    named = set(re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z]+)", typed(), flags=re.MULTILINE))
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"run", "test"} <= named <= made


def test_every_command_exists() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", typed()))
    assert named
    assert named <= set(get_commands())


def test_every_link_of_the_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    links = [(page, target) for page in pages for target in re.findall(r"\]\(([^)#]+)\)", page.read_text())]
    inside = [(page, target) for page, target in links if "://" not in target]
    assert inside
    assert [(page.name, target) for page, target in inside if not (page.parent / target).exists()] == []
