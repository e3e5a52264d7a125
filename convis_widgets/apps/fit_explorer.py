"""The live fit: the loss and the filter of a model while it is fitted, on a page that stays free."""

from __future__ import annotations

from math import log10
from typing import Any

from ipywidgets import Dropdown, FloatLogSlider, Layout

from convis_core import FitStep, Layer
from convis_core.errors import ConvisError, ParameterError, UnknownNameError
from convis_core.loops.optimizers import optimizer_names
from convis_core.streams import as_stream
from convis_widgets.apps.dashboard import Dashboard, show_tiles
from convis_widgets.controls import ParameterPanel, Transport
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.fit_player import FitPlayer
from convis_widgets.live.hub import Hub
from convis_widgets.views.impulse import ImpulseResponse
from convis_widgets.views.losscurve import LossCurve
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.prediction import Prediction

__all__ = ["FitExplorer", "fit_explorer"]

RATES = (1e-8, 1e2)
"""Smallest and largest learning rate."""


class FitExplorer(Dashboard):
    """Dashboard of a fit. Made by `fit_explorer`.

    Attributes
    ----------
    model : Layer
        The model that is fitted.
    player : FitPlayer
        Drives the fit in the background: ``.play()``, ``.pause()``, ``.step()``, ``.stop()``.
    loss, mosaic, impulse, prediction, transport, panel
        The parts, each of which can be shown in a cell of its own.
    """

    def __init__(self, model: Layer, input: Any, target: Any, *, optimizer: str, lr: float, **options: Any) -> None:
        if optimizer not in optimizer_names():
            raise UnknownNameError(
                f"There is no optimiser called {optimizer}.", f"There are: {', '.join(optimizer_names())}."
            )
        if not RATES[0] <= lr <= RATES[1]:  # the slider would quietly take the nearest
            raise ParameterError(f"A learning rate lies between {RATES[0]:g} and {RATES[1]:g}, got lr={lr!r}.")
        hub, cursor = Hub(), Cursor()
        self.model = model
        self.player = FitPlayer(model, input, target, **options)
        scale = model.resolution.pixel_per_degree
        self.transport = Transport(self.player, hub=hub)
        self.loss = LossCurve(hub, cursor)
        self.mosaic = FilterMosaic(hub, cursor, pixel_per_degree=scale, unit=model.kernel_unit)
        self.impulse = ImpulseResponse(model.kernel_unit, hub, cursor)
        self.prediction = Prediction(model, hub, cursor)
        self.panel = ParameterPanel(model, hub=hub, submit=self.player.submit)
        self._algorithm = Dropdown(
            options=optimizer_names(), value=optimizer, description="optimiser", layout=Layout(width="100%")
        )
        self._rate = FloatLogSlider(
            value=lr,
            min=log10(RATES[0]),
            max=log10(RATES[1]),
            step=0.1,
            description="rate",
            continuous_update=False,
            layout=Layout(width="100%"),
        )
        side = [self._algorithm, self._rate, *([self.panel] if len(model.user_parameters) else [])]
        cards = [(self.loss, 5), (self.mosaic, 7), (self.prediction, 7), (self.impulse, 5)]
        super().__init__(hub, cursor, [self.transport, hub], side, cards)
        middle = tuple(n // 2 for n in as_stream(target).size)
        cursor.set_trait("anchor", middle)
        cursor.set_trait("pixel", middle)
        self._choose()
        for control in (self._algorithm, self._rate):
            control.observe(lambda _: self._choose(), "value")
        self.player.watchers.append(self._on_step)
        self.player.listeners.append(self._on_change)
        self.player.submit(self._show_filter)

    def close(self) -> None:
        """End the fit and take the dashboard off the page."""
        if (player := getattr(self, "player", None)) is not None:
            player.close()
        super().close()

    def _choose(self) -> None:
        name, lr = self._algorithm.value, self._rate.value
        future = self.player.set_optimizer(name, lr)
        future.add_done_callback(lambda done: self._tell(done.exception(), name))

    def _tell(self, error: BaseException | None, name: str) -> None:
        if isinstance(error, ConvisError):
            self.transport.show_error(error.message, error.remedy)
        elif error is not None:
            self.transport.show_error(f"{name} cannot be used here: {error}", "Choose another optimiser.")

    # On the player's thread -----------------------------------------------------------------

    def _on_step(self, step: FitStep) -> None:
        if step.step == 0 and self.player.chunks == step.n_chunks:
            self.loss.clear()
        with self.hub.together():
            self.loss.on_step(step)
            self.prediction.on_step(step)
            self._show_model()

    def _on_change(self) -> None:
        if self.player.state == "failed":  # the model got back the parameters from before it went wrong
            self._show_model()

    def _show_model(self) -> None:
        self._show_filter()
        if len(self.model.user_parameters):
            self.panel.refresh()

    def _show_filter(self) -> None:
        data = show_tiles(self.model, self.mosaic)
        if data is not None:
            self.impulse.show(data)


def fit_explorer(
    model: Layer,
    input: Any,
    target: Any,
    *,
    dt: int | None = 500,
    optimizer: str = "Adam",
    lr: float = 0.01,
    epochs: int = 100,
    play: bool = False,
    **options: Any,
) -> FitExplorer:
    """Fit a model live.

    Parameters
    ----------
    model : Layer
        Its parameters are changed in place, from where they are.
    input, target : array, tensor or Stream
        Stimulus and recorded response, equally long.
    dt : int
        Frames per update.
    optimizer : str
        Any that ``model.set_optimizer`` has; it can be changed while the fit goes on.
    lr : float
        Learning rate, from 1e-8 to 100.
    epochs : int
        Passes over the data.
    play : bool
        Whether to start at once.
    **options
        Further options of `convis_core.fit`.

    Returns
    -------
    FitExplorer
        A widget: the last line of a cell shows it.

    Examples
    --------
    >>> import convis_core as convis
    >>> stimulus, response = convis.samples.generate_sample_data(size=(200, 8, 8), seed=1)
    >>> explorer = fit_explorer(convis.models.LN(kernel_dim=(5, 3, 3)), stimulus, response, dt=100, epochs=2)
    >>> explorer.player.play()
    >>> explorer.player.wait(60.0), len(explorer.loss.losses)
    ('finished', 4)
    >>> explorer.close()
    """
    explorer = FitExplorer(model, input, target, dt=dt, optimizer=optimizer, lr=lr, epochs=epochs, **options)
    if play:
        explorer.player.play()
    return explorer
