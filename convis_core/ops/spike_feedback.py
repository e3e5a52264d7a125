"""Spikes that are drawn frame by frame, each frame hearing those drawn before it."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.ops.output_nonlinearity import OUTPUT_NONLINEARITIES, output_nonlinearity
from convis_core.ops.poisson import MOST_EXPECTED, poisson_counts
from convis_core.tensors import describe_shape

__all__ = ["feed_spikes_back"]


def feed_spikes_back(
    drive: Tensor,
    uniform: Tensor,
    filters: Tensor,
    past: Tensor,
    nonlinearity: str = "exponential",
    *,
    compiled: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Let cells run freely over a chunk.

    .. math:: \lambda_c(t) = g\Big(u_c(t) + \sum_d \sum_{j=1}^{L} k_{cd}(j) \, y_d(t - j)\Big), \qquad
        y_c(t) \sim \mathrm{Poisson}(\lambda_c(t))

    With the ``"sigmoid"``, :math:`y_c(t) \sim \mathrm{Bernoulli}(\lambda_c(t))`. Spikes have no gradient.

    Parameters
    ----------
    drive : Tensor, shape [batch, cell, time]
        :math:`u`, from the stimulus.
    uniform : Tensor, shape of `drive`
        Numbers in [0, 1) from which the spikes are made.
    filters : Tensor, shape [to, from, lag] or [cell, lag]
        Drive added 1, 2, ... frames after a spike; with two axes each cell hears itself only.
    past : Tensor, shape [batch, cell, lag]
        Spikes before the chunk, the last frame last.
    nonlinearity : str
        :math:`g`, see `convis_core.ops.output_nonlinearity.output_nonlinearity`.
    compiled : bool
        Allow the compiled loop, used on the processor.

    Returns
    -------
    spikes, rate : Tensor, shape of `drive`
        Counts, and what was expected.
    past : Tensor
        To give back with the next chunk.

    Raises
    ------
    ShapeError
        If the shapes do not fit one another.
    ParameterError
        Where more than 80 spikes are expected in a frame, as of cells that excite themselves without bound.

    Examples
    --------
    >>> silence_after = torch.tensor([[-50.0, -50.0]])  # for two frames
    >>> u = torch.full((1, 1, 6), 5.0)
    >>> spikes, _, _ = feed_spikes_back(u, 0 * u + 0.5, silence_after, torch.zeros(1, 1, 2), "sigmoid")
    >>> spikes.flatten()
    tensor([1., 0., 0., 1., 0., 0.])
    """
    _check(drive, uniform, filters, past)
    output_nonlinearity(nonlinearity)
    run = _run_compiled if compiled and can_run_compiled(drive.detach(), filters.detach(), past) else _run_plain
    spikes, rate = run(drive.detach(), uniform, filters.detach(), past, nonlinearity)
    past = torch.cat([past, spikes], dim=-1)
    return spikes, rate, past[..., past.shape[-1] - filters.shape[-1] :].clone()


def _run_plain(
    drive: Tensor, uniform: Tensor, filters: Tensor, past: Tensor, nonlinearity: str
) -> tuple[Tensor, Tensor]:
    shape, n_lags = OUTPUT_NONLINEARITIES[nonlinearity], filters.shape[-1]
    terms = "bcl,cl->bc" if filters.ndim == 2 else "bdl,cdl->bc"
    backwards = filters.flip(-1)
    spikes, rates = [past], []
    window = past
    for t in range(drive.shape[-1]):
        rate = shape(drive[..., t] + torch.einsum(terms, window, backwards)).clamp(min=0.0)
        _check_bounded(rate, t)
        count = (uniform[..., t] < rate).to(rate.dtype) if nonlinearity == "sigmoid" else None
        count = poisson_counts(rate, uniform[..., t]) if count is None else count
        rates.append(rate)
        spikes.append(count[..., None])
        window = torch.cat([window, count[..., None]], dim=-1)[..., -n_lags:]
    if not rates:
        return torch.empty_like(drive), torch.empty_like(drive)
    return torch.cat(spikes[1:], dim=-1), torch.stack(rates, dim=-1)


def _run_compiled(
    drive: Tensor, uniform: Tensor, filters: Tensor, past: Tensor, nonlinearity: str
) -> tuple[Tensor, Tensor]:
    from convis_core.ops import spike_feedback_compiled
    from convis_core.ops.compiled import share_work

    coupled = filters.ndim == 3
    outgoing = filters.permute(1, 2, 0) if coupled else filters[..., None]  # [from, lag, to], in one stretch by target
    spikes, rate = drive.new_empty(drive.shape), drive.new_empty(drive.shape)
    stopped = torch.full((drive.shape[0],), -1, dtype=torch.int64)
    arrays = [a.contiguous().numpy() for a in (drive, uniform, past)]
    fixed = (outgoing.contiguous().numpy(), coupled, list(OUTPUT_NONLINEARITIES).index(nonlinearity))
    share_work(
        spike_feedback_compiled.run,
        [
            (*(a[b] for a in arrays), *fixed, spikes[b].numpy(), rate[b].numpy(), stopped[b : b + 1].numpy())
            for b in range(drive.shape[0])
        ],
    )
    for b, t in enumerate(stopped.tolist()):
        if t >= 0:
            _check_bounded(rate[b, :, t], t)
    return spikes, rate


def _check_bounded(rate: Tensor, t: int) -> None:
    largest = float(rate.max()) if rate.numel() else 0.0
    if not largest <= MOST_EXPECTED:
        raise ParameterError(
            f"At most {MOST_EXPECTED:g} spikes can be expected in a frame, got {largest:g} in frame {t} of the chunk.",
            "Cells may excite themselves without bound: lower filters after a spike, coupling, weights or offset.",
        )


def _check(drive: Tensor, uniform: Tensor, filters: Tensor, past: Tensor) -> None:
    n_lags, n_cells = filters.shape[-1], drive.shape[1] if drive.ndim == 3 else -1
    fits = drive.ndim == 3 and uniform.shape == drive.shape and tuple(past.shape) == (drive.shape[0], n_cells, n_lags)
    shapes = [a.shape for a in (drive, uniform, filters, past)]
    if not fits or tuple(filters.shape[:-1]) not in ((n_cells,), (n_cells, n_cells)) or n_lags < 1:
        raise ShapeError(
            "Drive and uniform numbers are [batch, cell, time], filters [to, from, lag] or [cell, lag] and past "
            f"spikes [batch, cell, lag]; got {', '.join(map(describe_shape, shapes))}."
        )
