"""What the model sees at the moment."""

from __future__ import annotations

from convis_core import Chunk
from convis_widgets.views.frames import FrameView

__all__ = ["StimulusView"]


class StimulusView(FrameView):
    """Show the newest frame of a run; clicking a pixel selects it in all views.

    Examples
    --------
    >>> import numpy as np, convis_core as convis
    >>> view = StimulusView()
    >>> for chunk in convis.models.L().stream(np.random.rand(100, 8, 9), dt=50):
    ...     view.on_chunk(chunk)
    >>> view.snapshot().arrays["frame"].shape
    (8, 9)
    >>> view.close()
    """

    def on_chunk(self, chunk: Chunk) -> None:
        """Show the last frame of a chunk."""
        time = (chunk.stop - 1) * chunk.output.resolution.step
        self.show(chunk.input[0, 0, -1].cpu().numpy(), time=time)
