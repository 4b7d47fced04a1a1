"""The entry of the sidebar for saved views."""

from __future__ import annotations

from momo.admin.kit.nav import SYSTEM, Entry, register

register(
    Entry(
        SYSTEM,
        15,
        "已存篩選",
        "bookmark",
        "saved_views.savedview",
        empty="在任何一個清單篩選之後，按清單上方的「已存篩選」存下來，之後一點就回到同樣的條件。",
    ),
)
