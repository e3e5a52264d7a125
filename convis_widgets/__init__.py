"""Live, linked views of models of early vision in a notebook, around `convis_core`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# Loaded when first used: the notebook server, too, imports this package, for `server_extension` alone.
_PLACES = {
    "Cursor": "live.cursor",
    "Explorer": "apps.explorer",
    "FilterMosaic": "views.mosaic",
    "FilterVolume": "views.volume",
    "FitExplorer": "apps.fit_explorer",
    "FitPlayer": "live.fit_player",
    "Hub": "live.hub",
    "ImpulseResponse": "views.impulse",
    "LossCurve": "views.losscurve",
    "ParameterPanel": "controls.panel",
    "Prediction": "views.prediction",
    "RunPlayer": "live.run_player",
    "SpatialProfile": "views.profile",
    "SpikeRaster": "views.raster",
    "StimulusView": "views.stimulus",
    "TimeCourse": "views.timecourse",
    "Transport": "controls.transport",
    "explore": "apps.explorer",
    "fit_explorer": "apps.fit_explorer",
}

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


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
