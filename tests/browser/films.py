"""Small films, good and bad, for the browser tests."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np


def write_film(path: Path, height: int, width: int, fps: float, seconds: float = 2.0) -> Path:
    """Write a film of any size, odd ones too, in which a bright bar wanders over a dim gradient."""
    column, row = np.meshgrid(np.arange(width), np.arange(height))
    frames = []
    for k in range(round(fps * seconds)):
        bar = np.exp(-(((column - (k * width / fps) % width) / (0.1 * width)) ** 2))
        grey = np.clip(60 * row / height + 190 * bar, 0, 255).astype(np.uint8)
        frames.append(np.repeat(grey[..., None], 3, axis=2))
    iio.imwrite(path, np.array(frames), fps=fps, macro_block_size=1, pixelformat="yuv444p")
    return path
