"""A first look at many cells finds where each of them sees, on white noise and on natural movies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convis_core.estimation.first_look import FirstLook, first_looks
from convis_core.estimation.windows import Window, window_around
from tests.estimation.cells import Cell, centre_surround, gabor, recorded, time_course

SIZE, LAGS, CELLS = 13, 6, 6


def movie(rng: np.random.Generator, natural: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """White noise, or a film with 1/f amplitudes in space and a memory of some frames."""
    frames = rng.standard_normal((4000, SIZE, SIZE))
    if natural:
        fx, fy = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE), indexing="ij")
        amplitude = 1 / np.maximum(np.hypot(fx, fy), 1 / SIZE)
        frames = np.fft.ifft2(np.fft.fft2(frames) * amplitude).real
        for t in range(1, len(frames)):
            frames[t] = 0.7 * frames[t - 1] + np.sqrt(1 - 0.7**2) * frames[t]
    return np.asarray((frames - frames.mean()) / frames.std())


def looked_at(natural: bool) -> tuple[list[Cell], list[FirstLook]]:
    rng = np.random.default_rng(3)
    film = movie(rng, natural)
    fields = [time_course(rng, LAGS)[:, None, None] * (gabor, centre_surround)[k % 2](rng, SIZE) for k in range(CELLS)]
    cells = [recorded(film, field, 1.5, -1.0, rng) for field in fields]
    counts = torch.from_numpy(np.stack([cell.spikes for cell in cells], axis=1))
    return cells, first_looks(torch.from_numpy(film).flatten(1), counts, (SIZE, SIZE), LAGS)


@pytest.mark.parametrize("natural", [False, True])
def test_a_window_holds_the_field_and_the_look_resembles_it(natural: bool) -> None:
    cells, looks = looked_at(natural)
    areas = []
    for cell, look in zip(cells, looks, strict=True):
        seen = look.window
        inside = cell.filter[:, seen.top : seen.bottom, seen.left : seen.right]
        assert np.square(inside).sum() > 0.94 * np.square(cell.filter).sum()
        first = (look.time[:, None] * look.map).numpy().ravel()
        assert np.corrcoef(first, inside.ravel())[0, 1] > (0.75 if natural else 0.85)
        areas.append(seen.size[0] * seen.size[1])
    assert np.mean(areas) < 0.75 * SIZE**2


def test_looks_do_not_depend_on_one_another() -> None:
    cells, looks = looked_at(natural=True)
    film = torch.from_numpy(cells[0].stimulus).flatten(1)
    alone = first_looks(film, torch.from_numpy(cells[2].spikes)[:, None], (SIZE, SIZE), LAGS)[0]
    assert alone.window == looks[2].window
    torch.testing.assert_close(alone.map, looks[2].map)


def test_a_cell_that_always_fires_alike_may_see_anything() -> None:
    film = torch.randn(500, 81, generator=torch.Generator().manual_seed(0)).double()
    look = first_looks(film, torch.ones(500, 1).double(), (9, 9), 3)[0]
    assert look.window.size == (9, 9)
    assert not look.map.any()


def test_a_window_is_cut_and_put_back() -> None:
    pixels = torch.zeros(10, 12, dtype=torch.bool)
    pixels[2:8, 5] = True
    window = window_around(pixels)
    assert window == Window(1, 9, 2, 9)
    frames = torch.arange(2 * 120.0).reshape(2, 120)
    back = window.put_back(window.cut(frames, (10, 12)), (10, 12))
    assert torch.equal(back[:, 1:9, 2:9], frames.reshape(2, 10, 12)[:, 1:9, 2:9])
    assert int((back != 0).sum()) <= 2 * 8 * 7
