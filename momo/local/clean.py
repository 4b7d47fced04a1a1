"""``make clean``: stop the local servers and remove their data, also where it lies outside the tree."""

from __future__ import annotations

from pathlib import Path

from momo.local.services import LocalServices

LOCAL = Path(__file__).resolve().parents[2] / ".local"


def main() -> None:
    """Delete every folder of local servers."""
    for folder in sorted(LOCAL.glob("*/")):
        LocalServices(folder).delete()
        print(f"removed {folder.relative_to(LOCAL.parent)}")


if __name__ == "__main__":
    main()
