"""The folder of pages that are made and not written: ``docs/made``, which git ignores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_pages"]


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Write the pages by their names, only what changed, and remove what is no page any more."""
    wanted = {folder / name: text for name, text in pages.items()}
    for old in set(folder.rglob("*.*")) - set(wanted):
        old.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # the rest need not be built again
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
