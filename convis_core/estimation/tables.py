"""Results as a notebook shows them: tables, and lines that it need not break."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["broken_up", "html_table", "rounded"]

WIDEST: Final = 80
"""Characters that a line has at most: a narrower page would break it wherever it ends, in the middle of a number."""


def broken_up(text: str, widest: int = WIDEST) -> str:
    """Break lines after commas and semicolons outside brackets; what follows a break is moved in.

    Examples
    --------
    >>> print(broken_up("filter of 3 lags, rank 1; score 0.25 at pixel (3, 4)", 20))
    filter of 3 lags,
      rank 1;
      score 0.25 at pixel (3, 4)
    """
    lines = []
    for line in text.splitlines():
        whole = ""
        for part in re.split(r"(?<=[,;]) (?![^(]*\))", line):
            if whole and len(whole) + 1 + len(part) > widest:
                lines.append(whole)
                whole = f"  {part}"
            else:
                whole = f"{whole} {part}" if whole else part
        lines.append(whole)
    return "\n".join(lines)


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
