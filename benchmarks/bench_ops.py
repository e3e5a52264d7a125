"""Speed of the tensor functions that everything else waits for: ``python -m benchmarks.bench_ops``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core.ops.causal_convolution import ConvolutionMethod, causal_conv3d
from convis_core.ops.noise import block_normal

TITLE = "Tensor functions, 20x20 frames unless said"


def convolution(dt: int, method: ConvolutionMethod = "auto", lags: int = 10, n: int = 2000) -> Callable[[], Any]:
    """Run n frames of 20x20 through a kernel of 10x10 pixels, forward."""
    x, weight = torch.rand(1, 1, n, 20, 20), torch.randn(1, 1, lags, 10, 10)

    def run() -> None:
        history = None
        for start in range(0, n, dt):
            _, history = causal_conv3d(x[:, :, start : start + dt], weight, history, method=method)

    return run


def training(dt: int, method: ConvolutionMethod = "auto") -> Callable[[], Any]:
    """Run 2000 frames forward and the gradient of the weight back."""
    x, weight = torch.rand(1, 1, 2000, 20, 20), torch.randn(1, 1, 12, 10, 10, requires_grad=True)

    def run() -> None:
        history = None
        for start in range(0, 2000, dt):
            y, history = causal_conv3d(x[:, :, start : start + dt], weight, history, method=method)
            weight.grad = None
            y.square().sum().backward()

    return run


CASES = [
    Case("convolution 10x10x10, one call", lambda: convolution(2000), 2000, 200_000),
    Case("convolution 10x10x10, dt 500", lambda: convolution(500), 2000, 200_000),
    Case("convolution 10x10x10, dt 100", lambda: convolution(100), 2000, 90_000),
    Case("convolution 10x10x10, dt 500, spectral", lambda: convolution(500, "spectral"), 2000),
    Case("convolution 10x10x10, dt 500, blocked", lambda: convolution(500, "blocked"), 2000),
    Case("convolution 10x10x10, dt 500, direct", lambda: convolution(500, "direct", n=500), 500),
    Case("training 12x10x10, dt 500", lambda: training(500), 2000, 45_000),
    Case("training 12x10x10, dt 500, blocked", lambda: training(500, "blocked"), 2000),
    Case("normal noise, 50x50", lambda: lambda: block_normal(1, 0, 1000, (1, 1, 50, 50)), 1000),
]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
