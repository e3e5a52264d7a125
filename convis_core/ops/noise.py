"""Random numbers that belong to a time, not to a call: the same however a run is cut into chunks.

Time is divided into blocks of a fixed number of steps, each drawn from its own generator.
A block's seed is a bijection of ``hash(seed) + block``, so that no two blocks of a run
share their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.ops.compiled import share_work

__all__ = ["block_normal", "block_uniform"]

BLOCK: Final = 64  # steps; longer ones waste work and memory when a run goes one step at a time
WORTH_SHARING: Final = 100_000  # numbers, which take a third of a millisecond
_MASK = 0xFFFFFFFF  # torch's generator on the CPU looks at 32 bits of its seed


def block_normal(
    seed: int,
    start: int,
    n_steps: int,
    shape: tuple[int, int, int, int],
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draw standard normal numbers for the steps ``start`` to ``start + n_steps``.

    Parameters
    ----------
    seed : int
        Names the noise; the same seed gives the same numbers on the same kind of device.
    start, n_steps : int
        First step since the start of the run, and how many.
    shape : tuple of int
        Batch, channel, x and y.
    dtype, device : optional
        Of the numbers; another dtype or device has other numbers.

    Returns
    -------
    Tensor, shape [batch, channel, time, x, y]

    Raises
    ------
    ParameterError
        If `start` or `n_steps` is negative.

    Examples
    --------
    >>> whole = block_normal(1, 0, 100, (1, 1, 4, 4))
    >>> later = block_normal(1, 70, 30, (1, 1, 4, 4))
    >>> bool((whole[:, :, 70:] == later).all())
    True
    """
    return _draw(_fill_normal, seed, start, n_steps, shape, dtype, torch.device(device))


def block_uniform(
    seed: int,
    start: int,
    n_steps: int,
    shape: tuple[int, int, int, int],
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draw numbers uniform in [0, 1) for the steps ``start`` to ``start + n_steps``.

    Parameters, result and errors are those of `block_normal`.

    Examples
    --------
    >>> u = block_uniform(1, 0, 100, (1, 1, 4, 4))
    >>> bool((u >= 0).all() and (u < 1).all())
    True
    """
    return _draw(_fill_uniform, seed, start, n_steps, shape, dtype, torch.device(device))


_Fill = Callable[[Tensor, int], Tensor]


def _fill_normal(block: Tensor, seed: int) -> Tensor:
    return block.normal_(generator=torch.Generator(block.device).manual_seed(seed))


def _fill_uniform(block: Tensor, seed: int) -> Tensor:
    return block.uniform_(generator=torch.Generator(block.device).manual_seed(seed))


def _draw(
    fill: _Fill,
    seed: int,
    start: int,
    n_steps: int,
    shape: tuple[int, int, int, int],
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    if start < 0 or n_steps < 0:
        raise ParameterError(f"Noise is drawn from step 0 on, for 0 or more steps; got start={start}, {n_steps=}.")
    # Time comes first in memory, so that a block is one stretch that can be filled in place.
    steps = torch.empty((n_steps, *shape), dtype=dtype, device=device)
    pieces: list[tuple[_Fill, Tensor, int, int]] = []
    at = start
    while at < start + n_steps:
        block, offset = divmod(at, BLOCK)
        taken = min(BLOCK - offset, start + n_steps - at)
        pieces.append((fill, steps[at - start : at - start + taken], _block_seed(seed, block), offset))
        at += taken
    if steps.device.type == "cpu" and steps.numel() > WORTH_SHARING:  # a generator of torch's works on one processor
        share_work(_fill_piece, pieces)
    else:
        for piece in pieces:
            _fill_piece(*piece)
    return steps.movedim(0, 2)


def _fill_piece(fill: _Fill, part: Tensor, seed: int, offset: int) -> None:
    """Fill steps of one block from its step `offset` on."""
    if len(part) == BLOCK:
        fill(part, seed)
    else:
        shape: tuple[int, int, int, int] = tuple(part.shape[1:])  # type: ignore[assignment]
        part.copy_(_whole_block(fill, seed, shape, part.dtype, part.device)[offset : offset + len(part)])


@lru_cache(maxsize=8)  # a block at the end of one chunk is the first of the next, for each of a few layers
def _whole_block(
    fill: _Fill, seed: int, shape: tuple[int, int, int, int], dtype: torch.dtype, device: torch.device
) -> Tensor:
    return fill(torch.empty((BLOCK, *shape), dtype=dtype, device=device), seed)


def _block_seed(seed: int, block: int) -> int:
    return _mix(_mix(seed & _MASK) + _mix(seed >> 32 & _MASK) * 3 + block & _MASK)


def _mix(h: int) -> int:
    """Scatter 32 bits, one to one (the finaliser of MurmurHash3)."""
    h = (h ^ h >> 16) * 0x85EBCA6B & _MASK
    h = (h ^ h >> 13) * 0xC2B2AE35 & _MASK
    return h ^ h >> 16
