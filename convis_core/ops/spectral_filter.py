"""Causal filters along time, one for every spatial frequency: what a convolution is between two Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from convis_core.ops.compiled import cut, share_work
from convis_core.ops.spectral_filter_compiled import filter_spectra, spread_back, weigh

__all__ = ["filter_each_frequency", "filter_each_frequency_torch"]

_VALUES_WORTH_A_THREAD = 50_000  # at 10 lags about an eighth of a millisecond


def filter_each_frequency(x: Tensor, w: Tensor) -> Tensor:
    r"""Filter spectra along time, :math:`y_o(q, t) = \sum_c \sum_l w_{oc}(q, l) \, x_c(q, t - l)`.

    Parameters
    ----------
    x : Tensor, shape [batch, in_channel, frequency, 2, lag - 1 + time]
        Spectra of past and present frames, real and imaginary parts.
    w : Tensor, shape [out_channel, in_channel, lag, frequency, 2]
        Spectra of the filter.

    Returns
    -------
    Tensor, shape [batch, out_channel, frequency, 2, time]

    Examples
    --------
    >>> x = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).reshape(1, 1, 1, 2, 3)
    >>> w = torch.tensor([[3.0, 1.0], [2.0, 0.0]]).reshape(1, 1, 2, 1, 2)
    >>> filter_each_frequency(x, w)[0, 0, 0]
    tensor([[3., 2.],
            [1., 0.]])
    """
    if not x.is_cpu:
        return filter_each_frequency_torch(x, w)
    return _apply(_Filter, x, w)


def filter_each_frequency_torch(x: Tensor, w: Tensor) -> Tensor:
    """Compute `filter_each_frequency` with torch alone: slower, on any device, and what it is tested against."""
    lags = w.shape[2]
    time = x.shape[4] - lags + 1
    spectra, gains = torch.complex(x[:, :, :, 0], x[:, :, :, 1]), torch.view_as_complex(w.contiguous())
    delayed = [spectra[..., lags - 1 - lag : lags - 1 - lag + time] for lag in range(lags)]
    y = torch.einsum("lbcqt,oclq->boqt", torch.stack(delayed), gains)
    return torch.stack([y.real, y.imag], dim=3)


# Filtering is linear in the spectra and in the filter, so its derivatives, and theirs, are
# three operations that call one another.


def _apply(operation: type[Function], first: Tensor, second: Tensor) -> Tensor:
    result: Tensor = operation.apply(first, second)  # type: ignore[no-untyped-call]
    return result


class _Filter(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        y = x.new_empty(x.shape[0], w.shape[0], x.shape[2], 2, x.shape[4] - w.shape[2] + 1)
        _run(filter_spectra, [(x[b], w, y[b]) for b in range(x.shape[0])], x)
        return y

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> Any:
        x, w = ctx.saved_tensors
        return (
            _apply(_Spread, y, w) if ctx.needs_input_grad[0] else None,
            _apply(_Weigh, x, y) if ctx.needs_input_grad[1] else None,
        )


class _Spread(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(y, w)
        x = y.new_empty(y.shape[0], w.shape[1], y.shape[2], 2, y.shape[4] + w.shape[2] - 1)
        _run(spread_back, [(y[b], w, x[b]) for b in range(y.shape[0])], x)
        return x

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> Any:
        y, w = ctx.saved_tensors
        return (
            _apply(_Filter, x, w) if ctx.needs_input_grad[0] else None,
            _apply(_Weigh, x, y) if ctx.needs_input_grad[1] else None,
        )


class _Weigh(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        lags = x.shape[4] - y.shape[4] + 1
        parts = x.new_empty(x.shape[0], y.shape[1], x.shape[1], lags, x.shape[2], 2)
        _run(weigh, [(x[b], y[b], parts[b]) for b in range(x.shape[0])], x)
        return parts.sum(dim=0)

    @staticmethod
    def backward(ctx: Any, w: Tensor) -> Any:
        x, y = ctx.saved_tensors
        return (
            _apply(_Spread, y, w) if ctx.needs_input_grad[0] else None,
            _apply(_Filter, x, w) if ctx.needs_input_grad[1] else None,
        )


def _run(loop: Callable[..., None], batches: list[tuple[Tensor, Tensor, Tensor]], x: Tensor) -> None:
    """Run a loop for every batch, the frequencies of `x` shared out among threads."""
    frequencies, values = x.shape[2], x[0].numel()
    pieces = cut(frequencies, values, _VALUES_WORTH_A_THREAD)
    arrays = [[t.detach().contiguous().numpy() for t in tensors] for tensors in batches]
    share_work(loop, [(*a, low, high) for a in arrays for low, high in pieces])
