"""One frame of a stimulus, as ``matshow`` would draw it, with the selected pixel and the filter's footprint."""

from __future__ import annotations

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from convis_core.errors import ShapeError
from convis_widgets.live.front_end import front_end
from convis_widgets.live.widget import LiveWidget

__all__ = ["FrameView"]


class FrameView(LiveWidget):
    """Show frames; clicking a pixel moves ``cursor.anchor`` and ``cursor.pixel`` to it.

    Wire: arrays ``{frame: uint8 | float32 [x, y]}``; fields ``{time: s | None, past: bool}``.

    Parameters
    ----------
    hub, cursor, title
        See :class:`~convis_widgets.live.widget.LiveWidget`.
    value_range : (float, float)
        Values drawn black and white.
    label : str
        What the values are; stands under the colour bar.
    pixel_per_degree : float
        Sampling of space; 0 when it is not known.
    footprint : (int, int)
        Rows and columns of the filter, drawn around ``cursor.anchor``; ``(0, 0)`` draws none.

    Examples
    --------
    >>> view = FrameView(value_range=(0.0, 1.0), pixel_per_degree=20.0, footprint=(21, 21))
    >>> view.show(np.zeros((50, 40)), time=0.25)
    >>> view.snapshot().arrays["frame"].shape
    (50, 40)
    >>> view.close()
    """

    _esm = front_end("frames.js")
    title = traitlets.Unicode("Stimulus").tag(sync=True)
    label = traitlets.Unicode("luminance").tag(sync=True)
    value_range = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.0, 1.0)).tag(sync=True)
    pixel_per_degree = traitlets.Float(10.0, min=0.0).tag(sync=True)
    footprint = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)

    def show(self, frame: ArrayLike, time: float | None = None, *, past: bool = False) -> None:
        """Show a frame ``[x, y]``, from any thread.

        Parameters
        ----------
        frame : array_like
            Values in the units of ``value_range``.
        time : float, optional
            Time of the frame, in s.
        past : bool
            Whether it is one of the past, which the header then says.

        Raises
        ------
        ShapeError
            The frame is not two-dimensional.
        """
        array = np.asarray(frame)
        if array.ndim != 2:
            raise ShapeError(
                f"A frame is [x, y], got {array.ndim} axes of lengths {array.shape}.",
                "Take one frame of one channel, for example signal[0, 0, -1].",
            )
        shown = array if array.dtype == np.uint8 else array.astype(np.float32)
        self.post({"time": time, "past": past}, {"frame": shown})
