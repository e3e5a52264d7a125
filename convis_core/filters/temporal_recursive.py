"""Filters in time that are recursions: low-pass, high-pass, and low-pass filters in series."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.ops.recursive_time import exponential_filter
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["ExponentialCascadeFilter", "TemporalHighPassFilterRecursive", "TemporalLowPassFilterRecursive"]


class TemporalLowPassFilterRecursive(Layer):
    r"""Exponential low-pass filter, :math:`\tau \, dy/dt = x - y`.

    .. math:: y_t = e \, y_{t-1} + (1 - e) \, x_t, \qquad e = e^{-\Delta t / \tau}

    which is exact for an input held over each step. A constant input comes out as it is, at any
    rate; to a fresh start the first frame has lasted for ever.

    Parameters
    ----------
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> TemporalLowPassFilterRecursive(tau=0.001).run([1.0, 1.0, 0.0]).array().ravel().round(3)
    array([1.   , 1.   , 0.368], dtype=float32)
    """

    tau = parameter(
        0.01, unit="s", bounds=(0.0, 100.0), slider=(0.001, 0.5), scale="log", doc="time constant; 0 for no filter"
    )
    last = state_variable("last output", shape="[batch, channel, x, y]")

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[TIME] == 0:
            return x
        y, self.last = exponential_filter(x, self.tau, self.resolution.step, self.last)
        return y


class TemporalHighPassFilterRecursive(Layer):
    r"""What is left of an input when a slow copy of it is taken away.

    .. math:: y_t = x_t - k \, s_{t-1}, \qquad s_t = e \, s_{t-1} + (1 - e) \, x_t, \quad e = e^{-\Delta t / \tau}

    The response to an impulse is 1 followed by a negative exponential that sums to `k`, so that
    a constant input is answered by :math:`1 - k` times its value, at any rate. To a fresh start
    the first frame has lasted for ever.

    Parameters
    ----------
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> TemporalHighPassFilterRecursive(tau=0.001, k=1.0).run([0.0, 1.0, 1.0, 1.0]).array().ravel().round(3)
    array([0.   , 1.   , 0.368, 0.135], dtype=float32)
    """

    tau = parameter(
        0.01, unit="s", bounds=(0.0, 100.0), slider=(0.001, 0.5), scale="log", doc="time constant of the slow copy"
    )
    k = parameter(0.5, bounds=(0.0, 10.0), slider=(0.0, 1.0), doc="weight of the slow copy; 1 keeps changes only")
    last = state_variable("slow copy before the next frame", shape="[batch, channel, x, y]")

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[TIME] == 0:
            return x
        before = x[:, :, 0] if self.last is None else self.last
        slow, self.last = exponential_filter(x, self.tau, self.resolution.step, before)
        return x - self.k * torch.cat([before[:, :, None], slow[:, :, :-1]], dim=TIME)


class ExponentialCascadeFilter(Layer):
    r"""Exponential low-pass filters in series, with the time constant of the whole.

    .. math:: y = \underbrace{E_{\tau / n} * \cdots * E_{\tau / n}}_{n + 1} * x

    for `n` of at least 1, and one exponential of :math:`\tau` for `n` = 0. Of unit gain; to a
    fresh start the first frame has lasted for ever.

    Parameters
    ----------
    n : int
        How many exponentials follow the first one.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> response = ExponentialCascadeFilter(n=4, tau=0.02).run([0.0] + [1.0] + [0.0] * 199).array().ravel()
    >>> int(response.argmax()) in (19, 20, 21), round(float(response.sum()), 3)
    (True, 1.0)

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"n": 2}

    tau = parameter(
        0.01,
        unit="s",
        bounds=(0.0, 100.0),
        slider=(0.001, 0.5),
        scale="log",
        doc="time constant of all filters together; 0 for none",
    )
    poles = state_variable("last output of each filter", shape="[pole, batch, channel, x, y]")

    def __init__(self, n: int = 1, *, resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__(resolution=resolution, **values)
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise ParameterError(f"n is a number of filters and must be at least 0, got {n!r}.")
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[TIME] == 0:
            return x
        before: list[Tensor | None] = [None] * (self.n + 1) if self.poles is None else list(self.poles)
        after = []
        for last in before:
            x, pole = exponential_filter(x, self.tau / max(self.n, 1), self.resolution.step, last)
            after.append(pole)
        self.poles = torch.stack(after)
        return x
