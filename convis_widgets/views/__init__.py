"""Views: one file each."""

from convis_widgets.views.frames import FrameView
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.raster import SpikeRaster

__all__ = ["FilterMosaic", "FrameView", "SpikeRaster"]
