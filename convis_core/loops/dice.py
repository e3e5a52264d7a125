"""The random numbers that a model draws next, noted and put back."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["get_dice", "set_dice"]


def get_dice(device: torch.device) -> list[Tensor]:
    """State of torch's global generator, and of that of the model's device where it has its own."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def set_dice(device: torch.device, dice: list[Tensor]) -> None:
    """Go back to a state that was noted with `get_dice`."""
    torch.set_rng_state(dice[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(dice[1], device)
