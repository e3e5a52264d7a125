"""The live explorer: a model of early vision watches a film, and everything about it is on one screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import Dropdown, Layout

from convis_core import Chunk, Layer, Resolution
from convis_core.errors import ConvisError
from convis_core.streams import Stream
from convis_core.tensors import to_numpy
from convis_widgets.apps.dashboard import Dashboard, show_tiles
from convis_widgets.apps.named_models import build_model
from convis_widgets.apps.stimuli import BUILT_IN, name_of, open_stimulus
from convis_widgets.controls import ParameterPanel, Transport
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.live.run_player import RunPlayer
from convis_widgets.views.events import RasterFeed
from convis_widgets.views.impulse import ImpulseResponse
from convis_widgets.views.kernel import KernelData
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.profile import SpatialProfile
from convis_widgets.views.raster import SpikeRaster
from convis_widgets.views.stimulus import StimulusView
from convis_widgets.views.timecourse import TimeCourse
from convis_widgets.views.volume import FilterVolume

__all__ = ["Explorer", "explore"]

RESOLUTION = Resolution(pixel_per_degree=30.0, steps_per_second=1000.0)
WINDOW = 10.0
"""Seconds of time that the plots show when the stimulus is longer or endless."""


class Explorer(Dashboard):
    """Dashboard of a model that watches a stimulus. Made by `explore`.

    Attributes
    ----------
    model : Layer
        The model; its parameters may be set with the sliders or ``explorer.set(name, value)``.
    player : RunPlayer
        Plays it in the background: ``explorer.player.play()``, ``.pause()``, ``.step()``, ``.stop()``.
    panel, transport, frames, mosaic, impulse, profile, volume, raster, course
        The parts, each of which can be shown in a cell of its own.
    """

    def __init__(self, model: Layer, stimulus: Any, *, dt: int, speed: float | None, loop: bool) -> None:
        hub, cursor = Hub(), Cursor()
        self.model = model
        problem, stream, name = _opened(stimulus, model)
        self.player = RunPlayer(model, stream, dt=dt, speed=speed, loop=loop)
        self._make_views(model, hub, cursor)
        self._chooser = self._stimulus_chooser(name)
        cards = [(self.frames, 3), (self.mosaic, 6), (self.volume, 3), (self.impulse, 7), (self.profile, 5)]
        cards += [(self.raster, 12)] if self.raster is not None else []
        cards += [(self.course, 12)]
        super().__init__(hub, cursor, [self.transport, hub], [self._chooser, self.panel], cards)
        self._reached = 0
        self._show_stimulus()
        data = self._show_filter()
        if data is not None:
            cursor.lag = data.strongest_tile
        self.player.watchers.append(self._on_chunk)
        self.player.listeners.append(self._on_change)
        if problem is not None:
            self.transport.show_error(problem.message, f"{problem.remedy} The {name} is shown instead.".strip())

    def _make_views(self, model: Layer, hub: Hub, cursor: Cursor) -> None:
        scale = model.resolution.pixel_per_degree
        self.panel = ParameterPanel(model, hub=hub, submit=self.player.submit)
        self.panel.on_set(lambda name, value: self._show_filter())
        self.transport = Transport(self.player, hub=hub)
        self.frames = StimulusView(hub, cursor, pixel_per_degree=scale)
        self.mosaic = FilterMosaic(hub, cursor, pixel_per_degree=scale, unit=model.kernel_unit)
        self.volume = FilterVolume(hub)
        self.impulse = ImpulseResponse(model.kernel_unit, hub, cursor)
        self.profile = SpatialProfile(hub, cursor)
        self.course = TimeCourse(model, hub, cursor)
        self.raster: SpikeRaster | None = None
        self._feed: RasterFeed | None = None
        if model.spiking:
            populations = [name.rpartition("_")[2] for name in model.output_names]
            self.raster = SpikeRaster(hub, cursor, populations=populations, n_cells=[1] * len(populations))
            self._feed = RasterFeed(self.raster)

    def set(self, name: str, value: float) -> None:
        """Set a parameter by its dotted name, as the slider would."""
        self.panel.set(name, value)

    def load(self, stimulus: Any) -> None:
        """Show the model something else: a name, a film, an array or a stream."""
        stream = open_stimulus(stimulus, self.model)
        self.player.load(stream)
        self.player.submit(self._show_stimulus)
        self.player.play()

    def close(self) -> None:
        """End the run, free the film and take the dashboard off the page."""
        if (player := getattr(self, "player", None)) is not None:
            player.close()
        super().close()

    # The rest happens on the player's thread -----------------------------------------------

    def _on_chunk(self, chunk: Chunk) -> None:
        with self.hub.together():
            self._show_chunk(chunk)

    def _show_chunk(self, chunk: Chunk) -> None:
        step = chunk.output.resolution.step
        if chunk.start < self._reached:
            self._clear()
        self._reached = chunk.stop
        window = self._window(chunk.stop * step)
        self.frames.on_chunk(chunk)
        self.mosaic.on_chunk(chunk)
        self.course.show_window(window)
        self.course.on_chunk(chunk)
        if self.raster is not None and self._feed is not None:
            self.raster.move(window=window)
            self._feed.on_chunk(chunk)

    def _on_change(self) -> None:
        if self.player.state != "running":
            self.course.catch_up()

    def _window(self, now: float) -> tuple[float, float]:
        """Range of time to show: the whole of a short stimulus, else a window that moves in steps."""
        duration = self.player.duration
        if duration is not None and duration <= WINDOW:
            return (0.0, duration)
        start = max(0.0, (now // (WINDOW / 2) - 1) * (WINDOW / 2))
        return (start, start + WINDOW)

    def _clear(self) -> None:
        self._reached = 0
        self.frames.clear()
        self.mosaic.clear()
        self.course.clear()
        if self.raster is not None:
            self.raster.clear()

    def _show_stimulus(self) -> None:
        stream = self.player.stimulus
        self._clear()
        self.frames.value_range = stream.value_range
        self.transport.seekable = stream.length is not None
        first = self.player.preview()
        if first is not None:
            self.frames.show(to_numpy(first[0, 0, 0]), time=0.0)
        middle = (stream.size[0] // 2, stream.size[1] // 2)
        self.cursor.set_trait("anchor", middle)
        self.cursor.set_trait("pixel", middle)
        window = self._window(0.0)
        self.course.show_window(window)
        if self.raster is not None and self._feed is not None:
            self._feed.choose(stream.size)
            self.raster.move(now=0.0, window=window)

    def _show_filter(self) -> KernelData | None:
        data = show_tiles(self.model, self.mosaic)
        if data is not None:
            self.frames.footprint = data.weights.shape[2:]
            self.impulse.show(data)
            self.profile.show(data)
            self.volume.show(data)
        return data

    def _stimulus_chooser(self, name: str) -> Dropdown:
        names = list(dict.fromkeys([name, *BUILT_IN]))
        chooser = Dropdown(options=names, value=name, layout=Layout(width="100%"), tooltip="What the model sees")
        own = self.player.stimulus

        def choose(change: dict[str, Any]) -> None:
            chosen = change["new"]
            self._try(lambda: self.load(chosen if chosen in BUILT_IN else own))

        chooser.observe(choose, "value")
        chooser.add_class("convis-chooser")
        return chooser

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except ConvisError as error:
            self.transport.show_error(error.message, error.remedy)


def _opened(stimulus: Any, model: Layer) -> tuple[ConvisError | None, Stream, str]:
    """Open a stimulus; a film that cannot be opened is replaced, so that its error can be shown on the page."""
    try:
        return None, open_stimulus(stimulus, model), name_of(stimulus)
    except ConvisError as error:
        return error, open_stimulus(None, model), name_of(None)


def explore(
    model: Layer | type[Layer] | str | None = None,
    stimulus: Any = None,
    *,
    dt: int = 20,
    speed: float | None = 1.0,
    loop: bool = True,
    play: bool = False,
) -> Explorer:
    """Open the live explorer.

    Parameters
    ----------
    model : Layer, Layer class or name, optional
        What is explored; `convis_core.models.CentreSurround` at 30 pixels per degree if not given.
    stimulus : str, path, array, tensor or Stream, optional
        What it sees: the path of a film, a name such as ``"moving bar"``, or frames
        ``[time, x, y]``. By default a natural scene.
    dt : int
        Frames per chunk; commands are carried out between chunks.
    speed : float or None
        Limit as a multiple of real time; None for as fast as it goes.
    loop : bool
        Whether a finite stimulus is shown again and again.
    play : bool
        Whether to start at once.

    Returns
    -------
    Explorer
        A widget: the last line of a cell shows it.

    Examples
    --------
    >>> import numpy as np
    >>> explorer = explore(stimulus=np.random.rand(200, 16, 16), loop=False)
    >>> explorer.set("receptive_field.tau_center", 0.02)
    >>> explorer.player.play()
    >>> explorer.player.wait(30.0)
    'finished'
    >>> explorer.close()
    """
    explorer = Explorer(_made(model), stimulus, dt=dt, speed=speed, loop=loop)
    if play:
        explorer.player.play()
    return explorer


def _made(model: Layer | type[Layer] | str | None) -> Layer:
    if isinstance(model, Layer):
        return model
    if isinstance(model, type):
        return model(resolution=RESOLUTION)
    return build_model(model or "CentreSurround", RESOLUTION)
