"""Retinas as the configurations beside the stored maps describe them, and what they were shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from convis_core.retina import Retina


def described(path: Path, dtype: torch.dtype) -> Retina:
    """Retina without spikes or eye movements from a file, with all numbers in the precision that it is run in."""
    still = {"spikes": False, "eye_movements": False}
    retina = Retina.from_xml(path, stage_delay=1, virtual_retina_logpolar=True, **still).to(dtype)
    retina.parse_config(path)
    return retina


def film(shared: Path, name: str) -> tuple[np.ndarray[Any, Any], float]:
    """Frames of an input, and the luminance that the stored run began adapted to."""
    frames = np.load(shared / "reference" / "virtualretina" / "inputs" / f"{name}.npz")["seq"].astype(float)
    return frames, 127.5 if name in ("finland_80x64", "rocks_128x126") else 128.0
