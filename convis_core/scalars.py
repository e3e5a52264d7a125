"""What counts as one number where somebody is asked for one."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_number"]


def is_number(value: Any) -> bool:
    """Whether something is a single real number; a truth value, an array or a text is none.

    Examples
    --------
    >>> [is_number(value) for value in (2, 0.5, np.float32(1), True, "1", np.ones(2), None)]
    [True, True, True, False, False, False, False]
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
