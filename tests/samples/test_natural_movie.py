"""The natural film: what it looks like in numbers, and how its file is kept."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from convis_core import samples
from convis_core.errors import FileWriteError, ParameterError
from convis_core.resolution import Resolution
from convis_core.samples.natural import dead_leaves, eye_path
from convis_core.samples.natural_file import cache_folder, natural_movie_file
from convis_core.streams import VideoReader


def test_spectrum_falls_as_in_natural_images() -> None:
    """Power falls about with the square of the spatial frequency (Field 1987; dead leaves share it)."""
    power = np.zeros(64)
    for seed in range(3):
        scene = dead_leaves(128, (2.0, 20.0), np.random.default_rng(seed)).astype(float)
        spectrum = np.abs(np.fft.fft2(scene - scene.mean())) ** 2
        power += spectrum[0, :64] + spectrum[:64, 0]
    octaves = np.array([power[k : 2 * k].mean() for k in (2, 4, 8, 16)])
    slope = np.polyfit(np.log2([3, 6, 12, 24]), np.log2(octaves), 1)[0]
    assert -3.2 < slope < -1.8


def test_scene_has_edges_all_greys_and_no_seam() -> None:
    scene = dead_leaves(128, (3.0, 22.0), np.random.default_rng(1))
    assert scene.min() >= 0.0 and scene.max() <= 1.0 and scene.std() > 0.15
    histogram = np.histogram(scene, 5, (0.0, 1.0))[0] / scene.size
    assert histogram.min() > 0.05  # black, grey and white all cover some of it
    inside = np.abs(np.diff(scene, axis=0)).mean()
    assert np.abs(scene[0] - scene[-1]).mean() < 2 * inside  # the last row meets the first
    assert (np.abs(scene - 0.5) < 1e-7).mean() < 0.01  # no bare ground


def test_eye_drifts_and_jumps() -> None:
    path = eye_path(6000, Resolution(10.0, 1000.0), 12.0, np.random.default_rng(0))
    moved = np.hypot(*(path[20:] - path[:-20]).T)  # within 20 ms
    fast = moved > 0.5
    assert 0.02 < fast.mean() < 0.3  # jumps are rare
    assert 0.002 < np.median(moved) < 0.1  # deg: between them the eye is slow, and never still
    n_jumps = np.sum(fast[1:] & ~fast[:-1])
    assert 6 / 0.75 <= n_jumps <= 6 / 0.25
    assert moved.max() > 1.0


def test_film_does_not_depend_on_the_sampling_of_time() -> None:
    """The eye moves in degrees a second: at a tenth of the rate it covers about the same ground."""
    coarse, fine = (
        eye_path(int(8 * rate), Resolution(10.0, rate), 12.0, np.random.default_rng(2)) for rate in (100.0, 1000.0)
    )
    spread = [np.abs(np.diff(path[:: len(path) // 400], axis=0)).mean() for path in (coarse, fine)]
    assert spread[0] == pytest.approx(spread[1], rel=0.5)


def test_film_changes_softly_and_at_jumps() -> None:
    film = samples.natural_movie(300, 40, 30, resolution=Resolution(10.0, 60.0))
    change = np.abs(np.diff(film, axis=0)).mean((1, 2))
    assert np.median(change) < 0.05 < 0.1 < change.max()
    assert film.min() >= 0.0 and film.max() <= 1.0
    assert not np.array_equal(film, samples.natural_movie(300, 40, 30, seed=2, resolution=Resolution(10.0, 60.0)))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return natural_movie_file(0.5, 16, 20, 30.0, folder=tmp_path)


def test_file_holds_the_film(small: Path) -> None:
    assert small.name == "natural_movie_v1_0.5s_16x20_30fps_10ppd_seed1.mp4"
    expected = samples.natural_movie(15, 16, 20, resolution=Resolution(10.0, 30.0))
    with VideoReader(small, steps_per_second=30.0) as film:
        assert (film.length, film.size) == (15, (16, 20))
        assert np.abs(film.get(15)[0, 0].numpy() - expected).mean() < 0.02


def test_file_is_kept_and_made_again_when_broken(small: Path) -> None:
    written = small.stat().st_mtime_ns
    again = natural_movie_file(0.5, 16, 20, 30.0, folder=small.parent)
    assert again == small and small.stat().st_mtime_ns == written
    whole = small.read_bytes()
    for broken in (b"", b"not a film", whole[: len(whole) // 2]):
        small.write_bytes(broken)
        natural_movie_file(0.5, 16, 20, 30.0, folder=small.parent)
        assert VideoReader(small).n_frames == 15
    assert list(small.parent.iterdir()) == [small]  # no drafts are left


def test_names_tell_films_apart(tmp_path: Path) -> None:
    names = {natural_movie_file(0.2, x, 16, 30.0, seed, folder=tmp_path).name for x in (16, 18) for seed in (1, 2)}
    assert len(names) == 4


def test_cache_folder_follows_the_conventions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "convis"
    assert natural_movie_file(0.1, 16, 16, 30.0).parent == tmp_path / "convis"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "convis"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "convis"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "convis" / "Cache"


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileWriteError, match=r"no folder.*XDG_CACHE_HOME"):
        natural_movie_file(0.1, 16, 16, 30.0, folder=os.fspath(tmp_path / "file"))
    for arguments in ((-1.0,), (0.1, 0), (0.1, 16, 16, 0.0)):
        with pytest.raises(ParameterError, match="Expected"):
            natural_movie_file(*arguments, folder=tmp_path)  # type: ignore[arg-type]
