"""Pairs of stimulus and response from a model with random parameters, to try a fit on."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import ParameterError, ShapeError
from convis_core.models.linear import LN

__all__ = ["SampleGenerator", "current_generator", "generate_sample_data"]

Array = NDArray[Any]

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


class SampleGenerator:
    """Makes stimuli and the responses of one LN model to them, as many as are wanted.

    Parameters
    ----------
    kernel : array, shape [time, x, y], optional
        Impulse response of the model; a random one if not given.
    kernel_dim : tuple of int
        Size of a random kernel.
    seed : int, optional
        Makes the kernel and the stimuli repeatable.

    Attributes
    ----------
    model : LN
        What a fit should find.

    Examples
    --------
    >>> generator = SampleGenerator(kernel_dim=(5, 3, 3), seed=1)
    >>> stimulus, response = generator.generate((50, 8, 8))
    >>> again = generator.model.run(stimulus).array()[0, 0]
    >>> bool((again == response).all())
    True
    """

    def __init__(
        self, kernel: Any = None, *, kernel_dim: tuple[int, int, int] = (10, 5, 5), seed: int | None = None
    ) -> None:
        self._rng = np.random.default_rng(seed)
        if kernel is None:
            self.model = random_ln_model(self._rng, kernel_dim)
        else:
            weight = np.asarray(kernel)
            if weight.ndim != 3:
                raise ShapeError(f"Expected a kernel [time, x, y], got an array of shape {weight.shape}.")
            self.model = LN(kernel_dim=weight.shape, bias=False)
            self.model.conv.set_weight(weight)
            self.model.requires_grad_(False)

    def generate(self, size: tuple[int, int, int] = (2000, 20, 20)) -> tuple[Array, Array]:
        """Make white noise ``[time, x, y]`` of unit variance and the response to it."""
        stimulus = self._rng.standard_normal(size, dtype=np.float32)
        return stimulus, self.respond(stimulus)

    def respond(self, stimulus: Any) -> Array:
        """Return the response ``[time, x, y]`` to a stimulus, from a state of rest."""
        self.model.clear_state()
        response: Array = self.model.run(stimulus).array()[0, 0]
        self.model.clear_state()
        return response


def generate_sample_data(
    input: Literal["random"] = "random",
    size: tuple[int, int, int] = (2000, 20, 20),
    seed: int | None = None,
) -> tuple[Array, Array]:
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
