"""The nonlinearity of a cell from its drive and its spikes: as a histogram, a smooth curve or a formula."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from convis_core import figures
from convis_core.errors import FitError, UnknownNameError
from convis_core.estimation.count_curves import FittedCurve
from convis_core.estimation.nonlinearity_forms import FORMS, FormCurve, fit_form
from convis_core.estimation.nonlinearity_histogram import Histogram, histogram
from convis_core.estimation.nonlinearity_spline import fit_spline
from convis_core.estimation.recording import LARGEST, check_counts
from convis_core.estimation.resampling import check_level, folds
from convis_core.estimation.tables import html_table
from convis_core.loops.metrics import bits_per_spike
from convis_core.loops.run import check_steps
from convis_core.tensors import describe_shape, to_tensor

__all__ = ["NONLINEARITY_METHODS", "NonlinearityEstimate", "estimate_nonlinearity"]

Array = np.ndarray[Any, Any]
Fit = Callable[[Tensor, Tensor], FittedCurve | Histogram]

NONLINEARITY_METHODS: Final = ("histogram", "spline", "parametric", *FORMS)
"""Names that `estimate_nonlinearity` knows."""

FOLDS: Final = 5
"""Blocks of the recording, each of which is predicted from the others."""


@dataclass(frozen=True, repr=False)
class NonlinearityEstimate:
    """Expected count as a function of the drive; call it with a drive.

    Attributes
    ----------
    method : str
        ``"histogram"``, ``"spline"`` or the name of a formula.
    curve : FittedCurve or Histogram
        What is evaluated.
    groups : Histogram
        Mean counts of groups of frames, the data that any curve has to follow.
    bits_per_spike : float
        Of blocks of the data, each predicted by a fit to the others.
    others : tuple of NonlinearityEstimate
        Formulas that were tried and have a larger `aic`, in its order.
    """

    method: str
    curve: FittedCurve | Histogram
    groups: Histogram
    bits_per_spike: float
    others: tuple[NonlinearityEstimate, ...] = ()

    def __call__(self, drive: Any) -> Array:
        """Expected count at each drive, an array of the same shape."""
        return self._at(drive, self.curve.rate)[0]

    def error(self, drive: Any) -> Array:
        """Standard error of the expected count, an array of the same shape."""
        return self._at(drive, self.curve.error)[0]

    def interval(self, drive: Any, level: float = 0.95) -> tuple[Array, Array]:
        """Lower and upper bound of the expected count, arrays of the same shape."""
        check_level(level)
        low, high = self._at(drive, lambda u: self.curve.interval(u, level))
        return low, high

    @property
    def parameters(self) -> dict[str, tuple[float, float]]:
        """Value and standard error of each parameter of a formula; empty for the others."""
        fitted = self.curve
        if isinstance(fitted, FittedCurve) and isinstance(fitted.curve, FormCurve):
            return fitted.curve.parameters(fitted)
        return {}

    @property
    def aic(self) -> float:
        """Akaike's information criterion; the smaller one is to be preferred."""
        return self.curve.aic

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, number of parameters, AIC above the best one and held-out bits per spike, as text."""
        return [
            (one.method, f"{one.curve.n_parameters:.3g}", f"{one.aic - self.aic:.1f}", f"{one.bits_per_spike:.3f}")
            for one in (self, *self.others)
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw the curve with its interval and the data; needs matplotlib."""
        return figures.figure("plot_nonlinearity")(self, ax)

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.3g} ± {error:.2g}" for name, (value, error) in self.parameters.items())
        formula = f" {FORMS[self.method].formula}; {values}" if values else ""
        return f"<NonlinearityEstimate {self.method}{formula}; {self.bits_per_spike:.3f} bits/spike held out>"

    def __str__(self) -> str:
        lines = [f"{a:14}{b:>12}{c:>10}{d:>22}" for a, b, c, d in (HEAD, *self.rows())]
        first = repr(self)[1:-1].replace("; ", "\n")  # together they are longer than a notebook is wide
        return "\n".join([first, *lines])

    def _repr_html_(self) -> str:
        return html_table(html.escape(repr(self)[1:-1]), HEAD, self.rows())

    def _at(self, drive: Any, what: Callable[[Tensor], Any]) -> tuple[Array, ...]:
        places = to_tensor(drive).detach().double()
        found = what(places.flatten())
        return tuple(one.reshape(places.shape).numpy() for one in (found if isinstance(found, tuple) else (found,)))


HEAD: Final = ("nonlinearity", "parameters", "more AIC", "bits/spike, held out")


