"""Spatial kernels ``[x, y]``: a Gabor patch, and letters whose orientation cannot be mistaken."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from convis_core.errors import ParameterError
from convis_core.samples.checks import check_number, check_shape

__all__ = ["gabor_kernel", "text_kernel"]


def gabor_kernel(
    phi: float = 2.0, size: int = 16, f: float = 10.0, phase: float = 0.0, sigma_x: float = 1.0, sigma_y: float = 1.0
) -> NDArray[np.float64]:
    r"""Gabor patch: a sine grating under a Gaussian window.

    .. math:: e^{-X^2/\sigma_x^2 - Y^2/\sigma_y^2} \,
              \sin\!\left(\tfrac{f}{\pi} (X \cos\varphi + Y \sin\varphi) + p\right)

    where *X* and *Y* go from ``-size / 8`` to ``size / 8`` over rows and columns, both ends included.

    Parameters
    ----------
    phi : float
        Direction across the stripes, in rad from the rows' axis.
    size : int
        Rows and columns.
    f : float
        Frequency: pi times the phase per unit of *X*.
    phase : float
        Phase *p* in the centre, in rad.
    sigma_x, sigma_y : float
        Size of the window over rows and columns, in units of *X*.

    Returns
    -------
    ndarray, shape [size, size], float64

    Examples
    --------
    >>> patch = gabor_kernel()
    >>> patch.shape, bool(np.allclose(patch, -patch[::-1, ::-1]))  # a sine is odd
    ((16, 16), True)
    """
    size = check_shape(1, size, size)[1]
    angle, offset = check_number(phi, "phi", "rad"), check_number(phase, "phase", "rad")
    across = np.linspace(-size / 8, size / 8, size)
    widths = [check_number(s, n, "units of X", 1e-9) for s, n in ((sigma_x, "sigma_x"), (sigma_y, "sigma_y"))]
    rows, columns = across[:, None], across[None, :]
    window = np.exp(-((rows / widths[0]) ** 2) - (columns / widths[1]) ** 2)
    along = rows * math.cos(angle) + columns * math.sin(angle)
    return np.asarray(window * np.sin(check_number(f, "f", "rad / pi") / math.pi * along + offset))


def text_kernel(text: str = "con\nvis", size: tuple[int, int] = (16, 16)) -> NDArray[np.float64]:
    """Letters as a kernel: it shows at once whether an axis is turned or a kernel flipped.

    Parameters
    ----------
    text : str
        Lines of text, made as large as the frame allows.
    size : tuple of int
        Rows and columns.

    Returns
    -------
    ndarray, shape [x, y], float64
        Values from 0 to 1.

    Raises
    ------
    ParameterError
        If nothing of the text can be seen.

    Examples
    --------
    >>> bar = text_kernel("L", (24, 24))
    >>> bool(bar[:, :12].sum() > bar[:, 12:].sum() and bar[12:].sum() > bar[:12].sum())  # its foot is below
    True
    """
    _, x, y = check_shape(1, *size)
    font = ImageFont.load_default(size=64.0)
    drawing = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = drawing.multiline_textbbox((0, 0), text, font=font)
    if not text.strip():
        raise ParameterError(f"Nothing can be seen of the text {text!r}.", "Give at least one letter.")
    picture = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)))
    ImageDraw.Draw(picture).multiline_text((-left, -top), text, fill=255, font=font)
    ink = picture.getbbox()  # less than the box of the text, which has room for other letters
    letters = picture.crop(ink).resize((y, x), Image.Resampling.BOX)
    return np.asarray(letters, np.float64) / 255.0
