"""The one selection that all views of a dashboard share."""

from __future__ import annotations

import traitlets
from ipywidgets import Widget

__all__ = ["Cursor"]


class Cursor(Widget):
    """Selected pixel, filter centre, lag and time of a dashboard.

    It has no picture of its own: views mark it and set it, inside the page, and Python follows by ``observe``.

    Attributes
    ----------
    pixel : (int, int)
        Selected frame pixel ``(x, y)``; x is the row.
    anchor : (int, int)
        Frame pixel on which the filter is centred. Clicking a frame sets anchor and pixel.
    lag : int
        Selected lag frame of the filter. Clicking a pixel of a filter tile sets the lag to that tile, and ``pixel`` to
        the anchor plus the offset of the clicked kernel pixel from the kernel's centre.
    time : float or None
        Time under the pointer, in s.
    brush : (float, float) or None
        Selected range of time, in s.

    Examples
    --------
    >>> cursor = Cursor(pixel=(25, 25))
    >>> cursor.lag, cursor.brush
    (0, None)
    """

    pixel = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)
    anchor = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)
    lag = traitlets.Int(0, min=0).tag(sync=True)
    time = traitlets.Float(None, allow_none=True).tag(sync=True)
    brush = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=None, allow_none=True).tag(sync=True)
