"""What all neuron models with a potential share: which outputs, how long a step, which noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.ops.neuron_loops import States
from convis_core.ops.noise import block_normal
from convis_core.parameters import Declaration, parameter
from convis_core.resolution import Resolution

__all__ = ["NOISE_WINDOW", "NeuronLayer", "white_noise"]

NOISE_WINDOW = 0.001
"""Duration in s over which noise is averaged where its strength is stated."""


def white_noise(unit: str, most: float, slider: float) -> Declaration:
    """Declare the strength of white noise that is added to the input of a neuron."""
    return parameter(
        0.0,
        unit=unit,
        bounds=(0.0, most),
        slider=(0.0, slider),
        doc="white noise added to the input: standard deviation of its mean over 1 ms",
    )


class NeuronLayer(StochasticLayer, register=False):
    """A neuron with a potential `v` that is integrated in steps.

    A subclass names in `choices` what it can return, the spikes first and then its state
    variables in the order of its op, and declares ``noise_strength`` in the unit of its input.

    Parameters
    ----------
    outputs : sequence of str
        Which of `choices` to return.
    longest_step : float
        Longest step of the integration; a frame is cut into equal steps that are not longer.
    seed : int, optional
        With a seed every fresh start repeats the same noise.

    Raises
    ------
    UnknownNameError
        For an output that the neuron does not have.
    ParameterError
        For a step that is none.
    """

    choices: ClassVar[tuple[str, ...]] = ("spikes",)
    noise_strength = white_noise("", 1.0, 1.0)

    def __init__(
        self,
        *,
        outputs: Sequence[str],
        longest_step: float,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(seed=seed, resolution=resolution, **values)
        chosen = (outputs,) if isinstance(outputs, str) else tuple(outputs)
        unknown = [name for name in chosen if name not in self.choices]
        if unknown or not chosen:
            raise UnknownNameError(
                f"{type(self).__name__} has no output {', '.join(map(repr, unknown)) or '()'}.",
                f"Choose from: {', '.join(self.choices)}.",
            )
        if not 0 < longest_step < math.inf:
            raise ParameterError(f"longest_step must be a finite number above 0, got {longest_step!r}.")
        self.output_names = chosen
        self.spiking = chosen == ("spikes",)
        self.longest_step = float(longest_step)

    @property
    def traces(self) -> int:
        """How many of the state variables the op must return for every frame."""
        return max(self.choices.index(name) for name in self.output_names)

    def chosen(self, spikes: Tensor, recorded: States) -> Tensor | tuple[Tensor, ...]:
        """Pick the outputs asked for."""
        found = dict(zip(self.choices, (spikes, *recorded), strict=False))
        picked = tuple(found[name] for name in self.output_names)
        return picked[0] if len(picked) == 1 else picked

    def noisy(self, x: Tensor) -> Tensor:
        """Add white noise of the declared strength; its mean over 1 ms has that standard deviation."""
        if not float(self.noise_strength.detach()) > 0.0:
            return x
        scale = math.sqrt(NOISE_WINDOW * self.resolution.steps_per_second)
        return x + self.noise_strength * scale * self.draw(block_normal, x)

    def at_start(self, x: Tensor, value: Tensor | float) -> Tensor:
        """A state that has the same value everywhere, ``[batch, channel, x, y]``."""
        filled = x.new_zeros(*x.shape[:2], *x.shape[3:])
        return filled + torch.as_tensor(value, dtype=x.dtype, device=x.device)
