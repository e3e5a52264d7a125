"""Formulas for a nonlinearity: how the expected count may depend on the drive, with few parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.estimation.count_curves import FittedCurve, centre_and_spread, fit_curve
from convis_core.estimation.nonlinearity import STEEPEST

__all__ = ["FORMS", "Form", "FormCurve", "fit_form"]

LARGEST_EXPONENT: Final = 50.0
"""Exponent of a power that can hardly be told from an exponential."""


@dataclass(frozen=True)
class Form:
    r"""A formula of :math:`v = a u + b`, the drive times a gain plus an offset, and of positive parameters.

    Parameters
    ----------
    formula : str
    more : tuple of str
        Positive parameters after gain and offset.
    evaluate : callable
        From :math:`v` and the positive parameters: the rate, its slope in :math:`v`, and its slopes in
        the logarithms of the positive parameters.
    starts : tuple
        Gain and offset, for a drive of unit variance, and positive parameters to begin with.
    """

    formula: str
    more: tuple[str, ...]
    evaluate: Callable[..., tuple[Tensor, ...]]
    starts: tuple[tuple[float, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return ("gain", "offset", *self.more)


def _exponential(v: Tensor) -> tuple[Tensor, ...]:
    rate = v.clamp(max=STEEPEST).exp()
    return rate, rate


def _softplus(v: Tensor, amplitude: Tensor) -> tuple[Tensor, ...]:
    rate = amplitude * functional.softplus(v)
    return rate, amplitude * torch.sigmoid(v), rate


def _sigmoid(v: Tensor, amplitude: Tensor) -> tuple[Tensor, ...]:
    share = torch.sigmoid(v)
    return amplitude * share, amplitude * share * (1.0 - share), amplitude * share


def _power(v: Tensor, exponent: Tensor, baseline: Tensor) -> tuple[Tensor, ...]:
    exponent = exponent.clamp(max=LARGEST_EXPONENT)
    above = torch.minimum(v.clamp_min(1e-9), torch.exp(STEEPEST / exponent))
    driven = torch.where(v > 0, above.pow(exponent), 0.0)
    steepness = torch.where(v > 0, exponent * above.pow(exponent - 1.0), 0.0)
    return driven + baseline, steepness, exponent * driven * above.log(), baseline.expand_as(v)


FORMS: Final[dict[str, Form]] = {
    "exponential": Form("exp(a u + b)", (), _exponential, ((0.5, 0.0), (0.0, 0.0))),
    "softplus": Form("A log(1 + exp(a u + b))", ("amplitude",), _softplus, ((2.0, -1.0, 1.0), (1.0, -4.0, 1.0))),
    "sigmoid": Form("A / (1 + exp(-a u - b))", ("amplitude",), _sigmoid, ((2.0, -2.0, 1.0), (1.0, -4.0, 1.0))),
    "power": Form(
        "max(0, a u + b)^n + r",
        ("exponent", "baseline"),
        _power,
        ((1.0, 0.3, 1.2, 0.1), (1.0, 1.5, 2.5, 0.03), (0.5, 2.0, 5.0, 0.01)),
    ),
}
"""Formulas that are tried, by name."""


@dataclass(frozen=True)
class FormCurve:
    """A formula of the drive less its centre, over its spread; positive parameters as logarithms."""

    form: Form
    centre: float
    scale: float

    def rate_and_slopes(self, weights: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
        """Rate and its slopes in gain, offset and the logarithms of the others."""
        z = (drive - self.centre) / self.scale
        rate, slope, *others = self.form.evaluate(weights[0] * z + weights[1], *weights[2:].clamp(-30, 30).exp())
        return rate, torch.stack([slope * z, slope, *others], dim=1)

    def parameters(self, fitted: FittedCurve) -> dict[str, tuple[float, float]]:
        """Value and standard error of every parameter, for the drive as it was given."""
        weights = fitted.weights
        values = torch.cat([weights[:2], weights[2:].exp()])
        change = torch.diag(torch.cat([torch.ones(2, dtype=weights.dtype), values[2:]]))
        change[0, 0] = 1.0 / self.scale
        change[1, 0] = -self.centre / self.scale
        values[:2] = change[:2, :2] @ weights[:2]
        errors = (change @ fitted.covariance @ change.T).diagonal().clamp_min(0.0).sqrt()
        return {name: (float(v), float(e)) for name, v, e in zip(self.form.names, values, errors, strict=True)}


def fit_form(name: str, drive: Tensor, counts: Tensor) -> FittedCurve:
    """Most likely parameters of a formula, from several starts.

    Examples
    --------
    >>> u = torch.linspace(-2, 2, 4000, dtype=torch.float64)
    >>> fitted = fit_form("exponential", u, torch.poisson((u - 1).exp(), torch.Generator().manual_seed(0)))
    >>> [round(v, 1) for v, _ in fitted.curve.parameters(fitted).values()]
    [1.0, -1.0]
    """
    form = FORMS[name]
    curve = FormCurve(form, *centre_and_spread(drive))
    sign = 1.0 if float((drive - curve.centre) @ counts) >= 0 else -1.0
    fits = []
    for gain, offset, *more in form.starts:
        start = torch.tensor([sign * gain, offset, *(math.log(value) for value in more)], dtype=torch.float64)
        level = counts.mean() / curve.rate_and_slopes(start, drive)[0].mean()
        if name == "exponential":
            start[1] += level.log()
        elif name == "power":
            start[:2] *= level ** (1.0 / more[0])
            start[3] += level.log()
        else:
            start[2] += level.log()
        fits.append(fit_curve(curve, drive, counts, start))
    return max(fits, key=lambda fitted: fitted.log_likelihood)
