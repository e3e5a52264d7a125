"""What a retina sees of a film while the eye makes small jumps: its first stage where a file has microsaccades."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import StateError
from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.saccades import AT_REST, Eye, Saccades, border, corners, move_eye
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["EyeMovements"]

SOURCE = "doi:10.1007/s10827-008-0108-4"
GROUP = "basic-microsaccade-generator"


class EyeMovements(StochasticLayer, register=False):
    r"""A window that jumps over the frames of a film as the eye does during fixation.

    What `MicrosaccadeGenerator` is for a stream, as the first stage of a retina: the same path for
    all of a batch. The window is the frame less two mean amplitudes on every side, a border that
    stays the same until the next `clear_state`.

    Parameters
    ----------
    seed : int, optional
        With a seed every fresh start repeats the same path.
    resolution : Resolution, optional
        Pixels in a deg and frames in a s.
    **values
        Initial values of the parameters below.

    Raises
    ------
    StreamError
        If the frames are too small for jumps of this amplitude.

    Examples
    --------
    >>> EyeMovements(amplitude=0.5, seed=1)(torch.rand(1, 1, 300, 64, 80)).shape  # 10 pixels less at every border
    torch.Size([1, 1, 300, 44, 60])

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    differentiable: ClassVar[bool] = False

    period = parameter(
        0.2,
        unit="s",
        bounds=(0.0, 1e4),
        slider=(0.02, 2.0),
        doc="mean of the rest between two jumps",
        citation=SOURCE,
        key=f"{GROUP}.period-mean__sec",
    )
    period_deviation = parameter(
        0.04,
        unit="s",
        bounds=(0.0, 1e4),
        slider=(0.0, 0.5),
        doc="standard deviation of the rest",
        citation=SOURCE,
        key=f"{GROUP}.period-stdev__sec",
    )
    amplitude = parameter(
        0.25,
        unit="deg",
        bounds=(0.0, 1e3),
        slider=(0.0, 2.0),
        doc="mean length of a jump",
        citation=SOURCE,
        key=f"{GROUP}.amplitude-mean__deg",
    )
    amplitude_deviation = parameter(
        0.04,
        unit="deg",
        bounds=(0.0, 1e3),
        slider=(0.0, 0.5),
        doc="standard deviation of the length of a jump",
        citation=SOURCE,
        key=f"{GROUP}.amplitude-stdev__deg",
    )
    duration = parameter(
        0.02,
        unit="s",
        bounds=(0.0, 1e4),
        slider=(0.0, 0.2),
        doc="mean of the time that a jump takes",
        citation=SOURCE,
        key=f"{GROUP}.saccade-duration-mean__sec",
    )
    duration_deviation = parameter(
        0.002,
        unit="s",
        bounds=(0.0, 1e4),
        slider=(0.0, 0.05),
        doc="standard deviation of the time that a jump takes",
        citation=SOURCE,
        key=f"{GROUP}.saccade-duration-stdev__sec",
    )
    angular_noise = parameter(
        0.3,
        unit="pi rad",
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="largest deviation of a jump from the direction of the centre of attention",
        citation=SOURCE,
        key=f"{GROUP}.angular-noise__pi-radians",
    )
    eye = state_variable("where the eye is and what it is about to do; see saccades.Eye", shape="[7]")
    frame = state_variable("rows and columns of the frames, and the border around the window", shape="[3]")

    def __init__(self, *, seed: int | None = None, resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__(seed=seed, resolution=resolution, **values)

    def numbers(self) -> Saccades:
        """Numbers of the path."""
        return Saccades(*(getattr(self, name).item() for name in Saccades._fields))

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2], x.shape[-1]
        if self.frame is None:
            self.frame = torch.tensor([*size, border(size, self.amplitude.item(), self.resolution)], device=x.device)
            self.eye = torch.tensor(AT_REST, device=x.device)
        rows, columns, pixels = self.frame.tolist()
        if size != (rows, columns):
            raise StateError(
                f"{type(self).__name__} watches frames of {rows}x{columns} pixels, got {size[0]}x{size[1]}.",
                "Call clear_state() before a film of another size.",
            )
        self.draw(lambda *_, **__: x.new_empty(0), x)
        path, eye = move_eye(
            Eye(*self.eye.tolist()), x.shape[TIME], self.numbers(), self.resolution, int(self.noise_seed)
        )
        self.eye = torch.tensor(eye, device=x.device)
        height, width = rows - 2 * pixels, columns - 2 * pixels
        seen = [x[:, :, t, i : i + height, j : j + width] for t, (i, j) in enumerate(corners(path, pixels).tolist())]
        return torch.stack(seen, dim=TIME) if seen else x[..., :height, :width]