def estimate_nonlinearity(
    drive: Any, spikes: Any, method: str = "spline", *, groups: int = 12, monotone: bool = False
) -> NonlinearityEstimate:
    r"""Estimate how the expected count of a cell depends on its drive, :math:`y_t \sim \mathrm{Poisson}(g(u_t))`.

    ===============  =====================================================================================
    ``histogram``    mean counts of groups of equally many frames (doi:10.1080/713663221)
    ``spline``       the logarithm of the rate as a cubic spline, as smooth as Akaike's criterion asks for
                     (doi:10.1214/ss/1038425655)
    ``exponential``  :math:`e^{a u + b}`
    ``softplus``     :math:`A \log(1 + e^{a u + b})`
    ``sigmoid``      :math:`A / (1 + e^{-a u - b})`
    ``power``        :math:`\max(0, a u + b)^n + r` (doi:10.1152/jn.00425.2001)
    ``parametric``   the one of these four formulas with the smallest criterion; `others` has the rest
    ===============  =====================================================================================

    Spline and formulas maximise the Poisson likelihood. Their errors allow for counts that vary more or less
    than Poisson's, by a factor that is estimated (quasi-likelihood). A rate that a formula takes down to 0
    has no error there.

    Parameters
    ----------
    drive : array
        What the filters add up to in every frame, e.g. ``field.drive(stimulus, spikes)``; best of frames
        that the filter was not fitted to, on which it fits too well.
    spikes : array, shape of `drive`
        Spike counts.
    method : str
    groups : int
        Groups of the histogram, which every result has beside its curve.
    monotone : bool
        Whether the spline may not fall as the drive grows.

    Returns
    -------
    NonlinearityEstimate

    Raises
    ------
    FitError
        For drive and spikes of different shapes, a drive that is constant or not finite, counts that
        are none, no spikes, or a monotone curve that is no spline.
    UnknownNameError
        For another method.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> u = rng.standard_normal(5000)
    >>> found = estimate_nonlinearity(u, rng.poisson(np.exp(u - 1)), "parametric")
    >>> found.method, found([0.0, 1.0]).round(1)
    ('exponential', array([0.4, 1. ]))
    """
    if not isinstance(method, str) or method not in NONLINEARITY_METHODS:
        raise UnknownNameError(
            f"There is no nonlinearity called {method!r}.", f"There are: {', '.join(NONLINEARITY_METHODS)}."
        )
    if not isinstance(monotone, (bool, np.bool_)):
        raise FitError(f"monotone is True or False, got {monotone!r:.80}.", "Leave it out for a curve that may fall.")
    if monotone and method != "spline":
        raise FitError(f"monotone=True is for the spline, got {method!r}.", "The formulas are monotone as they are.")
    groups = check_steps(groups, "groups", "groups")
    with torch.no_grad():
        u, counts = _checked(drive, spikes)
        data = histogram(u, counts, groups)
        fits: dict[str, Fit] = {
            "histogram": partial(histogram, groups=groups),
            "spline": partial(fit_spline, monotone=monotone),
            **{name: partial(fit_form, name) for name in FORMS},
        }
        chosen = tuple(FORMS) if method == "parametric" else (method,)
        found = [
            NonlinearityEstimate(name, fits[name](u, counts), data, _held_out(fits[name], u, counts)) for name in chosen
        ]
    best, *others = sorted(found, key=lambda one: one.aic)
    return NonlinearityEstimate(best.method, best.curve, data, best.bits_per_spike, tuple(others))


def _checked(drive: Any, spikes: Any) -> tuple[Tensor, Tensor]:
    u, counts = to_tensor(drive).detach().double(), to_tensor(spikes)
    if u.shape != counts.shape:
        raise FitError(
            f"Drive and spikes differ in shape: {describe_shape(u.shape)} and {describe_shape(counts.shape)}.",
            "Give one drive for every count.",
        )
    u, counts = u.flatten().contiguous(), check_counts(counts.flatten())
    if not bool(counts.any()):
        raise FitError("There are no spikes, so no rate can be told.", "Give frames in which the cell fired.")
    if not bool(torch.isfinite(u).all()):
        raise FitError("The drive must be finite, got NaN or infinite values.", "Leave those frames out.")
    if float(u.max()) == float(u.min()):
        raise FitError(f"The drive is {float(u[0]):g} in every frame.", "Give one that changes.")
    if float(u.abs().max()) > LARGEST:
        raise FitError(
            f"A drive of {float(u.abs().max()):g} is none that filters add up to.", "Leave those frames out."
        )
    if len(u) < 4 * FOLDS:
        raise FitError(f"A nonlinearity takes at least {4 * FOLDS} frames, got {len(u)}.", "Record longer.")
    return u, counts


def _held_out(fit: Fit, drive: Tensor, counts: Tensor) -> float:
    """Bits per spike of all blocks, each predicted from the others."""
    predicted = torch.empty_like(drive)
    for known, block in folds(len(drive), FOLDS):
        u, y = (torch.cat([values[part] for part in known]) for values in (drive, counts))
        if not bool(y.any()) or float(u.max()) == float(u.min()):
            return float("nan")
        curve = fit(u, y)
        predicted[block] = curve.cautious(drive[block]) if isinstance(curve, Histogram) else curve.rate(drive[block])
    return bits_per_spike(predicted.clamp_min(1e-12), counts)
