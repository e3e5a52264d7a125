"""Live, linked views of models of early vision in a notebook, around `convis_core`."""

from convis_widgets.apps.explorer import Explorer, explore
from convis_widgets.apps.fit_explorer import FitExplorer, fit_explorer
from convis_widgets.controls.panel import ParameterPanel
from convis_widgets.controls.transport import Transport
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.fit_player import FitPlayer
from convis_widgets.live.hub import Hub
from convis_widgets.live.run_player import RunPlayer
from convis_widgets.views.impulse import ImpulseResponse
from convis_widgets.views.losscurve import LossCurve
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.prediction import Prediction
from convis_widgets.views.profile import SpatialProfile
from convis_widgets.views.raster import SpikeRaster
from convis_widgets.views.stimulus import StimulusView
from convis_widgets.views.timecourse import TimeCourse
from convis_widgets.views.volume import FilterVolume

__all__ = [
    "Cursor",
    "Explorer",
    "FilterMosaic",
    "FilterVolume",
    "FitExplorer",
    "FitPlayer",
    "Hub",
    "ImpulseResponse",
    "LossCurve",
    "ParameterPanel",
    "Prediction",
    "RunPlayer",
    "SpatialProfile",
    "SpikeRaster",
    "StimulusView",
    "TimeCourse",
    "Transport",
    "explore",
    "fit_explorer",
]
