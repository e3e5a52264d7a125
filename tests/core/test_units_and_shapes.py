"""Resolution converts units; lifting makes five axes of what is clear and refuses what is not."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import convis_core as convis
from convis_core import Resolution, use_resolution
from convis_core.errors import ConvisError, ResolutionError, ShapeError, StreamError
from convis_core.tensors import check_finite, lift, to_tensor

# Resolution -------------------------------------------------------------------------------------


@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
def test_conversions_are_inverse(ppd: float, rate: float, value: float) -> None:
    resolution = Resolution(ppd, rate)
    assert resolution.steps_to_seconds(resolution.seconds_to_steps(value)) == pytest.approx(value)
    assert resolution.pixels_to_degrees(resolution.degrees_to_pixels(value)) == pytest.approx(value)
    assert resolution.step * rate == pytest.approx(1.0)


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "10", None, True])
def test_a_resolution_makes_sense(value: object) -> None:
    with pytest.raises(ResolutionError, match=r"steps_per_second must be a finite number above 0"):
        Resolution(10, value)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers() -> None:
    assert Resolution(np.int64(20), np.float32(200)) == Resolution(20, 200)


def test_a_resolution_is_a_value() -> None:
    resolution = Resolution(20, 200)
    assert resolution == copy.deepcopy(resolution) == pickle.loads(pickle.dumps(resolution))
    assert len({resolution, Resolution(20, 200), Resolution(20, 100)}) == 2
    with pytest.raises(ResolutionError, match=r"convis.default_resolution = convis.Resolution\(pixel_per_degree=5"):
        resolution.pixel_per_degree = 5


def test_the_default_is_captured_when_a_layer_is_built() -> None:
    before = convis.default_resolution
    model = convis.models.LN()
    convis.default_resolution = Resolution(20, 200)
    try:
        assert convis.default_resolution == Resolution(20, 200)
        assert convis.models.LN().conv.resolution.steps_per_second == 200
        assert model.resolution is model.conv.resolution is before
        with use_resolution(Resolution(5, 50)):
            assert convis.models.L().resolution == Resolution(5, 50)
        assert convis.default_resolution == Resolution(20, 200)
        seen: list[Resolution] = []
        thread = threading.Thread(target=lambda: seen.append(convis.default_resolution))
        thread.start()
        thread.join()
        assert seen == [Resolution(20, 200)]
    finally:
        convis.default_resolution = before


def test_the_default_is_a_resolution() -> None:
    with pytest.raises(ResolutionError, match="got int"):
        convis.default_resolution = 10  # type: ignore[assignment]
    with pytest.raises(ResolutionError, match="got float"), use_resolution(10.0):  # type: ignore[arg-type]
        pass
    assert isinstance(convis.default_resolution, Resolution)
    for make in (convis.models.LN, convis.filters.NLRectify, convis.retina.Retina):
        with pytest.raises(ResolutionError, match=r"must be a convis\.Resolution, got int"):
            make(resolution=1000)  # not when it is used, in the middle of a run


# Lifting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "lifted"),
    [
        ((7,), (1, 1, 7, 1, 1)),
        ((3, 4), (1, 1, 1, 3, 4)),
        ((7, 3, 4), (1, 1, 7, 3, 4)),
        ((2, 5, 7, 3, 4), (2, 5, 7, 3, 4)),
    ],
)
def test_fewer_axes_are_lifted(shape: tuple[int, ...], lifted: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape)
    tensor = lift(values)
    assert tuple(tensor.shape) == lifted
    np.testing.assert_array_equal(tensor.numpy().ravel(), values.ravel())


@pytest.mark.parametrize("shape", [(), (2, 3, 4, 5), (1, 1, 1, 1, 1, 1)])
def test_other_numbers_of_axes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=f"got {len(shape)} axes"):
        lift(np.zeros(shape))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6, dtype=np.uint8),
        np.arange(6, dtype=np.uint16),
        np.arange(6, dtype=">f4"),
        np.arange(6, dtype=np.float16),
        np.arange(6, dtype=np.longdouble),
        torch.complex(torch.zeros(6), -torch.arange(6.0)).conj().imag,
        np.arange(6, dtype=np.int64),
        np.arange(12)[::2] // 2,
        np.arange(6)[::-1][::-1],
        np.arange(6.0)[::-1].copy()[::-1],
        np.broadcast_to(np.arange(6), (1, 6))[0],
        list(range(6)),
        tuple(range(6)),
        torch.arange(6),
        torch.arange(6, dtype=torch.bfloat16),
    ],
    ids=lambda v: f"{type(v).__name__}-{getattr(v, 'dtype', '')}",
)
def test_any_numbers_become_floating_point(values: object) -> None:
    tensor = to_tensor(values, dtype=torch.float32)
    assert tensor.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert to_tensor(values).is_floating_point()
    assert tensor.numpy().sum() == 15.0  # a view of negated memory, as of a conjugate's part, would be refused


def test_read_only_and_reversed_arrays_are_copied() -> None:
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    to_tensor(frozen)[0] = 7.0
    assert frozen[0] == 0.0


def test_precision_is_kept_unless_asked() -> None:
    assert to_tensor(np.zeros(2)).dtype == torch.float64
    assert to_tensor(np.zeros(2, dtype=np.float32)).dtype == torch.float32
    assert to_tensor(True).dtype == torch.float32
    assert float(to_tensor(0.1)) == 0.1


@pytest.mark.parametrize(
    "values", ["text", None, np.array(["a"]), np.array([1j]), torch.tensor([1j]), {1: 2}, [[1], [1, 2]]]
)
def test_what_is_no_array_of_numbers(values: object) -> None:
    with pytest.raises(ConvisError):
        to_tensor(values)


def test_the_first_bad_frame_is_named() -> None:
    x = torch.zeros(2, 1, 5, 3, 3)
    check_finite(x, "The input")
    x[1, 0, 3, 2, 2], x[0, 0, 4] = torch.nan, torch.inf
    with pytest.raises(ShapeError, match="The input has 10 values that are NaN or infinite, the first in frame 103"):
        check_finite(x, "The input", 100)


@pytest.mark.parametrize("path", ["film.mp4", Path("film.mp4")])
def test_the_name_of_a_film_is_not_the_film(path: object) -> None:
    with pytest.raises(StreamError, match=r"the name of a file, 'film\.mp4'.*Open it first.*VideoReader"):
        convis.models.LN().run(path)
