"""What a stockout report repeats, and names otherwise than the system: kept, and said before and after the import."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from momo.jobs.importers import Table
from vendors.models import Vendor

NAMED = 3  # cases that a sentence names
ROWS_NAMED = 5
LENGTH = 40  # characters of a code or name


def findings(table: Table) -> list[str]:
    """Return a sentence for each kind of contradiction in a checked report."""
    vendors, products = table.columns["vendor_code"], table.columns["product_code"]
    names = [name or "" for name in table.columns.get("vendor_name") or [""] * len(vendors)]
    found = [_repeats(list(zip(vendors, products, strict=True)), table.numbers), _known_names(vendors, names)]
    return [sentence for sentence in found if sentence]


def _repeats(keys: Sequence[tuple[str, str]], numbers: Sequence[int]) -> str:
    if len(set(keys)) == len(keys):
        return ""
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for key, number in zip(keys, numbers, strict=True):
        rows[key].append(number)
    repeated = {key: found for key, found in rows.items() if len(found) > 1}
    cases = _cases(
        f"{_short(product)}（{_short(vendor)}，第 {'、'.join(map(str, found[:ROWS_NAMED]))}"
        f"{'…' if len(found) > ROWS_NAMED else ''} 列）"
        for (vendor, product), found in repeated.items()
    )
    return f"{len(repeated):,} 個品號在同一廠商出現不只一次，以第一列為準，其餘列為重複：{cases}"


def _known_names(vendors: Sequence[str], names: Sequence[str]) -> str:
    given = dict(zip(reversed(vendors), reversed(names), strict=True))  # the first of each
    known = dict(Vendor.objects.filter(code__in=list(given)).values_list("code", "name"))
    other = [(code, known[code], name) for code, name in given.items() if name and known.get(code, name) != name]
    cases = _cases(f"{_short(code)}（{_short(kept)}；報表：{_short(name)}）" for code, kept, name in other)
    return f"{len(other):,} 家廠商的名稱與報表不同，維持系統裡的名稱：{cases}" if other else ""


def _cases(cases: Iterable[str]) -> str:
    listed = list(cases)
    return "、".join(listed[:NAMED]) + (f" 等 {len(listed):,} 個" if len(listed) > NAMED else "")


def _short(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}…"
