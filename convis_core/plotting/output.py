"""What a model answered, in the way that shows it best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes

from convis_core.errors import ParameterError
from convis_core.output import Output
from convis_core.plotting.canvas import axes_to_draw_in, colour_of, empty_figure, legend, note
from convis_core.plotting.image import plot_image
from convis_core.plotting.matshow import plot_5d_matshow
from convis_core.plotting.signal import Signal, as_signal
from convis_core.plotting.spikes import MOST_ROWS, MOST_TRACES, plot_raster, plot_spike_trains
from convis_core.plotting.time_courses import FEW, plot_5d_time, plot_mean

__all__ = ["plot_output"]

MOST_BLOCKS = 50
MODES = ("auto", "lines", "mean", "matshow", "raster", "image")


def plot_output(
    output: Output, mode: str = "auto", k: int | str | None = None, ax: Axes | None = None, **options: Any
) -> list[Any]:
    """Plot the responses of a model.

    Parameters
    ----------
    output : Output
        The responses.
    mode : {"auto", "lines", "mean", "matshow", "raster", "image"}
        ``"lines"``: the time course of each cell, spikes as one trace above the other.
        ``"mean"``: the mean over all cells; for spikes their rate in Hz.
        ``"raster"``: a mark for each spike, one row a cell.
        ``"matshow"``: frames side by side. ``"image"``: the mean over time.
        ``"auto"``: an image for a single frame, a raster for spikes, lines for few cells,
        else the mean.
    k : int or str, optional
        Which response; all of them if not given.
    ax : matplotlib axes, optional
        The current axes if not given.
    **options
        Passed on to `plot_spike_trains`, `plot_5d_time`, `plot_mean`, `plot_raster`,
        `plot_5d_matshow` or `plot_image`.

    Returns
    -------
    list
        What was drawn for each response.

    Raises
    ------
    ParameterError
        For another mode, a raster of what is not spikes, or several images in one `ax`.

    Examples
    --------
    >>> import convis_core as convis
    >>> from matplotlib.figure import Figure
    >>> o = convis.models.CentreSurround(seed=1).run(convis.samples.moving_bar(100))
    >>> on, off = plot_output(o, mode="raster", ax=Figure().subplots())
    """
    if mode not in MODES:
        raise ParameterError(f"mode must be one of {', '.join(MODES)}, got {mode!r}.")
    if not isinstance(output, Output):
        raise ParameterError(
            f"Expected the Output of a run, got {type(output).__name__}.", "Use plot_tensor for arrays and tensors."
        )
    if not len(output):
        raise ParameterError("There is nothing to plot in an Output without responses.", "Plot what run() returned.")
    signals = _responses(output, k)
    if mode == "auto":
        mode = _best_mode(list(signals.values()))
    if mode == "image":
        return _images(signals, plot_image, ax, options)
    if mode == "matshow":
        return _mosaics(signals, ax, options)
    ax = axes_to_draw_in(ax)
    if mode == "raster":
        return _populations(signals, plot_raster, ax, {"max_cells": MOST_ROWS} | options)
    if mode == "lines" and all(signal.is_spikes or not signal.values.any() for signal in signals.values()):
        return _populations(signals, plot_spike_trains, ax, {"max_cells": MOST_TRACES} | options)
    return _courses(signals, plot_mean if mode == "mean" else plot_5d_time, ax, options)


def _responses(output: Output, k: int | str | None) -> dict[str, Signal]:
    """Take the responses asked for, by name."""
    if k is None:
        wanted = dict(zip(output.names, output, strict=True))
    else:
        tensor = output[k]
        wanted = {k if isinstance(k, str) else output.names[k]: tensor}
    return {name: Signal(as_signal(x).values, output.resolution, output.start) for name, x in wanted.items()}


def _best_mode(signals: list[Signal]) -> str:
    if all(signal.n_frames == 1 for signal in signals):
        return "image"
    if all(signal.n_cells <= FEW for signal in signals):
        return "lines"
    return "raster" if all(signal.is_spikes for signal in signals) else "mean"


def _mosaics(signals: dict[str, Signal], ax: Axes | None, options: dict[str, Any]) -> list[Any]:
    """Draw frames; of many frames with spikes the rate in blocks, for a single frame says little."""
    spikes = all(signal.is_spikes for signal in signals.values())
    signed = any(bool(signal.values.min() < 0) for signal in signals.values())
    options = {"signed": signed, "rate": spikes, "time_name": "time"} | options
    width = -(-max(signal.n_frames for signal in signals.values()) // MOST_BLOCKS)
    if not spikes or width == 1 or "max_frames" in options:
        return _images(signals, plot_5d_matshow, ax, options)
    blocks = {name: _rate_in_blocks(signal, width) for name, signal in signals.items()}
    drawn = _images(blocks, plot_5d_matshow, ax, options)
    resolution = next(iter(signals.values())).resolution
    for image in drawn:
        unit = (
            f"blocks of {width} frames"
            if resolution is None
            else f"rate (Hz) in blocks of {1e3 * width * resolution.step:.3g} ms"
        )
        note(image.axes, unit)
    return drawn


def _rate_in_blocks(signal: Signal, width: int) -> Signal:
    blocks = signal.binned(width)
    scale = 1.0 if signal.resolution is None else signal.resolution.steps_per_second
    return Signal(blocks.values * scale, blocks.resolution, blocks.start)


def _images(
    signals: dict[str, Signal], draw: Callable[..., Any], ax: Axes | None, options: dict[str, Any]
) -> list[Any]:
    """Draw each response in axes of its own."""
    if len(signals) == 1:
        return [draw(signal, ax, **options) for signal in signals.values()]
    if ax is not None:
        raise ParameterError(
            f"{len(signals)} images do not fit into one ax.", f"Choose one response, e.g. k={next(iter(signals))!r}."
        )
    places = empty_figure(None, (9.0, 3.8)).subplots(1, len(signals), squeeze=False)[0]
    drawn = []
    for place, (name, signal) in zip(places, signals.items(), strict=True):
        drawn.append(draw(signal, place, **options))
        place.set_title(f"{name}\n", loc="left", fontsize="medium")  # a line above the note
    return drawn


def _populations(signals: dict[str, Signal], draw: Callable[..., Any], ax: Axes, options: dict[str, Any]) -> list[Any]:
    """Draw one population below the other, each named on its right, sharing the rows there are room for."""
    share = max(1, options.pop("max_cells") // len(signals))
    rows = [min(share, signal.n_cells) for signal in signals.values()]
    drawn, notes = [], []
    for n, (name, signal) in enumerate(signals.items()):
        above, colour = sum(rows[:n]), colour_of(name, n)
        look = {"color": colour} if len(signals) > 1 else {}
        drawn.append(draw(signal, ax, first_row=above, of_rows=sum(rows), max_cells=share, **(look | options)))
        notes.append(ax.get_title(loc="right"))
        if len(signals) > 1:
            ax.annotate(
                name,
                (1.0, above + rows[n] / 2),
                xycoords=ax.get_yaxis_transform(),
                xytext=(6, 0),
                textcoords="offset points",
                color=colour,
                fontsize="small",
                rotation=270,
                va="center",
            )
    note(ax, ";  ".join(notes))
    return drawn


def _courses(signals: dict[str, Signal], draw: Callable[..., Any], ax: Axes, options: dict[str, Any]) -> list[Any]:
    """Draw the responses over each other, told apart by their colours."""
    if len(signals) == 1:
        drawn = [draw(signal, ax, **options) for signal in signals.values()]
    else:
        drawn = []
        for n, (name, signal) in enumerate(signals.items()):
            lines = draw(signal, ax, **({"color": colour_of(name, n), "label": "_"} | options))
            lines[0].set_label(name)
            drawn.append(lines)
        legend(ax)
    if draw is plot_5d_time:
        ax.set_ylabel("response")
    return drawn
