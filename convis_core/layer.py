"""`Layer`: what every filter, neuron and model is. Forward over a chunk; the rest comes with it."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core import state as state_registry
from convis_core.errors import ShapeError, StateError, UnknownNameError
from convis_core.figures import figure
from convis_core.keeping import Keeping
from convis_core.loops.fit import FitStep, fit, loss_per_chunk
from convis_core.loops.optimizers import OptimizerChooser
from convis_core.loops.run import Chunk, check_steps, run_model, stream_model
from convis_core.output import Output
from convis_core.parameter_tree import ParameterTree, handles
from convis_core.parameters import Declaration
from convis_core.part_tree import PartTree
from convis_core.resolution import Resolution, used_resolution
from convis_core.streams.checks import check_size
from convis_core.tensors import AXES, CHANNEL, TIME, describe_shape, lift

__all__ = ["Layer", "registered_layers"]

_registry: list[type[Layer]] = []


class Layer(Keeping):
    """Base of all filters, neurons and models.

    A subclass declares parameters and state in its body and implements ``forward(x)``
    for ``x`` of shape ``[batch, channel, time, x, y]``, returning a tensor, or a tuple
    with one tensor for each name in `output_names`.

    Parameters
    ----------
    resolution : Resolution, optional
        Captured for good; `convis_core.default_resolution` if not given.
    **values
        Initial values of declared parameters.

    Attributes
    ----------
    p, m, s : tree
        Parameters, parts and state, to tab through.
    output_names : tuple of str
        Names of what forward returns.
    stochastic, differentiable : bool
        Whether the output is random; whether it has a gradient in the input.
    spiking : bool
        Whether the outputs are spike counts per step.
    fixed_size, combines_channels : bool
        Whether it takes images of one size only; whether it makes one channel of all.
    kernel_unit : str
        Unit of the linear filter's response to an input of 1.
    example_arguments : dict
        Constructor arguments of a small instance, for tests and documentation.
    """

    output_names: tuple[str, ...] = ("output",)
    stochastic: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True
    spiking: bool = False
    fixed_size: ClassVar[bool] = False
    combines_channels: ClassVar[bool] = False
    kernel_unit: ClassVar[str] = ""
    in_channels: int | None = None
    example_arguments: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, register: bool = True, **options: Any) -> None:
        super().__init_subclass__(**options)
        if register:
            _registry.append(cls)

    def __init__(self, *, resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__()
        self.resolution = used_resolution(resolution)
        self.optimizer: Optimizer | None = None
        declared = self.declarations()
        unknown = sorted(set(values) - set(declared))
        if unknown:
            raise UnknownNameError(
                f"{type(self).__name__} has no parameter {', '.join(unknown)}.",
                f"There are: {', '.join(declared) or 'none'}.",
            )
        for name, declaration in declared.items():
            if declaration.default is not None:
                setattr(self, name, values.get(name, declaration.default))

    @classmethod
    def declarations(cls) -> dict[str, Declaration]:
        """Parameters declared by this class, in the order of their declaration."""
        found: dict[str, Declaration] = {}
        for base in reversed(cls.__mro__):
            found.update({name: d for name, d in vars(base).items() if isinstance(d, Declaration)})
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        declared = getattr(type(self), name, None)
        if isinstance(declared, (Declaration, state_registry.StateVariable)):
            declared.__set__(self, value)
        else:
            super().__setattr__(name, value)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the response to a chunk. Every concrete layer defines this."""
        raise UnknownNameError(f"{type(self).__name__} does not define forward(x).")

    def __call__(self, x: Any) -> Any:
        frames = lift(x, dtype=self.dtype, device=self.device)
        before = state_registry.hold_state(self)
        try:
            self._check_input(frames)
            return super().__call__(frames)
        except BaseException:  # some parts may have seen the chunk, and others not
            state_registry.put_state_back(before)
            raise

    def _check_input(self, x: Tensor) -> None:
        if self.in_channels is not None and x.shape[CHANNEL] != self.in_channels:
            raise ShapeError(
                f"{type(self).__name__} expects [batch, channel, time, x, y] with {self.in_channels} input "
                f"channel(s), got {x.shape[CHANNEL]} in {describe_shape(x.shape)}.",
                self._channel_remedy(x.shape[CHANNEL]),
            )
        geometry = (*x.shape[:TIME], *x.shape[TIME + 1 :])
        remembers = any(isinstance(v, Tensor) for v in self.__dict__.get("_state_values", {}).values())
        if remembers and self._state_geometry not in (None, geometry):
            raise StateError(
                f"{type(self).__name__} remembers an input of [batch, channel, x, y] = "
                f"{describe_shape(self._state_geometry or ())} and now got {describe_shape(geometry)}.",
                "Call clear_state() before giving it another input.",
            )
        object.__setattr__(self, "_state_geometry", geometry)

    @classmethod
    def _channel_remedy(cls, channels: int) -> str:
        if "in_channels" in signature(cls).parameters:
            return f"Use {cls.__name__}(in_channels={channels}) or average the channels."
        return "Average the channels, or build the model for as many where it can have them."

    # What the layer is made of -------------------------------------------------------------

    @property
    def p(self) -> ParameterTree:
        """All parameters as a tree: ``layer.p.g_L = 1.0`` sets one in place."""
        return ParameterTree(handles(self), type(self).__name__)

    @property
    def user_parameters(self) -> ParameterTree:
        """The parameters that are single numbers: those a person sets, with a slider."""
        found = {name: h for name, h in handles(self).items() if h.declaration.is_scalar}
        return ParameterTree(found, type(self).__name__)

    @property
    def m(self) -> PartTree:
        """The layers inside this one, as a tree."""
        return PartTree(self)

    @property
    def s(self) -> state_registry.StateTree:
        """What the layer remembers between chunks, as a tree."""
        return state_registry.StateTree(self)

    def bounded_parameters(self) -> list[tuple[Tensor, float, float]]:
        """Parameters with hard bounds, as (tensor, lowest, highest)."""
        found = [(h.tensor, *h.bounds) for h in handles(self).values()]
        return [(t, lo, hi) for t, lo, hi in found if lo > -torch.inf or hi < torch.inf]

    def kernel(self) -> Tensor:
        """Linear filter of the layer, ``[out_channel, in_channel, lag, x, y]``.

        A layer without a filter of its own answers with that of its first part that has one.
        """
        for part in self.children():
            if isinstance(part, Layer):
                try:
                    return part.kernel()
                except UnknownNameError:
                    continue
        raise UnknownNameError(
            f"{type(self).__name__} has no linear filter.", "Look at its impulse_response(...) instead."
        )

    def describe(self) -> str:
        """Describe the layer as text: what it is, its parameters, outputs and state."""
        summary = (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        outputs = f"Outputs: {', '.join(self.output_names)}"
        return "\n".join([f"{type(self).__name__}: {summary}", repr(self.p), outputs, repr(self.s)])

    # Running --------------------------------------------------------------------------------

    def as_output(self, result: Any, start: int = 0) -> Output:
        """Wrap what ``forward`` returned."""
        responses = result if isinstance(result, (tuple, list)) else (result,)
        for response in responses:
            if not isinstance(response, Tensor) or response.ndim != len(AXES):
                got = describe_shape(response.shape) if isinstance(response, Tensor) else f"a {type(response).__name__}"
                raise ShapeError(
                    f"{type(self).__name__}.forward should return tensors [batch, channel, time, x, y], got {got}.",
                    f"Return one for each of its output_names: {', '.join(self.output_names)}.",
                )
        return Output(responses, self.output_names, self.resolution, start)

    def stream(
        self, source: Any, dt: int | None = None, *, max_t: int | None = None, grad: bool = False
    ) -> Iterator[Chunk]:
        """Iterate over a source in chunks; see `convis_core.loops.run.stream_model`."""
        return stream_model(self, source, dt, max_t=max_t, grad=grad)

    def run(
        self,
        source: Any,
        dt: int | None = None,
        max_t: int | None = None,
        *,
        grad: bool = False,
        progress: bool = False,
    ) -> Output:
        """Run over a source and collect the responses.

        The state is carried on: a second run continues where the first one ended, as if
        the two inputs were one. Call `clear_state` for a fresh start.

        Parameters
        ----------
        source : array, tensor, Output or Stream
            ``[time]``, ``[x, y]``, ``[time, x, y]`` or ``[batch, channel, time, x, y]``.
        dt : int, optional
            Chunk length in frames; it bounds memory and changes no number.
        max_t : int, optional
            Stop after exactly so many frames; required for an endless stream.
        grad : bool
            Whether to record gradients, which costs memory for every frame.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        Output
        """
        return run_model(self, source, dt, max_t=max_t, grad=grad, progress=progress)

    def impulse_response(
        self,
        length: int = 100,
        size: tuple[int, int] = (21, 21),
        *,
        amplitude: float = 1.0,
        background: float = 0.0,
        position: tuple[int, int] | None = None,
    ) -> Output:
        """Change of the responses that one bright pixel in frame 0 makes; the state is untouched.

        Parameters
        ----------
        length : int
            Frames to observe.
        size : tuple of int
            Size of the image.
        amplitude, background : float
            Height of the impulse and what it is added to.
        position : tuple of int, optional
            Pixel of the impulse; the centre if not given.
        """
        size = check_size(size)
        place = tuple((n - 1) // 2 for n in size) if position is None else position
        if not (isinstance(place, (tuple, list)) and len(place) == 2 and all(isinstance(p, Integral) for p in place)):
            raise ShapeError(f"Expected position=(x, y), the row and column of a pixel, got {position!r}.")
        x, y = place
        if not (0 <= x < size[0] and 0 <= y < size[1]):
            raise ShapeError(f"The pixel {(x, y)} is outside an image of {size[0]}x{size[1]}.")
        check_steps(length, "length")
        frames = torch.full((1, self.in_channels or 1, length, *size), background, dtype=self.dtype, device=self.device)
        onset = frames[:, :, :1].clone()  # a frame before, so that the flash is not taken for a steady state
        kept = self.get_state()
        try:
            rest = self._fresh_response(torch.cat([onset, frames], dim=TIME))
            frames[:, :, 0, x, y] += amplitude
            flash = self._fresh_response(torch.cat([onset, frames], dim=TIME))
        finally:
            self.set_state(kept)
        return self.as_output(tuple((f - r)[:, :, 1:] for f, r in zip(flash, rest, strict=True)))

    def _fresh_response(self, frames: Tensor) -> Output:
        """Answer frames without a past, with the same random numbers every time."""
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            self.clear_state()
            return self.as_output(self(frames))

    def plot_impulse(self, *args: Any, **options: Any) -> Any:
        """Plot the impulse response over time; see `convis_core.plotting.plot_impulse`."""
        return figure("plot_impulse")(self, *args, **options)

    def plot_impulse_space(self, *args: Any, **options: Any) -> Any:
        """Plot the impulse response over space; see `convis_core.plotting.plot_impulse_space`."""
        return figure("plot_impulse_space")(self, *args, **options)

    # Fitting --------------------------------------------------------------------------------

    @property
    def set_optimizer(self) -> OptimizerChooser:
        """Choose an optimiser: ``layer.set_optimizer.Adam(lr=0.01)``."""
        return OptimizerChooser(self)

    def fit(self, source: Any, target: Any, **options: Any) -> Iterator[FitStep]:
        """Iterate over the updates of a fit; see `convis_core.loops.fit.fit`."""
        return fit(self, source, target, **options)

    def optimize(self, source: Any, target: Any, dt: int | None = None, **options: Any) -> np.ndarray[Any, Any]:
        """Fit in one call and return the loss of every update; see `convis_core.loops.fit.fit`."""
        return np.array([step.loss for step in fit(self, source, target, dt=dt, **options)])

    def compute_loss(self, source: Any, target: Any, dt: int | None = None, **options: Any) -> np.ndarray[Any, Any]:
        """Loss of every chunk, changing nothing; see `convis_core.loops.fit.loss_per_chunk`."""
        return loss_per_chunk(self, source, target, dt=dt, **options)


def registered_layers() -> list[type[Layer]]:
    """Every concrete layer class that has been imported."""
    return list(_registry)
