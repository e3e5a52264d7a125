"""What is typed, and the files it is typed about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import convis_core as convis
from convis_core.cli import main


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    error: str


@pytest.fixture
def convis_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Type a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def type_in(line: str) -> Said:
        capsys.readouterr()
        try:
            code = main(line.split())
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        return Said(code, *capsys.readouterr())

    return type_in


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An ON and an OFF layer without noise, at 200 steps a second."""
    config = convis.retina.RetinaConfiguration({"temporal-step__sec": 0.005})
    config.update({f"ganglion-layers.*.spiking-channel.{name}": 0 for name in ("sigma-V", "refr-stdev__sec")})
    config.write(tmp_path / "retina.xml")
    return tmp_path / "retina.xml"


@pytest.fixture
def movie(tmp_path: Path) -> np.ndarray:
    """A bar of light that moves, as ``film.npy`` and ``film.mp4`` (25 frames a second)."""
    frames = convis.samples.moving_bar(60)[:, :12, :16].astype(np.float32)
    frames = (frames - frames.min()) / np.ptp(frames)
    np.save(tmp_path / "film.npy", frames)
    with convis.streams.VideoWriter(tmp_path / "film.mp4", steps_per_second=25.0, crf=0) as film:
        film.put(frames)
    return frames
