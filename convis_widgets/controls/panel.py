"""A panel of sliders, one row a parameter, one group a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from convis_core.errors import ConvisError
from convis_widgets.live.front_end import front_end
from convis_widgets.live.hub import Hub
from convis_widgets.live.widget import LiveWidget

__all__ = ["ParameterPanel"]

OnSet = Callable[[str, float], object]


class ParameterPanel(LiveWidget):
    """Show and set parameters.

    Wire: fields ``{values: {name: value}, errors: {name: text}}``; the page sends ``{type: "set", values: {name:
    value}}`` while a slider is dragged, at most one message a painted frame.

    Parameters
    ----------
    rows : list of dict
        One a parameter: ``name`` (dotted), ``group``, ``label``, ``unit``, ``value``, ``default``, ``lo``, ``hi``,
        ``scale`` ("linear" or "log"), ``doc``, and optionally ``step``. ``lo`` and ``hi`` bound the slider, not what
        may be typed.
    hub, title
        See :class:`~convis_widgets.live.widget.LiveWidget`.

    Examples
    --------
    >>> row = dict(name="tau", group="Temporal", label="tau", unit="s", value=0.02, default=0.01, lo=0.001, hi=1.0,
    ...            scale="log", doc="time constant")
    >>> panel = ParameterPanel([row])
    >>> panel.on_set(lambda name, value: print(name, value))
    >>> panel.close()
    """

    _esm = front_end("panel.js")
    title = traitlets.Unicode("Parameters").tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(self, rows: list[dict[str, Any]] | None = None, hub: Hub | None = None, **kwargs: Any) -> None:
        super().__init__(hub, rows=rows or [], **kwargs)
        self._on_set: list[OnSet] = []
        self._values: dict[str, Any] = {}
        self._errors: dict[str, str | None] = {}

    def on_set(self, callback: OnSet) -> None:
        """Have ``callback(name, value)`` called when a value is set in the page.

        It may come on any thread. A :class:`~convis_core.errors.ConvisError` it raises is shown in the row, which goes
        back to the value it had.
        """
        self._on_set.append(callback)

    def show(self, values: Mapping[str, float] | None = None, errors: Mapping[str, str | None] | None = None) -> None:
        """Show values, and reasons why others were refused (None clears a reason), from any thread."""
        with self._lock:
            self._values.update(values or {})
            self._errors.update({name: None for name in values or {}})
            self._errors.update(errors or {})
            self.post({"values": dict(self._values), "errors": dict(self._errors)})

    def _command(self, content: Mapping[str, Any]) -> None:
        if content.get("type") != "set":
            return
        values, errors = {}, {}
        for name, value in content["values"].items():
            try:
                for callback in self._on_set:
                    callback(name, value)
                values[name] = value
            except ConvisError as error:
                errors[name] = str(error)
        self.show(values, errors)
