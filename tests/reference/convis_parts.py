"""Stages of the original convis put together from parts of ours, with the kernels, gains and starts that it had.

What its documentation says and what it computes differ in known ways: kernels that are cut off, gains of up to
1.13 for constant light, a first frame that counts twice, bipolar cells that begin with a leak of 1 Hz from contrast
and take all their constants from steps of 1 ms. With these put in by hand, its numbers are a check of every part.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from convis_core import Resolution
from convis_core.filters import Conv3d, TemporalLowPassFilterRecursive
from convis_core.retina import Bipolar

Array = np.ndarray[Any, Any]
OPL = "param__opl.opl_filter."


def load(shared: Path, name: str) -> dict[str, Array]:
    with np.load(shared / "reference" / "convis" / f"{name}.npz") as file:
        return dict(file)


def here(data: dict[str, Array]) -> Resolution:
    return Resolution(float(data["pixel_per_degree"]), float(data["steps_per_second"]))


def low_pass(x: Array, tau: float, resolution: Resolution) -> Array:
    """From darkness, with the gain (h / 2) coth(h / 2) for steps of h time constants."""
    layer = TemporalLowPassFilterRecursive(tau=tau, resolution=resolution).double()
    layer.last = torch.zeros(1, 1, *x.shape[-2:], dtype=torch.float64)
    h = resolution.step / tau
    return layer.run(x).array() * (h / 2 / math.tanh(h / 2))


def high_pass(x: Array, tau: float, k: float, resolution: Resolution) -> Array:
    """Less what was a step ago, and at first less the first frame itself."""
    before = np.concatenate([x[:, :, :1], x[:, :, :-1]], axis=2)
    return x - k * low_pass(before, tau, resolution)


def convolved(x: Array, stored: Array) -> Array:
    """With a stored weight, which is reversed."""
    weight = stored.astype(float)[..., ::-1, ::-1, ::-1]
    conv = Conv3d(kernel_dim=weight.shape[2:], bias=False).double()
    conv.set_weight(weight)
    return conv.run(x).array()


def half_recursive(x: Array, data: dict[str, Array], prefix: str = "param__") -> Array:
    """Outer plexiform layer of Gaussians in space and recursions in time."""
    number = {key.removeprefix(prefix): v.item() for key, v in data.items() if key.startswith(prefix) and v.size == 1}
    resolution = here(data)
    centre = low_pass(convolved(x, data[f"{prefix}center_G.weight"]), number["tau_center"], resolution)
    transient = high_pass(
        centre, number["undershoot_tau_center"], number["undershoot_relative_weight_center"], resolution
    )
    surround = low_pass(convolved(transient, data[f"{prefix}surround_G.weight"]), number["tau_surround"], resolution)
    return number["lambda_opl"] * (transient - number["relative_weight"] * surround)


def bipolar_without_gain_control(x: Array) -> Array:
    """Steps of 1 ms whatever the rate, and a leak of 1 Hz from contrast that decays over 5 s."""
    cells = Bipolar(lambda_amp=0.0, tau=5.0, resolution=Resolution(10.0, 1000.0)).double()
    image = torch.zeros(1, 1, *x.shape[-2:], dtype=torch.float64)
    cells.set_state({"v": image, "adaptation": image + 1.0})
    return cells.run(x).array()


def ganglion_current(
    x: Array, transient: Array, sign: float, *, strength: float = 100.0, rest: float = 37.0, threshold: float = 0.0
) -> Array:
    """From darkness, and without the saturation at 5e5 Hz that Virtual Retina has."""
    dark = np.zeros((1, 1, transient.size - 1, *x.shape[-2:]))
    seen = convolved(np.concatenate([dark, x], axis=2), transient)[:, :, dark.shape[2] :]
    u = strength * (sign * seen - threshold)
    return np.where(u > 0, rest + u, rest**2 / (rest - np.minimum(u, 0)))
