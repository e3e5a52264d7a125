"""A table for a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["html_table", "rounded"]


def rounded(value: float) -> str:
    """Write a number with three decimals, and none as less than 0 that is 0 with these.

    Examples
    --------
    >>> rounded(-0.0001), rounded(-0.0009)
    ('0.000', '-0.001')
    """
    return f"{round(value, 3) + 0.0:.3f}"


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table as HTML; caption and head are HTML already, cells are text.

    Examples
    --------
    >>> html_table("One", ["a"], [["1 < 2"]])
    '<table><caption>One</caption><thead><tr><th>a</th></tr></thead><tbody><tr><td>1 &lt; 2</td></tr></tbody></table>'
    """
    names = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{caption}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
