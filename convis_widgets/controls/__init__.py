"""Controls: the parameter panel and the transport."""

from convis_widgets.controls.panel import ParameterPanel
from convis_widgets.controls.transport import Transport

__all__ = ["ParameterPanel", "Transport"]
