"""From a picture of any kind to a grey frame of the size wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.errors import StreamError, VideoError
from convis_core.streams.frames import crop_corner, fit_frame, gray_frame

sides = st.integers(1, 12)


@settings(deadline=None, max_examples=40)
@given(x=sides, y=sides, channels=st.sampled_from([0, 1, 2, 3, 4]), deep=st.booleans(), seed=st.integers(0, 99))
def test_any_picture_gives_values_from_0_to_1(x: int, y: int, channels: int, deep: bool, seed: int) -> None:
    dtype = np.uint16 if deep else np.uint8
    shape = (x, y, channels) if channels else (x, y)
    picture = np.random.RandomState(seed).randint(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    frame = gray_frame(picture)
    assert frame.shape == (x, y) and frame.dtype == torch.float32
    assert frame.min() >= 0.0 and frame.max() <= 1.0
    if channels in (0, 1, 2):
        plain = picture.reshape(x, y, -1)[..., 0] / np.iinfo(dtype).max
        np.testing.assert_allclose(frame, plain, atol=1e-6)
    else:
        red, green, blue = (gray_frame(picture, colour) for colour in ("red", "green", "blue"))
        torch.testing.assert_close(frame, 0.299 * red + 0.587 * green + 0.114 * blue, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 3, 5)), "got the shape"),
        (np.zeros(4), "got the shape"),
        (np.zeros((0, 3)), "got the shape"),
        (np.full((2, 2), 3.0), "from 0 to 1 in a floating-point picture, got 3 to 3"),
        (np.full((2, 2), np.nan), "from 0 to 1"),
    ],
)
def test_what_is_no_picture_is_refused(picture: Any, message: str) -> None:
    with pytest.raises(VideoError, match=message):
        gray_frame(picture)


@settings(deadline=None, max_examples=40)
@given(have=st.tuples(sides, sides), size=st.tuples(sides, sides))
def test_a_crop_is_central_and_fits_or_is_refused(have: tuple[int, int], size: tuple[int, int]) -> None:
    if any(s > h for s, h in zip(size, have, strict=True)):
        with pytest.raises(StreamError, match="does not fit"):
            crop_corner(have, size, None)
        return
    before = crop_corner(have, size, None)
    after = [h - s - b for h, s, b in zip(have, size, before, strict=True)]
    assert all(0 <= a - b <= 1 for a, b in zip(after, before, strict=True))


@settings(deadline=None, max_examples=40)
@given(have=st.tuples(sides, sides), size=st.tuples(sides, sides), level=st.floats(0, 1, width=32))
def test_resizing_keeps_a_flat_picture_flat(have: tuple[int, int], size: tuple[int, int], level: float) -> None:
    resized = fit_frame(torch.full(have, level), size, "resize")
    torch.testing.assert_close(resized, torch.full(size, level), atol=1e-6, rtol=0)
