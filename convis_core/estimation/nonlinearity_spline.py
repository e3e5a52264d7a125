"""A smooth nonlinearity of no particular formula: the logarithm of the rate as a penalised cubic spline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from convis_core.estimation.count_curves import Curve, FittedCurve, centre_and_spread, fit_curve
from convis_core.estimation.nonlinearity import STEEPEST
from convis_core.ops.splines import open_knots, spline_values

__all__ = ["SplineCurve", "fit_spline"]

PIECES: Final = 8
"""Pieces of the spline at most, each with equally many frames."""

STRENGTHS: Final = (1e4, 1e2, 10.0, 1.0, 0.1, 0.01, 1e-3)
"""Penalties that are tried, the stiffest first: its spline is nearly straight, an exponential."""

REACH: Final = 8.0
"""Spreads of the drive from its centre beyond which the rate is constant, so that an outlier bends nothing."""

WALL: Final = 1e6
"""Penalty of a fall from one coefficient to the next, where there must be none."""

TURNS: Final = 20
"""Turns in which the coefficients that would fall are found; the last ones change nothing."""


@dataclass(frozen=True)
class SplineCurve:
    """Rate whose logarithm is a cubic spline between breaks; constant outside of them."""

    breaks: Tensor

    def rate_and_slopes(self, weights: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
        """Rate and its slopes in the coefficients of the spline."""
        return _LogLinear().rate_and_slopes(weights, self.values(drive))

    def values(self, drive: Tensor) -> Tensor:
        """Each spline at each drive, ``[n, coefficient]``."""
        return spline_values(drive.clamp(float(self.breaks[0]), float(self.breaks[-1])), self.breaks)

    def roughness(self) -> Tensor:
        """Quadratic form of the coefficients: squared changes of slope between them, none for a straight line."""
        knots = open_knots(self.breaks)
        places = torch.stack([knots[k + 1 : k + 4].mean() for k in range(len(self.breaks) + 2)])
        places = (places - places[0]) / (places[-1] - places[0])
        slope = torch.eye(len(places), dtype=places.dtype).diff(dim=0) / places.diff()[:, None]
        width = 0.5 * (places[2:] - places[:-2])
        bend = slope.diff(dim=0) / width.sqrt()[:, None]
        return bend.T @ bend


class _LogLinear:
    """Rate whose logarithm is a sum of columns, which are there already while a spline is fitted."""

    def rate_and_slopes(self, weights: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
        rate = (drive @ weights).clamp(-30.0, STEEPEST).exp()
        return rate, rate[:, None] * drive


def fit_spline(drive: Tensor, counts: Tensor, *, monotone: bool = False) -> FittedCurve:
    """Most likely spline, as smooth as Akaike's criterion asks for.

    Parameters
    ----------
    drive, counts : Tensor, shape [time]
    monotone : bool
        Whether the rate may not fall: coefficients that do not fall are enough for that. Found by a steep
        penalty on those that would (Bollaerts et al. 2006).

    References
    ----------
    Eilers & Marx (1996) doi:10.1214/ss/1038425655; Bollaerts et al. (2006) doi:10.1348/000711005X84293
    """
    centre, spread = centre_and_spread(drive)
    levels = torch.linspace(0.0, 1.0, PIECES + 1, dtype=torch.float64)
    breaks = torch.quantile(drive.clamp(centre - REACH * spread, centre + REACH * spread), levels)
    breaks = torch.unique(breaks)
    curve = SplineCurve(breaks)
    fit = _rising if monotone else fit_curve
    start = counts.mean().log().expand(len(breaks) + 2).clone()
    values, fits = curve.values(drive), []
    for strength in STRENGTHS:
        fits.append(fit(_LogLinear(), values, counts, start, strength * curve.roughness()))
        start = fits[-1].weights
    return replace(min(fits, key=lambda fitted: fitted.aic), curve=curve)


def _rising(curve: Curve, drive: Tensor, counts: Tensor, start: Tensor, penalty: Tensor) -> FittedCurve:
    """Fit again and again, with a wall in front of every coefficient that fell below the one before it."""
    step = torch.eye(len(start), dtype=start.dtype).diff(dim=0)
    falls = torch.zeros(len(step), dtype=torch.bool)
    for _ in range(TURNS):
        fitted = fit_curve(curve, drive, counts, start, penalty + WALL * step[falls].T @ step[falls])
        start, before, falls = fitted.weights, falls, fitted.weights.diff() < 0
        if bool((falls == before).all()):
            break
    return replace(fitted, weights=fitted.weights.cummax(dim=0).values)
