"""A panel of sliders, one row a parameter, one group a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from convis_core import Layer
from convis_core.errors import ConvisError
from convis_widgets.controls.rows import parameter_rows, shown
from convis_widgets.live.front_end import front_end
from convis_widgets.live.hub import Hub
from convis_widgets.live.widget import LiveWidget

__all__ = ["ParameterPanel"]

OnSet = Callable[[str, float], object]
Submit = Callable[[Callable[[], object]], object]


class ParameterPanel(LiveWidget):
    """Show and set the parameters of a model.

    Wire: fields ``{values: {name: value}, errors: {name: text}}``; the page sends ``{type: "set", values: {name:
    value}}`` while a slider is dragged, at most one message a painted frame.

    Parameters
    ----------
    model : Layer
        Its single-number parameters get a row each: name, unit, slider, and a dot to reset it.
    hub, title
        See :class:`~convis_widgets.live.widget.LiveWidget`.
    submit : callable, optional
        Carries out a change where the model may be touched, e.g. ``player.submit``; at once if not given.

    Examples
    --------
    >>> import convis_core as convis
    >>> neuron = convis.filters.spiking.LeakyIntegrateAndFireNeuron()
    >>> panel = ParameterPanel(neuron)
    >>> panel.on_set(lambda name, value: print(name, value))
    >>> panel.set("g_L", 20.0)
    g_L 20.0
    >>> panel.close()
    """

    _esm = front_end("panel.js")
    title = traitlets.Unicode("Parameters").tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(self, model: Layer, hub: Hub | None = None, submit: Submit | None = None, **kwargs: Any) -> None:
        super().__init__(hub, rows=parameter_rows(model), **kwargs)
        self._model = model
        self._submit: Submit = submit or (lambda job: job())
        self._on_set: list[OnSet] = []
        self._values: dict[str, float] = {}
        self._errors: dict[str, str | None] = {}

    def on_set(self, callback: OnSet) -> None:
        """Have ``callback(name, value)`` called after a value has been set, where the model may be touched."""
        self._on_set.append(callback)

    def set(self, name: str, value: float) -> None:
        """Set a parameter by its dotted name, as the slider does; refused here if the value cannot be."""
        handle = self._model.p[name]
        handle.declaration.check(value, where=type(handle.owner).__name__)
        self._submit(lambda: self._apply({name: value}))

    def refresh(self) -> None:
        """Show the values that the model has now; after a fit or a loaded file."""
        self._submit(lambda: self.show({handle.name: shown(handle) for handle in self._model.user_parameters}))

    def show(self, values: Mapping[str, float] | None = None, errors: Mapping[str, str | None] | None = None) -> None:
        """Show values, and reasons why others were refused (None clears a reason), from any thread."""
        with self._lock:
            self._values.update(values or {})
            self._errors.update({name: None for name in values or {}})
            self._errors.update(errors or {})
            self.post({"values": dict(self._values), "errors": dict(self._errors)})

    def _command(self, content: Mapping[str, Any]) -> None:
        if content.get("type") == "set":
            wanted = dict(content["values"])
            self._submit(lambda: self._apply(wanted))

    def _apply(self, wanted: Mapping[str, float]) -> None:
        values, errors = {}, {}
        for name, value in wanted.items():
            try:
                handle = self._model.p[name]
                handle.set(value)
                values[name] = shown(handle)
            except ConvisError as error:
                errors[name] = str(error)
        with self.hub.together(urgent=True):  # the new curves must not wait until the new value has been painted
            self.show(values, errors)
            for name, value in values.items():
                for callback in self._on_set:
                    callback(name, value)
