"""The loop of `convis_core.ops.gain_control` in plain torch: any device, with gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from convis_core.ops.deriche_recursion import Recursion
from convis_core.ops.recursive_blur import by_matrices
from convis_core.tensors import TIME

__all__ = ["SATURATION", "CustomLaw", "Law", "Memory", "gain_control_torch"]

SATURATION = 5e5
"""Hz towards which the conductance saturates; it keeps a wild input from overflowing."""


@dataclass(frozen=True)
class CustomLaw:
    """How the conductance follows the potential, where it is not its square; see `contrast_gain_control`."""

    exponent: Tensor | float = 2.0
    threshold: Tensor | float = 0.0
    reversal: Tensor | float = 0.0
    symmetric: bool = True
    slow_weight: Tensor | float = 0.0
    slow_keep: Tensor | float = 0.0


@dataclass(frozen=True)
class Law:
    """Numbers of one run, as tensors or floats."""

    amplification: Tensor | float
    leak: Tensor | float
    step: float
    feedback: Tensor | float
    keep: Tensor | float
    blur: tuple[Recursion, Recursion] | None
    custom: CustomLaw | None
    saturation: Tensor | float = SATURATION


class Memory(NamedTuple):
    """What a chunk leaves to the next, each ``[batch, channel, x, y]``."""

    v: Tensor
    adaptation: Tensor
    slow: Tensor


def gain_control_torch(drive: Tensor, memory: Memory, law: Law, record: bool) -> tuple[Tensor, Tensor | None, Memory]:
    """Run the loop on whole frames."""
    v, a, slow = memory
    blur = by_matrices(law.blur, drive.shape[3], drive.shape[4]) if law.blur else None
    potentials, adaptations = [], []
    for frame in drive.unbind(TIME):
        g = law.leak + a
        current = law.amplification * frame
        if law.custom is not None:
            current = current + a * law.custom.reversal + law.custom.slow_weight * slow
            slow = law.custom.slow_keep * slow + (1 - law.custom.slow_keep) * v
        called = _conductance(v, law)
        level = current / g
        v = level + (v - level) * torch.exp(-law.step * g)
        a = law.keep * a + (1 - law.keep) * (called if blur is None else blur(called))
        potentials.append(v)
        if record:
            adaptations.append(a)
    trace = torch.stack(adaptations, dim=TIME) if adaptations else None
    return torch.stack(potentials, dim=TIME), trace, Memory(v, a, slow)


def _conductance(v: Tensor, law: Law) -> Tensor:
    custom = law.custom
    if custom is None:
        called = law.feedback * v * v
    else:
        size = v.abs() if custom.symmetric else v
        above = size > custom.threshold
        excess = torch.where(above, size - custom.threshold, 1.0)  # both branches must be finite for the gradient
        called = torch.where(above, law.feedback * excess**custom.exponent, 0.0)
    return called / (1 + called / law.saturation)
