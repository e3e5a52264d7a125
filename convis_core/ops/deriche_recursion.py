"""Coefficients of Deriche's recursive blur, and the same blur as a matrix for each axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["Recursion", "recursion"]

WIDTH = 1.695
SMALLEST = 0.1
"""Scale in pixels below which a blur that is the same everywhere is left out."""


@dataclass(frozen=True)
class Recursion:
    """Deriche's two recursions along one axis.

    Attributes
    ----------
    forth, back : Tensor, shape [n or 1, 5, m or 1]
        Coefficients at each of n pixels along the axis, in each of m lines: of the input, the input before it, the
        output before, the one before that, and the part of the edge value that the recursion starts from.
    lead : int
        How many pixels ahead the newest input is, going back.
    alpha : Tensor, optional
        Inverse width of the kernel, per pixel, where it is the same everywhere.
    """

    forth: Tensor
    back: Tensor
    lead: int
    alpha: Tensor | None = None

    @property
    def keeps_sums(self) -> bool:
        """Whether uniform frames are to stay uniform where coefficients vary, which takes a factor for each pixel."""
        return self.lead == 1 and self.forth.shape[0] * self.forth.shape[2] > 1

    def matrix(self, n: int) -> Tensor:
        """Matrix of the blur of n pixels, ``[m or 1, n, n]``, differentiable."""
        if self.alpha is not None:
            if self.alpha.requires_grad or self.alpha.device.type != "cpu":
                return _without_traces(_matrix_of_one_scale(self.alpha, n), self.alpha.dtype)[None]
            return _kept_matrix(self.alpha.item(), n, self.alpha.dtype)
        x = torch.eye(n, dtype=self.forth.dtype, device=self.forth.device)[:, None]  # each input on a line of its own
        causal = self._run(self.forth, list(x), 0)
        anticausal = self._run(self.back.flip(0), list(x.flip(0)), -self.lead)
        return torch.stack([a + b for a, b in zip(causal, reversed(anticausal), strict=True)], dim=1)

    def _run(self, coefficients: Tensor, x: list[Tensor], newest: int) -> list[Tensor]:
        rows = coefficients[..., None].expand(len(x), -1, -1, -1)
        y = [rows[0, 4] * x[0]] * 2
        for i, k in enumerate(rows):
            at = max(i + newest, 0)
            y.append(k[0] * x[at] + k[1] * x[max(at - 1, 0)] + k[2] * y[-1] + k[3] * y[-2])
        return y[2:]


def recursion(sigma_px: Tensor, *, virtual_retina: bool = False) -> tuple[Recursion, Recursion] | None:
    """Recursions along x and along y for a scale, a number or one for every pixel ``[x, y]``; None for no blur."""
    if sigma_px.ndim == 0 and not sigma_px.requires_grad and sigma_px.device.type == "cpu":
        return _kept_recursion(sigma_px.item(), sigma_px.dtype)
    return _recursion(sigma_px, virtual_retina)


@lru_cache(maxsize=32)
def _kept_recursion(sigma_px: float, dtype: torch.dtype) -> tuple[Recursion, Recursion] | None:
    """Keep the coefficients of the scales in use; nobody writes to them."""
    with torch.inference_mode(False), torch.no_grad():
        return _recursion(torch.tensor(sigma_px, dtype=dtype), False)


def _recursion(sigma_px: Tensor, virtual_retina: bool) -> tuple[Recursion, Recursion] | None:
    everywhere = sigma_px.ndim == 0
    if float(sigma_px.detach().max()) < (SMALLEST if everywhere else 1e-12):
        return None
    alpha = WIDTH / sigma_px
    q = torch.exp(-alpha)
    k = (1 - q) ** 2 / (1 + 2 * alpha * q - q * q)
    causal = [k, k * q * (alpha - 1), 2 * q, -q * q]
    anticausal = [k * q * (alpha + 1), -k * q * q, 2 * q, -q * q]
    literal = virtual_retina and not everywhere
    along = []
    for axis in (0, 1):
        tables = []
        for parts in (causal, anticausal):
            start = torch.full_like(q, 0.5) if literal else (parts[0] + parts[1]) / (1 - q) ** 2
            lines = [part.expand(1, 1) if everywhere else part.movedim(axis, 0) for part in (*parts, start)]
            tables.append(torch.stack(lines, dim=1))
        along.append(Recursion(tables[0], tables[1], 0 if literal else 1, alpha if everywhere else None))
    return along[0], along[1]


@lru_cache(maxsize=32)
def _kept_matrix(alpha: float, n: int, dtype: torch.dtype) -> Tensor:
    """Keep the matrices of the scales in use, which make up a tenth of the work on a chunk; nobody writes to them."""
    with torch.inference_mode(False), torch.no_grad():
        matrix = _matrix_of_one_scale(torch.tensor(alpha, dtype=torch.float64), n)[None]
        return _without_traces(matrix, dtype).to(dtype)


def _without_traces(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Leave out weights far below what `dtype` resolves in a sum.

    Far from a pixel they are so small that a number has no digits left (it is denormal), and with those many processors
    calculate twenty times as slowly.
    """
    return torch.where(matrix > torch.finfo(dtype).eps ** 2, matrix, 0.0)


def _matrix_of_one_scale(alpha: Tensor, n: int) -> Tensor:
    """Closed form of `Recursion.matrix`: the kernel, and what of it lies beyond either end given to the end."""
    q = torch.exp(-alpha)
    k = (1 - q) ** 2 / (1 + 2 * alpha * q - q * q)
    i = torch.arange(n, dtype=alpha.dtype, device=alpha.device)
    distance = (i[:, None] - i).abs()
    inside = k * (1 + alpha * distance) * torch.exp(-alpha * distance)
    outside = i + 1  # distance from a pixel to the first one beyond the first
    tail = k * torch.exp(-alpha * outside) * (1 + alpha * outside + alpha * q / (1 - q)) / (1 - q)
    first, last = torch.zeros_like(inside), torch.zeros_like(inside)
    first[:, 0], last[:, -1] = tail, tail.flip(0)
    return inside + first + last
