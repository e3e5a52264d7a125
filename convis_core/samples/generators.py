"""Pairs of stimulus and response from a model with random parameters, to try a fit on."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from convis_core.errors import ParameterError
from convis_core.models.linear import LN

__all__ = ["current_generator", "generate_sample_data"]

KERNEL_NORM = 5.0
_latest: LN | None = None


def random_ln_model(rng: np.random.Generator, kernel_dim: tuple[int, int, int] = (10, 5, 5)) -> LN:
    """Make an LN model whose random kernel fades out over time and towards its border."""
    lags, rows, columns = kernel_dim
    fading = np.exp(-np.arange(lags) / (0.4 * lags))[:, None, None]
    window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
    weight = rng.standard_normal(kernel_dim) * fading * window
    model = LN(kernel_dim=kernel_dim, bias=False)
    model.conv.set_weight(KERNEL_NORM * weight / np.linalg.norm(weight))
    return model.requires_grad_(False)


def generate_sample_data(
    input: Literal["random"] = "random",
    size: tuple[int, int, int] = (2000, 20, 20),
    seed: int | None = None,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Make a stimulus and the response of a randomised LN model to it.

    The model is kept as ``convis.samples._g`` until the next call.

    Parameters
    ----------
    input : "random"
        Kind of stimulus: Gaussian white noise of unit variance.
    size : tuple of int
        Its shape, ``(time, x, y)``.
    seed : int, optional
        Makes it repeatable.

    Returns
    -------
    stimulus, response : array, shape [time, x, y]

    Examples
    --------
    >>> stimulus, response = generate_sample_data(size=(50, 8, 8), seed=1)
    >>> stimulus.shape, response.shape
    ((50, 8, 8), (50, 8, 8))
    """
    global _latest
    if input != "random":
        raise ParameterError(f"input must be 'random', got {input!r}.", "Other stimuli are in convis.samples.")
    rng = np.random.default_rng(seed)
    stimulus = rng.standard_normal(size, dtype=np.float32)
    _latest = random_ln_model(rng)
    response = _latest.run(stimulus).array()[0, 0]
    _latest.clear_state()
    return stimulus, response


def current_generator() -> LN:
    """Return the model behind the latest `generate_sample_data`; a first one if there was none."""
    global _latest
    if _latest is None:
        _latest = random_ln_model(np.random.default_rng(0))
    return _latest
