"""A dashboard takes the place of the one that its cell made before, as it does in the notebook.

Without that, each run of a cell would leave one more model playing, or a second fit at work on the same parameters,
unseen.
"""

from __future__ import annotations

import weakref
from typing import Any

from ipywidgets import Widget

__all__ = ["take_the_place"]

_made: dict[str, tuple[str, list[weakref.ref[Widget]]]] = {}
"""For each cell its last run, and the dashboards that it made."""


def take_the_place(dashboard: Widget) -> None:
    """Close the dashboards of an earlier run of the cell that makes this one."""
    cell, run = _cell_and_run()
    if not cell:
        return  # a script, or a page that cannot run a cell twice
    last_run, earlier = _made.get(cell, ("", []))
    if last_run != run:
        for reference in earlier:
            if (former := reference()) is not None:
                former.close()
        earlier = []
    _made[cell] = run, [*earlier, weakref.ref(dashboard)]


def _cell_and_run() -> tuple[str, str]:
    """Identifiers of the cell that runs at present, as JupyterLab tells them, and of this run of it."""
    from IPython.core.getipython import get_ipython

    kernel: Any = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent() if kernel is not None else {}
    return parent.get("metadata", {}).get("cellId", ""), parent.get("header", {}).get("msg_id", "")
