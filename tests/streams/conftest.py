"""Films to read: each frame of them says by its brightness which one it is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from torch import Tensor

from convis_core.streams import VideoWriter
from convis_core.streams.ffmpeg import program


@pytest.fixture(scope="session")
def ramp() -> Callable[..., Tensor]:
    """``[time, x, y]``: brightness rises from frame to frame, and a little along x and y."""

    def make(n: int, x: int = 12, y: int = 20) -> Tensor:
        slope = 0.1 * torch.linspace(0, 1, x)[:, None] + 0.05 * torch.linspace(0, 1, y)
        return 0.8 * torch.linspace(0, 1, n)[:, None, None] + slope

    return make


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory, ramp: Callable[..., Tensor]) -> Callable[..., Path]:
    """Write the ramp as a film."""

    def make(n: int = 20, x: int = 12, y: int = 20, fps: float = 25.0, suffix: str = ".mp4") -> Path:
        path = tmp_path_factory.mktemp("film") / f"ramp{suffix}"
        with VideoWriter(path, steps_per_second=fps, crf=0) as writer:
            writer.put(ramp(n, x, y))
        return path

    return make


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    """Run ffmpeg with some arguments."""

    def run(*arguments: str) -> None:
        subprocess.run([program(), "-y", "-v", "error", "-nostdin", *arguments], check=True)

    return run


@pytest.fixture
def children() -> Callable[[], list[str]]:
    """The programs this process has running, zombies among them."""
    return lambda: [child.name() for child in psutil.Process().children() if "ffmpeg" in child.name()]
