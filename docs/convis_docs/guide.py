"""The hand-written pages: they stay plain Markdown, and their navigation and links are made here."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from convis_docs.command_line import command_line
from convis_docs.reference import contents

__all__ = ["pages", "setup", "written"]

FIRST = ("concepts", "responses", "fitting", "estimators", "explorer")
"""The order to read in; other pages follow by name."""

NOTEBOOK = re.compile(r"\]\(\.\./notebooks(?:/(\w+)\.ipynb)?\)")
"""A link that leaves the folder, to a notebook or to all of them."""


def pages(folder: Path) -> list[str]:
    """Names of the hand-written pages, without the index."""
    found = {path.stem for path in folder.glob("*.md")} - {"index"}
    return [*(name for name in FIRST if name in found), *sorted(found - set(FIRST))]


def written(root: Path) -> dict[str, str]:
    """Pages made of other files of the project: its notebooks, its command line, what changed and how to help."""
    notebooks = {path.stem: _notebook(path) for path in sorted((root / "notebooks").glob("*.ipynb"))}
    index = "# Notebooks\n\nThey lie in `notebooks/`, and are run from first to last cell by every check.\n\n"
    return {
        **{f"notebooks/{name}.md": text for name, text in notebooks.items()},
        "notebooks/index.md": index + "```{toctree}\n" + "\n".join(notebooks) + "\n```\n",
        "command_line.md": command_line(),
        "changelog.md": (root / "CHANGELOG.md").read_text(encoding="utf-8"),
        "contributing.md": (root / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }


def _notebook(path: Path) -> str:
    """Write a notebook as a page, code and text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in cells]
    return "\n\n".join(f"```ipython3\n{text}\n```" if code else text for text, code in texts) + "\n"


def add_navigation(app: Sphinx, name: str, content: list[str]) -> None:
    """Give the index its table of contents, which would be noise where Markdown is read as text."""
    content[0] = NOTEBOOK.sub(lambda link: f"](made/notebooks/{link[1] or 'index'}.md)", content[0])
    if name == "index":
        content[0] += _contents("Guide", [*pages(Path(app.srcdir)), "made/notebooks/index", "made/command_line"])
        content[0] += _contents("Reference", contents())
        content[0] += _contents("Project", ["made/changelog", "made/contributing"])


def _contents(caption: str, names: list[str]) -> str:
    listed = "\n".join(names)
    return f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_navigation)
