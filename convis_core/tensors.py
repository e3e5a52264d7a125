"""The 5-D convention: every signal is ``[batch, channel, time, x, y]``."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import ShapeError

__all__ = [
    "AXES",
    "BATCH",
    "CHANNEL",
    "TIME",
    "X",
    "Y",
    "cells_as_channels",
    "check_finite",
    "describe_shape",
    "lift",
    "to_numpy",
    "to_tensor",
]

AXES: Final = ("batch", "channel", "time", "x", "y")
BATCH, CHANNEL, TIME, X, Y = range(5)


def describe_shape(shape: tuple[int, ...] | torch.Size) -> str:
    """Write a shape as ``[2, 1, 100, 20, 20]``."""
    return "[" + ", ".join(str(n) for n in shape) + "]"


def to_tensor(value: Any, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Tensor:
    """Turn numbers, arrays and tensors into a floating-point tensor.

    Integers and booleans become ``dtype`` (or torch's default); floating-point
    input keeps its own precision unless ``dtype`` is given.
    """
    if isinstance(value, Tensor):
        _check_real(not value.is_complex(), value.dtype)
        tensor = (value if value.layout is torch.strided else value.to_dense()).resolve_neg()
    elif hasattr(value, "__array__") or isinstance(value, (int, float, list, tuple)):
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ShapeError(
                f"Expected an array, got a list that is none: {error}", "Make its rows equally long."
            ) from None
        _check_real(array.dtype.kind in "biuf", array.dtype)
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            array = array.astype(np.int64)
        if array.dtype == np.float16 or array.dtype.itemsize > 8 or not array.dtype.isnative:
            array = array.astype(np.float32 if array.dtype.itemsize < 8 else np.float64)
        if any(stride < 0 for stride in array.strides) or not array.flags.writeable:
            array = array.copy()
        tensor = torch.from_numpy(array)
    else:
        raise ShapeError(
            f"Expected a numpy array, a torch tensor or a stream, got {type(value).__name__}.",
            "Convert it to an array first.",
        )
    if dtype is None and not tensor.is_floating_point():
        dtype = torch.get_default_dtype()
    return tensor.to(device=device, dtype=dtype)


def to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """Turn a tensor into an array of the same precision; of bfloat16, which numpy lacks, into single.

    It shares the memory of the tensor where it can.

    Examples
    --------
    >>> to_numpy(torch.ones(2, dtype=torch.bfloat16, requires_grad=True))
    array([1., 1.], dtype=float32)
    """
    plain = tensor.detach().cpu().resolve_neg()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def _check_real(is_real: bool, dtype: Any) -> None:
    if not is_real:
        raise ShapeError(
            f"Expected an array of real numbers, got dtype {dtype}.", "Convert it with array.astype('float32')."
        )


def lift(value: Any, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Tensor:
    """Lift an array to ``[batch, channel, time, x, y]``.

    ``[time]``, ``[x, y]`` (one frame) and ``[time, x, y]`` are lifted by adding axes
    of length 1; five axes pass unchanged.

    Raises
    ------
    ShapeError
        For 0, 4 or more than 5 axes: four axes could lack the batch or the channel.

    Examples
    --------
    >>> import numpy as np
    >>> tuple(lift(np.zeros((100, 20, 30))).shape)
    (1, 1, 100, 20, 30)
    """
    tensor = to_tensor(value, dtype=dtype, device=device)
    match tensor.ndim:
        case 1:
            return tensor[None, None, :, None, None]
        case 2:
            return tensor[None, None, None]
        case 3:
            return tensor[None, None]
        case 5:
            return tensor
    got = describe_shape(tensor.shape)
    if tensor.ndim == 4:
        raise ShapeError(
            f"Expected [time], [x, y], [time, x, y] or [batch, channel, time, x, y], got 4 axes {got}, "
            "which is ambiguous.",
            "Write x[None] for a missing batch axis or x[:, None] for a missing channel axis.",
        )
    raise ShapeError(
        f"Expected [time], [x, y], [time, x, y] or [batch, channel, time, x, y], got {tensor.ndim} axes {got}.",
        "Add or remove axes until it is one of these.",
    )


def cells_as_channels(
    counts: Any, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Lift a recording of cells, ``[time]`` or ``[time, cell]``, to ``[1, cell, time, 1, 1]``.

    What models of several cells answer with, and so the target of their fits. Equally long trials,
    ``[trial, time, cell]``, become the batch; five axes pass unchanged.

    Raises
    ------
    ShapeError
        For any other number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> tuple(cells_as_channels(np.zeros((100, 7))).shape)
    (1, 7, 100, 1, 1)
    """
    tensor = to_tensor(counts, dtype=dtype, device=device)
    match tensor.ndim:
        case 1:
            return tensor[None, None, :, None, None]
        case 2:
            return tensor.T[None, :, :, None, None]
        case 3:
            return tensor.transpose(1, 2)[..., None, None]
        case 5:
            return tensor
    raise ShapeError(
        f"Recorded cells are [time], [time, cell] or [trial, time, cell], got {describe_shape(tensor.shape)}.",
        "Put the time first and the cells last.",
    )


def check_finite(tensor: Tensor, what: str, first_frame: int = 0) -> None:
    """Refuse a 5-D signal with NaN or infinite values, naming the first bad frame."""
    if tensor.numel() == 0 or _looks_finite(tensor.detach()):
        return
    bad = ~torch.isfinite(tensor)
    if not bool(bad.any()):
        return
    frame = int(bad.any(dim=Y).any(dim=X).any(dim=CHANNEL).any(dim=BATCH).nonzero()[0])
    raise ShapeError(
        f"{what} has {int(bad.sum())} values that are NaN or infinite, the first in frame {first_frame + frame}.",
        "Replace them, e.g. with numpy.nan_to_num, before running a model.",
    )


def _looks_finite(tensor: Tensor) -> bool:
    """Say whether all is surely finite, without a temporary as large as the signal.

    On the processor numpy looks, with one thread: torch would wake its others, and they go on
    spinning for some milliseconds, in the way of the compiled loops that come next.
    """
    if tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64):
        array = tensor.numpy()
        return math.isfinite(float(array.max()) - float(array.min()))
    return math.isfinite(float(tensor.sum()))
